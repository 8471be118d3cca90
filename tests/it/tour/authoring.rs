//! Projects, participants and looks; screeners from draft to closed; the history of all.

use serde_json::{Value, json};

use super::guide::Tour;
use super::sessions::pages;

/// Returns a questionnaire with every form of question and every kind of jump.
fn questionnaire() -> Value {
    json!({
        "tags": [{ "id": "t_1", "category": "region", "value": "EU" }, { "id": "t_2", "value": "x" }],
        "pages": [
            { "id": "p_1", "questions": [
                { "id": "q_1", "prompt": "Name?", "required": true,
                  "text": { "multiLine": false, "minLength": 2, "maxLength": 40 } },
                { "id": "q_2", "prompt": "Years?", "required": true, "numeric": { "slider": true,
                  "min": 0, "max": 10, "step": 0.5, "qualifies": { "min": 2, "max": 9 } } },
            ]},
            { "id": "p_2", "questions": [
                { "id": "q_3", "prompt": "Size?", "required": true, "singleSelect": { "options": [
                    { "id": "o_1", "text": "Small", "rule": "OPTION_RULE_DISQUALIFIES",
                      "goToEnd": {} },
                    { "id": "o_2", "text": "Big", "rule": "OPTION_RULE_QUALIFIES",
                      "goToQuestionId": "q_5" },
                    { "id": "o_3", "text": "Other", "writeIn": true },
                ]}},
                { "id": "q_4", "prompt": "Tools?", "multiSelect": { "minChoices": 1,
                  "maxChoices": 2, "options": [
                    { "id": "o_1", "text": "One", "rule": "OPTION_RULE_REQUIRED" },
                    { "id": "o_2", "text": "Two", "rule": "OPTION_RULE_NEUTRAL" },
                    { "id": "o_3", "text": "Three", "writeIn": true },
                ]}},
            ]},
            { "id": "p_3", "questions": [
                { "id": "q_5", "prompt": "Code?", "text": { "pattern": "[A-Z]{3}" } },
            ]},
        ],
    })
}

/// Returns places in the questionnaire, and values that break a rule there.
fn broken() -> Vec<(&'static str, Value)> {
    let long = "x".repeat(5_000);
    let option = |go: Value| json!({ "id": "o_9", "text": "Nine", "goToQuestionId": go });
    vec![
        ("/pages", json!([])),
        ("/pages/0/questions", json!([])),
        ("/pages/0/id", json!("")),
        ("/pages/1/id", json!("p_1")),
        ("/tags/1/id", json!("t_1")),
        ("/tags/0/value", json!("")),
        ("/pages/0/questions/0/id", json!("q_5")),
        ("/pages/0/questions/0/id", json!("x".repeat(129))),
        ("/pages/0/questions/0/prompt", json!("")),
        ("/pages/0/questions/0/prompt", json!(long)),
        ("/pages/0/questions/0/text", json!({ "minLength": 9, "maxLength": 2 })),
        ("/pages/0/questions/0/text", json!({ "maxLength": 0 })),
        ("/pages/0/questions/0/text", json!({ "pattern": "(" })),
        ("/pages/0/questions/0/text", json!({ "pattern": "(?=a)" })),
        ("/pages/0/questions/0/text", json!({ "multiLine": true, "pattern": "a\\b" })),
        ("/pages/0/questions/1/numeric", json!({ "slider": true })),
        ("/pages/0/questions/1/numeric", json!({ "min": 3, "max": 2 })),
        ("/pages/0/questions/1/numeric", json!({ "step": 0 })),
        ("/pages/0/questions/1/numeric", json!({ "min": 0, "max": 1, "step": 2 })),
        ("/pages/0/questions/1/numeric", json!({ "qualifies": {} })),
        ("/pages/0/questions/1/numeric", json!({ "qualifies": { "min": 2, "max": 1 } })),
        ("/pages/0/questions/1/numeric", json!({ "min": "NaN" })),
        ("/pages/1/questions/0/singleSelect/options", json!([])),
        ("/pages/1/questions/0/singleSelect/options/1/id", json!("o_1")),
        ("/pages/1/questions/0/singleSelect/options/1/text", json!("")),
        ("/pages/1/questions/0/singleSelect/options/0", option(json!("q_1"))),
        ("/pages/1/questions/0/singleSelect/options/0", option(json!("q_3"))),
        ("/pages/1/questions/0/singleSelect/options/0", option(json!("unknown"))),
        ("/pages/1/questions/1/multiSelect/minChoices", json!(3)),
        ("/pages/1/questions/1/multiSelect/maxChoices", json!(9)),
        ("/pages/1/questions/1/multiSelect/options/0", option(json!("q_5"))),
        ("/pages/1/questions/1/multiSelect/options/0/rule", json!("OPTION_RULE_UNSPECIFIED")),
        ("/pages/1/questions/1/multiSelect/options/0/rule", json!(99)),
        ("/pages/2/questions/0", json!({ "id": "q_5", "prompt": "No form" })),
    ]
}

async fn drafts(tour: &mut Tour) {
    const VALIDATE: &str = "ScreenerService/ValidateDraft";
    tour.call(VALIDATE, "service", json!({ "draft": questionnaire() })).await;
    tour.calls(VALIDATE, "service", vec![json!({}), json!({ "draft": {} })]).await;
    for (place, value) in broken() {
        let mut draft = questionnaire();
        *draft.pointer_mut(place).expect("a place") = value;
        tour.call(VALIDATE, "service", json!({ "draft": draft })).await;
    }
    let mut many = questionnaire();
    for (place, value) in [
        ("/pages/0/questions/0/prompt", json!("")),
        ("/pages/0/questions/1/numeric/max", json!(-1)),
        ("/pages/1/questions/0/singleSelect/options/1/text", json!("")),
        ("/tags/0/id", json!("")),
    ] {
        *many.pointer_mut(place).expect("a place") = value;
    }
    tour.call(VALIDATE, "service", json!({ "draft": many })).await;
    let new = json!({ "id": "scr_bad", "projectId": "proj_123", "title": "Bad", "draft": many });
    tour.call("ScreenerService/CreateScreener", "service", new).await;
    let update = json!({ "screenerId": "survey-draft", "draft": many });
    tour.call("ScreenerService/UpdateDraft", "service", update).await;
}

async fn screeners(tour: &mut Tour) {
    let of = |method: &str| format!("ScreenerService/{method}");
    let new = |id: &str, project: &str| json!({ "id": id, "projectId": project, "title": "New" });
    tour.calls(
        &of("CreateScreener"),
        "service",
        vec![
            new("scr_new", "proj_123"),
            new("scr_new", "proj_123"),
            new("scr_other", "proj_none"),
            json!({ "projectId": "proj_123", "title": "Minted", "allowMultipleResponses": true }),
            json!({ "projectId": "", "title": "", "id": "" }),
        ],
    )
    .await;
    let id = json!({ "id": "scr_new" });
    tour.call(&of("PublishScreener"), "service", id.clone()).await;
    let draft = json!({ "screenerId": "scr_new", "draft": questionnaire() });
    let stored = tour.call(&of("UpdateDraft"), "service", draft.clone()).await;
    let hash = stored["screener"]["draftHash"].clone();
    for expected in [json!("no hash"), json!("0".repeat(64)), hash.clone()] {
        let mut draft = draft.clone();
        draft["expectedDraftHash"] = expected.clone();
        tour.call(&of("UpdateDraft"), "service", draft).await;
        let publish = json!({ "id": "scr_new", "expectedDraftHash": expected });
        tour.call(&of("PublishScreener"), "service", publish).await;
        tour.wait(1);
    }
    let discard = json!({ "screenerId": "scr_new" });
    tour.call(&of("DiscardDraft"), "service", discard.clone()).await;
    let mut next = draft.clone();
    next["draft"]["pages"][0]["questions"][0]["prompt"] = json!("Your name?");
    tour.call(&of("UpdateDraft"), "service", next.clone()).await;
    let stale = json!({ "screenerId": "scr_new", "expectedDraftHash": "0".repeat(64) });
    tour.calls(&of("DiscardDraft"), "service", vec![stale, discard]).await;
    tour.call(&of("UpdateDraft"), "service", next).await;
    tour.call(&of("GetScreener"), "service", id.clone()).await;
    tour.call(&of("PublishScreener"), "service", id.clone()).await;
    tour.call(&of("PublishScreener"), "service", id.clone()).await;
    for method in ["CloseScreener", "CloseScreener", "ReopenScreener", "ReopenScreener"] {
        tour.call(&of(method), "service", id.clone()).await;
    }
    for update in [
        json!({ "id": "scr_new", "title": "Renamed" }),
        json!({ "id": "scr_new", "allowMultipleResponses": true }),
        json!({ "id": "scr_new" }),
        json!({ "id": "scr_new", "title": "" }),
        json!({ "id": "scr_none", "title": "x" }),
    ] {
        tour.call(&of("UpdateScreener"), "service", update).await;
    }
    for method in ["GetScreener", "PublishScreener", "CloseScreener", "ReopenScreener"] {
        for id in ["survey-draft", "survey-closed", "scr_123", "scr_999", "scr_none", ""] {
            tour.call(&of(method), "service", json!({ "id": id })).await;
        }
    }
    publications(tour).await;
}

async fn publications(tour: &mut Tour) {
    let list = json!({ "screenerId": "scr_new" });
    let listed = tour.call("ScreenerService/ListPublications", "service", list).await;
    let minted = listed["items"][0]["id"].clone();
    for id in [minted, json!("scpub_456"), json!("scpub_999"), json!("none"), json!("")] {
        tour.call("ScreenerService/GetPublication", "service", json!({ "id": id })).await;
    }
    for id in ["scr_123", "survey-draft", "scr_999", ""] {
        let page = json!({ "screenerId": id, "pagination": { "limit": 1 } });
        tour.call("ScreenerService/ListPublications", "service", page).await;
    }
    for page in pages() {
        let filter = json!({ "projectId": { "eq": "proj_surveys" } });
        let one = json!({ "screenerId": "scr_new", "pagination": page });
        tour.call("ScreenerService/ListPublications", "service", one).await;
        tour.call("ScreenerService/ListScreeners", "service", json!({ "pagination": page })).await;
        let filtered = json!({ "filter": filter, "pagination": page });
        tour.call("ScreenerService/ListScreeners", "service", filtered).await;
    }
    for project in ["proj_none", ""] {
        let filter = json!({ "filter": { "projectId": { "eq": project } } });
        tour.call("ScreenerService/ListScreeners", "service", filter).await;
    }
}

async fn projects(tour: &mut Tour) {
    tour.calls(
        "ProjectService/CreateProject",
        "service",
        vec![
            json!({ "id": "proj_new", "name": "New", "incentive": 12.5, "organizationId": "org_1",
            "teamId": "team_1" }),
            json!({ "id": "proj_new", "name": "Again" }),
            json!({ "name": "Minted" }),
            json!({ "id": "", "name": "", "incentive": -1, "organizationId": "", "teamId": "" }),
            json!({ "name": "x".repeat(1_000), "incentive": "Infinity" }),
        ],
    )
    .await;
    for id in ["proj_new", "proj_123", "proj_999", "none", ""] {
        tour.call("ProjectService/GetProject", "service", json!({ "id": id })).await;
    }
    tour.calls(
        "ProjectService/UpdateProject",
        "service",
        vec![
            json!({ "id": "proj_new", "name": "Renamed", "incentive": 3 }),
            json!({ "id": "proj_new", "name": "Renamed", "incentive": 3 }),
            json!({ "id": "proj_new" }),
            json!({ "id": "proj_new", "name": "", "incentive": "NaN" }),
            json!({ "id": "none", "name": "x" }),
        ],
    )
    .await;
    for page in pages() {
        tour.call("ProjectService/ListProjects", "service", json!({ "pagination": page })).await;
    }
}

async fn people(tour: &mut Tour) {
    tour.calls("ParticipantService/CreateParticipant", "service", vec![
        json!({ "id": "ptp_new", "externalUid": "crm-new", "name": "Jo", "email": "jo@example.com" }),
        json!({ "id": "ptp_new" }),
        json!({ "externalUid": "crm-new" }),
        json!({ "name": "Minted" }),
        json!({}),
        json!({ "id": "", "externalUid": "", "name": "", "email": "no address" }),
    ])
    .await;
    let named = [
        json!({ "id": "ptp_new" }),
        json!({ "externalUid": "crm-new" }),
        json!({ "externalUid": "crm-003" }),
        json!({ "id": "ptp_999" }),
        json!({ "externalUid": "none" }),
        json!({ "id": "" }),
        json!({}),
    ];
    for named in named {
        tour.call("ParticipantService/GetParticipant", "service", named).await;
    }
    for (screener, person) in [
        ("scr_123", json!({ "id": "ptp_001" })),
        ("scr_124", json!({ "externalUid": "crm-002" })),
        ("scr_124", json!({ "externalUid": "crm-003" })),
        ("survey-123", json!({ "id": "ptp_dismissed" })),
        ("survey-123", json!({ "id": "ptp_revoked" })),
        ("survey-multi", json!({ "id": "ptp_done" })),
        ("scr_123", json!({ "id": "ptp_002" })),
        ("none", json!({ "id": "ptp_001" })),
        ("", json!({})),
    ] {
        let mut message = person;
        message["screenerId"] = json!(screener);
        tour.call("ParticipantService/GetScreenerParticipant", "service", message).await;
    }
    tour.calls(
        "ParticipantService/UpdateParticipant",
        "service",
        vec![
            json!({ "id": "ptp_new", "name": "Joan", "email": "joan@example.com" }),
            json!({ "id": "ptp_new", "name": "", "email": "" }),
            json!({ "id": "ptp_new" }),
            json!({ "id": "none", "name": "x" }),
        ],
    )
    .await;
    for verification in ["PENDING", "PASSED", "FAILED", "NONE", "UNSPECIFIED"] {
        let word = format!("ID_VERIFICATION_{verification}");
        for id in ["ptp_002", "none"] {
            let message = json!({ "id": id, "idVerification": word });
            tour.call("ParticipantService/SetIdVerification", "service", message).await;
        }
        let explain = json!({ "projectId": "proj_123", "id": "scses_790" });
        tour.call("SubmissionService/ExplainSubmission", "service", explain).await;
    }
    for page in pages() {
        let message = json!({ "pagination": page });
        tour.call("ParticipantService/ListParticipants", "service", message).await;
    }
}

/// The smallest PNG.
const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

pub(super) fn look() -> Value {
    json!({ "displayName": "Insights", "logo": LOGO, "accentColor": "#005a9c",
        "privacyText": "We keep it.", "privacyUrl": "https://example.com/privacy" })
}

async fn looks(tour: &mut Tour) {
    tour.calls("LookService/SetLook", "service", vec![
        json!({ "look": look() }),
        json!({ "look": look() }),
        json!({ "screenerId": "scr_123", "look": { "displayName": "Own", "accentColor": "#333333" } }),
        json!({ "screenerId": "scr_124", "look": {} }),
        json!({ "screenerId": "none", "look": {} }),
        json!({ "look": { "displayName": "", "logo": "AAAA", "accentColor": "red",
            "privacyText": "", "privacyUrl": "javascript:alert(1)" } }),
        json!({ "look": { "accentColor": "#ffffff" } }),
        json!({ "screenerId": "" }),
    ])
    .await;
    for id in ["scr_123", "scr_124", "survey-123", "none", ""] {
        tour.call("LookService/GetLook", "service", json!({ "screenerId": id })).await;
    }
    tour.call("LookService/GetLook", "service", json!({})).await;
    tour.call("LookService/GetLook", "stranger", json!({})).await;
    tour.call("LookService/SetLook", "service", json!({})).await;
}

/// Lists the history so far under every filter.
pub(super) async fn history(tour: &mut Tour, subjects: &[(&str, &str)]) {
    const LIST: &str = "HistoryService/ListChanges";
    for page in pages() {
        tour.call(LIST, "service", json!({ "pagination": page })).await;
    }
    for (subject, id) in subjects {
        let subject = format!("CHANGE_SUBJECT_{subject}");
        let filter = json!({ "subject": subject, "subjectId": { "eq": id } });
        tour.call(LIST, "service", json!({ "filter": filter })).await;
        let filter = json!({ "subject": subject });
        let page = json!({ "filter": filter, "pagination": { "limit": 2 } });
        tour.call(LIST, "service", page).await;
        let filter = json!({ "subjectId": { "eq": id } });
        tour.call(LIST, "service", json!({ "filter": filter })).await;
    }
}

pub(super) async fn visit(tour: &mut Tour) {
    projects(tour).await;
    people(tour).await;
    screeners(tour).await;
    drafts(tour).await;
    looks(tour).await;
    history(
        tour,
        &[
            ("PROJECT", "proj_new"),
            ("PARTICIPANT", "ptp_new"),
            ("SCREENER", "scr_new"),
            ("TENANT", "acct_123"),
            ("CREDENTIAL", "key_none"),
            ("UNSPECIFIED", ""),
        ],
    )
    .await;
}
