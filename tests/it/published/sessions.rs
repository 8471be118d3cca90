//! The clients of sessions and responses.

use serde_json::{Value, json};

use super::schema::Need::{self, Required};
use super::schema::Shape::{
    self, Either, Flag, Instant, List, Number, Object, OrNull, Text, Whole, Word,
};
use super::schema::check;
use crate::support::{SPOT, Server};

const TAG: &[(&str, Need, Shape)] = &[
    ("_type", Required, Word(&["Tag"])),
    ("id", Required, Text),
    ("category", Required, OrNull(&Text)),
    ("value", Required, Text),
];

const SESSION: &[(&str, Need, Shape)] = &[
    ("_type", Required, Word(&["ScreenerSession"])),
    ("id", Required, Text),
    ("screenerId", Required, Text),
    ("screenerParticipantId", Required, Text),
    ("screenerPublicationId", Required, Text),
    ("screenerSessionLink", Required, Text),
    ("linkSlug", Required, Text),
    ("status", Required, Word(&["ACTIVE", "ARCHIVED", "REMOVED"])),
    ("state", Required, Word(&["NOT_STARTED", "IN_PROGRESS", "COMPLETED"])),
    ("startedAt", Required, OrNull(&Instant)),
    ("lastActiveAt", Required, OrNull(&Instant)),
    ("completedAt", Required, OrNull(&Instant)),
    ("assignedTags", Required, List(&Object(TAG))),
];

const OPTION: Shape = Object(&[("text", Required, Text), ("isWriteIn", Required, Flag)]);

const RESPONSE: &[(&str, Need, Shape)] = &[
    (
        "_type",
        Required,
        Word(&[
            "ScreenerTextResponse",
            "ScreenerNumericResponse",
            "ScreenerSingleSelectResponse",
            "ScreenerMultiSelectResponse",
        ]),
    ),
    (
        "questionType",
        Required,
        Word(&[
            "ScreenerTextQuestion",
            "ScreenerNumericQuestion",
            "ScreenerSingleSelectQuestion",
            "ScreenerMultiSelectQuestion",
        ]),
    ),
    ("screenerSessionId", Required, Text),
    ("screenerPageId", Required, Text),
    ("screenerQuestionId", Required, Text),
    ("screenerId", Required, Text),
    ("screenerPublicationId", Required, Text),
    ("participantId", Required, Text),
    ("externalParticipantUid", Required, OrNull(&Text)),
    ("screenerParticipantId", Required, Text),
    ("screenerQuestionPrompt", Required, Text),
    ("answer", Required, OrNull(&Either(&[Text, Number, OPTION, List(&OPTION)]))),
];

const fn page(items: &'static Shape) -> [(&'static str, Need, Shape); 4] {
    [
        ("total", Required, Whole),
        ("limit", Required, Whole),
        ("offset", Required, Whole),
        ("items", Required, List(items)),
    ]
}

const SESSIONS: &[(&str, Need, Shape)] = &page(&Object(SESSION));
const RESPONSES: &[(&str, Need, Shape)] = &page(&Object(RESPONSE));

/// Asserts that a session has exactly the instants of its state.
fn check_progress(session: &Value) {
    let set = |name: &str| !session[name].is_null();
    let expected = match session["state"].as_str() {
        Some("NOT_STARTED") => [false, false, false],
        Some("IN_PROGRESS") => [true, true, false],
        _ => [true, true, true],
    };
    let instants = ["startedAt", "lastActiveAt", "completedAt"].map(set);
    assert_eq!(instants, expected, "{session}");
}

#[tokio::test]
async fn every_call_on_sessions_is_answered_by_its_schema_at_every_status_and_state() {
    let server = Server::demo().await;
    let reply = server.send("GET", "/screener-sessions?pagination[limit]=500", SPOT).await;
    check(&reply.json(), &Object(SESSIONS), "the list of sessions");
    let sessions = reply.json()["items"].as_array().expect("items").clone();
    let mut met: Vec<(String, String)> = Vec::new();
    for session in &sessions {
        check_progress(session);
        let word = |name: &str| session[name].as_str().expect("a word").to_owned();
        met.push((word("status"), word("state")));
        let path = format!("/screener-sessions/{}", word("id"));
        let one = server.send("GET", &path, SPOT).await;
        assert_eq!((one.status, &one.json()), (200, session), "GET {path}");
        for _ in 0..2 {
            let removed = server.send("DELETE", &path, SPOT).await;
            assert_eq!(removed.status, 200, "DELETE {path}");
            check(&removed.json(), &Object(SESSION), &path);
            let mut expected = session.clone();
            expected["status"] = json!("REMOVED");
            assert_eq!(removed.json(), expected, "history stays: {path}");
        }
    }
    for status in ["ACTIVE", "REMOVED"] {
        assert!(met.iter().any(|it| it.0 == status), "{status} is met");
    }
    for state in ["NOT_STARTED", "IN_PROGRESS", "COMPLETED"] {
        assert!(met.iter().any(|it| it.1 == state), "{state} is met");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_filter_on_responses_is_answered_by_its_schema() {
    let server = Server::demo().await;
    let list = async |query: &str| {
        let reply = server.send("GET", &format!("/screener-responses?{query}"), SPOT).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text);
        check(&reply.json(), &Object(RESPONSES), query);
        reply.json()
    };
    let whole = list("pagination[limit]=500").await;
    let items = whole["items"].as_array().expect("items").clone();
    assert_eq!(whole["total"], items.len());
    for (field, operators) in [
        ("screenerId", &["eq"][..]),
        ("screenerPublicationId", &["eq"]),
        ("screenerSessionId", &["eq", "in", "in][", "in][0"]),
        ("screenerParticipantId", &["eq", "in", "in][", "in][0"]),
    ] {
        let value = items[0][field].as_str().expect("an id");
        let expected: Vec<_> = items.iter().filter(|it| it[field] == value).collect();
        for operator in operators {
            let found = list(&format!("filter[{field}][{operator}]={value}")).await;
            let found: Vec<_> = found["items"].as_array().expect("items").iter().collect();
            assert_eq!(found, expected, "{field} {operator}");
        }
    }
    server.stop().await;
}
