//! SQLite: one writer, and readers that are held open.
//!
//! Writes are queued. The writer takes what has queued up, runs each piece of work in a savepoint
//! of one transaction, commits once, and only then answers: many callers share one flush of the
//! disk, and none is told of a change that a crash could undo. Reads see what was committed when
//! they began, and never wait for the writer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{Connection, driver_error, unavailable};
use crate::domain::error::{Error, Kind, Result};
use crate::store::Tx;

/// Connections that read at the same time; each is a thread of the driver.
const READERS: usize = 4;
/// Writes that may wait for the writer; beyond that callers wait to be queued.
const QUEUE_MAX_WRITES: usize = 4096;
/// Writes that share one commit.
const BATCH_MAX_WRITES: usize = 512;
/// Only another process could hold the lock, and the lock file keeps others out.
const BUSY_TIMEOUT_SECONDS: u64 = 5;
/// What the writer keeps of the file in memory, as SQLite counts it: negative, in KiB. With the
/// default of 2 MiB a large import spills pages that it needs again at once.
const WRITER_CACHE_KIB: &str = "-32768";
/// The write-ahead log is cut back to this size after a checkpoint.
const WAL_MAX_BYTES: &str = "67108864";

#[derive(Debug)]
pub(in crate::store) struct Sqlite {
    writer: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    writer_thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    readers: Mutex<Vec<Tx>>,
    reader_permits: Semaphore,
    options: SqliteConnectOptions,
    /// Held as long as the file is open: one process per file.
    _lock: File,
}

/// The path of a file that stands beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"))
        .map_err(Error::internal)?;
    file.try_lock().map_err(|error| {
        let taken = format!("Another screenerd process has {} open.", path.display());
        let refused = Error::new(Kind::Unavailable, taken);
        match error {
            TryLockError::WouldBlock => refused,
            TryLockError::Error(error) => refused.caused_by(error),
        }
    })?;
    Ok(file)
}

/// Makes the file, if it is not there, for its owner only: it holds answers and secrets. SQLite
/// gives the files beside it the same permissions.
fn create_private(path: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let refused = format!("The file {} cannot be made.", path.display());
            Err(Error::new(Kind::Unavailable, refused).caused_by(error))
        }
    }
}

impl Sqlite {
    pub(super) async fn open(path: &Path) -> Result<Self> {
        let lock = lock(path)?;
        create_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(BUSY_TIMEOUT_SECONDS))
            .pragma("journal_size_limit", WAL_MAX_BYTES)
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let writer = options.clone().pragma("cache_size", WRITER_CACHE_KIB);
        let mut writer = writer.connect().await.map_err(driver_error)?;
        sqlx::migrate!("src/store/migrations/sqlite")
            .run(&mut writer)
            .await
            .map_err(Error::internal)?;
        let (sender, receiver) = mpsc::channel(QUEUE_MAX_WRITES);
        let runtime =
            tokio::runtime::Builder::new_current_thread().build().map_err(Error::internal)?;
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                runtime
                    .block_on(run_writer(Tx { connection: Connection::Sqlite(writer) }, receiver));
            })
            .map_err(Error::internal)?;
        Ok(Self {
            writer: Mutex::new(Some(sender)),
            writer_thread: Mutex::new(Some(thread)),
            readers: Mutex::new(Vec::with_capacity(READERS)),
            reader_permits: Semaphore::new(READERS),
            options: options.read_only(true).create_if_missing(false),
            _lock: lock,
        })
    }

    /// A reader that is idle, or a new one.
    async fn reader(&self) -> Result<Tx> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(reader) = idle {
            return Ok(reader);
        }
        let connection = self.options.connect().await.map_err(driver_error)?;
        Ok(Tx { connection: Connection::Sqlite(connection) })
    }

    pub(in crate::store) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        let _permit = self.reader_permits.acquire().await.map_err(unavailable)?;
        // A caller that goes away in the middle drops the reader with its open snapshot, and the
        // next one opens another.
        let mut tx = self.reader().await?;
        tx.connection.control("BEGIN").await?;
        let result = work(&mut tx).await;
        // Ending a read changes nothing; a reader that cannot end it is not used again.
        if tx.connection.control("COMMIT").await.is_ok() {
            self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(tx);
        }
        result
    }

    pub(in crate::store) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Queued { work: Some(work), outcome: None, reply };
        let sender = self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let closed = || unavailable("the store is closed");
        sender.ok_or_else(closed)?.send(Box::new(job)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(in crate::store) async fn close(&self) {
        // Readers first: the last connection to close moves the write-ahead log into the file, and
        // only the writer may.
        self.reader_permits.close();
        let readers =
            std::mem::take(&mut *self.readers.lock().unwrap_or_else(PoisonError::into_inner));
        for reader in readers {
            if let Connection::Sqlite(connection) = reader.connection {
                let _ = connection.close().await;
            }
        }
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.writer_thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The writer ends once its queue is empty; waiting for it may block.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// A queued write.
trait Job: Send + std::fmt::Debug {
    /// Whether its caller has gone away.
    fn is_abandoned(&self) -> bool;
    /// Runs it; `false` if what it changed must be undone.
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, bool>;
    /// Answers its caller with the outcome, or with a failure that came after it.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

struct Queued<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> std::fmt::Debug for Queued<T, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queued")
    }
}

impl<T, F> Job for Queued<T, F>
where
    F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, bool> {
        async move {
            let Some(work) = self.work.take() else { return false };
            let outcome = work(tx).await;
            let keep = outcome.is_ok();
            self.outcome = Some(outcome);
            keep
        }
        .boxed_local()
    }

    fn answer(self: Box<Self>, failure: Option<Error>) {
        let panicked = || Err(Error::internal("a write panicked"));
        let outcome = match failure {
            Some(error) => Err(error),
            None => self.outcome.unwrap_or_else(panicked),
        };
        // Nobody may be waiting any more.
        let _ = self.reply.send(outcome);
    }
}

async fn run_writer(mut tx: Tx, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut batch = Vec::with_capacity(BATCH_MAX_WRITES);
    while queue.recv_many(&mut batch, BATCH_MAX_WRITES).await > 0 {
        let result = run_batch(&mut tx, &mut batch).await;
        if let Err(error) = &result {
            tracing::error!(error.internal = error.internal_text(), "a commit failed");
            // Fails if the transaction is over already, which is as good.
            let _ = tx.connection.control("ROLLBACK").await;
        }
        for job in batch.drain(..) {
            job.answer(
                result
                    .as_ref()
                    .err()
                    .map(|error| unavailable(error.internal_text().unwrap_or_default())),
            );
        }
    }
    if let Connection::Sqlite(connection) = tx.connection {
        let _ = connection.close().await;
    }
}

/// Runs every job whose caller still waits, and commits them together.
async fn run_batch(tx: &mut Tx, batch: &mut Vec<Box<dyn Job>>) -> Result<()> {
    batch.retain(|job| !job.is_abandoned());
    if batch.is_empty() {
        return Ok(());
    }
    tx.connection.control("BEGIN IMMEDIATE").await?;
    for job in batch.iter_mut() {
        // Its caller may have given up while the ones before it ran.
        if job.is_abandoned() {
            continue;
        }
        tx.connection.control("SAVEPOINT job").await?;
        let keep = AssertUnwindSafe(job.run(tx)).catch_unwind().await.unwrap_or(false);
        if !keep {
            tx.connection.control("ROLLBACK TO job").await?;
        }
        tx.connection.control("RELEASE job").await?;
    }
    tx.connection.control("COMMIT").await
}
