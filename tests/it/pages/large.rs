//! Pages with the most data that a session may have, and more.

use serde_json::json;

use super::link::panelist_link;
use super::walk::responses;
use crate::support::Server;
use crate::support::browser::Browser;
use crate::support::panelist::import;

const LARGE: &str = "scr_large";
/// The number of longest texts that fill a session.
const TEXTS: usize = 64;
const TEXT_MAX_BYTES: usize = 16 * 1024;

/// Starts a server on a page with one text more than a session may have, and a page after it.
async fn server() -> (Server, String) {
    let server = Server::demo().await;
    let text = |number: usize| {
        json!({ "id": format!("q_{number}"), "kind": "TEXT", "prompt": format!("Q{number}?"),
            "multiLine": true })
    };
    let questions: Vec<_> = (0..=TEXTS).map(text).collect();
    let pages = json!([
        { "id": "p_1", "questions": questions },
        { "id": "p_2", "questions": [{ "id": "q_end", "kind": "TEXT", "prompt": "The end?" }] },
    ]);
    let lines = [
        json!({ "format": "screenerd-import", "version": 1 }),
        json!({ "type": "screener", "tenant": "acct_123", "id": LARGE, "projectId": "proj_123",
            "title": "Large", "status": "OPEN", "activePublicationId": "scpub_large" }),
        json!({ "type": "publication", "tenant": "acct_123", "id": "scpub_large",
            "screenerId": LARGE, "pages": pages }),
    ];
    import(&server, &lines).await;
    let link = panelist_link(&server, LARGE, "crm-large").await;
    (server, link)
}

/// Returns the same text for the first questions.
fn filled(count: usize, text: &str) -> Vec<(String, String)> {
    (0..count).map(|number| (format!("a{number}"), text.to_owned())).collect()
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

#[tokio::test]
async fn answers_that_are_too_long_together_stay_on_the_page_with_the_reason() {
    let (server, link) = server().await;
    let mut browser = Browser::open(&server, &link).await;
    let typed = filled(TEXTS + 1, &"x".repeat(TEXT_MAX_BYTES));
    let saved = browser.send(&browser.filled("save", &borrowed(&typed))).await;
    assert_eq!((saved.status, saved.text.as_str()), (413, ""));
    for go in ["next", "back"] {
        assert_eq!(browser.press(go, &borrowed(&typed)).await, 422, "{go}");
        browser.says("There is 1 answer to check");
        browser.says("<a href=\"#q64\">");
        let words = "Your answers are too long together. Shorten this one.";
        assert_eq!(browser.text().matches(words).count(), 2, "in the summary and beside the field");
        assert_eq!(browser.text().matches("aria-invalid=\"true\"").count(), 1);
        let fields = browser.fields();
        assert!(typed.iter().all(|field| fields.contains(field)), "all that was typed is there");
    }
    assert_eq!(responses(&server, LARGE).await, []);
    assert_eq!(browser.press("next", &[("a64", "")]).await, 303);
    browser.says("The end?");
    let answers = responses(&server, LARGE).await;
    assert!(answers[..TEXTS].iter().all(|(_, it)| it.as_str().map(str::len) == Some(16_384)));
    server.stop().await;
}

#[tokio::test]
async fn all_that_a_session_may_have_can_be_sent_whatever_its_characters_take() {
    let (server, link) = server().await;
    let mut browser = Browser::open(&server, &link).await;
    // A line end is sent as six bytes and stored as one.
    let lines = |end: &str| format!("x{}", end.repeat(TEXT_MAX_BYTES - 1));
    let typed = filled(TEXTS, &lines("\r\n"));
    assert_eq!(browser.press("next", &borrowed(&typed)).await, 303);
    browser.says("The end?");
    let answers = responses(&server, LARGE).await;
    assert!(answers[..TEXTS].iter().all(|(_, it)| *it == json!(lines("\n"))));
    server.stop().await;
}
