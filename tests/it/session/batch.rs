//! `BatchCreateScreenerSessions`: all sessions in order, or none.

use screenerd::client as pb;
use screenerd::client::create_screener_session_request::Participant as Named;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;

use super::{id, people, request, total, uid};
use crate::support::audit::{audit, demo_on_file};
use crate::support::unary::{Refused, unary};
use crate::support::{SPOT, Server};

async fn create_all(
    server: &Server,
    requests: Vec<pb::CreateScreenerSessionRequest>,
) -> Result<Vec<pb::ScreenerSession>, Refused> {
    let message = pb::BatchCreateScreenerSessionsRequest { requests };
    let answer =
        unary!(server, SPOT, ScreenerSessionServiceClient.batch_create_screener_sessions(message));
    Ok(answer?.screener_sessions)
}

/// Returns the largest batch of requests, each for a new person.
fn a_thousand() -> Vec<pb::CreateScreenerSessionRequest> {
    (0..1000).map(|number| request("scr_124", uid(&format!("batch-{number}")))).collect()
}

/// Creates the largest batch and compares it with the list.
pub(super) async fn a_thousand_are_made(server: &Server) {
    let (before, people_before) = (total(server).await, people(server).await);
    let made = create_all(server, a_thousand()).await.expect("they are created");
    assert_eq!(made.len(), 1000);
    assert_eq!((total(server).await, people(server).await), (before + 1000, people_before + 1000));
    for offset in [0, 500] {
        let position = before + offset;
        let path =
            format!("/screener-sessions?pagination[limit]=500&pagination[offset]={position}");
        let list = server.send("GET", &path, SPOT).await.json();
        let listed = list["items"].as_array().expect("a list").iter().map(|it| it["id"].as_str());
        let start = usize::try_from(offset).expect("small");
        let expected = made[start..start + 500].iter().map(|session| Some(session.id.as_str()));
        assert!(listed.eq(expected), "the order of the requests, from {offset}");
    }
}

#[tokio::test]
async fn a_batch_makes_a_thousand_sessions_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    a_thousand_are_made(&server).await;
    assert_eq!(audit(&file).await.len(), 2000);
    server.stop().await;
}

#[tokio::test]
async fn a_batch_with_one_bad_request_makes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    let before = (total(&server).await, people(&server).await);
    for (bad, reason, field) in [
        (request("scr_124", id("nobody")), "NOT_FOUND", "participant_id"),
        (request("scr_124", uid("\u{7}")), "INVALID_ARGUMENT", "external_uid"),
        (request("survey-closed", uid("new")), "NOT_OPEN", "screener_id"),
        (request("survey-123", uid("customer-done")), "EXHAUSTED", "external_uid"),
    ] {
        let mut requests = a_thousand();
        requests[499] = bad;
        let refused = create_all(&server, requests).await.expect_err("one is bad");
        refused.is(reason, &[&format!("requests[499].{field}")]);
        assert_eq!((total(&server).await, people(&server).await), before, "{reason}");
    }
    assert_eq!(audit(&file).await, Vec::<String>::new());
    // The same batch without the bad request.
    create_all(&server, a_thousand()).await.expect("nothing of the refused ones is in the way");
    server.stop().await;
}

#[tokio::test]
async fn a_refused_batch_names_every_bad_request() {
    let server = Server::demo().await;
    let requests = vec![
        request("scr_124", id("ptp_001")),
        request("survey-draft", id("nobody")),
        request("survey-123", uid("customer-done")),
        request("scr_124", uid("new")),
        request("nothing", uid("new")),
    ];
    let refused = create_all(&server, requests).await.expect_err("three are bad");
    refused.is(
        "NOT_OPEN",
        &[
            "requests[1].screener_id",
            "requests[1].participant_id",
            "requests[2].external_uid",
            "requests[4].screener_id",
        ],
    );
    let nameless = pb::CreateScreenerSessionRequest::default();
    let requests = vec![nameless.clone(), request("scr_124", uid("a\nb")), nameless];
    create_all(&server, requests).await.expect_err("all are bad").is(
        "INVALID_ARGUMENT",
        &[
            "requests[0].screener_id",
            "requests[0].participant",
            "requests[1].external_uid",
            "requests[2].screener_id",
            "requests[2].participant",
        ],
    );
    for count in [0, 1001] {
        let requests = vec![request("scr_124", uid("new")); count];
        let refused = create_all(&server, requests).await.expect_err("too few or too many");
        refused.is("INVALID_ARGUMENT", &["requests"]);
    }
    server.stop().await;
}

#[tokio::test]
async fn somebody_named_twice_is_made_once_and_screeners_may_differ() {
    let server = Server::demo().await;
    let people_before = people(&server).await;
    let names: [(&str, Named); 4] = [
        ("scr_124", uid("twice")),
        ("scr_123", uid("twice")),
        ("scr_124", uid("twice")),
        ("scr_124", id("ptp_001")),
    ];
    let requests = names.into_iter().map(|(screener, named)| request(screener, named)).collect();
    let made = create_all(&server, requests).await.expect("they are created");
    let screeners: Vec<&str> = made.iter().map(|session| session.screener_id.as_str()).collect();
    assert_eq!(screeners, ["scr_124", "scr_123", "scr_124", "scr_124"]);
    assert_eq!(made[0].screener_participant_id, made[2].screener_participant_id);
    assert_ne!(made[0].screener_participant_id, made[1].screener_participant_id);
    assert_eq!(made[1].screener_publication_id, "scpub_456");
    assert_eq!(people(&server).await, people_before + 1);
    server.stop().await;
}
