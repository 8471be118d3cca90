//! Tests of the routes over a small database, without a socket: the behavior that routing, guard
//! and dialect only show together.

mod data;

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes, to_bytes};
use axum::routing::get;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::app::{Environment, Imported, Location, Operator, Settings};
use crate::domain::error::Error;
use crate::domain::link::Links;
use data::{at, records};

const SPOT: [(&str, &str); 2] =
    [("X-Spot-Api-Key", "acct_123"), ("X-Spot-Api-Secret", "sk_live_abcd")];
const RESPONDENT: [(&str, &str); 2] =
    [("x-api-key", "respondent_123"), ("x-api-secret", "respondent_secret_123")];
const PANEL: [(&str, &str); 1] = [("X-API-Key", "vtt_your_api_key")];

/// The longest request body that is read.
const BODY_MAX_BYTES: usize = 4 * 1024;
/// The budget of all bodies. One tenant's half of it fits one longest body.
const RECEIVE_BYTES: usize = 2 * BODY_MAX_BYTES;

struct Bench {
    gateway: Gateway,
    ready: Arc<AtomicBool>,
    _folder: tempfile::TempDir,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Reply {
    /// Returns the line of JSON.
    fn text(&self) -> &str {
        let text = std::str::from_utf8(&self.bytes).expect("UTF-8");
        text.strip_suffix('\n').expect("it ends as a line")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    /// Returns the status, the code, and the fields of the violations.
    fn refusal(&self) -> (u16, String, Vec<String>) {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let body = self.json();
        assert!(body["requestId"].as_str().is_some_and(|id| id.starts_with("req_")), "{body}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let violations = body["violations"].as_array().cloned().unwrap_or_default();
        let fields = violations.iter().map(|violation| text(&violation["field"])).collect();
        (self.status.as_u16(), text(&body["error"]), fields)
    }
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = Environment {
            now: Arc::new(|| at("2024-06-01T12:00:00.5Z")),
            random: Arc::new(|| [7; 32]),
        };
        let location = Location::Sqlite(folder.path().join("rest.db"));
        let links = Links::new("https://spot-thought.com");
        let settings = Settings { links, ..Settings::new(location, environment) };
        let app = App::open(settings).await.expect("an app");
        let numbered: Vec<Result<Imported, Error>> = (1..).zip(records()).map(Ok).collect();
        let summary = app.import(&Operator::trusted(), numbered.into_iter(), None).await;
        summary.expect("an import");
        let ready = Arc::new(AtomicBool::new(true));
        let probe = Arc::clone(&ready);
        let gateway = Gateway {
            receiver: Receiver::new(RECEIVE_BYTES),
            app: Arc::new(app),
            descriptor: b"descriptor",
            ready: Arc::new(move || probe.load(Ordering::Relaxed)),
            is_rpc_path: |path| path == "/screener.v1.ScreenerSessionService/GetScreenerSession",
            body_max_bytes: BODY_MAX_BYTES,
            deadline: Duration::from_secs(20),
        };
        Self { gateway, ready, _folder: folder }
    }

    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        send(router(self.gateway.clone()), method, uri, headers, body).await
    }

    async fn get(&self, uri: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", uri, headers, "").await
    }
}

async fn send(
    router: Router,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let Ok(response) = router.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    Reply { status: parts.status, headers: parts.headers, bytes }
}

const REJECT: &str = "/v1/projects/proj_123/screener-responses/scses_789/reject";
const PANELIST: &str = "/tenant/surveys/scr_123/panelists/customer-456";

#[tokio::test]
async fn a_session_has_thirteen_members_in_the_documented_order() {
    let bench = Bench::new().await;
    let reply = bench.get("/screener-sessions/scses_789", &SPOT).await;
    let expected = concat!(
        r#"{"_type":"ScreenerSession","id":"scses_789","screenerId":"scr_123","#,
        r#""screenerParticipantId":"scpar_123","screenerPublicationId":"scpub_456","#,
        r#""screenerSessionLink":"https://spot-thought.com/screeners/scr_123/scses_789","#,
        r#""linkSlug":"onboarding-001-alex","status":"ACTIVE","state":"IN_PROGRESS","#,
        r#""startedAt":"2024-05-01T15:08:21Z","lastActiveAt":"2024-05-01T15:14:44Z","#,
        r#""completedAt":null,"assignedTags":[{"_type":"Tag","id":"tag_qual","#,
        r#""category":"qualification","value":"priority"}]}"#
    );
    assert_eq!(reply.text(), expected);
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.headers["x-spot-api-version"], "1.0.0");
    let listed = "/screener-sessions?filter[screenerId][eq]=scr_123&pagination[limit]=25";
    let envelope = format!(r#"{{"total":1,"limit":25,"offset":0,"items":[{expected}]}}"#);
    assert_eq!(bench.get(listed, &SPOT).await.text(), envelope);
    let removed = bench.send("DELETE", "/screener-sessions/scses_789", &SPOT, "").await;
    assert_eq!(removed.text(), expected.replace("ACTIVE", "REMOVED"));
}

#[tokio::test]
async fn responses_have_twelve_members_in_the_documented_order() {
    let bench = Bench::new().await;
    let uri = "/screener-responses?filter%5BscreenerId%5D%5Beq%5D=scr_123\
               &filter[screenerSessionId][in][]=scses_789&pagination[limit]=100";
    let shared = concat!(
        r#""screenerId":"scr_123","screenerPublicationId":"scpub_456","participantId":"ptp_001","#,
        r#""externalParticipantUid":"crm-001","screenerParticipantId":"scpar_123","#
    );
    let expected = [
        r#"{"total":2,"limit":100,"offset":0,"items":["#,
        r#"{"_type":"ScreenerTextResponse","questionType":"ScreenerTextQuestion","#,
        r#""screenerSessionId":"scses_789","screenerPageId":"scp_intro","#,
        r#""screenerQuestionId":"scq_role","#,
        shared,
        r#""screenerQuestionPrompt":"What is your role?","answer":"VP of Research"},"#,
        r#"{"_type":"ScreenerMultiSelectResponse","questionType":"ScreenerMultiSelectQuestion","#,
        r#""screenerSessionId":"scses_789","screenerPageId":"scp_focus","#,
        r#""screenerQuestionId":"scq_channels","#,
        shared,
        r#""screenerQuestionPrompt":"Which teams will use Spot Thought?","#,
        r#""answer":[{"text":"Sales","isWriteIn":false},"#,
        r#"{"text":"Other: Insights Hub","isWriteIn":true}]}]}"#,
    ];
    assert_eq!(bench.get(uri, &SPOT).await.text(), expected.concat());
}

#[tokio::test]
async fn a_rejection_answers_with_the_submission_and_omits_what_is_absent() {
    let bench = Bench::new().await;
    let body = r#"{"message":"Too short."}"#;
    let reply = bench.send("PATCH", REJECT, &RESPONDENT, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let line = |id: &str, text: &str, order: u8, kind: &str, answers: Value| {
        json!({"questionId": id, "questionText": text, "order": order, "type": kind,
            "questionType": kind, "answers": answers, "qualify": true})
    };
    let expected = json!({
        "qualified": true, "qualifiedPendingIdVerification": false, "percentage": 100,
        "status": "REJECTEDQUALITY", "favorite": false, "hidden": false,
        "responses": [
            line("scq_role", "What is your role?", 1, "singleLineTextbox", json!([
                {"id": "scq_role", "uid": "scq_role", "text": "VP of Research", "answerValue": 1,
                    "goToQuestionUid": null, "isOther": false}
            ])),
            line("scq_channels", "Which teams will use Spot Thought?", 3, "checkbox", json!([
                {"id": "sco_sales", "uid": "sco_sales", "text": "Sales", "answerValue": 1,
                    "goToQuestionUid": null, "isOther": false},
                {"id": "sco_other", "uid": "sco_other", "text": "Other", "answerValue": 1,
                    "goToQuestionUid": null, "isOther": true, "other": "Insights Hub"}
            ])),
        ],
        "totalTime": 383, "isNew": false, "statusUpdatedAt": "2024-06-01T12:00:00Z",
        "project": {"name": "Insights panel", "incentive": 75, "id": "proj_123",
            "organizationId": "org_123", "teamId": "team_123"},
        "profile": {"id": "scpar_123", "userId": "ptp_001", "firstName": "Alex",
            "lastName": "Lee", "skills": []},
        "matching": {"isGenderMatch": true, "isAgeMatch": true, "isEthnicityMatch": true,
            "isEducationMatch": true, "questionsQualified": true, "isLocationMatch": true,
            "isIndustryMatch": true, "isJobTitleMatch": true, "isHouseholdIncomeMatch": true,
            "isCompanySizeMatch": true, "isTopicsMatch": true},
        "actor": "researcher",
        "rejection": {"message": "Too short.", "rejectedAt": "2024-06-01T12:00:00Z"},
        "visibility": {"status": "VISIBLE"}, "createdAt": "2024-05-01T15:08:21Z",
        "id": "scses_789", "projectId": "proj_123", "userId": "ptp_001",
    });
    assert_eq!(reply.json(), expected);
    assert!(reply.text().starts_with(r#"{"qualified":true,"qualifiedPendingIdVerification""#));
    let repeated = bench.send("PATCH", REJECT, &RESPONDENT, "").await;
    assert_eq!(repeated.text(), reply.text());
}

#[tokio::test]
async fn a_panelist_nobody_has_heard_of_has_zeros_nulls_and_a_key() {
    let bench = Bench::new().await;
    let reply = bench.get(PANELIST, &PANEL).await;
    let body = reply.json();
    let key = body["panelist"]["publicKey"].as_str().expect("a key");
    let expected = [
        r#"{"panelist":{"canRespond":true,"sessionCount":0,"activityStartedUnixTs":null,"#,
        r#""activityMostRecentUnixTs":null,"dismissedMostRecentUnixTs":null,"publicKey":""#,
        key,
        r#"","hostedResponseUrl":"https://spot-thought.com/app/panelist/vote/?key="#,
        key,
        r#""},"survey":{"status":"OPEN","title":"Onboarding screener"}}"#,
    ];
    assert_eq!(reply.text(), expected.concat());
    let known = bench.get("/tenant/surveys/scr_123/panelists/crm%2D001", &PANEL).await;
    assert_eq!(known.json()["panelist"]["activityStartedUnixTs"], 1_714_576_101);
    let slash = bench.get("/tenant/surveys/scr_123/panelists/a%2Fb", &PANEL).await;
    assert_eq!(slash.status, 200);
}

#[tokio::test]
async fn authentication_comes_before_everything_that_a_request_gets_wrong() {
    let bench = Bench::new().await;
    let long = "x".repeat(129);
    for (method, uri, body) in [
        ("GET", "/screener-sessions?wrong=1", ""),
        ("GET", "/screener-sessions/%FF?wrong=1", ""),
        ("DELETE", &*format!("/screener-sessions/{long}"), ""),
        ("GET", "/screener-responses?wrong=1", ""),
        ("PATCH", "/v1/projects/%FF/screener-responses/b/reject?wrong=1", "{"),
    ] {
        let reply = bench.send(method, uri, &PANEL, body).await;
        assert_eq!(reply.refusal(), (401, "unauthorized".into(), vec![]), "{uri}");
        let mut challenges = reply.headers.get_all("www-authenticate").iter();
        assert!(challenges.any(|challenge| challenge == r#"Bearer realm="screenerd""#));
    }
    let reply = bench.get("/tenant/surveys/%FF/panelists/%FF?wrong=1", &RESPONDENT).await;
    assert_eq!(reply.refusal(), (401, "Unauthorized".into(), vec![]));
    assert!(!reply.headers.contains_key("allow"));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_name() {
    let bench = Bench::new().await;
    let long = "x".repeat(129);
    let refuse = |code: &str, status: u16, fields: &[&str]| {
        (status, code.to_owned(), fields.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
    };
    for (uri, headers, expected) in [
        ("/screener-sessions/absent", &SPOT[..], refuse("not_found", 404, &[])),
        ("/screener-sessions/%FF", &SPOT, refuse("not_found", 404, &[])),
        (&*format!("/screener-sessions/{long}"), &SPOT, refuse("not_found", 404, &[])),
        ("/screener-sessions/a?b=c", &SPOT, refuse("invalid_argument", 400, &["b"])),
        (
            "/screener-responses?filter[screenerId][ne]=a&pagination[limit]=0",
            &SPOT,
            refuse("invalid_argument", 400, &["filter[screenerId][ne]", "pagination[limit]"]),
        ),
        (
            "/tenant/surveys/scr_123/panelists/%FF",
            &PANEL,
            refuse("invalid_argument", 400, &["panelistId"]),
        ),
        (
            "/tenant/surveys/scr_123/panelists/a%00",
            &PANEL,
            refuse("invalid_argument", 400, &["panelistId"]),
        ),
        (
            &*format!("/tenant/surveys/{long}/panelists/a"),
            &PANEL,
            refuse("survey_not_found", 404, &[]),
        ),
        ("/tenant/surveys/absent/panelists/a", &PANEL, refuse("survey_not_found", 404, &[])),
        ("/screener-sessions/", &[], refuse("not_found", 404, &[])),
        ("/nowhere", &[], refuse("not_found", 404, &[])),
        (
            "/screener.v1.ScreenerSessionService/GetScreenerSession",
            &[],
            refuse("unsupported_media_type", 415, &[]),
        ),
    ] {
        assert_eq!(bench.get(uri, headers).await.refusal(), expected, "{uri}");
    }
}

#[tokio::test]
async fn absent_and_impossible_rows_have_the_same_body() {
    let bench = Bench::new().await;
    let body = |reply: Reply| {
        let mut body = reply.json();
        body["requestId"] = Value::Null;
        body
    };
    for (method, absent, impossible, headers) in [
        ("GET", "/screener-sessions/absent", "/screener-sessions/%FF", &SPOT[..]),
        (
            "PATCH",
            "/v1/projects/proj_123/screener-responses/absent/reject",
            "/v1/projects/%FF/screener-responses/%00/reject",
            &RESPONDENT,
        ),
        ("GET", "/tenant/surveys/absent/panelists/a", "/tenant/surveys/%FF/panelists/a", &PANEL),
    ] {
        let absent = body(bench.send(method, absent, headers, "").await);
        assert_eq!(absent, body(bench.send(method, impossible, headers, "").await));
        assert_eq!(absent["status"], 404);
    }
}

#[tokio::test]
async fn the_version_is_echoed_once_it_is_checked() {
    let bench = Bench::new().await;
    for (version, status, echo) in
        [("1.0.0", 404, true), ("2024-11-15", 404, true), ("9.9.9", 400, false)]
    {
        let headers = [SPOT[0], SPOT[1], ("X-Spot-Api-Version", version)];
        let reply = bench.get("/screener-sessions/absent", &headers).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers.contains_key("x-spot-api-version"), echo, "{version}");
    }
}

#[tokio::test]
async fn bodies_and_methods_have_their_limits() {
    let bench = Bench::new().await;
    let long = "x".repeat(4097);
    let reply = bench.send("PATCH", REJECT, &RESPONDENT, &long).await;
    assert_eq!(reply.refusal(), (413, "payload_too_large".into(), vec![]));
    for (method, uri, allow) in [
        ("POST", "/screener-sessions", "GET,HEAD"),
        ("PUT", "/screener-sessions/a", "GET,HEAD,DELETE"),
        ("GET", REJECT, "PATCH"),
        ("DELETE", PANELIST, "GET,HEAD"),
        ("POST", "/livez", "GET,HEAD"),
    ] {
        let reply = bench.send(method, uri, &[], "").await;
        assert_eq!(reply.refusal(), (405, "method_not_allowed".into(), vec![]), "{uri}");
        assert_eq!(reply.headers["allow"], allow);
    }
}

#[tokio::test]
async fn panics_and_late_answers_are_problems() {
    let bench = Bench::new().await;
    let guard = Guard {
        app: Arc::clone(&bench.gateway.app),
        deadline: Duration::from_millis(20),
        dialect: &dialect::SERVER,
    };
    let routes = Router::new()
        .route("/panic", get(async || -> &'static str { panic!("a secret") }))
        .route("/late", get(std::future::pending::<&'static str>));
    let routes = guard.around(routes).with_state(bench.gateway.clone());
    let reply = send(routes.clone(), "GET", "/panic", &[], "").await;
    assert_eq!(reply.refusal(), (500, "internal".into(), vec![]));
    assert!(!reply.text().contains("secret"));
    let reply = send(routes, "GET", "/late", &[], "").await;
    assert_eq!(reply.refusal(), (504, "deadline_exceeded".into(), vec![]));
}

#[tokio::test]
async fn the_server_says_how_it_is_and_what_it_speaks() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("/livez", &[]).await.text(), "ok");
    assert_eq!(bench.get("/readyz", &[]).await.status, 200);
    bench.ready.store(false, Ordering::Relaxed);
    let unready = bench.get("/readyz", &[]).await;
    assert_eq!(
        (unready.status.as_u16(), &unready.headers["retry-after"]),
        (503, &"1".parse().expect("a value"))
    );
    let contract = bench.get("/descriptor.binpb", &[]).await;
    assert_eq!(contract.bytes, b"descriptor");
    assert_eq!(contract.headers["content-type"], "application/protobuf");
    let tag = contract.headers["etag"].to_str().expect("a tag");
    let again = bench.get("/descriptor.binpb", &[("If-None-Match", tag)]).await;
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
}

#[tokio::test]
async fn bodies_have_a_budget_that_requests_give_back() {
    let bench = Bench::new().await;
    let receiver = &bench.gateway.receiver;
    let chunk = Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; BODY_MAX_BYTES]));
    let chunks = stream::iter([chunk]).chain(stream::pending());
    let mut request = Request::patch(REJECT);
    for (name, value) in RESPONDENT {
        request = request.header(name, value);
    }
    let request = request.body(Body::from_stream(chunks)).expect("a request");
    let mut first = Box::pin(router(bench.gateway.clone()).oneshot(request));
    assert!(first.as_mut().now_or_never().is_none(), "it waits for the rest");
    assert_eq!(receiver.charged_bytes(), BODY_MAX_BYTES);
    let refused = bench.send("PATCH", REJECT, &RESPONDENT, "{}").await;
    assert_eq!(refused.refusal(), (503, "unavailable".into(), vec![]));
    assert_eq!(refused.headers["retry-after"], "1");
    drop(first);
    assert_eq!(receiver.charged_bytes(), 0);
    assert_eq!(bench.send("PATCH", REJECT, &RESPONDENT, "{}").await.status, 200);
    assert_eq!(receiver.charged_bytes(), 0);
}
