//! The pages behind issued links.

use screenerd::app::Operator;
use screenerd::domain::id::TenantId;
use serde_json::{Value, json};

use super::hostile::is_page;
use super::walk::{life, responses};
use crate::support::audit::{audit, demo_on_file};
use crate::support::browser::{Browser, FORM};
use crate::support::panelist::{LIFE, add_life, import};
use crate::support::{PANEL, PUBLIC_URL, SERVICE, SPOT, Server};

pub(super) async fn panelist_link(server: &Server, survey: &str, panelist: &str) -> String {
    let path = format!("/tenant/surveys/{survey}/panelists/{panelist}");
    let access = server.send("GET", &path, PANEL).await.json();
    let link = access["panelist"]["hostedResponseUrl"].as_str().expect("a link");
    link.strip_prefix(PUBLIC_URL).expect("it is below the public address").to_owned()
}

#[tokio::test]
async fn every_link_that_is_handed_out_leads_to_a_page_that_names_its_state() {
    let server = Server::demo().await;
    for (path, status, words) in [
        ("/screeners/scr_123/scses_789".to_owned(), 200, "Onboarding screener"),
        ("/s/onboarding-001-alex".to_owned(), 200, "Onboarding screener"),
        ("/screeners/scr_124/scses_790".to_owned(), 200, "round two"),
        ("/screeners/survey-123/scses_revoked".to_owned(), 410, "no longer valid"),
        ("/s/satisfaction-revoked".to_owned(), 410, "no longer valid"),
        ("/screeners/scr_124/scses_789".to_owned(), 404, ""),
        ("/screeners/scr_123/nobody".to_owned(), 404, ""),
        ("/s/nothing".to_owned(), 404, ""),
        ("/app/panelist/vote/?key=abc:def".to_owned(), 404, ""),
        ("/app/panelist/vote/".to_owned(), 404, ""),
        (panelist_link(&server, "survey-123", "customer-456").await, 200, "Satisfaction"),
        (panelist_link(&server, "survey-123", "customer-done").await, 200, "Satisfaction"),
        (panelist_link(&server, "survey-closed", "customer-456").await, 200, "Closed survey"),
        (panelist_link(&server, "survey-123", "customer-revoked").await, 410, "no longer valid"),
    ] {
        let reply = server.send("GET", &path, &[]).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.text.contains(words), "{path}: {}", reply.text);
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-robots-tag"), Some("noindex"));
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(reply.header("set-cookie"), None);
        let head = server.send("HEAD", &path, &[]).await;
        assert_eq!((head.status, head.text.as_str()), (status, ""), "HEAD {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn opening_links_changes_nothing_however_often_and_however_deep() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    let key = panelist_link(&server, "survey-123", "crm-unheard-of").await;
    let get =
        async || -> Value { server.send("GET", "/screener-sessions/scses_791", SPOT).await.json() };
    let before = get().await;
    for _ in 0..5 {
        for method in ["GET", "HEAD"] {
            for path in ["/screeners/scr_124/scses_791", "/s/onboarding-003-kim", &key] {
                let mark = if path.contains('?') { '&' } else { '?' };
                for query in ["page=1", "page=2&last", "page=end", "page=later", "go=finish"] {
                    let path = format!("{path}{mark}{query}");
                    assert_eq!(server.send(method, &path, &[]).await.status, 200, "{path}");
                }
            }
        }
    }
    assert_eq!(get().await, before);
    assert_eq!(audit(&file).await, [""; 0]);
    server.stop().await;
}

#[tokio::test]
async fn a_link_without_trust_shows_how_things_stand_and_takes_nothing() {
    let server = Server::demo().await;
    add_life(&server, false).await;
    let lines = [
        json!({ "format": "screenerd-import", "version": 1 }),
        json!({ "type": "participant", "tenant": "acct_123", "id": "ptp_guess" }),
        json!({ "type": "screenerParticipant", "tenant": "acct_123", "id": "scpar_guess",
            "screenerId": LIFE, "participantId": "ptp_guess" }),
        json!({ "type": "screenerSession", "tenant": "acct_123", "id": "guess", "screenerId": LIFE,
            "screenerParticipantId": "scpar_guess", "screenerPublicationId": "scpub_life",
            "linkSlug": "guess", "status": "ACTIVE", "createdAt": "2024-05-01T15:00:00Z" }),
    ];
    import(&server, &lines).await;
    let page = server.send("GET", "/s/guess", &[]).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("A life") && page.text.contains("Open"), "{}", page.text);
    assert!(!page.text.contains("<form") && !page.text.contains("Your name?"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = "publication=scpub_life&q=0&a0=Mallory&go=next";
    let sent = server.send_body("POST", "/s/guess?page=1", &form, Some(body)).await;
    assert_eq!((sent.status, sent.header("location")), (303, Some("?")));
    let session = server.send("GET", "/screener-sessions/guess", SPOT).await.json();
    assert_eq!(session["state"], "NOT_STARTED");
    server.stop().await;
}

#[tokio::test]
async fn a_draft_s_link_says_that_it_is_not_open_and_tells_nothing_of_the_draft() {
    let server = Server::demo().await;
    let draft = json!({ "pages": [{ "id": "p", "questions": [
        { "id": "q_secret", "prompt": "A secret question?", "text": {} },
    ] }] });
    let screener = json!({ "id": "scr_draft", "projectId": "proj_123", "title": "Soon",
        "draft": draft });
    let headers = [SERVICE, &[("content-type", "application/json")]].concat();
    let create = "/screener.v1.ScreenerService/CreateScreener";
    let made = server.send_body("POST", create, &headers, Some(&screener.to_string())).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let link = panelist_link(&server, "scr_draft", "crm-early").await;
    let body = "publication=scpub_guess&q=0&a0=Mallory&go=finish";
    let sent = server.send_body("POST", &link, &[FORM], Some(body)).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    for path in [&link, &format!("{link}&page=1"), &format!("{link}&page=end")] {
        let page = Browser::open(&server, path).await;
        assert_eq!(page.page.status, 200);
        page.says("Not yet open");
        page.says("Soon");
        page.hides("secret");
        page.hides("<form");
        page.hides("Thank you");
    }
    assert_eq!(responses(&server, "scr_draft").await, []);
    server.stop().await;
}

#[tokio::test]
async fn a_disabled_tenant_s_links_say_closed_and_take_nothing() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    assert_eq!(browser.press("next", &[("a0", "Ada"), ("a1", "3")]).await, 303);
    let late = browser.filled("next", &[("a2", "1")]);
    let before = responses(&server, LIFE).await;
    let tenant = || TenantId::parse("acct_123").expect("an id");
    let (app, operator) = (server.running.app(), Operator::trusted());
    app.set_tenant_disabled(&operator, tenant(), true).await.expect("it is disabled");
    assert_eq!(browser.send(&late).await.status, 303);
    for path in [&link, &format!("{link}&page=2"), "/s/onboarding-003-kim"] {
        let page = Browser::open(&server, path).await;
        assert_eq!(page.page.status, 200, "{path}");
        page.says("Closed");
        page.hides("<form");
        page.hides("account");
        page.hides("Size?");
    }
    app.set_tenant_disabled(&operator, tenant(), false).await.expect("it is enabled");
    assert_eq!(responses(&server, LIFE).await, before);
    let again = Browser::open(&server, &link).await;
    again.says("Page 2 of 3");
    server.stop().await;
}

#[tokio::test]
async fn a_link_is_found_as_people_paste_it() {
    let server = Server::demo().await;
    let key = panelist_link(&server, "survey-123", "customer-456").await;
    let links = ["/s/onboarding-003-kim", "/screeners/scr_124/scses_791", &key];
    for link in links {
        let page = server.send("GET", link, &[]).await;
        assert_eq!(page.status, 200, "{link}");
        for mark in [".", ",", ")", "%20", "%29"] {
            let pasted = server.send("GET", &format!("{link}{mark}"), &[]).await;
            assert_eq!(pasted.status, 200, "{link}{mark}");
        }
        for mark in ["..", "x", "%21"] {
            is_page(
                &server.send("GET", &format!("{link}{mark}"), &[]).await,
                404,
                "find this page",
            );
        }
    }
    // A link with pasted punctuation also accepts answers.
    let mut browser = Browser::open(&server, "/s/onboarding-003-kim.").await;
    assert_eq!(browser.press("next", &[("a0", "Kim"), ("a1", "1"), ("a2", "1")]).await, 303);
    for (address, location) in [
        ("/s/onboarding-003-kim/", "../onboarding-003-kim"),
        ("/s/onboarding-003-kim/?page=2", "../onboarding-003-kim?page=2"),
        ("/screeners/scr_124/scses_791/", "../scses_791"),
        ("/screeners/scr_124/a%2Fb/", "../a%2Fb"),
        ("/app/panelist/vote?key=a:b", "vote/?key=a:b"),
    ] {
        for method in ["GET", "HEAD", "POST"] {
            let reply = server.send(method, address, &[]).await;
            assert_eq!(
                (reply.status, reply.header("location")),
                (308, Some(location)),
                "{address}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn every_address_beside_a_link_is_answered_with_a_page() {
    let server = Server::demo().await;
    for address in [
        "/s",
        "/s/",
        "/s/x/y",
        "/s/x//",
        "/s/x%2Fy",
        "/screeners",
        "/screeners/",
        "/screeners/scr_124",
        "/screeners/scr_124/",
        "/screeners/scr_124/scses_791/more",
        "/app",
        "/app/",
        "/app/x",
        "/app/panelist",
        "/app/panelist/vote/x",
        "/app/panelist/vote/",
    ] {
        for method in ["GET", "POST"] {
            let reply = server.send(method, address, &[]).await;
            is_page(&reply, 404, "find this page");
        }
        let head = server.send("HEAD", address, &[]).await;
        assert_eq!((head.status, head.text.as_str()), (404, ""), "{address}");
    }
    for address in ["/s/onboarding-003-kim", "/app/panelist/vote/", "/screeners/scr_124/scses_791"]
    {
        let reply = server.send("DELETE", address, &[]).await;
        assert_eq!(reply.status, 405, "{address}");
        assert!(reply.header("content-type").is_some_and(|it| it.starts_with("text/html")));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_root_is_a_page_for_people_and_json_for_programs() {
    let server = Server::demo().await;
    for accept in ["text/html,application/xhtml+xml", "application/json, TEXT/HTML;q=0.5"] {
        let page = server.send("GET", "/", &[("accept", accept)]).await;
        is_page(&page, 200, "open the full link from your invitation");
        assert!(page.text.contains("href=\"/openapi.json\""), "{}", page.text);
        assert_eq!(page.header("vary"), Some("accept"));
    }
    for headers in [
        &[][..],
        &[("accept", "*/*")],
        &[("accept", "application/json")],
        &[("accept", "text/html;q=0, application/json")],
        &[("accept", "text/html5")],
    ] {
        let reply = server.send("GET", "/", headers).await;
        assert_eq!((reply.status, reply.header("vary")), (200, Some("accept")));
        let about: Value = serde_json::from_str(&reply.text).expect("JSON");
        assert_eq!(about["name"], "screenerd");
        for place in ["openapi", "contract", "ready"] {
            let path = about[place].as_str().expect("a path");
            assert_eq!(server.send("GET", path, &[]).await.status, 200, "{path}");
        }
    }
    server.stop().await;
}
