//! Exports to a client that reads nothing for a while, compared with those to a fast client.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use tokio::sync::oneshot;

use super::*;
use crate::app::{App, EXPORT_MEMORY_TENANT_MAX_BYTES, Operator, Part, ResponseFilter};
use crate::domain::answer::Answer;
use crate::domain::error::{Error, Kind};
use crate::domain::id::TenantId;
use crate::transfer::{Generated, generate};

/// Far more rows than fit in memory, in any form.
const ROWS: u64 = 8_000;

async fn app_with_rows(spool_max_bytes: usize) -> (tempfile::TempDir, Arc<App>) {
    app_with(20, ROWS / 20, spool_max_bytes).await
}

async fn app_with(
    sessions: u64,
    responses_per_session: u64,
    spool_max_bytes: usize,
) -> (tempfile::TempDir, Arc<App>) {
    let (folder, mut app) = crate::app::tests::new_app().await;
    app.bound_export_spool(spool_max_bytes);
    let what = Generated { sessions, responses_per_session, seed: 1 };
    generate(&app, &Operator::trusted(), what).await.expect("it generates");
    (folder, Arc::new(app))
}

async fn begin(app: &Arc<App>) -> Result<Export> {
    app.export_responses_of(&Operator::trusted(), None, &ResponseFilter::default(), Format::Ndjson)
        .await
}

/// Returns the bytes of a file, and how it ended.
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
    // The pieces have no reader yet, so the export waits.
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

/// A message as in the contract: some rows, and the token to continue from.
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

/// Exports that are open at the same time, without a reader.
const ABANDONED: usize = 60;
const LONG_ANSWER_BYTES: usize = 16_000;
/// The bytes of all parts that are in memory.
static IN_MEMORY_BYTES: AtomicUsize = AtomicUsize::new(0);

/// A part that is counted while it is in memory.
#[derive(Debug)]
struct Counted(Chunk);

impl Counted {
    fn new(chunk: Chunk) -> Self {
        IN_MEMORY_BYTES.fetch_add(chunk.bytes.len(), Ordering::Relaxed);
        Self(chunk)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        IN_MEMORY_BYTES.fetch_sub(self.0.bytes.len(), Ordering::Relaxed);
    }
}

impl Part for Counted {
    fn length(&self) -> usize {
        self.0.length()
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn from_bytes(bytes: Bytes) -> Result<Self> {
        Chunk::from_bytes(bytes).map(Self::new)
    }
}

#[tokio::test]
async fn exports_that_nobody_reads_have_bounded_memory_and_become_whole_files() {
    // Every fourth answer is a text.
    let (_folder, app) = app_with(8, 50, usize::MAX).await;
    app.lengthen_texts(LONG_ANSWER_BYTES).await;
    let (whole, _) = read(file(begin(&app).await.expect("it begins"), Format::Ndjson)).await;
    assert!(whole.len() > 100 * LONG_ANSWER_BYTES);
    let mut open = Vec::new();
    for _ in 0..ABANDONED {
        app.exports_idle().await;
        let (until_the_end, ended) = oneshot::channel::<()>();
        let mut encoder = encoder(Format::Ndjson);
        let parts = begin(&app).await.expect("it begins").parts(move |piece: Piece| {
            let _held = &until_the_end;
            let is_long = |row: &ScreenerResponse| matches!(&*row.answer, Answer::Text(_));
            let long = piece.iter().filter(|(_, row)| is_long(row)).count();
            assert!(long * LONG_ANSWER_BYTES < 300 * 1024, "{long} texts");
            let rows: Vec<_> = piece.into_iter().map(|(_, row)| row).collect();
            Ok(cut(&encoder.encode(rows)?, 0).into_iter().map(Counted::new).collect())
        });
        let mut parts = parts.boxed();
        // One part is in transit to the client.
        let first = parts.next().await.expect("a part").expect("no error");
        assert!(ended.await.is_err(), "nothing is sent");
        open.push((first, parts));
    }
    let max_bytes = EXPORT_MEMORY_TENANT_MAX_BYTES + ABANDONED * CHUNK_MAX_BYTES;
    let bytes = IN_MEMORY_BYTES.load(Ordering::Relaxed);
    assert!(bytes <= max_bytes, "{bytes} of {max_bytes} bytes");
    for (first, mut parts) in open {
        let mut bytes = first.0.bytes.to_vec();
        drop(first);
        while let Some(part) = parts.next().await {
            bytes.extend(&part.expect("no error").0.bytes);
        }
        assert!(bytes == whole);
    }
    app.close().await;
    assert_eq!((IN_MEMORY_BYTES.load(Ordering::Relaxed), app.export_spooled_bytes()), (0, 0));
}

#[tokio::test]
async fn pieces_of_short_rows_are_as_large_as_they_may_be() {
    let (_folder, app) = app_with_rows(usize::MAX).await;
    let rows = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rows);
    let parts = begin(&app).await.expect("it begins").parts(move |piece: Piece| {
        seen.lock().expect("a lock").push(piece.len());
        Ok(Vec::<Chunk>::new())
    });
    assert_eq!(parts.count().await, 0);
    let of_full = [1024; 7].into_iter().chain([832, 0]);
    assert_eq!(*rows.lock().expect("a lock"), of_full.collect::<Vec<_>>());
}

#[tokio::test]
async fn an_export_that_is_cut_by_its_server_says_so() {
    let (_folder, app) = app_with_rows(usize::MAX).await;
    let (release, held) = mpsc::channel::<()>();
    let (begun, beginning) = oneshot::channel();
    let mut begun = Some(begun);
    let parts = begin(&app).await.expect("it begins").parts(move |_| {
        let _ = begun.take().map(|begun| begun.send(()));
        let _ = held.recv();
        Ok(Vec::<Chunk>::new())
    });
    beginning.await.expect("it encodes");
    {
        let mut closing = pin!(app.close());
        assert!(closing.as_mut().now_or_never().is_none(), "a piece is being encoded");
        drop(release);
        closing.await;
    }
    let ends: Vec<_> = parts.collect().await;
    let [Err(end)] = &ends[..] else { panic!("{ends:?}") };
    assert_eq!((end.kind(), end.internal_text()), (Kind::Unavailable, None));
    assert_eq!(end.detail(), "The server is stopping. Try again later.");
}

#[tokio::test]
async fn an_export_that_finds_no_thread_is_refused_and_no_fault() {
    let (_folder, app) = app_with_rows(usize::MAX).await;
    let export = begin(&app).await.expect("it begins");
    let release = app.crowd_exports(&TenantId::parse("acct_generated").expect("an id"));
    let (bytes, end) = read(file(export, Format::Ndjson)).await;
    let end = end.expect_err("it is refused");
    assert_eq!((bytes.len(), end.kind(), end.internal_text()), (0, Kind::Unavailable, None));
    drop(release);
    app.close().await;
}

#[tokio::test]
async fn the_slot_is_free_before_the_client_learns_of_the_end() {
    let (_folder, app) = app_with_rows(usize::MAX).await;
    let exports = Arc::clone(&app);
    let parts = begin(&app).await.expect("it begins").parts(move |piece: Piece| {
        let is_idle = exports.exports_idle().now_or_never().is_some();
        assert!(is_idle || !piece.is_empty(), "the last piece comes with the snapshot held");
        Ok(Vec::<Chunk>::new())
    });
    assert_eq!(parts.count().await, 0, "no error");
}
