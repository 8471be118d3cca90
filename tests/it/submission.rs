//! The content of a submission: verdict, identity verification, and answers for reviewers.

use std::io::Cursor;

use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::transfer;
use serde_json::{Value, json};

use crate::support::calls::{Call, Transport, make, request};
use crate::support::{RESPONDENT, Server};

/// Starts a server on the example data with some lines changed.
async fn server_with(changes: &[(&str, &str)]) -> (Server, tempfile::TempDir) {
    let mut file = transfer::demo::FILE.to_owned();
    for (from, to) in changes {
        assert!(file.contains(from), "the example data has {from}");
        file = file.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on_file(&folder.path().join("review.db")).await;
    let app = server.running.app();
    transfer::import_lines(app, &Operator::trusted(), Cursor::new(file), true)
        .await
        .expect("it imports");
    (server, folder)
}

async fn rejected(server: &Server, session: &str) -> Value {
    make(server, Transport::Rest, RESPONDENT, &Call::reject("proj_123", session)).await.answer()
}

#[tokio::test]
async fn identity_verification_decides_who_is_qualified_and_who_is_pending() {
    for (verification, manual, qualified, pending) in [
        ("NONE", None, true, false),
        ("PENDING", None, false, true),
        ("PASSED", None, true, false),
        ("FAILED", None, false, false),
        ("PENDING", Some(true), true, false),
        ("FAILED", Some(true), true, false),
        ("PASSED", Some(false), false, false),
    ] {
        let person = format!(r#""externalUid": "crm-002", "idVerification": "{verification}""#);
        let mut changes = vec![(r#""externalUid": "crm-002""#, person.as_str())];
        let review;
        if let Some(manual) = manual {
            review =
                format!(r#""linkSlug": "onboarding-002-sam", "review": {{"qualified": {manual}}}"#);
            changes.push((r#""linkSlug": "onboarding-002-sam""#, review.as_str()));
        }
        let (server, _folder) = server_with(&changes).await;
        for transport in Transport::BOTH {
            let call = Call::reject("proj_123", "scses_790");
            let body = make(&server, transport, RESPONDENT, &call).await.answer();
            assert_eq!(
                (&body["qualified"], &body["qualifiedPendingIdVerification"]),
                (&json!(qualified), &json!(pending)),
                "{verification}, {manual:?}, over {transport:?}"
            );
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn an_answer_that_disqualifies_is_scored_and_marked() {
    let disqualifying = (r#"{"option": "sco_size_200"}"#, r#"{"option": "sco_size_10"}"#);
    let (server, _folder) = server_with(&[disqualifying]).await;
    let body = rejected(&server, "scses_790").await;
    assert_eq!(body["qualified"], false);
    assert_eq!(body["percentage"], 0);
    assert_eq!(body["matching"]["questionsQualified"], false);
    assert_eq!(body["matching"]["isAgeMatch"], true);
    assert_eq!(body["responses"][3]["qualify"], false);
    assert_eq!(body["responses"][3]["answers"][0]["answerValue"], 2);
    assert_eq!(body["responses"][0]["qualify"], true);
    server.stop().await;
}

#[tokio::test]
async fn percentages_are_rounded_half_up_over_scored_answers() {
    // Two of three scored answers qualify: 66.67 %.
    let changes = [
        (r#""min": 0, "max": 80}"#, r#""min": 0, "max": 80, "qualifies": {"min": 3}}"#),
        (r#""min": 0}]}"#, r#""min": 0, "qualifies": {"max": 2.5}}]}"#),
    ];
    let (pages, others) = (r#""id": "scpub_457""#, r#""id": "scpub_456""#);
    // Changes only the publication of this session.
    let mut file = String::new();
    for line in transfer::demo::FILE.lines() {
        let mut line = line.to_owned();
        if line.contains(pages) && !line.contains(others) && line.contains("\"pages\"") {
            for (from, to) in changes {
                assert!(line.contains(from), "{from}");
                line = line.replacen(from, to, 1);
            }
        }
        file.push_str(&line);
        file.push('\n');
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on_file(&folder.path().join("review.db")).await;
    let app = server.running.app();
    transfer::import_lines(app, &Operator::trusted(), Cursor::new(file), true)
        .await
        .expect("it imports");
    let body = rejected(&server, "scses_790").await;
    assert_eq!(body["percentage"], 67);
    assert_eq!(body["responses"][1]["qualify"], true);
    assert_eq!(body["responses"][2]["qualify"], false);
    assert_eq!(body["responses"][2]["answers"][0]["answerValue"], 2);
    server.stop().await;
}

#[tokio::test]
async fn a_submission_without_a_name_has_no_profile_and_can_be_got_whatever_its_status() {
    let server = Server::demo().await;
    let channel = server.channel().await;
    let mut client = pb::submission_service_client::SubmissionServiceClient::new(channel);
    let message =
        pb::GetSubmissionRequest { project_id: "proj_123".into(), id: "scses_792".into() };
    let answer = client.get_submission(request(message, RESPONDENT)).await.expect("it is there");
    let submission = answer.into_inner().submission.expect("a submission");
    assert_eq!(submission.status(), pb::SubmissionStatus::Paid);
    assert_eq!(submission.profile, None);
    assert_eq!((submission.qualified, submission.is_new), (Some(false), Some(false)));
    assert_eq!(submission.user_id, "ptp_004");
    server.stop().await;
}
