//! Instants in every interface: one grammar and one range, and no stored row breaks a page.

use std::io::Cursor;
use std::path::Path;

use prost_types::Timestamp;
use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use screenerd::transfer;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::support::calls::request;
use crate::support::{RESPONDENT, SERVICE, Server};

const FIRST: &str = "0001-01-01T00:00:00Z";
const LAST: &str = "9999-12-31T23:59:59.999999Z";

/// Accepted texts and their instants.
const READ: [(&str, &str); 7] = [
    (FIRST, FIRST),
    (LAST, LAST),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ("0001-01-01T23:59:00+23:59", FIRST),
    ("2030-05-01t15:08:21.1234567z", "2030-05-01T15:08:21.123456Z"),
    ("2030-05-01T15:08:21-02:30", "2030-05-01T17:38:21Z"),
    ("2030-12-31T23:59:60Z", "2030-12-31T23:59:59Z"),
];

/// Texts that are refused wherever a text states an instant.
const REFUSED: [&str; 9] = [
    "0000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "20300101T000000Z",
    "2030-01-01T00:00:00+01:00[Europe/Paris]",
    "2030-01-01 00:00:00Z",
    "2030-01-01T00:00:00",
    "2030-01-01",
    "2030-02-30T00:00:00Z",
];

async fn server(file: &Path) -> Server {
    let server = Server::on_file(file).await;
    let app = server.running.app();
    let demo = Cursor::new(transfer::demo::FILE);
    transfer::import_lines(app, &Operator::trusted(), demo, true).await.expect("it imports");
    let invited = call(&server, "InviteSubmission", json!({})).await;
    assert!(invited["submission"].is_object(), "{invited}");
    server
}

/// Calls the submission service over Connect.
async fn call(server: &Server, method: &str, mut message: Value) -> Value {
    if method != "ListSubmissions" {
        message["project_id"] = "proj_123".into();
        message["id"] = "scses_790".into();
    }
    let path = format!("/screener.v1.SubmissionService/{method}");
    let headers = [SERVICE, &[("content-type", "application/json")]].concat();
    server.send_body("POST", &path, &headers, Some(&message.to_string())).await.json()
}

async fn scheduled_over_rest(server: &Server, text: &str) -> (u16, Value) {
    let path = "/v1/projects/proj_123/screener-responses/scses_790/schedule";
    let headers = [RESPONDENT, &[("content-type", "application/json")]].concat();
    let body = json!({ "scheduledAt": text }).to_string();
    let reply = server.send_body("PATCH", path, &headers, Some(&body)).await;
    (reply.status, reply.json())
}

#[tokio::test]
async fn an_instant_is_read_alike_at_every_door() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(&folder.path().join("instants.db")).await;
    for (text, same) in READ {
        let (status, body) = scheduled_over_rest(&server, text).await;
        assert_eq!(status, 200, "{text}: {body}");
        let stored = call(&server, "GetSubmission", json!({})).await;
        assert_eq!(stored["submission"]["scheduledAt"], same, "{text} over REST");
        let answer = call(&server, "ScheduleSubmission", json!({ "scheduled_at": text })).await;
        assert_eq!(answer["submission"]["scheduledAt"], same, "{text} over Connect");
    }
    for text in REFUSED {
        let (status, body) = scheduled_over_rest(&server, text).await;
        assert_eq!(
            (status, &body["violations"][0]["field"]),
            (400, &json!("scheduledAt")),
            "{text}"
        );
        let answer = call(&server, "ScheduleSubmission", json!({ "scheduled_at": text })).await;
        assert_eq!(answer["code"], "invalid_argument", "{text} over Connect: {answer}");
        assert!(
            answer["message"].as_str().is_some_and(|it| it.starts_with("scheduled_at: ")),
            "{answer}"
        );
        let line = json!({
            "type": "tenant", "id": "acct_9", "name": "T", "createdAt": text,
        });
        let file = format!("{}\n{line}\n", transfer::demo::FILE.lines().next().unwrap_or_default());
        let app = server.running.app();
        let operator = Operator::trusted();
        let refused = transfer::import_lines(app, &operator, Cursor::new(file), true).await;
        let refused = refused.expect_err(text);
        assert!(refused.to_string().contains("createdAt"), "{text} in a file: {refused}");
    }
    server.stop().await;
}

#[tokio::test]
async fn grpc_takes_the_range_of_a_protobuf_timestamp_and_nothing_beyond() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(&folder.path().join("instants.db")).await;
    let mut client = SubmissionServiceClient::new(server.channel().await);
    for (seconds, nanos, is_read) in [
        (-62_135_596_800, 0, true),
        (-62_135_596_801, 999_999_999, false),
        (253_402_300_799, 999_999_999, true),
        (253_402_300_800, 0, false),
        (i64::MAX, 0, false),
        (0, -1, false),
    ] {
        let message = pb::ScheduleSubmissionRequest {
            project_id: "proj_123".into(),
            id: "scses_790".into(),
            scheduled_at: Some(Timestamp { seconds, nanos }),
            ..pb::ScheduleSubmissionRequest::default()
        };
        let answer = client.schedule_submission(request(message, RESPONDENT)).await;
        match answer {
            Ok(_) => assert!(is_read, "{seconds} {nanos}"),
            Err(status) => {
                assert!(!is_read, "{seconds} {nanos}: {status}");
                assert!(status.message().starts_with("scheduled_at: "), "{status}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stored_instant_out_of_range_is_shown_as_the_nearest() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("instants.db");
    server(&file).await.stop().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    for (micros, shown) in [(i64::MIN, FIRST), (i64::MAX, LAST)] {
        let mut old = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
        sqlx::query("UPDATE submissions SET scheduled_at = $1, status_updated_at = $1")
            .bind(micros)
            .execute(&mut old)
            .await
            .expect("it is written");
        old.close().await.expect("it closes");
        let server = Server::on_file(&file).await;
        let one = call(&server, "GetSubmission", json!({})).await;
        assert_eq!(one["submission"]["scheduledAt"], shown);
        let list = call(&server, "ListSubmissions", json!({})).await;
        let items = list["items"].as_array().expect("a list");
        assert!(!items.is_empty() && items.iter().all(|it| it["scheduledAt"] == shown), "{list}");
        let path = "/v1/projects/proj_123/screener-responses/scses_790";
        let rest = server.send("GET", path, RESPONDENT).await;
        assert_eq!(rest.json()["statusUpdatedAt"], format!("{}Z", &shown[..19]), "{}", rest.text);
        // The submission can be reviewed and its session answered like any other.
        for verb in ["hide", "schedule", "cancel-booking-reinvite", "schedule"] {
            let path = format!("{path}/{verb}");
            let headers = [RESPONDENT, &[("content-type", "application/json")]].concat();
            let body = if verb == "schedule" {
                r#"{"scheduledAt": "2026-02-01T10:00:00Z"}"#
            } else {
                "{}"
            };
            let reply = server.send_body("PATCH", &path, &headers, Some(body)).await;
            assert_eq!(reply.status, 200, "{verb}: {}", reply.text);
        }
        let begun =
            "UPDATE sessions SET started_at = $1, last_active_at = $1 WHERE id = 'scses_789'";
        server.stop().await;
        let mut old = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
        sqlx::query(begun).bind(micros).execute(&mut old).await.expect("it is written");
        old.close().await.expect("it closes");
        let server = Server::on_file(&file).await;
        let link = [
            ("authorization", "/screeners/scr_123/scses_789"),
            ("content-type", "application/json"),
        ];
        let body = r#"{"responses": {"scq_role": {"explanation": "VP of Sales"}}}"#;
        let reply = server.send_body("POST", "/public/surveys/", &link, Some(body)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        server.stop().await;
    }
}
