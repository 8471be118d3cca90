//! `ParticipantService`.

use screenerd::client as pb;
use screenerd::client::get_participant_request::Participant as Named;
use screenerd::client::participant_service_client::ParticipantServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use serde_json::json;

use crate::support::audit::{audit, demo_on_file};
use crate::support::unary::{Refused, unary};
use crate::support::{RESPONDENT, SERVICE, STRANGER, Server};

fn person(id: Option<&str>, uid: Option<&str>) -> pb::CreateParticipantRequest {
    pb::CreateParticipantRequest {
        id: id.map(Into::into),
        external_uid: uid.map(Into::into),
        ..pb::CreateParticipantRequest::default()
    }
}

async fn create(
    server: &Server,
    credential: &[(&str, &str)],
    message: pb::CreateParticipantRequest,
) -> Result<pb::Participant, Refused> {
    let answer = unary!(server, credential, ParticipantServiceClient.create_participant(message))?;
    Ok(answer.participant.expect("a participant"))
}

async fn get(
    server: &Server,
    credential: &[(&str, &str)],
    named: impl Into<Option<Named>>,
) -> Result<pb::Participant, Refused> {
    let message = pb::GetParticipantRequest { participant: named.into() };
    let answer = unary!(server, credential, ParticipantServiceClient.get_participant(message))?;
    Ok(answer.participant.expect("a participant"))
}

async fn update(
    server: &Server,
    credential: &[(&str, &str)],
    (id, name, email): (&str, Option<&str>, Option<&str>),
) -> Result<pb::Participant, Refused> {
    let (name, email) = (name.map(str::to_owned), email.map(str::to_owned));
    let message = pb::UpdateParticipantRequest { id: id.into(), name, email };
    let answer = unary!(server, credential, ParticipantServiceClient.update_participant(message))?;
    Ok(answer.participant.expect("a participant"))
}

async fn verify(
    server: &Server,
    credential: &[(&str, &str)],
    id: &str,
    state: pb::IdVerification,
) -> Result<pb::Participant, Refused> {
    let message = pb::SetIdVerificationRequest { id: id.into(), id_verification: state.into() };
    let answer = unary!(server, credential, ParticipantServiceClient.set_id_verification(message))?;
    Ok(answer.participant.expect("a participant"))
}

async fn list(
    server: &Server,
    credential: &[(&str, &str)],
    (limit, offset): (Option<i32>, Option<i32>),
) -> Result<pb::ListParticipantsResponse, Refused> {
    let pagination = Some(pb::Pagination { limit, offset });
    let message = pb::ListParticipantsRequest { pagination };
    unary!(server, credential, ParticipantServiceClient.list_participants(message))
}

fn by_id(id: &str) -> Named {
    Named::Id(id.into())
}

fn by_uid(uid: &str) -> Named {
    Named::ExternalUid(uid.into())
}

#[tokio::test]
async fn a_participant_is_created_and_found_by_either_name() {
    let server = Server::demo().await;
    let message = pb::CreateParticipantRequest {
        id: None,
        external_uid: Some("crm/7@é".into()),
        name: Some("Pat Doe Smith".into()),
        email: Some("pat@example.com".into()),
    };
    let made = create(&server, SERVICE, message).await.expect("it is created");
    assert!(made.id.starts_with("ptp_") && made.id.len() == 30, "{}", made.id);
    assert_eq!(made.external_uid(), "crm/7@é");
    assert_eq!((made.name(), made.email()), ("Pat Doe Smith", "pat@example.com"));
    assert_eq!(made.id_verification(), pb::IdVerification::None);
    assert_eq!(get(&server, SERVICE, by_id(&made.id)).await.as_ref(), Ok(&made));
    assert_eq!(get(&server, SERVICE, by_uid("crm/7@é")).await, Ok(made));
    // An external uid is not accepted as an id, and the reverse.
    for named in [by_id("crm/7@é"), by_uid("ptp_001"), by_uid("nobody")] {
        get(&server, SERVICE, named).await.expect_err("nobody is there").is("NOT_FOUND", &[]);
    }
    let refused = get(&server, SERVICE, None).await.expect_err("nobody is named");
    refused.is("INVALID_ARGUMENT", &["participant"]);
    let nobody = create(&server, SERVICE, person(None, None)).await.expect("only an id is needed");
    assert_eq!((nobody.external_uid, nobody.name, nobody.email), (None, None, None));
    server.stop().await;
}

#[tokio::test]
async fn an_id_or_an_external_uid_that_is_taken_is_named() {
    let server = Server::demo().await;
    for (id, uid, field) in [
        (Some("ptp_001"), None, "id"),
        (None, Some("crm-001"), "external_uid"),
        (Some("ptp_new"), Some("crm-001"), "external_uid"),
        (Some("ptp_001"), Some("crm-001"), "id"),
    ] {
        let refused = create(&server, SERVICE, person(id, uid)).await.expect_err("it is taken");
        refused.is("ALREADY_EXISTS", &[field]);
    }
    assert_eq!(list(&server, SERVICE, (None, None)).await.expect("a page").total, Some(8));
    create(&server, STRANGER, person(Some("ptp_001"), Some("crm-001")))
        .await
        .expect("both are unique within the tenant only");
    server.stop().await;
}

#[tokio::test]
async fn an_update_sets_clears_or_leaves_each_text() {
    let server = Server::demo().await;
    let before = get(&server, SERVICE, by_id("ptp_001")).await.expect("it is there");
    assert_eq!(update(&server, SERVICE, ("ptp_001", None, None)).await.as_ref(), Ok(&before));
    let with_email = pb::Participant { email: Some("alex@example.com".into()), ..before };
    let answer = update(&server, SERVICE, ("ptp_001", None, Some("alex@example.com"))).await;
    assert_eq!(answer.as_ref(), Ok(&with_email));
    let nameless = pb::Participant { name: None, ..with_email };
    let answer = update(&server, SERVICE, ("ptp_001", Some(""), None)).await;
    assert_eq!(answer.as_ref(), Ok(&nameless));
    assert_eq!(get(&server, SERVICE, by_uid("crm-001")).await, Ok(nameless));
    let refused = update(&server, SERVICE, ("ptp_001", Some("a\nb"), Some("\u{7}"))).await;
    refused.expect_err("both are wrong").is("INVALID_ARGUMENT", &["name", "email"]);
    let refused = update(&server, SERVICE, ("nobody", None, None)).await;
    refused.expect_err("nobody is there").is("NOT_FOUND", &[]);
    server.stop().await;
}

#[tokio::test]
async fn participants_are_paged_in_the_order_in_which_they_came() {
    let server = Server::demo().await;
    let first = list(&server, SERVICE, (None, None)).await.expect("a page");
    let mut ids: Vec<String> = first.items.into_iter().map(|it| it.id).collect();
    assert_eq!(ids[..2], ["ptp_001", "ptp_002"]);
    assert_eq!((first.total, first.limit, first.offset), (Some(8), 100, Some(0)));
    for id in ["z", "a", "m"] {
        ids.push(create(&server, SERVICE, person(Some(id), None)).await.expect("created").id);
    }
    for (limit, offset) in [(4, 0), (4, 4), (4, 8), (500, 9), (1, 11)] {
        let page = list(&server, SERVICE, (Some(limit), Some(offset))).await.expect("a page");
        let listed: Vec<String> = page.items.into_iter().map(|it| it.id).collect();
        let begin = usize::try_from(offset).expect("small");
        let end = (begin + usize::try_from(limit).expect("small")).min(ids.len());
        assert_eq!((listed.as_slice(), page.total), (&ids[begin..end], Some(11)));
    }
    server.stop().await;
}

#[tokio::test]
async fn submissions_follow_a_verification_at_once() {
    let server = Server::demo().await;
    let path = "/v1/projects/proj_123/screener-responses/scses_790/reject";
    for (state, qualified, pending) in [
        (pb::IdVerification::Pending, false, true),
        (pb::IdVerification::Passed, true, false),
        (pb::IdVerification::Failed, false, false),
        (pb::IdVerification::None, true, false),
    ] {
        for _ in 0..2 {
            let person = verify(&server, SERVICE, "ptp_002", state).await.expect("it is set");
            assert_eq!(person.id_verification(), state);
        }
        let id = "scses_790".into();
        let message = pb::GetSubmissionRequest { project_id: "proj_123".into(), id };
        let answer = unary!(server, RESPONDENT, SubmissionServiceClient.get_submission(message));
        let submission = answer.expect("it is there").submission.expect("a submission");
        assert_eq!(submission.qualified, Some(qualified), "{state:?}");
        assert_eq!(submission.qualified_pending_id_verification, Some(pending), "{state:?}");
        // A rejection returns the same values and does not change them.
        let body = server.send("PATCH", path, RESPONDENT).await.json();
        assert_eq!(body["status"], "REJECTEDQUALITY");
        assert_eq!(
            (&body["qualified"], &body["qualifiedPendingIdVerification"]),
            (&json!(qualified), &json!(pending)),
            "{state:?}"
        );
    }
    let refused = verify(&server, SERVICE, "", pb::IdVerification::Unspecified).await;
    refused.expect_err("both are wrong").is("INVALID_ARGUMENT", &["id", "id_verification"]);
    let refused = verify(&server, SERVICE, "nobody", pb::IdVerification::Passed).await;
    refused.expect_err("nobody is there").is("NOT_FOUND", &[]);
    server.stop().await;
}

#[tokio::test]
async fn another_tenants_participants_are_neither_seen_nor_changed() {
    let server = Server::demo().await;
    let before = get(&server, SERVICE, by_id("ptp_001")).await;
    for named in [by_id("ptp_001"), by_uid("crm-001")] {
        get(&server, STRANGER, named).await.expect_err("another's").is("NOT_FOUND", &[]);
    }
    let refused = update(&server, STRANGER, ("ptp_001", Some("Mine"), None)).await;
    refused.expect_err("it is another's").is("NOT_FOUND", &[]);
    let refused = verify(&server, STRANGER, "ptp_001", pb::IdVerification::Failed).await;
    refused.expect_err("it is another's").is("NOT_FOUND", &[]);
    let own = list(&server, STRANGER, (None, None)).await.expect("a page");
    let ids: Vec<&str> = own.items.iter().map(|it| it.id.as_str()).collect();
    assert_eq!((ids, own.total), (vec!["ptp_999"], Some(1)));
    assert_eq!(get(&server, SERVICE, by_id("ptp_001")).await, before);
    server.stop().await;
}

#[tokio::test]
async fn what_changes_a_participant_is_on_record_and_what_does_not_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    create(&server, SERVICE, person(Some("ptp_new"), None)).await.expect("it is created");
    create(&server, SERVICE, person(Some("ptp_new"), None)).await.expect_err("it is taken");
    for _ in 0..2 {
        update(&server, SERVICE, ("ptp_new", Some("Pat"), None)).await.expect("it changes");
        verify(&server, SERVICE, "ptp_new", pb::IdVerification::Pending).await.expect("it is set");
    }
    verify(&server, SERVICE, "ptp_new", pb::IdVerification::Passed).await.expect("it is set");
    let expected = [
        "CREATE PARTICIPANT - NONE",
        "UPDATE PARTICIPANT - -",
        "UPDATE PARTICIPANT NONE PENDING",
        "UPDATE PARTICIPANT PENDING PASSED",
    ];
    assert_eq!(audit(&file).await, expected);
    server.stop().await;
}
