//! The REST routes: lists, files, sessions, reviews and participants, as documented.

use serde_json::{Value, json};

use super::guide::Tour;

const NONE: Value = Value::Null;

/// Queries of a list of sessions, then of responses.
const SESSIONS: &[&str] = &[
    "",
    "?pagination[limit]=2&pagination[offset]=1",
    "?pagination[limit]=0&pagination[offset]=-1",
    "?pagination[limit]=x",
    "?pagination[limit]=501",
    "?pagination[limit]=1&pagination[limit]=2",
    "?pagination%5Blimit%5D=1",
    "?filter[id][eq]=scses_789",
    "?filter[id][ne]=scses_789&pagination[limit]=2",
    "?filter[id][in][]=scses_789&filter[id][in][]=scses_790",
    "?filter[id][nin][]=scses_789&pagination[limit]=1",
    "?filter[screenerId][eq]=scr_124&pagination[limit]=1",
    "?filter[screenerId][ne]=scr_124&pagination[limit]=1",
    "?filter[screenerId][in][]=scr_123",
    "?filter[screenerId][nin][]=scr_124&filter[screenerId][nin][]=survey-123",
    "?filter[id][eq]=&filter[screenerId][eq]=",
    "?filter[unknown][eq]=1&unknown=2&filter[id][like]=3&filter",
    "?filter[id][eq]=%FF",
];
const RESPONSES: &[&str] = &[
    "",
    "?pagination[limit]=2&pagination[offset]=1",
    "?pagination[limit]=-1",
    "?filter[screenerId][eq]=scr_124",
    "?filter[screenerPublicationId][eq]=scpub_456",
    "?filter[screenerSessionId][eq]=scses_789",
    "?filter[screenerSessionId][in][]=scses_789&filter[screenerSessionId][in][]=scses_790",
    "?filter[screenerParticipantId][eq]=scpar_124",
    "?filter[screenerParticipantId][in][]=scpar_124",
    "?filter[screenerId][ne]=scr_124",
    "?filter[screenerId][eq]=none",
];
const SUBMISSIONS: &[&str] = &[
    "",
    "?page=2&pageSize=2",
    "?page=0&pageSize=101&limit=1",
    "?status=PENDING&pageSize=1",
    "?statuses[]=PAID&statuses[]=PENDING&pageSize=1",
    "?statuses=NONE",
    "?qualified=true&favorite=false&hidden=true&visibilityStatus=VISIBLE&includeCount=true",
    "?visibility=ONHOLD",
];
const FILES: &[&str] = &[
    "application/x-ndjson",
    "text/csv",
    "application/vnd.apache.parquet",
    "application/json;q=0.5, text/csv",
    "*/*",
    "text/html",
];

async fn lists(tour: &mut Tour) {
    for query in SESSIONS {
        tour.rest(&format!("GET /screener-sessions{query}"), "spot", NONE).await;
    }
    for (number, query) in RESPONSES.iter().enumerate() {
        let call = format!("GET /screener-responses{query}");
        tour.rest(&call, "spot", NONE).await;
        for accept in &FILES[..if number % 5 == 0 { FILES.len() } else { 1 }] {
            tour.http(&call, "spot", &[("accept", accept)], "").await;
        }
    }
    for who in ["service", "readonly", "nobody", "wrong spot", "respondent", "stranger"] {
        for path in ["/screener-sessions", "/screener-responses"] {
            tour.rest(&format!("GET {path}?pagination[limit]=1"), who, NONE).await;
        }
    }
    for version in ["1.0.0", "2024-05-01", "2.0.0", ""] {
        let header = [("x-spot-api-version", version)];
        tour.http("GET /screener-sessions/scses_789", "spot", &header, "").await;
        tour.http("GET /screener-responses?pagination[limit]=1", "spot", &header, "").await;
        tour.http("DELETE /screener-sessions/none", "spot", &header, "").await;
    }
}

async fn sessions(tour: &mut Tour) {
    let long = "x".repeat(129);
    for id in ["scses_791", "scses_792", "scses_revoked", "scses_999", "none", "%00", "%FF", &long]
    {
        for method in ["GET", "DELETE", "DELETE", "GET", "PATCH"] {
            tour.rest(&format!("{method} /screener-sessions/{id}"), "spot", NONE).await;
        }
    }
    for who in ["readonly", "nobody", "panel", "service"] {
        tour.rest("DELETE /screener-sessions/scses_793", who, NONE).await;
    }
    tour.rest("GET /screener-sessions/scses_789?unknown=1", "spot", NONE).await;
}

/// Returns the verbs of qualification, with valid and invalid bodies.
fn verbs() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        (
            "qualify",
            vec![
                json!({ "qualifyStatus": false, "disqualifyReasons": ["CONTEXT"], "message": "No." }),
                json!({ "qualifyStatus": false }),
                json!({ "qualifyStatus": false, "qualifiedOverriden": true,
                    "disqualifyReasons": ["OTHER", "CONTEXT"], "message": "" }),
                json!({ "qualifyStatus": true, "qualifiedOverriden": false,
                    "disqualifyReasons": [], "message": "" }),
                json!({ "qualifyStatus": true, "disqualifyReasons": ["OTHER"], "message": 1 }),
                json!({ "qualifyStatus": "yes", "disqualifyReasons": ["NONE", "OTHER"] }),
                NONE,
            ],
        ),
        (
            "disqualify",
            vec![
                json!({}),
                json!({ "reason": "NONE" }),
                json!({ "reason": "MISREPRESENTED", "message": "Another role." }),
                json!({ "reason": "OTHER", "message": "x".repeat(2_001) }),
            ],
        ),
    ]
}

/// Returns the verbs of a booking, with valid and invalid bodies.
fn bookings() -> Vec<(&'static str, Vec<Value>)> {
    let plain = || vec![NONE, json!({}), json!({ "unknown": 1 })];
    let time = |name: &str, time: &str| json!({ name: time });
    vec![
        ("schedule", vec![json!({})]),
        ("invite", plain()),
        ("cancel-invite", plain()),
        (
            "invite",
            vec![
                json!({ "meetingLink": 1 }),
                json!({ "bookingLink": "https://example.com/book", "message": "Welcome!",
                    "meetingLink": "https://example.com/meet" }),
            ],
        ),
        (
            "schedule",
            vec![
                time("scheduledAt", "tomorrow"),
                time("scheduledAt", "2024-07-01T09:00:00Z"),
                time("bookedDate", "2024-07-02T09:00:00+02:00"),
                json!({ "scheduledAt": "2024-07-01T09:00:00Z", "bookedDate": "2024-07-02T09:00:00Z" }),
                time("bookedDate", "2024-07-02T09:00:00"),
                json!({ "bookedDate": "2024-07-02T09:00:00", "timezone": "Mars" }),
                json!({ "bookedDate": "2024-07-02T09:00:00", "timezone": "America/New_York",
                    "meetingCancelLink": "https://example.com/cancel" }),
            ],
        ),
        ("cancel-booking-reinvite", [plain(), vec![json!({ "message": "Again?" })]].concat()),
        ("schedule", vec![json!({ "scheduledAt": "2024-07-03T09:00:00Z", "bookingUrl": "b" })]),
        (
            "participant-cancel-booking",
            vec![
                json!({ "reason": "never", "shortNoticeCancel": "x" }),
                json!({ "reason": "time", "shortNoticeCancel": true, "message": "Ill." }),
                NONE,
            ],
        ),
        ("invite", vec![NONE]),
        ("schedule", vec![time("scheduledAt", "2024-07-04T09:00:00Z")]),
        ("cancel-booking", plain()),
        ("invite", vec![NONE]),
        ("schedule", vec![time("scheduledAt", "2024-08-01T09:00:00Z")]),
    ]
}

/// Returns marks and final verbs, with valid and invalid bodies.
fn marks() -> Vec<(&'static str, Vec<Value>)> {
    let plain = || vec![NONE, json!({}), json!({ "unknown": 1 })];
    vec![
        ("no-show", plain()),
        ("attended", plain()),
        ("payouts", vec![json!({ "payoutCount": 1 }), json!({ "tip": -1 })]),
        ("hide", vec![json!({ "hidden": "x" }), json!({ "hidden": false }), NONE]),
        ("unhide", plain()),
        ("favorite", vec![json!({ "favorite": true }), json!({ "favorite": false }), NONE]),
        ("report", plain()),
        (
            "report",
            vec![
                json!({ "reasons": ["CONTEXT"], "flaggedMessage": 1 }),
                json!({ "reasons": ["OTHER", "NOSHOW"], "flaggedMessage": "Rude.",
                    "payParticipant": false }),
            ],
        ),
        ("reject", vec![json!({ "message": "Bad." }), json!({ "message": "" }), NONE]),
    ]
}

async fn submissions(tour: &mut Tour) {
    for (project, id) in [
        ("proj_123", "scses_790"),
        ("proj_123", "scses_792"),
        ("proj_123", "scses_791"),
        ("proj_999", "scses_999"),
    ] {
        let one = format!("/v1/projects/{project}/screener-responses/{id}");
        tour.rest(&format!("GET {one}"), "respondent", NONE).await;
        for (verb, bodies) in [verbs(), bookings(), marks()].concat() {
            // One body suffices for submissions that are refused whatever the body.
            let tried = if id == "scses_790" { bodies.len() } else { 1 };
            for body in bodies.into_iter().take(tried) {
                tour.wait(60);
                let method = if verb == "payouts" { "POST" } else { "PATCH" };
                tour.rest(&format!("{method} {one}/{verb}"), "respondent", body).await;
            }
        }
        tour.rest(&format!("GET {one}"), "service", NONE).await;
        tour.rest(&format!("GET {one}?unknown=1"), "respondent", NONE).await;
        tour.rest(&format!("POST {one}/invite"), "respondent", NONE).await;
        tour.rest(&format!("PATCH {one}/payouts"), "respondent", NONE).await;
    }
    for query in SUBMISSIONS {
        let call = format!("GET /v1/projects/proj_123/screener-responses{query}");
        tour.rest(&call, "respondent", NONE).await;
    }
    for (project, who) in [
        ("proj_surveys", "service"),
        ("proj_999", "respondent"),
        ("%FF", "respondent"),
        ("proj_123", "nobody"),
        ("proj_123", "scopeless"),
        ("proj_123", "spot"),
    ] {
        let call = format!("GET /v1/projects/{project}/screener-responses?pageSize=1");
        tour.rest(&call, who, NONE).await;
    }
    let met = "PATCH /v1/projects/proj_surveys/screener-responses/scses_done_multi";
    for verb in ["invite", "attended", "attended", "no-show"] {
        tour.rest(&format!("{met}/{verb}"), "respondent", NONE).await;
    }
    let paid = met.replace("PATCH", "POST");
    for body in [json!({ "payoutCount": 6 }), json!({ "payoutCount": 1, "tip": 500 }), NONE] {
        tour.rest(&format!("{paid}/payouts"), "respondent", body).await;
    }
    let call = "PATCH /v1/projects/proj_surveys/screener-responses/scses_done_123/reject";
    for who in ["nobody", "spot", "panel", "scopeless", "stranger"] {
        tour.rest(call, who, NONE).await;
    }
    for (kind, body) in [
        ("application/json", "{"),
        ("application/json", "[]"),
        ("application/json", r#"{"message":"a","message":"b"}"#),
        ("application/json", r#"{"message":"b"}"#),
        ("text/plain", "{}"),
    ] {
        tour.http(call, "respondent", &[("content-type", kind)], body).await;
    }
}

async fn panelists(tour: &mut Tour) {
    for survey in ["survey-123", "survey-draft", "survey-closed", "survey-999", "none", "%FF"] {
        for panelist in ["customer-456", "customer-done", "customer-dismissed", "customer-revoked"]
        {
            let call = format!("GET /tenant/surveys/{survey}/panelists/{panelist}");
            tour.rest(&call, "panel", NONE).await;
        }
    }
    for who in ["nobody", "scopeless panel", "service", "spot", "stranger"] {
        let call = "GET /tenant/surveys/survey-123/panelists/customer-456";
        tour.rest(call, who, NONE).await;
    }
}

async fn answering(tour: &mut Tour) {
    let call = "GET /tenant/surveys/scr_life/panelists/rest";
    let access = tour.rest(call, "panel", NONE).await;
    let key = access["panelist"]["publicKey"].as_str().expect("a key").to_owned();
    let bodies = [
        json!({ "responses": {} }),
        json!({ "responses": { "q_name": { "explanation": "Ada" } }, "isFinal": false }),
        json!({ "responses": { "q_years": { "explanation": "4.5" } } }),
        json!({ "responses": { "q_years": { "explanation": "five" } } }),
        json!({ "responses": { "q_years": { "explanation": 5 } } }),
        json!({ "responses": { "q_name": { "optionId": "x" }, "q_none": null } }),
        json!({ "responses": { "q_size": { "optionId": "s_other", "explanation": "Huge" } } }),
        json!({ "responses": { "q_size": { "optionIds": ["s_mid"] } } }),
        json!({ "responses": { "q_tools": { "optionIds": ["t_must", "t_other"],
            "explanation": "Slides" }, "q_team": null } }),
        json!({ "responses": { "q_tools": { "optionIds": ["t_must", "none"] } } }),
        json!({ "responses": {}, "publicationId": "none", "unknown": 1 }),
        json!({ "responses": {}, "publicationId": "scpub_456" }),
        json!({ "isFinal": true, "responses": { "q_code": null } }),
        json!({ "isFinal": true, "responses": {} }),
        json!([]),
        NONE,
    ];
    for who in [key.as_str(), "/s/onboarding-001-alex", "abc:xyz", "nobody", "service"] {
        tour.rest("GET /public/surveys/", who, NONE).await;
        for body in &bodies {
            tour.rest("POST /public/surveys/", who, body.clone()).await;
            if !who.contains(['/', ':']) {
                break;
            }
        }
        tour.rest("GET /public/surveys/", who, NONE).await;
        tour.rest("POST /public/surveys/dismiss/", who, NONE).await;
    }
    let json = ("content-type", "application/json");
    let body = json!({ "responses": { "scq_years": { "explanation": "7" } } }).to_string();
    let other = json!({ "responses": { "scq_years": { "explanation": "8" } } }).to_string();
    for (key, body) in [("k-1", &body), ("k-1", &body), ("k-1", &other), ("not plain", &body)] {
        let headers = [json, ("idempotency-key", key)];
        tour.http("POST /public/surveys/", "/s/onboarding-001-alex", &headers, body).await;
    }
    let last = json!({ "isFinal": true, "responses": { "scq_budget": { "explanation": "1" },
        "scq_size": { "optionId": "sco_size_200" }, "scq_note": null } });
    tour.rest("POST /public/surveys/", "/s/onboarding-001-alex", last).await;
    for path in ["/public/surveys", "/public/surveys/dismiss", "/public/surveys/?unknown=1"] {
        tour.rest(&format!("GET {path}"), "/s/onboarding-001-alex", NONE).await;
    }
}

async fn server(tour: &mut Tour) {
    for path in ["/livez", "/readyz", "/descriptor.binpb", "/openapi.json", "/", "/none", "/%FF"] {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            tour.http(&format!("{method} {path}"), "nobody", &[], "").await;
        }
    }
}

pub(super) async fn visit(tour: &mut Tour) {
    lists(tour).await;
    panelists(tour).await;
    answering(tour).await;
    submissions(tour).await;
    sessions(tour).await;
    server(tour).await;
}
