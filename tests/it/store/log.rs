//! The write-ahead log: its bound, and its growth while another process reads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use screenerd::domain::error::{Error, Kind};
use screenerd::store::{Arg, Checkpoints, Location, Locks, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, SqliteConnection,
};
use tempfile::TempDir;

use crate::support::process::Workplace;

/// The bound of the log.
const WAL_MAX_BYTES: u64 = 16 * 1024 * 1024;
const NOTE_BYTES: usize = 256 * 1024;

struct Place {
    _folder: TempDir,
    file: PathBuf,
    store: Store,
}

impl Place {
    async fn new(checkpoints: Checkpoints) -> Self {
        let folder = TempDir::new().expect("a temporary folder is made");
        let file = folder.path().join("store.db");
        let location = Location::Sqlite(file.clone());
        let store = Store::open_with(&location, checkpoints, Arc::default())
            .await
            .expect("the database opens");
        let sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body BLOB) STRICT";
        store
            .write(Locks::import(), async move |tx| tx.exec(sql, &[]).await)
            .await
            .expect("the table is made");
        Self { _folder: folder, file, store }
    }

    fn bytes(&self, suffix: &str) -> u64 {
        bytes(&self.file, suffix)
    }

    /// Writes one note repeatedly, at least this many bytes of the log in all.
    async fn write(&self, bytes: u64) {
        for number in 0..=bytes / NOTE_BYTES as u64 {
            let written = self.store.write(Locks::import(), async move |tx| {
                let body = vec![number.to_le_bytes()[0]; NOTE_BYTES];
                let sql = "INSERT INTO notes (id, body) VALUES (1, $1)
                           ON CONFLICT (id) DO UPDATE SET body = excluded.body";
                tx.exec(sql, &[Arg::Blob(&body)]).await
            });
            written.await.expect("the note is written");
        }
    }
}

/// Returns the size of the database file or of a file next to it.
fn bytes(file: &Path, suffix: &str) -> u64 {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    std::fs::metadata(name).expect("the file is there").len()
}

/// Begins a read transaction on a connection outside the store.
async fn begin_reading(file: &Path) -> SqliteConnection {
    let mut other = connect(file).await;
    other.execute("BEGIN").await.expect("it begins");
    other.fetch_all("SELECT COUNT(*) FROM tenants").await.expect("it reads");
    other
}

async fn connect(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.expect("it connects")
}

#[tokio::test]
async fn the_log_grows_while_another_process_reads_and_is_truncated_once_it_ends() {
    let place = Place::new(Checkpoints::Own).await;
    let mut other = begin_reading(&place.file).await;
    place.write(4 * WAL_MAX_BYTES).await;
    let grown = place.bytes("-wal");
    assert!(grown > 4 * WAL_MAX_BYTES, "its snapshot is kept: {grown}");
    other.execute("COMMIT").await.expect("it ends");
    // The store retries once the log has grown by its bound.
    place.write(WAL_MAX_BYTES).await;
    let left = place.bytes("-wal");
    assert!(left < 2 * WAL_MAX_BYTES, "the log is {left} bytes");
    other.close().await.expect("it closes");
    place.store.close().await;
}

#[tokio::test]
async fn a_large_write_that_is_undone_leaves_no_large_log() {
    let place = Place::new(Checkpoints::Own).await;
    let undone = place.store.write_alone(Locks::import(), async |tx| {
        for _ in 0..4 * WAL_MAX_BYTES / NOTE_BYTES as u64 {
            let body = vec![1; NOTE_BYTES];
            tx.exec("INSERT INTO notes (body) VALUES ($1)", &[Arg::Blob(&body)]).await?;
        }
        Err::<(), _>(Error::new(Kind::Conflict, "Undone."))
    });
    assert_eq!(undone.await.expect_err("it is undone").kind(), Kind::Conflict);
    let left = place.bytes("-wal");
    assert!(left < WAL_MAX_BYTES, "the log is {left} bytes");
    place.store.close().await;
}

#[tokio::test]
async fn an_external_tool_alone_checkpoints_where_the_operator_says_so() {
    let place = Place::new(Checkpoints::External).await;
    let before = place.bytes("");
    place.write(4 * WAL_MAX_BYTES).await;
    let log = place.bytes("-wal");
    assert!(log > 4 * WAL_MAX_BYTES, "it is truncated: {log}");
    assert_eq!(place.bytes(""), before, "nothing is moved into the file");
    // A finished read keeps no snapshot that would block the tool.
    place.store.read(async |tx| tx.list_tenants().await).await.expect("it reads");
    let mut tool = connect(&place.file).await;
    let sql = AssertSqlSafe("PRAGMA wal_checkpoint(TRUNCATE)");
    let row = tool.fetch_one(sql).await.expect("it runs");
    assert_eq!(row.get::<i64, _>(0), 0, "a reader is in the way");
    assert_eq!(place.bytes("-wal"), 0);
    assert!(place.bytes("") > before);
    tool.close().await.expect("it closes");
    // Closing and opening the store do not checkpoint either.
    place.write(0).await;
    let log = place.bytes("-wal");
    let Place { _folder, file, store } = place;
    store.close().await;
    drop(store);
    assert_eq!(bytes(&file, "-wal"), log);
    let location = Location::Sqlite(file.clone());
    let again =
        Store::open_with(&location, Checkpoints::External, Arc::default()).await.expect("it opens");
    assert!(bytes(&file, "-wal") >= log);
    again.close().await;
    assert!(bytes(&file, "-wal") >= log);
}

/// Returns an import of participants whose commit exceeds the bound of the log.
fn large_import(number: usize) -> String {
    let mut text = String::from("{\"format\":\"screenerd-import\",\"version\":1}\n");
    text.push_str(
        "{\"type\":\"tenant\",\"id\":\"t\",\"name\":\"T\",\"createdAt\":\"2024-01-01T00:00:00Z\"}\n",
    );
    let name = "x".repeat(500);
    for person in 0..30_000 {
        let line = format!(
            "{{\"type\":\"participant\",\"tenant\":\"t\",\"id\":\"p{number}_{person}\",\"name\":\"{name}\"}}\n"
        );
        text.push_str(&line);
    }
    text
}

#[tokio::test]
async fn a_process_that_keeps_the_log_from_being_truncated_is_named_once() {
    let place = Workplace::new();
    let log = place.path("stderr");
    let mut server = place
        .command(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
        .stdout(Stdio::null())
        .stderr(File::create(&log).expect("it is made"))
        .spawn()
        .expect("it starts");
    let socket = place.path("screenerd.db.sock");
    while !socket.exists() {
        assert!(server.try_wait().expect("it can be asked").is_none(), "it runs");
        tokio::task::yield_now().await;
    }
    let import = |number| {
        let output = place.import("large.ndjson", &large_import(number));
        assert!(output.status.success(), "{output:?}");
    };
    let named = || {
        let text = std::fs::read_to_string(&log).expect("it is read");
        text.lines().filter(|line| line.contains("holds a read transaction")).count()
    };
    import(0);
    assert_eq!(named(), 0);
    let mut other = begin_reading(&place.path("screenerd.db")).await;
    // The server acknowledges an import after its attempt to truncate the log.
    for number in 1..3 {
        import(number);
    }
    assert_eq!(named(), 1);
    other.execute("COMMIT").await.expect("it ends");
    other.close().await.expect("it closes");
    server.kill().expect("it is killed");
    server.wait().expect("it ends");
}
