//! The slots and snapshots that an export occupies, and when it releases them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use screenerd::app::{App, Export, Operator, ResponseFilter};
use screenerd::client as pb;
use screenerd::client::screener_response_service_client::ScreenerResponseServiceClient;
use screenerd::domain::error::Result;
use screenerd::domain::export::Format;
use screenerd::domain::id::TenantId;
use screenerd::transfer::export::file;

use super::{GENERATED, add, parsed, streamed};
use crate::support::backend::{self, Backend};
use crate::support::calls::{Outcome, refusal_of, request};
use crate::support::{Reply, SPOT, Server, config};

/// The tenant of the generated rows.
const TENANT: &str = "acct_generated";

async fn begin(app: &Arc<App>) -> Result<Export> {
    let tenant = TenantId::parse(TENANT).expect("an id");
    let filter = ResponseFilter::default();
    app.export_responses_of(&Operator::trusted(), Some(tenant), &filter, Format::Ndjson).await
}

/// Begins an export as soon as a slot is free.
async fn begin_in_time(app: &Arc<App>) -> Export {
    let begun = async {
        loop {
            match begin(app).await {
                Ok(export) => return export,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), begun).await.expect("a slot comes back")
}

async fn ndjson(export: Export) -> String {
    let chunks: Vec<_> = file(export, Format::Ndjson).try_collect().await.expect("it is whole");
    let bytes: Vec<_> = chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    String::from_utf8(bytes).expect("a text")
}

/// Exports the whole file. Runs `meanwhile` after the snapshot is taken and before more than a few
/// pieces are read.
async fn exported(server: &Server, meanwhile: impl AsyncFnOnce()) -> String {
    let export = begin(server.running.app()).await.expect("it begins");
    meanwhile().await;
    ndjson(export).await
}

fn is_of_one_snapshot(backend: &Backend) {
    backend::run(backend, async |database| {
        database.close().await;
        let server = Server::start(&config(Some(database.location.clone()), false)).await;
        // Many more rows than an export reads ahead.
        add(&server, 400, 20).await;
        let before = exported(&server, async || {}).await;
        let change = "UPDATE responses SET text = text || '!', number = number + 1";
        let meanwhile = async || {
            database.edit(change).await;
            // A write of the server itself makes readers open a new snapshot at once.
            let (operator, id) = (Operator::trusted(), TenantId::parse(TENANT));
            let enabled =
                server.running.app().set_tenant_disabled(&operator, id.expect("an id"), false);
            enabled.await.expect("it is enabled");
        };
        let under_way = exported(&server, meanwhile).await;
        assert_eq!(before.lines().count(), 8_000);
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
    // A new connection for each request, like unrelated clients.
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
async fn a_third_export_of_a_tenant_is_refused_and_another_tenant_is_served() {
    let server = Server::demo().await;
    // More rows than an export reads ahead.
    add(&server, 300, 10).await;
    let app = server.running.app();
    // Both exports are unfinished, so they keep their snapshots.
    let held = [begin(app).await.expect("a slot"), begin(app).await.expect("a slot")];
    let refused = begin_export(&server).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let text = refused.text().await.expect("a body");
    assert!(text.contains("The limit of 2 concurrent exports is reached."), "{text}");
    let refused = streamed(&server, GENERATED, None, None).await.expect_err("a refusal");
    assert_eq!(refusal_of(&refused), Outcome::refusal("unavailable", &[]));
    let headers = [SPOT, &[("accept", "text/csv")]].concat();
    let other = server.send("GET", "/screener-responses", &headers).await;
    assert_eq!(other.status, 200, "another tenant is served");
    for export in held {
        assert_eq!(ndjson(export).await.lines().count(), 3_000);
    }
    server.stop().await;
}

#[tokio::test]
async fn slow_clients_hold_no_slot_and_get_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on_file(&folder.path().join("export.db")).await;
    // Far more data than the sockets buffer.
    add(&server, 100, 300).await;
    let app = Arc::clone(server.running.app());
    let expected = streamed(&server, GENERATED, None, None).await.expect("a stream");
    let slow_file = begin_export(&server).await;
    assert_eq!(slow_file.status(), 200);
    let mut client = ScreenerResponseServiceClient::new(server.channel().await);
    let message = pb::ExportScreenerResponsesRequest::default();
    let slow_stream = client.export_screener_responses(request(message, GENERATED)).await;
    let slow_stream = slow_stream.expect("it begins").into_inner();
    // Both slots and snapshots are free again although neither client has read a byte.
    let both = [begin_in_time(&app).await, begin_in_time(&app).await];
    drop(both);
    add(&server, 110, 300).await;
    assert_eq!(page(&server).await.json()["total"], 33_000, "others read and write");
    let messages: Vec<_> = slow_stream.try_collect().await.expect("a stream");
    assert!(messages == expected, "the stream is that of a client that keeps pace");
    let text = slow_file.text().await.expect("all of it");
    assert_eq!(parsed(&text), super::items(&expected));

    // An export whose client disconnects also releases its slot.
    drop(begin_export(&server).await);
    let fast = ndjson(begin_in_time(&app).await).await;
    assert_eq!(fast.lines().count(), 33_000);
    server.stop().await;
    assert_eq!(Arc::strong_count(&app), 1, "nothing is left of them");
}
