//! Numbers and texts as participants type them, with the separators of any country.

use serde_json::{Value, json};

use super::link::panelist_link;
use super::walk::responses;
use crate::support::Server;
use crate::support::browser::Browser;
use crate::support::typed::{TYPED, add_typed};

async fn server() -> (Server, String) {
    let server = Server::demo().await;
    add_typed(&server).await;
    let link = panelist_link(&server, TYPED, "crm-typed").await;
    (server, link)
}

async fn stored(server: &Server, question: &str) -> Value {
    let answers = responses(server, TYPED).await;
    answers.into_iter().find(|(id, _)| id == question).map_or(json!("nothing"), |(_, it)| it)
}

#[tokio::test]
async fn a_number_is_read_as_its_country_writes_it_and_shown_as_it_was_understood() {
    let (server, link) = server().await;
    let browser = Browser::open(&server, &link).await;
    for (field, typed, number, shown) in [
        ("a0", "1,5", json!(1.5), "1.5"),
        ("a0", "1.234,5", json!(1234.5), "1234.5"),
        ("a0", "−2", json!(-2), "-2"),
        ("a0", "１２", json!(12), "12"),
        ("a0", "\u{200E}-5", json!(-5), "-5"),
        ("a0", "\u{61C}٧\u{200F}", json!(7), "7"),
        ("a0", "1\u{200B}000,5\u{2060}", json!(1000.5), "1000.5"),
        ("a0", "1\u{A0}000", json!(1000), "1000"),
        ("a1", "1.500", json!(1500), "1500"),
        ("a2", "229065917,39", json!(229_065_917.39), "229065917.39"),
    ] {
        let saved = browser.send(&browser.filled("save", &[(field, typed)])).await;
        assert_eq!(saved.json()["saved"], true, "{typed}");
        let question = ["q_any", "q_count", "q_money"][usize::from(field.as_bytes()[1] - b'0')];
        assert_eq!(stored(&server, question).await, number, "{typed}");
        let again = Browser::open(&server, &link).await;
        assert!(again.fields().contains(&(field.into(), shown.into())), "{typed}");
    }
    // A page with an error elsewhere also shows the number as the server read it.
    let mut browser = Browser::open(&server, &link).await;
    assert_eq!(browser.press("finish", &[("a0", "7,25")]).await, 422);
    assert!(browser.fields().contains(&("a0".into(), "7.25".into())), "{:?}", browser.fields());
    server.stop().await;
}

#[tokio::test]
async fn what_may_be_two_numbers_or_none_is_asked_for_and_not_stored() {
    let (server, link) = server().await;
    let mut browser = Browser::open(&server, &link).await;
    for (typed, words) in [
        ("1.000", "Do you mean 1000 or 1?"),
        ("12,345", "Do you mean 12345 or 12.345?"),
        ("12h", "Enter a number."),
        ("--", "Enter a number."),
        ("abc", "Enter a number."),
        ("9007199254740993", "Enter a number with at most 15 digits."),
    ] {
        assert_eq!(browser.press("finish", &[("a0", typed), ("a5", "Ada")]).await, 422, "{typed}");
        browser.says(words);
        assert!(browser.fields().contains(&("a0".into(), typed.into())), "{typed}");
        let saved = browser.send(&browser.filled("save", &[("a0", typed), ("a5", "")])).await;
        let told = json!({ "saved": false, "unfinished": [0], "missing": [5] });
        assert_eq!(saved.json(), told, "{typed}");
        assert_eq!(responses(&server, TYPED).await, [], "{typed}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_blank_that_is_no_white_space_is_blank() {
    let (server, link) = server().await;
    let mut browser = Browser::open(&server, &link).await;
    assert_eq!(browser.press("finish", &[("a5", "\u{200B}\u{3164}")]).await, 422);
    browser.says("This question needs an answer");
    let other = [("a5", "Ada"), ("a6", "1"), ("w6.1", "\u{2060}")];
    assert_eq!(browser.press("finish", &other).await, 422);
    browser.says("Enter your answer for “<bdi>Other</bdi>”");
    let endless = "x".repeat(17_000);
    for (typed, words) in [
        (endless.as_str(), "Remove 616 characters (16384 allowed)."),
        ("a\0", "This answer has characters that can’t be stored."),
    ] {
        let other = [("a5", "Ada"), ("a6", "1"), ("w6.1", typed)];
        assert_eq!(browser.press("finish", &other).await, 422);
        browser.says(words);
        browser.hides("Choose an answer");
    }
    let long = [("a5", "Ada"), ("a6", "0"), ("a3", "1234\r\n56789")];
    assert_eq!(browser.press("finish", &long).await, 303);
    assert_eq!(stored(&server, "q_ten").await, "1234\n56789");
    server.stop().await;
}

#[tokio::test]
async fn a_short_scale_is_a_row_of_buttons() {
    let (server, link) = server().await;
    let browser = Browser::open(&server, &link).await;
    assert_eq!(browser.text().matches("type=\"radio\" name=\"a7\"").count(), 11);
    browser.send(&browser.filled("save", &[("a7", "10")])).await;
    assert_eq!(stored(&server, "q_score").await, 10);
    let again = Browser::open(&server, &link).await;
    assert!(again.fields().contains(&("a7".into(), "10".into())), "{:?}", again.fields());
    assert_eq!(
        again.send(&again.filled("save", &[("a7", "11")])).await.json()["unfinished"],
        json!([7])
    );
    // A value between two buttons of a scale is shown in a field.
    let survey = panelist_link(&server, "survey-123", "crm-scale").await;
    let buttons = |page: &Browser<'_>| page.text().matches("type=\"radio\" name=\"a0\"").count();
    let page = Browser::open(&server, &survey).await;
    assert_eq!(buttons(&page), 5);
    page.send(&page.filled("save", &[("a0", "3,5")])).await;
    let page = Browser::open(&server, &survey).await;
    assert_eq!(buttons(&page), 0);
    assert!(page.fields().contains(&("a0".into(), "3.5".into())), "{:?}", page.fields());
    server.stop().await;
}
