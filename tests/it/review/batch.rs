//! One decision about several submissions.

use prost::Message as _;
use screenerd::client as pb;
use screenerd::client::submission_result::Result as ItemResult;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{PROJECT, audit, database, json, server_with, session};
use crate::support::RESPONDENT;
use crate::support::calls::request;

/// Returns the status of the submission in a result, or the code and reason of the refusal.
fn told(result: &pb::SubmissionResult) -> (String, String) {
    let told = match result.result.as_ref().expect("one of the two") {
        ItemResult::Submission(submission) => {
            assert_eq!(submission.id, result.id);
            submission.status().as_str_name().replace("SUBMISSION_STATUS_", "")
        }
        ItemResult::Error(status) => {
            assert!(!status.message.is_empty());
            let [detail] = status.details.as_slice() else { panic!("one detail is expected") };
            assert_eq!(detail.type_url, "type.googleapis.com/google.rpc.ErrorInfo");
            let info = tonic_types::pb::ErrorInfo::decode(detail.value.as_slice());
            let info = info.expect("an ErrorInfo");
            assert_eq!(info.domain, "screenerd");
            format!("{:?} {}", Code::from_i32(status.code), info.reason)
        }
    };
    (result.id.clone(), told)
}

fn submissions() -> String {
    let mut sessions = String::new();
    for (id, review) in [
        ("new_1", json!({})),
        ("new_2", json!({})),
        ("paid", json!({ "status": "PAID" })),
        ("held", json!({ "visibility": "ONHOLD" })),
    ] {
        sessions.push_str(&session(id, "ACTIVE", &review));
    }
    sessions
}

#[tokio::test]
async fn each_submission_of_a_batch_has_its_own_result_in_order() {
    let (server, folder) = server_with(&submissions()).await;
    let mut client = SubmissionServiceClient::new(server.channel().await);
    let ids = ["paid", "new_2", "nobody", "held", "new_1", "new_2", "scses_791", "scses_999"];
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let expected = |done: &str, paid: &str| -> Vec<(String, String)> {
        let words = [
            paid,
            done,
            "NotFound NOT_FOUND",
            "FailedPrecondition NOT_VISIBLE",
            done,
            done,
            "NotFound NOT_FOUND",
            "NotFound NOT_FOUND",
        ];
        ids.iter().cloned().zip(words.map(str::to_owned)).collect()
    };
    let message =
        pb::BatchQualifySubmissionsRequest { project_id: PROJECT.into(), ids: ids.clone() };
    let qualified = client.batch_qualify_submissions(request(message, RESPONDENT)).await;
    let results = qualified.expect("an answer").into_inner().results;
    assert_eq!(results.iter().map(told).collect::<Vec<_>>(), expected("PENDING", "PAID"));
    let message = Some("Copied.".to_owned());
    let reject =
        pb::BatchRejectSubmissionsRequest { project_id: PROJECT.into(), ids: ids.clone(), message };
    let refused = "FailedPrecondition INVALID_STATUS_TRANSITION";
    for _ in 0..2 {
        let rejected = client.batch_reject_submissions(request(reject.clone(), RESPONDENT)).await;
        let results = rejected.expect("an answer").into_inner().results;
        assert_eq!(
            results.iter().map(told).collect::<Vec<_>>(),
            expected("REJECTEDQUALITY", refused)
        );
        let Some(ItemResult::Submission(first)) = &results[1].result else {
            panic!("a submission")
        };
        let rejection = first.rejection.as_ref().expect("it was rejected");
        assert_eq!((rejection.message(), first.qualified_override), ("Copied.", Some(true)));
        server.clock.advance_seconds(1);
    }
    for (id, actions) in [("new_1", 2), ("new_2", 2), ("paid", 1), ("held", 0)] {
        assert_eq!(audit(&database(&folder), id).await.len(), actions, "{id}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_batch_that_is_no_batch_is_refused_as_a_whole() {
    let (server, _folder) = server_with(&submissions()).await;
    let mut client = SubmissionServiceClient::new(server.channel().await);
    for (ids, fields) in [
        (
            vec![String::new(), "new_1".into(), "x".repeat(129)],
            &["ids[0]", "ids[2]", "message"][..],
        ),
        (vec![], &["ids", "message"]),
        (vec!["new_1".into(); 101], &["ids", "message"]),
    ] {
        let message = Some("x".repeat(2001));
        let message =
            pb::BatchRejectSubmissionsRequest { project_id: PROJECT.into(), ids, message };
        let refused = client.batch_reject_submissions(request(message, RESPONDENT)).await;
        let refused = refused.expect_err("a refusal");
        assert_eq!(refused.code(), Code::InvalidArgument);
        let named = refused.get_details_bad_request().expect("violations").field_violations;
        let named: Vec<&str> = named.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(named, fields);
    }
    let message = pb::BatchQualifySubmissionsRequest {
        project_id: PROJECT.into(),
        ids: vec!["new_1".into(); 100],
    };
    let results = client.batch_qualify_submissions(request(message, RESPONDENT)).await;
    assert_eq!(results.expect("an answer").into_inner().results.len(), 100);
    server.stop().await;
}
