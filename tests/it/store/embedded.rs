//! Guarantees of the embedded engine beyond the contract: its threads, snapshots and files.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, poll};
use screenerd::domain::error::{Kind, Result};
use screenerd::store::{Arg, Location, Locks, Row, Store, Tx, WriteTx};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::support::backend::{Backend, Database, run};

/// The bound of the write-ahead log.
const WAL_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// More than one commit of these tests adds to it.
const COMMIT_BYTES: u64 = 1024 * 1024;
/// More than there are connections.
const OFTEN: usize = 100;

/// Returns the file of a test's database.
fn file_of(db: &Database) -> PathBuf {
    db.location.file().expect("it is a file").to_owned()
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn wal_bytes(file: &Path) -> u64 {
    std::fs::metadata(beside(file, "-wal")).expect("the log is there").len()
}

/// Creates a table of numbered values, which only the tests use.
async fn add_notes(store: &Store) {
    let sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, value INTEGER, body BLOB) STRICT";
    store
        .write(Locks::import(), async move |tx| tx.exec(sql, &[]).await)
        .await
        .expect("the table is made");
}

async fn put(tx: &mut WriteTx, id: i64, value: i64, body: &[u8]) -> Result<()> {
    let sql = "INSERT INTO notes (id, value, body) VALUES ($1, $2, $3)
               ON CONFLICT (id) DO UPDATE SET value = excluded.value, body = excluded.body";
    tx.exec(sql, &[Arg::from(id), Arg::from(value), Arg::Blob(body)]).await.map(drop)
}

/// Writes a note with a body of this size, every byte of which changes.
async fn write(store: &Store, id: i64, value: i64, bytes: usize) {
    let written = store.write(Locks::import(), async move |tx| {
        let filler = u8::try_from(value % 256).expect("it is below 256");
        put(tx, id, value, &vec![filler; bytes]).await
    });
    written.await.expect("the note is written");
}

/// Limits the pages of the file, like a full disk. The limit applies to the writer's connection.
async fn limit_pages(store: &Store, pages: &'static str) {
    let limited = store.write(Locks::import(), async move |tx| {
        let pages = format!("SELECT {pages} FROM pragma_page_count()");
        let pages = tx.one(pages, &[], |row: &mut Row<'_>| row.int()).await?.unwrap_or_default();
        tx.one(format!("PRAGMA max_page_count = {pages}"), &[], |row: &mut Row<'_>| row.int()).await
    });
    limited.await.expect("the limit is set");
}

async fn get(tx: &mut Tx, id: i64) -> Result<Option<i64>> {
    let sql = "SELECT value FROM notes WHERE id = $1";
    tx.one(sql, &[Arg::from(id)], |row: &mut Row<'_>| row.int()).await
}

async fn read(store: &Store, id: i64) -> Option<i64> {
    store.read(async |tx| get(tx, id).await).await.expect("the note is read")
}

/// Runs a test whose callers are on several threads.
fn on_threads(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime is built")
        .block_on(test);
}

/// Opens a store with notes that tasks can share.
async fn shared() -> (TempDir, PathBuf, Arc<Store>) {
    let folder = TempDir::new().expect("a temporary folder is made");
    let file = folder.path().join("store.db");
    let store = Store::open(&Location::Sqlite(file.clone())).await.expect("the database opens");
    add_notes(&store).await;
    (folder, file, Arc::new(store))
}

/// Starts tasks that read until they are told to stop.
fn read_steadily(store: &Arc<Store>, stop: &Arc<AtomicBool>, tasks: &mut JoinSet<()>) {
    for _ in 0..4 {
        let (store, stop) = (Arc::clone(store), Arc::clone(stop));
        tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                read(&store, 0).await;
                tokio::task::yield_now().await;
            }
        });
    }
}

async fn all_end(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        ended.expect("a task does not panic");
    }
}

#[test]
fn whoever_is_told_of_a_write_reads_it_on_every_thread() {
    on_threads(async {
        const CALLERS: i64 = 16;
        const ROUNDS: i64 = 400;
        let (_folder, _, store) = shared().await;
        let (stop, mut readers) = (Arc::default(), JoinSet::new());
        read_steadily(&store, &stop, &mut readers);
        let mut callers = JoinSet::new();
        for id in 0..CALLERS {
            let store = Arc::clone(&store);
            callers.spawn(async move {
                for round in 0..ROUNDS {
                    write(&store, id, round, 0).await;
                    assert_eq!(read(&store, id).await, Some(round), "the note of {id}");
                }
            });
        }
        all_end(callers).await;
        stop.store(true, Ordering::Relaxed);
        all_end(readers).await;
        store.close().await;
    });
}

#[test]
fn the_log_stays_within_its_bound_under_steady_reads() {
    on_threads(async {
        const WRITERS: i64 = 8;
        const BODY_BYTES: usize = 64 * 1024;
        // Six times the bound in all.
        const ROUNDS: i64 = 192;
        let (_folder, file, store) = shared().await;
        let (stop, mut readers) = (Arc::default(), JoinSet::new());
        read_steadily(&store, &stop, &mut readers);
        let mut writers = JoinSet::new();
        for id in 0..WRITERS {
            let (store, file) = (Arc::clone(&store), file.clone());
            writers.spawn(async move {
                for round in 0..ROUNDS {
                    write(&store, id, round, BODY_BYTES).await;
                    // Twice the bound, because a slow read may delay one truncation, plus the
                    // commits during it.
                    let bytes = wal_bytes(&file);
                    assert!(bytes < 2 * WAL_MAX_BYTES + COMMIT_BYTES, "the log is {bytes} bytes");
                }
            });
        }
        all_end(writers).await;
        stop.store(true, Ordering::Relaxed);
        all_end(readers).await;
        store.close().await;
    });
}

#[test]
fn the_log_of_a_file_behind_a_link_stays_within_its_bound() {
    on_threads(async {
        const BODY_BYTES: usize = 256 * 1024;
        let folder = TempDir::new().expect("a temporary folder is made");
        let (file, link) = (folder.path().join("store.db"), folder.path().join("link.db"));
        std::os::unix::fs::symlink("store.db", &link).expect("a link");
        let store = Store::open(&Location::Sqlite(link.clone())).await.expect("it opens");
        add_notes(&store).await;
        // Three times the bound in all.
        for value in 0..192 {
            write(&store, 0, value, BODY_BYTES).await;
            let bytes = wal_bytes(&file);
            assert!(bytes < 2 * WAL_MAX_BYTES + COMMIT_BYTES, "the log is {bytes} bytes");
        }
        assert!(!beside(&link, "-wal").exists());
        store.close().await;
    });
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing_acknowledged() {
    run(&Backend::Sqlite, async |db| {
        const BODY_BYTES: usize = 64 * 1024;
        let store = db.store();
        add_notes(store).await;
        let put_one = |id: i64| {
            store
                .write(Locks::import(), async move |tx| put(tx, id, id, &vec![7; BODY_BYTES]).await)
        };
        // Without a body: another value in it frees no page, so no large write fits after it.
        let put_zero =
            |value: i64| store.write(Locks::import(), async move |tx| put(tx, 0, value, &[]).await);
        put_zero(0).await.expect("there is room");
        // SQLite reports a full disk as SQLITE_FULL on the writer's connection.
        limit_pages(store, "page_count + 64").await;
        let mut acknowledged = vec![0];
        let refused = loop {
            let id = acknowledged.len().try_into().expect("a small number");
            match put_one(id).await {
                Ok(()) => acknowledged.push(id),
                Err(error) => break error,
            }
            assert!(acknowledged.len() < 64, "a write of 16 pages fits into 64 only so often");
        };
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert!(acknowledged.len() > 1);
        let mut zero = 0;
        for round in 0..3 {
            // Concurrent writes may share a batch. A small one may succeed, and none succeeds in part.
            let large = || put_one(1_000 + round);
            let (one, small, other) = futures_util::join!(large(), put_zero(-round), large());
            for outcome in [one, other] {
                assert_eq!(outcome.map_err(|error| error.kind()), Err(Kind::Unavailable));
            }
            if small.is_ok() {
                zero = -round;
            }
            assert_eq!(read(store, 0).await, Some(zero));
            for id in &acknowledged[1..] {
                assert_eq!(read(store, *id).await, Some(*id), "reads go on");
            }
            assert_eq!(read(store, 1_000 + round).await, None);
        }
        limit_pages(store, "1000000").await;
        put_one(1_000).await.expect("there is room again");
        acknowledged.push(1_000);
        db.reopen().await;
        for id in &acknowledged[1..] {
            assert_eq!(read(db.store(), *id).await, Some(*id), "the note of {id}");
        }
    });
}

#[test]
fn a_read_that_lasts_keeps_its_snapshot_and_the_log_is_cut_after_it() {
    on_threads(async {
        const BODY_BYTES: usize = 256 * 1024;
        let (_folder, file, store) = shared().await;
        write(&store, 0, 1, BODY_BYTES).await;
        let (begun, begins) = oneshot::channel();
        let (end, ends) = oneshot::channel::<()>();
        let lasting = store.read(async move |tx| {
            let before = get(tx, 0).await?;
            begun.send(()).expect("the test waits");
            ends.await.expect("the test says when");
            Ok((before, get(tx, 0).await?))
        });
        let meanwhile = async {
            begins.await.expect("the read begins");
            for value in 2..200 {
                write(&store, 0, value, BODY_BYTES).await;
                assert_eq!(read(&store, 0).await, Some(value));
            }
            assert!(wal_bytes(&file) > 2 * WAL_MAX_BYTES, "a snapshot keeps what it needs");
            end.send(()).expect("the read waits");
        };
        let (seen, ()) = futures_util::join!(lasting, meanwhile);
        assert_eq!(seen.expect("the note is read"), (Some(1), Some(1)));
        // Enough writes for one more attempt.
        for value in 0..100 {
            write(&store, 0, value, BODY_BYTES).await;
        }
        let bytes = wal_bytes(&file);
        assert!(bytes < 2 * WAL_MAX_BYTES, "the log is {bytes} bytes");
        store.close().await;
    });
}

#[test]
fn a_write_that_waits_for_something_else_is_refused_and_undone() {
    run(&Backend::Sqlite, async |db| {
        let store = db.store();
        add_notes(store).await;
        let waiting = store.write(Locks::import(), async |tx| {
            put(tx, 1, 1, &[]).await?;
            tokio::task::yield_now().await;
            put(tx, 2, 2, &[]).await
        });
        // Two more writes in the same batch.
        let beside = |id| store.write(Locks::import(), async move |tx| put(tx, id, id, &[]).await);
        let (refused, one, other) = futures_util::join!(waiting, beside(3), beside(4));
        assert_eq!(refused.map_err(|error| error.kind()), Err(Kind::Internal));
        assert!(one.is_ok() && other.is_ok());
        for (id, expected) in [(1, None), (2, None), (3, Some(3)), (4, Some(4))] {
            assert_eq!(read(store, id).await, expected, "the note of {id}");
        }
    });
}

#[test]
fn a_read_that_panics_or_is_given_up_spoils_no_reader() {
    run(&Backend::Sqlite, async |db| {
        let store = db.store();
        add_notes(store).await;
        for value in 0..OFTEN {
            let value = i64::try_from(value).expect("a small number");
            write(store, 0, value, 0).await;
            let panicking = store.read(async |tx| {
                tx.scan("SELECT id FROM notes", &[], |_| panic!("a test panics in a row")).await
            });
            assert!(AssertUnwindSafe(panicking).catch_unwind().await.is_err());
            let mut given_up = Box::pin(store.read(async |tx| {
                get(tx, 0).await?;
                std::future::pending::<Result<()>>().await
            }));
            assert!(poll!(&mut given_up).is_pending());
            drop(given_up);
            assert_eq!(read(store, 0).await, Some(value));
        }
        // Also concurrent reads.
        let reads = (0..OFTEN).map(|_| read(store, 0));
        assert!(join_all(reads).await.iter().all(Option::is_some));
    });
}

#[test]
fn a_closed_store_leaves_its_file_alone() {
    run(&Backend::Sqlite, async |db| {
        let file = file_of(db);
        add_notes(db.store()).await;
        write(db.store(), 1, 5, 0).await;
        assert_eq!(read(db.store(), 1).await, Some(5));
        assert!(wal_bytes(&file) > 0);
        db.close().await;
        for suffix in ["-wal", "-shm", "-journal"] {
            assert!(!beside(&file, suffix).exists(), "{suffix} is left");
        }
        db.reopen().await;
        assert_eq!(read(db.store(), 1).await, Some(5));
    });
}

#[test]
fn what_another_process_writes_is_seen_before_long() {
    run(&Backend::Sqlite, async |db| {
        let file = file_of(db);
        let store = db.store();
        add_notes(store).await;
        write(store, 1, 1, 0).await;
        assert_eq!(read(store, 1).await, Some(1));
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
        let mut other = SqliteConnection::connect_with(&options).await.expect("it connects");
        other.execute("UPDATE notes SET value = 2").await.expect("the edit runs");
        other.close().await.expect("the connection closes");
        let seen = async {
            while read(store, 1).await != Some(2) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen).await.expect("it is seen");
    });
}
