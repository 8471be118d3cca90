//! SQLite: one writer, and open readers that each run inline on the calling thread. Long reads have
//! threads and connections of their own.
//!
//! Writes are queued. The writer drains the queue, runs each write in a savepoint of one
//! transaction, commits once, and only then responds. Many callers share one flush to disk, and
//! none is told of a change that a crash could undo. A long write, such as an import, runs alone,
//! without a savepoint, and other writes are refused while it lasts. Reads see all commits before
//! their start, and never wait for the writer.
//!
//! A statement runs to its end in the poll that reaches it. sqlx opens and migrates the file; its
//! own connections would send every statement to another thread and back.

mod abort;
mod file;
mod gate;
mod reader;
mod scan;
mod statement;
mod wal;
mod writer;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{ErrorCode, OpenFlags, OptionalExtension as _};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{mpsc, oneshot};

use super::{
    Connection, FOREIGN, cannot_open, driver_error, driver_words, migrations, sqlite_error,
    unavailable,
};
use crate::domain::error::{Error, Result};
use crate::meter::{Readings, StoreMeter, count};
use crate::store::{Checkpoints, Locks, Tx, WriteTx};
pub(super) use file::resolve;
use gate::Gate;
use reader::Readers;
use scan::Scans;
pub(super) use statement::{exec, scan};
use wal::Wal;
use writer::{Queued, Write};

/// The longest queue of the writer. Further callers wait to be queued.
const QUEUE_MAX_WRITES: usize = 4096;
/// Only another process could hold SQLite's lock, and the lock file excludes others.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements of a connection: more than exist.
const STATEMENTS_MAX: usize = 256;
/// The writer's page cache, as SQLite counts it: negative, in KiB. With the default of 2 MiB a
/// large import spills pages that it reads again at once.
const WRITER_CACHE_KIB: i64 = -32_768;

#[derive(Debug)]
pub(in crate::store) struct Sqlite {
    gate: Gate,
    queue: Mutex<Option<mpsc::Sender<Write>>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    pub(super) readers: Arc<Readers>,
    pub(super) scans: Arc<Scans>,
    /// Locks the file while it is open: one process per file.
    _lock: file::Lock,
}

/// Returns the path of a file next to the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Counts tables, without SQLite's own and those of a tool that replicates the log.
const TABLES_OF_OTHERS: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE type IN ('table', 'view')
    AND name <> '_sqlx_migrations' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_litestream_*'";

/// Refuses a file that is no database or belongs to another program, before it is changed: this
/// program would turn its journal into a write-ahead log and add tables.
fn refuse_foreign(path: &Path) -> Result<()> {
    let look = || -> rusqlite::Result<bool> {
        let driver = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Frames that a tool has not replicated yet stay in the log.
        driver.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let tables: i64 = driver.query_row(TABLES_OF_OTHERS, [], |row| row.get(0))?;
        if !driver.table_exists(None, "_sqlx_migrations")? {
            return Ok(tables == 0);
        }
        let first = "SELECT checksum FROM _sqlx_migrations ORDER BY version LIMIT 1";
        let first: Option<Vec<u8>> = driver.query_row(first, [], |row| row.get(0)).optional()?;
        Ok(first
            .map_or(tables == 0, |checksum| migrations::is_ours(&migrations::OF_SQLITE, &checksum)))
    };
    match look() {
        Ok(true) => Ok(()),
        Ok(false) => Err(cannot_open(path.display(), FOREIGN)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(cannot_open(path.display(), "it is not a SQLite database"))
        }
        Err(error) => Err(cannot_open(path.display(), error)),
    }
}

/// Migrates the file's tables to this version.
///
/// Returns the open connection: if it were the last one to close, it would checkpoint the log.
async fn migrate(path: &Path, checkpoints: Checkpoints) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let options = match checkpoints {
        Checkpoints::Own => options,
        Checkpoints::External => options.pragma("wal_autocheckpoint", "0"),
    };
    let refused = |error: sqlx::Error| cannot_open(path.display(), driver_words(&error));
    let mut connection = options.connect().await.map_err(refused)?;
    let migrated = migrations::OF_SQLITE.run(&mut connection).await;
    migrated.map_err(|error| migrations::not_migrated(path.display(), &error))?;
    Ok(connection)
}

/// Opens a connection for statements that run inline.
fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<rusqlite::Connection> {
    // Only one thread at a time uses a connection, so it needs no mutex.
    let driver = rusqlite::Connection::open_with_flags(
        path,
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE,
    )?;
    driver.busy_timeout(BUSY_TIMEOUT)?;
    // Plans must not depend on bound values: SQLite would plan some statements again for each call.
    driver.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    driver.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(driver)
}

/// Opens a connection for reads.
fn open_reader(path: &Path) -> Result<Tx> {
    let driver = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sqlite_error)?;
    Ok(Tx::new(Connection::Sqlite(driver)))
}

fn connect_writer(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let driver = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    for (pragma, value) in [("foreign_keys", 1), ("cache_size", WRITER_CACHE_KIB)] {
        driver.pragma_update(None, pragma, value)?;
    }
    driver.pragma_update(None, "synchronous", "FULL")?;
    // Each write has a savepoint, whose undo data stays in memory. In a temporary file, every
    // changed page would be written twice.
    driver.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(driver)
}

fn closed() -> Error {
    unavailable("the store is closed")
}

/// Returns the driver's connection in a transaction of this engine.
fn driver_of(tx: &Tx) -> &rusqlite::Connection {
    let Connection::Sqlite(driver) = &tx.connection else {
        unreachable!("this engine opened it");
    };
    driver
}

/// Runs a statement of transaction control.
fn control(tx: &Tx, sql: &str) -> Result<()> {
    exec(driver_of(tx), sql, &[]).map(|_| ())
}

/// Polls work once, whose statements end in the poll that reaches them. Work that is then pending
/// waits for more than the database, and would block a thread that others need.
fn poll_to_completion<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::internal("work waited for more than the database")),
    }
}

impl Sqlite {
    pub(super) async fn open(
        path: &Path,
        checkpoints: Checkpoints,
        meter: Arc<StoreMeter>,
    ) -> Result<Self> {
        let path = &file::resolve(path)?;
        let lock = file::lock(path)?;
        file::create_private(path)?;
        refuse_foreign(path)?;
        let migrator = migrate(path, checkpoints).await?;
        let writer = connect_writer(path).map_err(sqlite_error)?;
        let scans = Arc::new(Scans::new(path)?);
        let wal = Wal::new(&writer, checkpoints, Arc::clone(&scans), Arc::clone(&meter));
        let wal = wal.map_err(sqlite_error)?;
        migrator.close().await.map_err(driver_error)?;
        let readers = Readers::new(path, checkpoints);
        tokio::spawn(reader::release_regularly(Arc::downgrade(&readers)));
        let (sender, receiver) = mpsc::channel(QUEUE_MAX_WRITES);
        let tx = WriteTx::at_once(Connection::Sqlite(writer), Locks::none());
        let seen_by = Arc::clone(&readers);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::run(tx, receiver, wal, &seen_by, &meter))
            .map_err(Error::internal)?;
        Ok(Self {
            gate: Gate::default(),
            queue: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(thread)),
            readers,
            scans,
            _lock: lock,
        })
    }

    pub(super) async fn write<T, F>(&self, locks: Locks, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Queued::new(locks, work, reply);
        {
            let _passage = self.gate.pass().await?;
            self.enqueue(Write::Together(Box::new(job))).await?;
        }
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn write_alone<T, F>(&self, locks: Locks, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Queued::alone(locks, work, reply);
        let shut = self.gate.shut().await?;
        self.enqueue(Write::Alone(Box::new(job), shut)).await?;
        answer.await.map_err(|_| closed())?
    }

    /// Returns how many writes are queued.
    pub(super) fn waiting_writes(&self) -> usize {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().map_or(0, |queue| QUEUE_MAX_WRITES - queue.capacity())
    }

    /// Returns how many reads run, by lane.
    pub(super) fn running_reads(&self) -> Readings {
        vec![("point", count(self.readers.running())), ("scan", count(self.scans.running()))]
    }

    async fn enqueue(&self, write: Write) -> Result<()> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        queue.ok_or_else(closed)?.send(write).await.map_err(|_| closed())
    }

    pub(super) async fn close(&self) {
        // Readers close first: the last connection to close moves the write-ahead log into the
        // file, which only the writer may do.
        self.readers.close();
        let scans = Arc::clone(&self.scans);
        // Waiting for running scans blocks the thread.
        let _ = tokio::task::spawn_blocking(move || scans.close()).await;
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The writer ends once its queue is empty. Waiting for it may block.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}
