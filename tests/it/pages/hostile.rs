//! Requests that no page sends: the server stores nothing invalid and responds with a readable
//! page.

use serde_json::json;

use super::walk::{life, responses};
use crate::support::browser::{Browser, FORM};
use crate::support::panelist::LIFE;
use crate::support::{Reply, SPOT, Server};

const SCRIPT: &str = "</textarea>\"'><script>alert(1)</script>&amp;";

/// Asserts that the response is a page with this status and these words.
pub(super) fn is_page(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert!(reply.text.contains(words), "{words}: {}", reply.text);
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(reply.header("content-security-policy").is_some());
}

#[tokio::test]
async fn a_script_in_every_field_comes_back_as_text() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    let inert = |browser: &Browser<'_>| {
        assert!(!browser.text().contains("<script>"), "{}", browser.text());
        assert!(!browser.text().contains("alert(1)</"), "{}", browser.text());
    };
    assert_eq!(browser.press("next", &[("a0", SCRIPT), ("a1", SCRIPT)]).await, 422);
    inert(&browser);
    let fields = browser.fields();
    assert!(fields.contains(&("a1".into(), SCRIPT.into())), "{fields:?}");
    assert_eq!(browser.press("next", &[("a1", "1")]).await, 303);
    assert_eq!(browser.press("next", &[("a2", "3"), ("w2.3", SCRIPT), ("a3", SCRIPT)]).await, 303);
    assert_eq!(browser.press("back", &[("a4", "2"), ("w4.2", SCRIPT), ("a5", SCRIPT)]).await, 303);
    inert(&browser);
    let fields = browser.fields();
    for name in ["w2.3", "a3"] {
        assert!(fields.contains(&(name.into(), SCRIPT.into())), "{name} in {fields:?}");
    }
    let answers = responses(&server, LIFE).await;
    assert!(answers.contains(&("q_team".into(), json!(SCRIPT))), "{answers:?}");
    for forged in ["request_id", "publication", "go", "q"] {
        let browser = Browser::open(&server, &link).await;
        let reply = browser.send(&browser.filled("save", &[(forged, SCRIPT)])).await;
        assert!(!reply.text.contains("<script>alert"), "{}", reply.text);
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_form_or_too_large_is_refused_in_words() {
    let (server, link) = life().await;
    let browser = Browser::open(&server, &link).await;
    let fields = browser.filled("next", &[("a0", "Ada"), ("a1", "1")]);
    let large = format!("{fields}&x={}", "x".repeat(7 * 1024 * 1024));
    let many = format!("{fields}{}", "&a0=1".repeat(12_000));
    let long = browser.filled("next", &[("a0", &"x".repeat(60_000)), ("a1", "1")]);
    for (body, status, words) in [
        (large.as_str(), 413, "Your answers are too long"),
        (&many, 413, "Your answers are too long"),
        (&format!("{fields}&a0=%FF"), 400, "We can’t read that page"),
        (&format!("{fields}&%C3=1"), 400, "We can’t read that page"),
        (&long, 422, "Remove 59950 characters (50 allowed)."),
    ] {
        is_page(&browser.send(body).await, status, words);
    }
    for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let headers = [("content-type", content_type)];
        let reply = server.send_body("POST", &link, &headers, Some(&fields)).await;
        is_page(&reply, 415, "We can’t read that page");
    }
    let cross = [FORM, ("sec-fetch-site", "cross-site")];
    let reply = server.send_body("POST", &link, &cross, Some(&fields)).await;
    is_page(&reply, 403, "We can’t read that page");
    is_page(&server.send("DELETE", &link, &[]).await, 405, "We can’t read that page");
    assert_eq!(responses(&server, LIFE).await, []);
    let same = [FORM, ("sec-fetch-site", "same-origin")];
    let reply = server.send_body("POST", &link, &same, Some(&fields)).await;
    assert_eq!(reply.status, 303);
    server.stop().await;
}

#[tokio::test]
async fn fields_that_no_page_has_are_passed_over() {
    let (server, link) = life().await;
    let browser = Browser::open(&server, &link).await;
    let body = browser.filled(
        "next",
        &[
            ("a0", "Ada"),
            ("a1", "1"),
            ("a2", "1"),
            ("q", "2"),
            ("q", "99"),
            ("q", "-1"),
            ("x", "y"),
        ],
    );
    // The form lists neither question of the page as shown, so their answers are ignored.
    assert_eq!(browser.send(&body).await.status, 303);
    assert_eq!(responses(&server, LIFE).await, []);
    let mut browser = Browser::open(&server, &format!("{link}&page=2")).await;
    for option in ["4", "99999999999999999999", "-1", "s_mid", ""] {
        assert_eq!(browser.press("next", &[("a2", option)]).await, 422, "{option}");
        browser.says("Choose an answer");
    }
    assert_eq!(responses(&server, LIFE).await, []);
    let stale = browser.filled("next", &[("a2", "1"), ("publication", "scpub_other")]);
    is_page(&browser.send(&stale).await, 409, "The questions have changed.");
    assert_eq!(responses(&server, LIFE).await, []);
    server.stop().await;
}

#[tokio::test]
async fn a_forged_choice_takes_no_answer_away() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    assert_eq!(browser.press("next", &[("a0", "Ada"), ("a1", "3")]).await, 303);
    assert_eq!(browser.press("next", &[("a2", "1")]).await, 303);
    assert_eq!(browser.press("save", &[("a4", "1")]).await, 200);
    let before = responses(&server, LIFE).await;
    assert!(before.iter().any(|(question, _)| question == "q_tools"), "{before:?}");
    // The question has four options, from 0 to 3.
    for option in ["4", "99", "-1", "t_may", ""] {
        let mut browser = Browser::open(&server, &format!("{link}&page=3")).await;
        assert_eq!(browser.press("save", &[("a4", option)]).await, 200);
        let mut browser = Browser::open(&server, &format!("{link}&page=3")).await;
        assert_eq!(browser.press("finish", &[("a4", option)]).await, 422, "{option}");
        browser.says("Choose 1 to 3");
    }
    assert_eq!(responses(&server, LIFE).await, before);
    server.stop().await;
}

#[tokio::test]
async fn forged_keys_and_missing_surveys_look_alike() {
    let (server, link) = life().await;
    let browser = Browser::open(&server, &link).await;
    let body = browser.filled("finish", &[("a0", "Ada"), ("a1", "1")]);
    let forged = link.replace("key=", "key=A");
    let swapped = format!("{link}x");
    let mut pages = Vec::new();
    for path in [
        "/app/panelist/vote/?key=abc:def",
        &forged,
        &swapped,
        "/app/panelist/vote/",
        "/s/nobody",
        "/screeners/scr_123/nobody",
        "/screeners/nothing/scses_789",
        // A session of another tenant below this screener, and the reverse.
        "/screeners/scr_123/scses_999",
        "/screeners/scr_999/scses_789",
    ] {
        for reply in [
            server.send("GET", path, &[]).await,
            server.send_body("POST", path, &[FORM], Some(&body)).await,
        ] {
            is_page(&reply, 404, "We can’t find this page");
            pages.push(reply.text);
        }
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "they look alike");
    assert_eq!(responses(&server, LIFE).await, []);
    server.stop().await;
}

#[tokio::test]
async fn a_link_that_sends_too_often_has_to_wait_and_others_do_not() {
    let (server, link) = life().await;
    let browser = Browser::open(&server, &link).await;
    let body = browser.filled("save", &[("a0", "Ada")]);
    let mut sent = 0;
    let refused = loop {
        let reply = browser.send(&body).await;
        if reply.status != 200 {
            break reply;
        }
        sent += 1;
        assert!(sent < 1_000, "there is a limit");
    };
    is_page(&refused, 429, "Too many tries");
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(server.send("GET", &link, &[]).await.status, 200, "whoever looks is not limited");
    let mut other = Browser::open(&server, "/s/onboarding-003-kim").await;
    assert_eq!(other.press("next", &[("a0", "Kim"), ("a1", "1"), ("a2", "1")]).await, 303);
    // Both addresses of a session share one limit.
    let addresses = ["/s/onboarding-001-alex", "/screeners/scr_123/scses_789"];
    let other =
        [Browser::open(&server, addresses[0]).await, Browser::open(&server, addresses[1]).await];
    let saved = other[0].filled("save", &[]);
    for number in 0..sent {
        assert_eq!(other[number % 2].send(&saved).await.status, 200, "{number} of {sent}");
    }
    for browser in &other {
        assert_eq!(browser.send(&saved).await.status, 429);
    }
    server.clock.advance_seconds(60);
    assert_eq!(browser.send(&body).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_page_leads_nowhere_else_whatever_its_address_says() {
    let server = Server::demo().await;
    for query in ["next=https://evil.example", "page=//evil.example", "key=https://evil.example"] {
        let path = format!("/s/onboarding-003-kim?{query}");
        let mut browser = Browser::open(&server, &path).await;
        assert_eq!(browser.page.status, 200, "{query}");
        browser.hides("evil.example");
        let fields = [("a0", "Kim"), ("a1", "1"), ("a2", "1")];
        assert_eq!(browser.press("back", &fields).await, 303);
        assert_eq!(browser.query, "page=1");
    }
    let session = server.send("GET", "/screener-sessions/scses_791", SPOT).await.json();
    assert_eq!(session["state"], "IN_PROGRESS");
    server.stop().await;
}
