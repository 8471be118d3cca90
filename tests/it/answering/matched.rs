//! Texts that are slow to match: every transport validates them like short ones.

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::browser::Browser;
use crate::support::calls::{Outcome, Transport};
use crate::support::panelist::{Submit, import, public_key, submit};

const SLOW: &str = "scr_slow";

/// Starts a server on a screener whose pattern is slow on long texts.
async fn slow() -> Server {
    let server = Server::demo().await;
    let question = |id: &str| {
        json!({"id": id, "kind": "TEXT", "prompt": "?", "required": true,
            "pattern": "[ab]*a[ab]{50}[ab]*c|ok"})
    };
    let lines = [
        json!({"format": "screenerd-import", "version": 1}),
        json!({"type": "screener", "tenant": "acct_123", "id": SLOW, "projectId": "proj_123",
            "title": "Slow", "status": "OPEN", "activePublicationId": "scpub_slow"}),
        json!({"type": "publication", "tenant": "acct_123", "id": "scpub_slow", "screenerId": SLOW,
            "pages": [{"id": "p", "questions": [question("q_a"), question("q_b")]}]}),
    ];
    import(&server, &lines).await;
    server
}

/// Returns a long text that matches the pattern or not.
fn long(matches: bool) -> String {
    "ab".repeat(8_000) + if matches { "c" } else { "" }
}

fn text(text: &str) -> Value {
    json!({ "text": text })
}

#[tokio::test]
async fn long_texts_are_judged_by_their_patterns_over_every_transport() {
    let server = slow().await;
    for (transport, person) in [(Transport::Rest, "crm-rest"), (Transport::Grpc, "crm-grpc")] {
        let key = public_key(&server, SLOW, person).await;
        let sent = async |a: &str, b: &str| {
            let answers = json!({ "q_a": text(a), "q_b": text(b) });
            submit(&server, transport, &key, &Submit::some(answers)).await
        };
        let refused = |field| Outcome::refusal("invalid_argument", &[field]);
        assert_eq!(sent(&long(false), "ok").await, refused("answers.q_a"));
        assert_eq!(sent(&long(true), "no").await, refused("answers.q_b"));
        sent(&long(true), "ok").await.answer();
    }
    server.stop().await;
}

#[tokio::test]
async fn long_texts_are_judged_by_their_patterns_on_a_page() {
    let server = slow().await;
    let key = public_key(&server, SLOW, "crm-page").await;
    let link = format!("/app/panelist/vote/?key={key}");
    let mut browser = Browser::open(&server, &link).await;
    let (fits, misses) = (long(true), long(false));
    assert_eq!(browser.press("finish", &[("a0", &misses), ("a1", "ok")]).await, 422);
    browser.says("There is 1 answer to check");
    browser.says("Check the format.");
    assert_eq!(browser.press("save", &[("a0", &fits), ("a1", &misses)]).await, 200);
    let mut browser = Browser::open(&server, &link).await;
    assert!(browser.fields().contains(&("a0".into(), fits)), "what fits was saved");
    assert_eq!(browser.press("finish", &[("a1", &misses)]).await, 422);
    assert_eq!(browser.press("finish", &[("a1", "ok")]).await, 303);
    browser.says("Thank you!");
    server.stop().await;
}
