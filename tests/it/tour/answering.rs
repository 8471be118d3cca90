//! Participants: every kind of question with valid, invalid and missing answers, by key and by
//! link, over every transport, and the results.

use serde_json::{Value, json};

use super::authoring::history;
use super::guide::Tour;
use super::sessions::pages;

const GET: &str = "PanelistSessionService/GetQuestionnaire";
const SUBMIT: &str = "PanelistSessionService/SubmitAnswers";
const DISMISS: &str = "PanelistSessionService/Dismiss";

/// Returns the key of a panelist for a survey.
async fn key(tour: &mut Tour, survey: &str, panelist: &str) -> String {
    let message = json!({ "surveyId": survey, "panelistId": panelist });
    let access = tour.call("PanelistService/GetPanelistAccess", "panel", message).await;
    let key = access["panelistAccess"]["panelist"]["publicKey"].as_str().expect("a key");
    key.to_owned()
}

async fn access(tour: &mut Tour) {
    const ACCESS: &str = "PanelistService/GetPanelistAccess";
    for survey in
        ["survey-123", "survey-draft", "survey-closed", "survey-multi", "survey-999", "none", ""]
    {
        for panelist in ["customer-456", "customer-done", "customer-dismissed", "customer-revoked"]
        {
            let message = json!({ "surveyId": survey, "panelistId": panelist });
            tour.call(ACCESS, "panel", message).await;
        }
    }
    let message = json!({ "surveyId": "survey-123", "panelistId": "" });
    tour.call(ACCESS, "panel", message.clone()).await;
    for who in ["scopeless panel", "spot", "nobody", "stranger"] {
        tour.call(ACCESS, who, message.clone()).await;
    }
}

fn text(text: &str) -> Value {
    json!({ "text": text })
}

fn option(id: &str) -> Value {
    json!({ "option": { "optionId": id } })
}

fn options(ids: &[&str]) -> Value {
    let options: Vec<_> = ids.iter().map(|id| json!({ "optionId": id })).collect();
    json!({ "options": { "options": options } })
}

/// Returns one question of every kind, with invalid and valid answers to it.
fn tries() -> Vec<(&'static str, Vec<Value>)> {
    let number = |number: f64| json!({ "number": number });
    let typed = |id: &str, text: &str| json!({ "option": { "optionId": id, "writeIn": text } });
    let left_out = json!({ "leftOut": {} });
    vec![
        (
            "q_name",
            vec![
                text(""),
                text("A"),
                text("two\nlines"),
                text("nul\u{0}"),
                text(&"x".repeat(51)),
                number(1.0),
                option("s_mid"),
                left_out.clone(),
                json!({}),
                text("Ada"),
            ],
        ),
        (
            "q_years",
            vec![
                number(-1.0),
                number(50.5),
                number(1.25),
                json!({ "number": "NaN" }),
                text("5"),
                left_out.clone(),
                number(1.5),
                number(4.5),
            ],
        ),
        (
            "q_size",
            vec![
                option("none"),
                option(""),
                options(&["s_mid"]),
                typed("s_mid", "typed"),
                typed("s_other", ""),
                typed("s_other", &"x".repeat(5_000)),
                option("s_other"),
                left_out.clone(),
                option("s_small"),
                option("s_big"),
                typed("s_other", "Huge"),
                option("s_mid"),
            ],
        ),
        ("q_team", vec![option("x"), text(&"x".repeat(20_000)), left_out.clone(), text("a\nb")]),
        (
            "q_tools",
            vec![
                options(&[]),
                options(&["t_must", "t_may", "t_other", "t_bad"]),
                options(&["t_must", "t_must"]),
                options(&["none"]),
                option("t_must"),
                left_out.clone(),
                options(&["t_bad"]),
                options(&["t_must", "t_may"]),
            ],
        ),
        ("q_code", vec![text("abc"), text("ABCD"), left_out, text("ABC")]),
        ("q_none", vec![text("x")]),
    ]
}

async fn kinds(tour: &mut Tour) {
    let who = key(tour, "scr_life", "panelist-1").await;
    tour.call(GET, &who, json!({})).await;
    for (question, answers) in tries() {
        for answer in answers {
            let answers = json!({ question: answer });
            tour.call(SUBMIT, &who, json!({ "answers": answers })).await;
        }
        tour.wait(10);
        tour.call(GET, &who, json!({})).await;
    }
    for message in [
        json!({ "answers": {} }),
        json!({ "answers": {}, "requestId": "key-1" }),
        json!({ "answers": {}, "requestId": "key-1" }),
        json!({ "answers": { "q_code": { "text": "XYZ" } }, "requestId": "key-1" }),
        json!({ "answers": {}, "requestId": "not plain\n", "screenerPublicationId": "" }),
        json!({ "answers": {}, "screenerPublicationId": "scpub_456" }),
        json!({ "answers": {}, "screenerPublicationId": "scpub_life", "isFinal": true,
            "requestId": "key-2" }),
        json!({ "answers": {}, "screenerPublicationId": "scpub_life", "isFinal": true,
            "requestId": "key-2" }),
        json!({ "answers": { "q_code": { "text": "XYZ" } } }),
    ] {
        tour.call(SUBMIT, &who, message).await;
    }
    tour.call(GET, &who, json!({})).await;
}

/// Returns whole paths through the screener that qualify, disqualify or stop early.
fn ways() -> Vec<Value> {
    let way = |years: f64, size: &str, more: Value| {
        let mut answers = json!({
            "q_name": { "text": "Ada" },
            "q_years": { "number": years },
            "q_size": { "option": { "optionId": size } },
        });
        for (question, answer) in more.as_object().into_iter().flatten() {
            answers[question] = answer.clone();
        }
        answers
    };
    let tools = |id: &str| json!({ "options": { "options": [{ "optionId": id }] } });
    let left_out = json!({ "leftOut": {} });
    let rest = |id: &str| json!({ "q_tools": tools(id), "q_code": left_out, "q_team": left_out });
    let short = |id: &str| json!({ "q_tools": tools(id), "q_code": left_out });
    vec![
        way(4.5, "s_mid", rest("t_must")),
        way(4.5, "s_big", short("t_must")),
        way(4.5, "s_big", rest("t_must")),
        way(1.5, "s_mid", rest("t_must")),
        way(4.5, "s_mid", rest("t_bad")),
        way(1.0, "s_big", short("t_may")),
        way(4.5, "s_small", json!({})),
        way(4.5, "s_small", rest("t_must")),
        way(4.5, "s_mid", json!({})),
    ]
}

async fn verdicts(tour: &mut Tour) {
    for (number, answers) in ways().into_iter().enumerate() {
        let who = key(tour, "scr_life", &format!("way-{number}")).await;
        let message = json!({ "answers": answers, "isFinal": true });
        let submitted = tour.call(SUBMIT, &who, message).await;
        let id = submitted["screenerSessionId"].as_str().unwrap_or("none");
        let target = json!({ "projectId": "proj_123", "id": id });
        tour.call("SubmissionService/GetSubmission", "respondent", target.clone()).await;
        tour.call("SubmissionService/ExplainSubmission", "respondent", target).await;
        tour.call("FunnelService/GetFunnel", "service", json!({ "screenerId": "scr_life" })).await;
    }
    for qualified in [true, false] {
        let filter = json!({ "screenerId": { "eq": "scr_life" }, "qualified": qualified });
        let list = json!({ "filter": filter, "pagination": { "limit": 2 } });
        tour.call("SubmissionService/ListSubmissions", "service", list).await;
    }
}

/// Changes an answer, which drops the answers that are no longer on the path.
async fn skips(tour: &mut Tour) {
    let who = key(tour, "scr_life", "skipping").await;
    let size = |id: &str| json!({ "q_size": { "option": { "optionId": id } } });
    let first = json!({ "q_name": { "text": "Bo" }, "q_years": { "number": 3 } });
    let steps = [
        first,
        size("s_mid"),
        json!({ "q_team": { "text": "Team" } }),
        size("s_big"),
        json!({ "q_tools": { "options": { "options": [{ "optionId": "t_may" }] } } }),
        json!({ "q_team": { "text": "Not reached" } }),
        size("s_small"),
        json!({ "q_code": { "text": "ABC" } }),
        size("s_mid"),
    ];
    for answers in steps {
        tour.call(SUBMIT, &who, json!({ "answers": answers })).await;
        tour.call(GET, &who, json!({})).await;
        tour.wait(5);
    }
    tour.call(SUBMIT, &who, json!({ "answers": {}, "isFinal": true })).await;
    let filter = json!({ "screenerId": { "eq": "scr_life" } });
    for page in pages() {
        let list = json!({ "filter": filter, "pagination": page });
        tour.call("ScreenerResponseService/ListScreenerResponses", "spot", list).await;
        let earlier = "ScreenerResponseService/ListEarlierResponses";
        tour.call(earlier, "spot", json!({ "pagination": page })).await;
    }
    earlier_responses(tour).await;
}

async fn earlier_responses(tour: &mut Tour) {
    const LIST: &str = "ScreenerResponseService/ListEarlierResponses";
    for filter in [
        json!({ "screenerSessionId": { "eq": "scses_791" } }),
        json!({ "screenerSessionId": { "in": { "values": ["scses_999", "no"] } } }),
        json!({ "screenerSessionId": { "eq": "", "in": { "values": [""] } } }),
    ] {
        tour.call(LIST, "service", json!({ "filter": filter })).await;
    }
    for who in ["nobody", "panel", "scopeless", "readonly", "stranger"] {
        tour.call(LIST, who, json!({ "pagination": { "limit": 1 } })).await;
    }
}

async fn holders(tour: &mut Tour) {
    let mut holders = vec![
        "/s/onboarding-001-alex".to_owned(),
        "https://screener.example/screeners/scr_123/scses_789".to_owned(),
        "/s/onboarding-002-sam".to_owned(),
        "/s/onboarding-003-kim".to_owned(),
        "/s/onboarding-004".to_owned(),
        "/s/satisfaction-done".to_owned(),
        "/s/satisfaction-revoked".to_owned(),
        "/s/none".to_owned(),
        "abc123:xyz789".to_owned(),
        "service".to_owned(),
        "panel".to_owned(),
        "nobody".to_owned(),
    ];
    for panelist in ["customer-456", "customer-done", "customer-dismissed", "customer-revoked"] {
        for survey in ["survey-123", "survey-multi", "survey-closed"] {
            holders.push(key(tour, survey, panelist).await);
        }
    }
    let answers = json!({ "scq_satisfaction": { "number": 3 } });
    for who in &holders {
        tour.call(GET, who, json!({})).await;
        tour.call(SUBMIT, who, json!({ "answers": answers })).await;
        tour.call(DISMISS, who, json!({})).await;
        tour.call(GET, who, json!({})).await;
        tour.call(SUBMIT, who, json!({ "answers": answers, "isFinal": true })).await;
        tour.wait(1);
    }
}

pub(super) async fn visit(tour: &mut Tour) {
    access(tour).await;
    kinds(tour).await;
    verdicts(tour).await;
    skips(tour).await;
    holders(tour).await;
    history(tour, &[("SESSION", "scses_789"), ("SCREENER_PARTICIPANT", "scpar_dismissed")]).await;
}
