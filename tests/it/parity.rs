//! One table of cases, two drivers: each case must have the same outcome over REST and over gRPC.

mod response;

use serde_json::{Value, json};

use crate::support::calls::{Call, Ids, Outcome, Transport, make};
use crate::support::{PANEL, RESPONDENT, SERVICE, SPOT, Server};

type Credential = &'static [(&'static str, &'static str)];

/// A case without side effects, so that all cases share one server.
struct Case {
    name: &'static str,
    credential: Credential,
    call: Call,
    expect: Outcome,
    /// The compared part of the response, as a JSON pointer.
    at: &'static str,
}

fn case(name: &'static str, call: Call, at: &'static str, expect: Value) -> Case {
    let credential = match call {
        Call::ListSessions { .. }
        | Call::GetSession(_)
        | Call::RemoveSession(_)
        | Call::ListResponses { .. } => SPOT,
        Call::Reject { .. } | Call::GetSubmission { .. } | Call::Review { .. } => RESPONDENT,
        Call::Access { .. } => PANEL,
    };
    Case { name, credential, call, expect: Outcome::Answer(expect), at }
}

fn refused(name: &'static str, call: Call, code: &str, fields: &[&str]) -> Case {
    Case { expect: Outcome::refusal(code, fields), ..case(name, call, "", Value::Null) }
}

async fn check(cases: Vec<Case>) {
    let server = Server::demo().await;
    for Case { name, credential, call, expect, at } in cases {
        for transport in Transport::BOTH {
            for credential in [credential, SERVICE] {
                let outcome = match make(&server, transport, credential, &call).await {
                    Outcome::Answer(answer) => {
                        Outcome::Answer(answer.pointer(at).cloned().unwrap_or(Value::Null))
                    }
                    refusal @ Outcome::Refusal { .. } => refusal,
                };
                assert_eq!(outcome, expect, "{name}, over {transport:?}, with {credential:?}");
            }
        }
    }
    server.stop().await;
}

fn no_ids() -> Ids {
    Ids::default()
}

fn sessions(id: Ids, screener: Ids, page: (Option<i32>, Option<i32>)) -> Call {
    Call::ListSessions { id, screener, limit: page.0, offset: page.1 }
}

#[tokio::test]
async fn limits_and_offsets_are_checked_clamped_and_echoed() {
    let page = |limit, offset| Call::page(limit, offset);
    check(vec![
        case("the default limit is 100", page(None, None), "/limit", json!(100)),
        case("the default offset is 0", page(None, None), "/offset", json!(0)),
        case("a limit above 500 is clamped", page(Some(501), None), "/limit", json!(500)),
        case("a limit of 1 is one row", page(Some(1), None), "/items/1", Value::Null),
        case("a small limit keeps the total", page(Some(1), None), "/total", json!(8)),
        case("past the end the total stays", page(None, Some(1000)), "/total", json!(8)),
        case("past the end nothing is left", page(None, Some(1000)), "/items", json!([])),
        case("an offset is echoed", page(None, Some(1000)), "/offset", json!(1000)),
        refused("a limit of 0", page(Some(0), None), "invalid_argument", &["pagination.limit"]),
        refused(
            "a negative limit",
            page(Some(-1), None),
            "invalid_argument",
            &["pagination.limit"],
        ),
        refused(
            "a negative offset",
            page(None, Some(-1)),
            "invalid_argument",
            &["pagination.offset"],
        ),
        refused(
            "every violation at once",
            sessions(Ids::eq(&"x".repeat(129)), Ids::ne(""), (Some(0), Some(-1))),
            "invalid_argument",
            &["filter.id.eq", "filter.screener_id.ne", "pagination.limit", "pagination.offset"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn session_filters_have_four_operators_that_combine() {
    let total = |id, screener| sessions(id, screener, (None, None));
    let both = || Ids { ne: Some("scses_790".into()), ..Ids::is_in(&["scses_790", "scses_791"]) };
    check(vec![
        case("screener eq", total(no_ids(), Ids::eq("scr_124")), "/total", json!(4)),
        case("screener ne", total(no_ids(), Ids::ne("scr_124")), "/total", json!(4)),
        case(
            "screener in",
            total(no_ids(), Ids::is_in(&["scr_123", "survey-123"])),
            "/total",
            json!(3),
        ),
        case(
            "screener nin",
            total(no_ids(), Ids::not_in(&["scr_123", "scr_124"])),
            "/total",
            json!(3),
        ),
        case("id eq", total(Ids::eq("scses_791"), no_ids()), "/items/0/id", json!("scses_791")),
        case("id ne", total(Ids::ne("scses_791"), no_ids()), "/total", json!(7)),
        case(
            "id in",
            total(Ids::is_in(&["scses_791", "scses_789"]), no_ids()),
            "/items/0/id",
            json!("scses_789"),
        ),
        case("id nin", total(Ids::not_in(&["scses_789", "nobody"]), no_ids()), "/total", json!(7)),
        case("two operators are both to hold", total(both(), no_ids()), "/total", json!(1)),
        case(
            "two fields are both to hold",
            total(Ids::eq("scses_789"), Ids::eq("scr_124")),
            "/total",
            json!(0),
        ),
        case(
            "an unknown id does not match",
            total(Ids::eq("nobody"), no_ids()),
            "/items",
            json!([]),
        ),
        case(
            "another tenant's id does not match",
            total(Ids::eq("scses_999"), no_ids()),
            "/total",
            json!(0),
        ),
        case(
            "a removed session is listed",
            total(Ids::eq("scses_revoked"), no_ids()),
            "/items/0/status",
            json!("REMOVED"),
        ),
        case(
            "ids left out of one screener",
            total(Ids::ne("scses_791"), Ids::eq("scr_124")),
            "/items/1/id",
            json!("scses_792"),
        ),
        case(
            "ids of 128 bytes are ids",
            total(Ids::eq(&"x".repeat(128)), no_ids()),
            "/total",
            json!(0),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_list_of_500_values_is_the_longest() {
    let ids =
        |count: usize| -> Vec<String> { (0..count).map(|it| format!("scses_{it}")).collect() };
    let filter = |count| Ids { is_in: Some(ids(count)), ..Ids::default() };
    check(vec![
        case("500 values", Call::list_sessions(filter(500), no_ids()), "/total", json!(0)),
        refused(
            "501 values",
            Call::list_sessions(filter(501), no_ids()),
            "invalid_argument",
            &["filter.id.in"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn absent_and_foreign_rows_look_alike() {
    check(vec![
        refused("an absent session", Call::GetSession("nobody".into()), "not_found", &[]),
        refused("another tenant's session", Call::GetSession("scses_999".into()), "not_found", &[]),
        refused(
            "removing another tenant's",
            Call::RemoveSession("scses_999".into()),
            "not_found",
            &[],
        ),
        refused("an absent submission", Call::reject("proj_123", "nobody"), "not_found", &[]),
        refused(
            "another tenant's submission",
            Call::reject("proj_999", "scses_999"),
            "not_found",
            &[],
        ),
        refused(
            "another project's submission",
            Call::reject("proj_surveys", "scses_789"),
            "not_found",
            &[],
        ),
        refused("nothing submitted yet", Call::reject("proj_123", "scses_791"), "not_found", &[]),
        refused(
            "getting an absent submission",
            Call::submission("proj_123", "nobody"),
            "not_found",
            &[],
        ),
        refused(
            "getting another tenant's submission",
            Call::submission("proj_999", "scses_999"),
            "not_found",
            &[],
        ),
        refused(
            "inviting another tenant's",
            Call::review("invite", "proj_999", "scses_999", Value::Null),
            "not_found",
            &[],
        ),
        refused(
            "hiding what was not submitted yet",
            Call::review("hide", "proj_123", "scses_791", Value::Null),
            "not_found",
            &[],
        ),
        refused(
            "an absent survey",
            Call::access("nothing", "customer-456"),
            "survey_not_found",
            &[],
        ),
        refused(
            "another tenant's survey",
            Call::access("survey-999", "customer-456"),
            "survey_not_found",
            &[],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_submission_that_cannot_be_rejected_says_why() {
    let long = Call::Reject {
        project: "proj_123".into(),
        id: "scses_789".into(),
        message: Some("x".repeat(2001)),
    };
    check(vec![
        refused("on hold", Call::reject("proj_123", "scses_793"), "not_visible", &[]),
        refused("paid", Call::reject("proj_123", "scses_792"), "invalid_status_transition", &[]),
        refused("a message of 2001 characters", long, "invalid_argument", &["message"]),
    ])
    .await;
}

#[tokio::test]
async fn a_review_names_what_it_lacks() {
    let review = |verb, body| Call::review(verb, "proj_123", "scses_789", body);
    let long = "x".repeat(2001);
    check(vec![
        refused("no reason", review("disqualify", Value::Null), "invalid_argument", &["reason"]),
        refused(
            "an unknown reason and a long message",
            review("disqualify", json!({ "reason": "TASTE", "message": long })),
            "invalid_argument",
            &["message", "reason"],
        ),
        refused("no time", review("schedule", json!({})), "invalid_argument", &["scheduled_at"]),
        refused(
            "a check of the body before the row",
            Call::review("schedule", "proj_123", "nobody", json!({})),
            "invalid_argument",
            &["scheduled_at"],
        ),
        case(
            "a submission can be got",
            Call::submission("proj_123", "scses_793"),
            "/visibility/status",
            json!("ONHOLD"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn panelist_access_follows_survey_and_sessions() {
    let can = |survey: &str, panelist: &str| Call::access(survey, panelist);
    let at = "/panelist/canRespond";
    check(vec![
        case("open and unknown", can("survey-123", "customer-456"), at, json!(true)),
        case("a draft", can("survey-draft", "customer-456"), at, json!(false)),
        case(
            "a draft's status",
            can("survey-draft", "customer-456"),
            "/survey/status",
            json!("DRAFT"),
        ),
        case("closed", can("survey-closed", "customer-456"), at, json!(false)),
        case("completed", can("survey-123", "customer-done"), at, json!(false)),
        case("completed, with more allowed", can("survey-multi", "customer-done"), at, json!(true)),
        case("dismissed", can("survey-123", "customer-dismissed"), at, json!(true)),
        case(
            "when it was dismissed",
            can("survey-123", "customer-dismissed"),
            "/panelist/dismissedMostRecentUnixTs",
            json!(1_714_726_800),
        ),
        case("revoked", can("survey-123", "customer-revoked"), at, json!(false)),
        case(
            "revoked was never started",
            can("survey-123", "customer-revoked"),
            "/panelist/sessionCount",
            json!(0),
        ),
        case("one session", can("survey-123", "customer-done"), "/panelist/sessionCount", json!(1)),
        case(
            "its first instant",
            can("survey-123", "customer-done"),
            "/panelist/activityStartedUnixTs",
            json!(1_714_644_000),
        ),
        case(
            "its last instant",
            can("survey-123", "customer-done"),
            "/panelist/activityMostRecentUnixTs",
            json!(1_714_644_330),
        ),
        case("an unfinished session", can("scr_123", "crm-001"), at, json!(true)),
        case("an archived, completed session", can("scr_124", "crm-004"), at, json!(false)),
        case(
            "an internal id is nobody's",
            can("scr_123", "ptp_001"),
            "/panelist/sessionCount",
            json!(0),
        ),
        case("case matters", can("scr_123", "CRM-001"), "/panelist/sessionCount", json!(0)),
        refused(
            "a panelist id of 257 bytes",
            can("survey-123", &"x".repeat(257)),
            "invalid_argument",
            &["panelist_id"],
        ),
        refused(
            "a control character",
            can("survey-123", "a\u{7}b"),
            "invalid_argument",
            &["panelist_id"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_panelist_key_hides_whose_it_is() {
    let server = Server::demo().await;
    for panelist in ["a/b", "x@y.z", "Zoë Ångström", "customer-456", &"long".repeat(64)] {
        let call = Call::access("survey-123", panelist);
        let rest = make(&server, Transport::Rest, PANEL, &call).await.answer();
        let grpc = make(&server, Transport::Grpc, PANEL, &call).await.answer();
        assert_eq!(rest, grpc, "the key is the same each time, for {panelist}");
        let key = rest["panelist"]["publicKey"].as_str().expect("a key");
        let (left, right) = key.split_once(':').expect("two sides");
        let plain = |side: &str| {
            !side.is_empty()
                && side.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        assert!(plain(left) && plain(right) && key.len() <= 512, "{key}");
        let url = rest["panelist"]["hostedResponseUrl"].as_str().expect("a link");
        assert_eq!(url, format!("https://screener.example/app/panelist/vote/?key={key}"));
        assert!(panelist.len() < 8 || !url.contains(panelist));
        let elsewhere = Call::access("survey-multi", panelist);
        let other = make(&server, Transport::Rest, PANEL, &elsewhere).await.answer();
        assert_ne!(other["panelist"]["publicKey"], key);
    }
    server.stop().await;
}

#[tokio::test]
async fn removing_twice_answers_the_same_and_keeps_everything_but_the_status() {
    for transport in Transport::BOTH {
        let server = Server::demo().await;
        let session = "scses_790".to_owned();
        let get = Call::GetSession(session.clone());
        let before = make(&server, transport, SPOT, &get).await.answer();
        let removed = make(&server, transport, SPOT, &Call::RemoveSession(session.clone())).await;
        let mut expected = before.clone();
        expected["status"] = json!("REMOVED");
        assert_eq!(removed, Outcome::Answer(expected));
        server.clock.advance_seconds(60);
        let again = make(&server, transport, SPOT, &Call::RemoveSession(session.clone())).await;
        assert_eq!(again, removed);
        assert_eq!(make(&server, transport, SPOT, &get).await, removed);
        let answers = make(&server, transport, SPOT, &Call::responses_of(&session)).await;
        assert_eq!(answers.answer()["total"], json!(6));
        let reject = Call::reject("proj_123", &session);
        let refused = make(&server, transport, RESPONDENT, &reject).await;
        assert_eq!(refused.code(), "not_visible", "a removed session is checked before the status");
        server.stop().await;
    }
}

#[tokio::test]
async fn rejecting_twice_answers_the_same_and_leaves_the_rest_alone() {
    for transport in Transport::BOTH {
        let server = Server::demo().await;
        let reject = Call::Reject {
            project: "proj_123".into(),
            id: "scses_790".into(),
            message: Some("Too short.".into()),
        };
        let first = make(&server, transport, RESPONDENT, &reject).await;
        let body = first.clone().answer();
        assert_eq!(body["status"], json!("REJECTEDQUALITY"));
        assert_eq!(
            body["rejection"],
            json!({"message": "Too short.", "rejectedAt": "2024-06-01T12:00:00Z"})
        );
        assert_eq!(body["statusUpdatedAt"], json!("2024-06-01T12:00:00Z"));
        assert_eq!(body["actor"], json!("researcher"));
        for (member, value) in [("isNew", false), ("qualified", true), ("hidden", false)] {
            assert_eq!(body[member], json!(value), "{member}");
        }
        assert_eq!(body["visibility"], json!({"status": "VISIBLE"}));
        assert_eq!(body["totalTime"], json!(514));
        assert_eq!(body["createdAt"], json!("2024-05-01T15:16:55Z"));
        server.clock.advance_seconds(60);
        let again = Call::reject("proj_123", "scses_790");
        assert_eq!(make(&server, transport, RESPONDENT, &again).await, first);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_rejected_submission_is_the_same_over_both_transports() {
    let server = Server::demo().await;
    let reject = Call::reject("proj_123", "scses_789");
    let rest = make(&server, Transport::Rest, RESPONDENT, &reject).await.answer();
    let grpc = make(&server, Transport::Grpc, RESPONDENT, &reject).await.answer();
    assert_eq!(rest, grpc);
    assert_eq!(rest["rejection"]["message"], json!("Rejected for low quality."));
    assert_eq!(rest["profile"]["firstName"], json!("Alex"));
    assert_eq!(rest["profile"]["lastName"], json!("Lee"));
    assert_eq!(rest["project"]["incentive"], json!(75));
    assert_eq!(
        rest["responses"][1]["answers"][1],
        json!({"id": "sco_other", "uid": "sco_other", "text": "Other", "answerValue": 1,
            "goToQuestionUid": null, "isOther": true, "other": "Insights Hub"})
    );
    assert_eq!(rest["responses"][0]["questionType"], json!("singleLineTextbox"));
    assert_eq!(rest["responses"][0]["order"], json!(1));
    assert_eq!(rest["responses"][1]["order"], json!(5));
    server.stop().await;
}
