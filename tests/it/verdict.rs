//! Verdicts, lists of submissions, funnels, and a participant's status in responses.

use screenerd::client as pb;
use screenerd::client::funnel_service_client::FunnelServiceClient;
use screenerd::client::get_screener_participant_request::Participant as Named;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;

use crate::support::unary::unary;
use crate::support::{RESPONDENT, SERVICE, Server};

#[tokio::test]
async fn a_decision_moves_a_submission_through_explanation_list_and_funnel() {
    let server = Server::demo().await;
    let (project_id, id) = ("proj_123".to_owned(), "scses_790".to_owned());
    let list = async |qualified| {
        let filter = pb::SubmissionFilter { qualified, ..pb::SubmissionFilter::default() };
        let message = pb::ListSubmissionsRequest { filter: Some(filter), pagination: None };
        let page = unary!(&server, RESPONDENT, SubmissionServiceClient.list_submissions(message));
        page.expect("a page").total()
    };
    let explain = async || {
        let (project_id, id) = (project_id.clone(), id.clone());
        let message = pb::ExplainSubmissionRequest { project_id, id };
        let it = unary!(&server, RESPONDENT, SubmissionServiceClient.explain_submission(message));
        it.expect("an explanation")
    };
    let funnel = async || {
        let message = pb::GetFunnelRequest { screener_id: "scr_124".into(), publication_id: None };
        let it = unary!(&server, SERVICE, FunnelServiceClient.get_funnel(message));
        it.expect("an answer").funnel.expect("a funnel")
    };
    let before = explain().await;
    assert_eq!((before.is_equal, before.is_publication_unchanged), (Some(true), Some(true)));
    assert_eq!(
        (before.stored.as_ref(), before.r#override.as_ref()),
        (before.recomputed.as_ref(), None)
    );
    assert_eq!(list(Some(true)).await + list(Some(false)).await, list(None).await);
    let (qualified, counted) = (list(Some(true)).await, funnel().await);
    let message = pb::DisqualifySubmissionRequest {
        project_id: project_id.clone(),
        id: id.clone(),
        reason: pb::DisqualificationReason::Context.into(),
        ..pb::DisqualifySubmissionRequest::default()
    };
    let done = unary!(&server, RESPONDENT, SubmissionServiceClient.disqualify_submission(message));
    done.expect("it is disqualified");
    let after = explain().await;
    assert_eq!((after.qualified, after.stored), (Some(false), before.stored.clone()));
    assert_eq!(after.r#override.and_then(|it| it.qualified), Some(false));
    assert_eq!(list(Some(true)).await, qualified - i32::from(before.qualified()));
    let recounted = funnel().await;
    assert_eq!(recounted.created, counted.created);
    assert_eq!(recounted.disqualified_by_researcher(), counted.disqualified_by_researcher() + 1);
    server.stop().await;
}

#[tokio::test]
async fn a_participant_who_was_never_assigned_is_not_found() {
    let server = Server::demo().await;
    let ask = async |uid: &str| {
        let participant = Some(Named::ExternalUid(uid.into()));
        let screener_id = "scr_123".into();
        let message = pb::GetScreenerParticipantRequest { screener_id, participant };
        unary!(&server, SERVICE, ParticipantServiceClient.get_screener_participant(message))
    };
    let found = ask("crm-001").await.expect("it is found").screener_participant;
    assert_ne!(found.expect("a screener participant").status, 0);
    ask("crm-nobody").await.expect_err("nobody has this id");
    server.stop().await;
}
