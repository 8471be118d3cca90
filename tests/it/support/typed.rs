//! A screener with answers that are easily altered in transit: numbers, and texts with limits.

use serde_json::json;

use super::Server;
use super::panelist::import;

/// The id of the screener.
pub(crate) const TYPED: &str = "scr_typed";

/// Adds the screener to a server with the example data.
pub(crate) async fn add_typed(server: &Server) {
    let question = |id: &str, kind: &str| json!({ "id": id, "kind": kind, "prompt": id });
    let with = |mut question: serde_json::Value, members: serde_json::Value| {
        let members = members.as_object().expect("members").clone();
        question.as_object_mut().expect("a question").extend(members);
        question
    };
    let numeric = |id: &str| question(id, "NUMERIC");
    let text = |id: &str| question(id, "TEXT");
    let pages = json!([{ "id": "p_typed", "questions": [
        numeric("q_any"),
        with(numeric("q_count"), json!({ "step": 1 })),
        with(numeric("q_money"), json!({ "step": 0.01 })),
        with(text("q_ten"), json!({ "maxLength": 10, "multiLine": true })),
        with(text("q_zip"), json!({ "pattern": r"\d{5}" })),
        with(text("q_name"), json!({ "required": true })),
        with(question("q_pick", "SINGLE_SELECT"), json!({ "options": [
            { "id": "o_a", "text": "A" }, { "id": "o_other", "text": "Other", "writeIn": true },
        ]})),
        with(numeric("q_score"), json!({ "slider": true, "min": 0, "max": 10, "step": 1 })),
    ]}]);
    let lines = [
        json!({ "format": "screenerd-import", "version": 1 }),
        json!({ "type": "screener", "tenant": "acct_123", "id": TYPED, "projectId": "proj_123",
            "title": "Typed", "status": "OPEN", "activePublicationId": "scpub_typed" }),
        json!({ "type": "publication", "tenant": "acct_123", "id": "scpub_typed",
            "screenerId": TYPED, "pages": pages }),
    ];
    import(server, &lines).await;
}
