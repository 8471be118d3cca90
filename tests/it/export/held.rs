//! What an export holds while it is under way, and what it does not.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use screenerd::app::{Operator, Piece, ResponseFilter};
use screenerd::domain::id::TenantId;
use screenerd::domain::response::ScreenerResponse;

use super::{GENERATED, add, parsed};
use crate::support::backend::{self, Backend};
use crate::support::{Reply, Server, config};

/// As many as the server has at a time.
const EXPORTS_MAX: usize = 4;

fn rows(piece: Piece) -> impl Iterator<Item = ScreenerResponse> {
    piece.into_iter().map(|(_, row)| row)
}

/// Every answer in order, with something done after the first of them have come.
async fn exported(server: &Server, meanwhile: impl AsyncFnOnce()) -> Vec<ScreenerResponse> {
    let (app, filter) = (server.running.app(), ResponseFilter::default());
    let export = app.export_responses_of(&Operator::trusted(), None, &filter).await;
    let mut pieces = pin!(export.expect("it begins").pieces(Ok));
    let first = pieces.next().await.expect("a piece").expect("it is read");
    let mut all: Vec<_> = rows(first).collect();
    meanwhile().await;
    while let Some(piece) = pieces.next().await {
        all.extend(rows(piece.expect("it is read")));
    }
    all
}

fn is_of_one_snapshot(backend: &Backend) {
    backend::run(backend, async |database| {
        database.close().await;
        let server = Server::start(&config(Some(database.location.clone()), false)).await;
        // Many more than are read ahead.
        add(&server, 400, 20).await;
        let before = exported(&server, async || {}).await;
        let change = "UPDATE responses SET text = text || '!', number = number + 1";
        let meanwhile = async || {
            database.edit(change).await;
            // Readers look again at once only after a write of the server's own.
            let (operator, id) = (Operator::trusted(), TenantId::parse("acct_generated"));
            let enabled =
                server.running.app().set_tenant_disabled(&operator, id.expect("an id"), false);
            enabled.await.expect("it is enabled");
        };
        let under_way = exported(&server, meanwhile).await;
        assert_eq!(before.len(), 8_000);
        assert!(under_way == before, "an export saw what was changed after it began");
        let after = exported(&server, async || {}).await;
        assert!(after != before, "nothing was changed");
        server.stop().await;
    });
}

#[test]
fn an_export_is_of_one_snapshot() {
    is_of_one_snapshot(&Backend::Sqlite);
}

#[test]
fn an_export_on_postgres_is_of_one_snapshot_or_is_left_out() {
    if let Some(postgres) = Backend::postgres("an export's snapshot") {
        is_of_one_snapshot(&postgres);
    }
}

async fn begin_export(server: &Server) -> reqwest::Response {
    // Each on a connection of its own, as from clients who do not know each other.
    let mut request = reqwest::Client::new().get(server.url("/screener-responses"));
    for (name, value) in GENERATED {
        request = request.header(*name, *value);
    }
    request.header("accept", "application/x-ndjson").send().await.expect("a head")
}

async fn page(server: &Server) -> Reply {
    server.send("GET", "/screener-responses?pagination[limit]=1", GENERATED).await
}

#[tokio::test]
async fn stalled_exports_stop_nobody_but_other_exports_and_those_that_leave_hold_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on_file(&folder.path().join("export.db")).await;
    // Far more than the sockets between take in.
    add(&server, 100, 300).await;
    let mut stalled = Vec::new();
    for _ in 0..EXPORTS_MAX {
        let begun = begin_export(&server).await;
        assert_eq!(begun.status(), 200);
        stalled.push(begun);
    }
    let refused = begin_export(&server).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(page(&server).await.json()["total"], 30_000, "others read");
    add(&server, 110, 300).await;
    assert_eq!(page(&server).await.json()["total"], 33_000, "others write");
    drop(stalled);
    let again = async {
        loop {
            let export = begin_export(&server).await;
            if export.status() == 200 {
                return export.text().await.expect("all of it");
            }
        }
    };
    let again = tokio::time::timeout(Duration::from_mins(1), again).await;
    assert_eq!(parsed(&again.expect("it may begin")).len(), 33_000);
    let app = Arc::clone(server.running.app());
    server.stop().await;
    assert_eq!(Arc::strong_count(&app), 1, "nothing is left of them");
}
