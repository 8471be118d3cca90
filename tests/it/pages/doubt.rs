//! Ambiguous numbers: the page offers both readings, and the participant chooses one.

use serde_json::{Value, json};

use super::link::panelist_link;
use super::walk::responses;
use crate::support::Server;
use crate::support::browser::Browser;
use crate::support::calls::Transport;
use crate::support::panelist::{Submit, public_key, submit};
use crate::support::typed::{TYPED, add_typed};

async fn server() -> (Server, String) {
    let server = Server::demo().await;
    add_typed(&server).await;
    let link = panelist_link(&server, TYPED, "crm-doubt").await;
    (server, link)
}

async fn stored(server: &Server) -> Value {
    let answers = responses(server, TYPED).await;
    answers.into_iter().find(|(id, _)| id == "q_any").map_or(json!("nothing"), |(_, it)| it)
}

fn holds(browser: &Browser<'_>, name: &str, value: &str) -> bool {
    browser.fields().contains(&(name.into(), value.into()))
}

#[tokio::test]
async fn either_reading_can_be_chosen_and_is_what_is_stored() {
    for (typed, picked, number) in [
        ("12.345", "12345", json!(12_345)),
        ("12.345", "12.345", json!(12.345)),
        ("12,345", "12.345", json!(12.345)),
        ("-1.000", "-1000", json!(-1000)),
        ("-1.000", "-1", json!(-1)),
    ] {
        let (server, link) = server().await;
        let mut browser = Browser::open(&server, &link).await;
        browser.hides("type=\"radio\" name=\"r0\"");
        assert_eq!(browser.press("finish", &[("a0", typed), ("a5", "Ada")]).await, 422, "{typed}");
        browser.says("Do you mean ");
        browser.says("role=\"radiogroup\" aria-labelledby=\"e0\"");
        browser.says("<a href=\"#r0\">");
        assert_eq!(browser.text().matches("type=\"radio\" name=\"r0\"").count(), 2);
        assert!(holds(&browser, "a0", typed), "{:?}", browser.fields());
        // The page is shown again for another error and keeps the choice.
        let other = [("r0", picked), ("a5", "")];
        assert_eq!(browser.press("finish", &other).await, 422, "{typed}: {picked}");
        browser.says("There is 1 answer to check");
        assert!(holds(&browser, "a0", picked), "{:?}", browser.fields());
        assert_eq!(responses(&server, TYPED).await, []);
        assert_eq!(browser.press("finish", &[("a5", "Ada")]).await, 303, "{typed}: {picked}");
        browser.says("Thank you!");
        assert_eq!(stored(&server).await, number, "{typed}: {picked}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_stored_number_that_is_left_as_it_is_shown_is_not_asked_about() {
    for number in [12.345, 1.5, -1.234, 1234.0] {
        let (server, link) = server().await;
        let key = public_key(&server, TYPED, "crm-doubt").await;
        let given = Submit::some(json!({ "q_any": { "number": number } }));
        submit(&server, Transport::Rest, &key, &given).await.answer();
        let mut browser = Browser::open(&server, &link).await;
        assert!(holds(&browser, "a0", &number.to_string()), "{:?}", browser.fields());
        browser.hides("type=\"radio\" name=\"r0\"");
        assert_eq!(browser.press("finish", &[]).await, 422);
        browser.hides("Do you mean");
        assert_eq!(browser.press("finish", &[("a5", "Ada")]).await, 303, "{number}");
        assert_eq!(stored(&server).await.as_f64(), Some(number));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_choice_is_about_the_text_that_it_was_made_for() {
    let (server, link) = server().await;
    let mut browser = Browser::open(&server, &link).await;
    for (typed, picked) in [("1.000", "12.345"), ("12.345", "12"), ("12.345", "")] {
        let fields = [("a0", typed), ("r0", picked), ("a5", "Ada")];
        assert_eq!(browser.press("finish", &fields).await, 422, "{typed}: {picked}");
        browser.says("Do you mean ");
        assert!(!browser.fields().iter().any(|(name, _)| name == "r0"), "none is chosen");
    }
    let saved = browser.send(&browser.filled("save", &[("a0", "7"), ("r0", "12.345")])).await;
    assert_eq!(saved.json()["unfinished"], json!([]));
    assert_eq!(stored(&server).await, json!(7));
    let saved = browser.send(&browser.filled("save", &[("a0", "12,345"), ("r0", "12345")])).await;
    assert_eq!(saved.json()["unfinished"], json!([]));
    assert_eq!(stored(&server).await, json!(12_345));
    server.stop().await;
}
