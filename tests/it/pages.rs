//! The pages that handed-out links lead to.

use serde_json::Value;

use crate::support::{PANEL, PUBLIC_URL, SPOT, Server};

async fn panelist_link(server: &Server, survey: &str, panelist: &str) -> String {
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
        let head = server.send("HEAD", &path, &[]).await;
        assert_eq!((head.status, head.text.as_str()), (status, ""), "HEAD {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn opening_a_link_changes_nothing() {
    let server = Server::demo().await;
    let get =
        async || -> Value { server.send("GET", "/screener-sessions/scses_791", SPOT).await.json() };
    let before = get().await;
    for method in ["GET", "HEAD"] {
        assert_eq!(server.send(method, "/screeners/scr_124/scses_791", &[]).await.status, 200);
    }
    assert_eq!(get().await, before);
    server.stop().await;
}
