//! The pages that handed-out links lead to.

use serde_json::{Value, json};

use crate::support::audit::{audit, demo_on_file};
use crate::support::panelist::{LIFE, add_life, import};
use crate::support::{PANEL, PUBLIC_URL, SPOT, Server};

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
