//! Sessions and responses: lists under every filter, and the life of a session.

use serde_json::{Value, json};

use super::guide::Tour;

/// Returns pages of a list: the first, a middle one, one after the end, and invalid ones.
pub(super) fn pages() -> Vec<Value> {
    let page = |limit: i64, offset: i64| json!({ "limit": limit, "offset": offset });
    vec![page(1, 0), page(2, 1), page(5, 1000), page(501, 0), page(0, -1), page(-1, 0)]
}

/// Returns filters on ids with each operator, with existing and unknown ids.
fn id_filters(ids: [&str; 2]) -> Vec<Value> {
    let [one, two] = ids;
    let list = |ids: &[&str]| json!({ "values": ids });
    let (none, long) = (list(&[]), "x".repeat(129));
    vec![
        json!({ "eq": one }),
        json!({ "eq": "unknown" }),
        json!({ "ne": one }),
        json!({ "in": list(&[one, two]) }),
        json!({ "nin": list(&[one, two]) }),
        json!({ "in": none }),
        json!({ "nin": none }),
        json!({ "eq": one, "ne": two, "in": list(&[one, two]), "nin": list(&[two]) }),
        json!({ "eq": "" }),
        json!({ "eq": long, "in": list(&["", "\u{0}"]) }),
    ]
}

async fn list_sessions(tour: &mut Tour) {
    const LIST: &str = "ScreenerSessionService/ListScreenerSessions";
    for who in ["spot", "service", "readonly", "stranger", "respondent", "scopeless"] {
        tour.call(LIST, who, json!({ "pagination": { "limit": 3 } })).await;
    }
    for page in pages() {
        tour.call(LIST, "spot", json!({ "pagination": page })).await;
    }
    for (field, ids) in
        [("id", ["scses_789", "scses_790"]), ("screenerId", ["scr_123", "survey-123"])]
    {
        for filter in id_filters(ids) {
            tour.call(LIST, "spot", json!({ "filter": { field: filter } })).await;
        }
    }
    let both = json!({ "id": { "ne": "scses_790" }, "screenerId": { "eq": "scr_124" } });
    tour.call(LIST, "spot", json!({ "filter": both, "pagination": { "offset": 1 } })).await;
}

async fn responses(tour: &mut Tour) {
    const LIST: &str = "ScreenerResponseService/ListScreenerResponses";
    const EXPORT: &str = "ScreenerResponseService/ExportScreenerResponses";
    let filters = [
        json!({}),
        json!({ "screenerId": { "eq": "scr_124" } }),
        json!({ "screenerPublicationId": { "eq": "scpub_456" } }),
        json!({ "screenerSessionId": { "eq": "scses_789" } }),
        json!({ "screenerSessionId": { "in": { "values": ["scses_789", "scses_793"] } } }),
        json!({ "screenerParticipantId": { "eq": "scpar_124" } }),
        json!({ "screenerParticipantId": { "in": { "values": ["scpar_124", "scpar_999"] } } }),
        json!({ "screenerId": { "eq": "scr_124" }, "screenerSessionId": { "eq": "scses_789" } }),
        json!({ "screenerId": { "eq": "" }, "screenerSessionId": { "in": { "values": [""] } } }),
    ];
    for filter in filters {
        tour.call(LIST, "spot", json!({ "filter": filter })).await;
        tour.call(EXPORT, "spot", json!({ "filter": filter })).await;
    }
    for page in pages() {
        tour.call(LIST, "readonly", json!({ "pagination": page })).await;
    }
    for who in ["nobody", "panel", "scopeless", "service", "stranger"] {
        tour.call(LIST, who, json!({ "pagination": { "limit": 1 } })).await;
        tour.call(EXPORT, who, json!({})).await;
    }
    tour.call(EXPORT, "spot", json!({ "resumeToken": "no token" })).await;
    let of_all = "AQAAAAAAAAADAAAAAAAAAAkAAAAAAAAAAA";
    tour.call(EXPORT, "spot", json!({ "resumeToken": of_all })).await;
}

async fn lives(tour: &mut Tour) {
    let of = |method: &str| format!("ScreenerSessionService/{method}ScreenerSession");
    let known = ["scses_789", "scses_790", "scses_792", "scses_revoked", "scses_999", "no", ""];
    for id in known {
        tour.call(&of("Get"), "spot", json!({ "id": id })).await;
    }
    // A session of each status. Each step is repeated.
    for id in ["scses_791", "scses_792", "scses_revoked", "scses_999", "no", ""] {
        for method in ["Archive", "Archive", "Restore", "Restore", "Remove", "Remove", "Archive"] {
            tour.wait(60);
            tour.call(&of(method), "spot", json!({ "id": id })).await;
        }
        tour.call(&of("Restore"), "service", json!({ "id": id })).await;
    }
    for method in ["Archive", "Restore", "Remove", "Create"] {
        for who in ["readonly", "scopeless", "panel", "nobody", "wrong spot"] {
            tour.call(&of(method), who, json!({})).await;
        }
    }
}

async fn create(tour: &mut Tour) {
    const CREATE: &str = "ScreenerSessionService/CreateScreenerSession";
    const BATCH: &str = "ScreenerSessionService/BatchCreateScreenerSessions";
    let uid = |screener: &str, uid: &str| json!({ "screenerId": screener, "externalUid": uid });
    let id = |screener: &str, id: &str| json!({ "screenerId": screener, "participantId": id });
    let new = vec![
        uid("scr_life", "new-1"),
        uid("scr_life", "new-1"),
        uid("scr_124", "crm-001"),
        id("scr_123", "ptp_002"),
        id("scr_124", "ptp_002"),
        id("survey-123", "ptp_done"),
        id("survey-multi", "ptp_done"),
        uid("survey-draft", "new-2"),
        uid("survey-closed", "new-2"),
        uid("scr_999", "new-2"),
        id("scr_124", "ptp_999"),
        uid("", ""),
        uid("scr_124", "tab\t"),
        json!({ "screenerId": "scr_124" }),
        json!({}),
    ];
    tour.calls(CREATE, "spot", new.clone()).await;
    for requests in [&new[..2], &new[2..4], &new[3..6], &new[6..12], &new[12..], &[]] {
        tour.call(BATCH, "service", json!({ "requests": requests })).await;
    }
    tour.call(BATCH, "readonly", json!({ "requests": [] })).await;
    let list = "ScreenerSessionService/ListScreenerSessions";
    let since = json!({ "pagination": { "offset": 8, "limit": 20 } });
    tour.call(list, "spot", since).await;
}

async fn versions(tour: &mut Tour) {
    for version in ["1.0.0", "2024-05-01", "2.0.0", "", "latest"] {
        let header = [("x-spot-api-version", version)];
        for (rpc, message) in [
            ("ScreenerSessionService/GetScreenerSession", r#"{"id":"scses_789"}"#),
            ("ScreenerResponseService/ListScreenerResponses", r#"{"pagination":{"limit":1}}"#),
            ("SubmissionService/GetSubmission", "{}"),
        ] {
            tour.call_with(rpc, "service", &header, message).await;
        }
    }
}

pub(super) async fn visit(tour: &mut Tour) {
    list_sessions(tour).await;
    responses(tour).await;
    versions(tour).await;
    create(tour).await;
    lives(tour).await;
}
