//! Readers: connections that keep their snapshot from one read to the next.
//!
//! Opening and closing a read transaction costs more than a point read, so a reader keeps it open
//! until something has been committed since. [`Readers::committed`] counts commits before their
//! callers are acknowledged, so an acknowledged caller's next read sees its commit. An open
//! snapshot keeps the write-ahead log from being truncated. Idle readers therefore release theirs
//! when the writer requires it, and regularly.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{control, open_reader, unavailable};
use crate::domain::error::Result;
use crate::store::{Checkpoints, Tx};

/// The most concurrent reads. Each runs to its end on the calling thread, so there are at most as
/// many as threads, except for reads that wait for more than the database.
const READERS_MAX: usize = 32;
/// How long an idle reader may keep its snapshot. After that, reads see the writes of other
/// processes.
const HOLD: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(in crate::store::engine) struct Readers {
    path: PathBuf,
    /// Whether a reader keeps its snapshot for the next read. While it does, only the writer of
    /// this process can have the log truncated.
    hold: bool,
    permits: Semaphore,
    commits: AtomicU64,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    readers: Vec<Reader>,
    /// Whether the write-ahead log is being truncated, so that no snapshot may stay open.
    draining: bool,
    closed: bool,
}

#[derive(Debug)]
struct Reader {
    tx: Tx,
    /// The minimum number of commits in its snapshot, if it has one.
    held: Option<u64>,
}

impl Reader {
    /// Enters a snapshot with at least so many commits.
    fn begin(&mut self, commits: u64) -> Result<()> {
        if self.held == Some(commits) {
            return Ok(());
        }
        self.end()?;
        control(&self.tx, "BEGIN")?;
        self.held = Some(commits);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if self.held.take().is_some() {
            control(&self.tx, "COMMIT")?;
        }
        Ok(())
    }
}

impl Readers {
    pub(super) fn new(path: &Path, checkpoints: Checkpoints) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            hold: checkpoints == Checkpoints::Own,
            permits: Semaphore::new(READERS_MAX),
            commits: AtomicU64::new(0),
            idle: Mutex::default(),
        })
    }

    pub(in crate::store::engine) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send,
        T: Send,
    {
        let _permit = self.permits.acquire().await.map_err(unavailable)?;
        // If the caller leaves or panics, the reader is dropped with its snapshot, and the next
        // read opens another one.
        let mut reader = self.take()?;
        // Read before the snapshot is taken, which may then have more commits but never fewer.
        reader.begin(self.commits.load(Ordering::Acquire))?;
        let result = work(&mut reader.tx).await;
        self.put_back(reader, self.hold && result.is_ok());
        result
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an idle reader, or a new one.
    fn take(&self) -> Result<Reader> {
        let idle = self.idle().readers.pop();
        let new = || open_reader(&self.path).map(|tx| Reader { tx, held: None });
        idle.map_or_else(new, Ok)
    }

    /// Stores a reader for the next read, with its snapshot unless the read failed. Drops a reader
    /// that cannot end its snapshot.
    fn put_back(&self, mut reader: Reader, hold: bool) {
        if !hold && reader.end().is_err() {
            return;
        }
        let mut idle = self.idle();
        if idle.closed || idle.draining && reader.end().is_err() {
            return;
        }
        idle.readers.push(reader);
    }

    /// Returns how many reads run or are about to begin.
    pub(super) fn running(&self) -> usize {
        READERS_MAX - self.permits.available_permits()
    }

    /// Increments the commit counter. Call after COMMIT and before acknowledging any caller.
    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Release);
    }

    /// Releases the snapshots of idle readers.
    fn release(&self) {
        self.idle().readers.retain_mut(|reader| reader.end().is_ok());
    }

    /// Runs `work` while no reader keeps its snapshot longer than a read.
    pub(super) fn drained<T>(&self, work: impl FnOnce() -> T) -> T {
        self.idle().draining = true;
        self.release();
        let result = work();
        self.idle().draining = false;
        result
    }

    /// Refuses further reads.
    pub(super) fn close(&self) {
        self.permits.close();
        let mut idle = self.idle();
        idle.closed = true;
        idle.readers.clear();
    }
}

/// Releases the snapshots of idle readers every [`HOLD`], until `Readers` is dropped.
pub(super) async fn release_regularly(readers: Weak<Readers>) {
    let mut ticks = tokio::time::interval(HOLD);
    loop {
        ticks.tick().await;
        let Some(readers) = readers.upgrade() else { return };
        readers.release();
    }
}
