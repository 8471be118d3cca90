//! Exports whose client takes nothing for a while, against those of a client that keeps pace.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::*;
use crate::app::{App, Environment, Location, Operator, Part, ResponseFilter};
use crate::domain::error::Kind;
use crate::domain::id::TenantId;
use crate::domain::link::Links;
use crate::domain::time::Timestamp;
use crate::transfer::{Generated, generate};

/// Far more than waits in memory, whatever the form.
const ROWS: u64 = 8_000;

async fn app_with_rows(spool_max_bytes: usize) -> (tempfile::TempDir, Arc<App>) {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = Environment {
        now: Arc::new(|| Timestamp::from_micros(1_714_576_101_000_000)),
        random: Arc::new(|| [7; 32]),
    };
    let location = Location::Sqlite(folder.path().join("test.db"));
    let links = Links::new("http://localhost");
    let app = App::open(&location, environment, links, Some([7; 64])).await;
    let mut app = app.expect("an app");
    app.bound_export_spool(spool_max_bytes);
    let what = Generated { sessions: 20, responses_per_session: ROWS / 20, seed: 1 };
    generate(&app, &Operator::trusted(), what).await.expect("it generates");
    (folder, Arc::new(app))
}

async fn begin(app: &Arc<App>) -> Result<Export> {
    app.export_responses_of(&Operator::trusted(), None, &ResponseFilter::default()).await
}

/// The bytes of a file, and how it ended.
async fn read(chunks: BoxStream<'static, Result<Chunk>>) -> (Vec<u8>, Result<()>) {
    let (mut bytes, mut chunks) = (Vec::new(), pin!(chunks));
    loop {
        match chunks.next().await {
            Some(Ok(chunk)) => bytes.extend(&chunk.bytes),
            Some(Err(error)) => return (bytes, Err(error)),
            None => return (bytes, Ok(())),
        }
    }
}

#[tokio::test]
async fn a_slow_client_gets_the_same_file_and_its_slot_comes_back_before_it_reads() {
    let (_folder, app) = app_with_rows(usize::MAX).await;
    for format in Format::ALL {
        let (fast, end) = read(file(begin(&app).await.expect("it begins"), *format)).await;
        assert!(end.is_ok(), "{format:?}");
        let chunks = file(begin(&app).await.expect("it begins"), *format);
        app.exports_idle().await;
        let (slow, end) = read(chunks).await;
        assert!(end.is_ok() && slow == fast, "{format:?}");
    }
    let chunks = file(begin(&app).await.expect("it begins"), Format::Ndjson);
    app.exports_idle().await;
    assert!(app.export_spooled_bytes() > 0, "it went through files");
    drop(chunks);
    app.close().await;
    assert_eq!(app.export_spooled_bytes(), 0);
    assert_eq!(Arc::strong_count(&app), 1, "nothing is left of them");
}

#[tokio::test]
async fn a_slot_is_held_with_the_snapshot_and_comes_back_when_the_client_leaves() {
    let (_folder, app) = app_with_rows(0).await;
    // Nothing takes the pieces yet, so reading waits.
    let (first, second) = (begin(&app).await.expect("a slot"), begin(&app).await.expect("a slot"));
    let refused = begin(&app).await.expect_err("there is no third");
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert_eq!(refused.detail(), "The limit of 2 concurrent exports is reached. Try again later.");
    drop(first);
    drop(file(second, Format::Csv));
    app.exports_idle().await;
    let left = begin(&app).await.expect("a slot");
    app.close().await;
    let (_, end) = read(file(left, Format::Csv)).await;
    assert!(end.is_err(), "the server closed");
}

/// A message as the contract has it: some rows, and where to go on from.
#[derive(Debug)]
struct Message {
    token: String,
    rows: Vec<Value>,
}

impl Part for Message {
    fn length(&self) -> usize {
        self.to_bytes().len()
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&(&self.token, &self.rows)).expect("JSON")
    }

    fn from_bytes(bytes: Bytes) -> Result<Self> {
        let (token, rows) = serde_json::from_slice(&bytes).map_err(Error::internal)?;
        Ok(Self { token, rows })
    }
}

fn messages(export: Export) -> BoxStream<'static, Result<Message>> {
    let parts = export.parts(|piece: Piece| {
        let Some(token) = piece.last().map(|(after, _)| after.token()) else {
            return Ok(Vec::new());
        };
        let rows: Vec<_> = piece.into_iter().map(|(_, row)| row).collect();
        let lines = encoder(Format::Ndjson).encode(rows)?;
        let rows = serde_json::Deserializer::from_slice(&lines).into_iter::<Value>();
        let rows = rows.collect::<Result<_, _>>().map_err(Error::internal)?;
        Ok(vec![Message { token, rows }])
    });
    parts.boxed()
}

#[tokio::test]
async fn beyond_the_bound_an_export_ends_and_goes_on_from_its_last_token() {
    let (_folder, app) = app_with_rows(1024 * 1024).await;
    // The same rows without a bound.
    let (_other_folder, other) = app_with_rows(usize::MAX).await;
    let all = messages(begin(&other).await.expect("it begins"));
    let expected: Vec<Value> =
        all.map_ok(|message| message.rows).try_concat().await.expect("it is whole");
    assert_eq!(expected.len() as u64, ROWS);

    let mut slow = messages(begin(&app).await.expect("it begins"));
    app.exports_idle().await;
    let (mut rows, mut token) = (Vec::new(), None);
    let error = loop {
        match slow.next().await.expect("it does not end well") {
            Ok(message) => {
                rows.extend(message.rows);
                token = Some(message.token);
            }
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.internal_text()), (Kind::Unavailable, None));
    assert!(slow.next().await.is_none());
    assert!(!rows.is_empty() && rows.len() < expected.len(), "{} rows", rows.len());
    let (tenant, filter) = (TenantId::parse("acct_generated"), ResponseFilter::default());
    let rest = other.resume_export(&tenant.expect("an id"), &filter, token.as_deref()).await;
    let rest = messages(rest.expect("it goes on")).map_ok(|message| message.rows).try_concat();
    rows.extend(rest.await.expect("it is whole"));
    assert!(rows == expected, "nothing twice, and nothing left out");

    let (whole, _) = read(file(begin(&other).await.expect("it begins"), Format::Ndjson)).await;
    let chunks = file(begin(&app).await.expect("it begins"), Format::Ndjson);
    app.exports_idle().await;
    let (broken, end) = read(chunks).await;
    assert!(end.is_err() && broken.len() < whole.len() && whole.starts_with(&broken));
}
