//! Readers: connections that keep their snapshot from one read to the next.
//!
//! Opening and closing a read transaction costs more than a point read, so a reader leaves it open
//! and begins another only when something has been committed since. [`Readers::committed`] counts
//! commits before anybody is told of them; whoever was told therefore reads in a snapshot that has
//! them. A snapshot that is held keeps the write-ahead log from being cut, so the readers that are
//! idle give theirs up when the writer asks, and regularly.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{control, open_reader, unavailable};
use crate::domain::error::Result;
use crate::store::{Checkpoints, Tx};

/// Reads at the same time. A read runs to its end on the thread that asks, a long one too, so there
/// are as many as threads that read; only reads that wait for more than the database add to them.
const READERS_MAX: usize = 32;
/// How long an idle reader may hold its snapshot. What another process writes into the file is
/// seen after that.
const HOLD: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(in crate::store::engine) struct Readers {
    path: PathBuf,
    /// Whether a reader keeps its snapshot for the next read. While it does, only the writer of this
    /// process can have the log truncated.
    hold: bool,
    permits: Semaphore,
    commits: AtomicU64,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    readers: Vec<Reader>,
    /// Whether the write-ahead log is being cut, so that no snapshot may be held.
    draining: bool,
    closed: bool,
}

#[derive(Debug)]
struct Reader {
    tx: Tx,
    /// The number of commits that its snapshot has at least, if it holds one.
    held: Option<u64>,
}

impl Reader {
    /// Enters a snapshot that has so many commits.
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
        // A caller that goes away in the middle, or panics, drops the reader with its snapshot, and
        // the next one opens another.
        let mut reader = self.take()?;
        // Counted before the snapshot is taken, which may then have more but never less.
        reader.begin(self.commits.load(Ordering::Acquire))?;
        let result = work(&mut reader.tx).await;
        self.put_back(reader, self.hold && result.is_ok());
        result
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reader that is idle, or a new one.
    fn take(&self) -> Result<Reader> {
        let idle = self.idle().readers.pop();
        let new = || open_reader(&self.path).map(|tx| Reader { tx, held: None });
        idle.map_or_else(new, Ok)
    }

    /// Keeps a reader for the next read, with its snapshot unless the read failed. A reader that
    /// cannot end its snapshot is not used again.
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

    /// How many reads run, or are about to begin.
    pub(super) fn running(&self) -> usize {
        READERS_MAX - self.permits.available_permits()
    }

    /// Counts a commit, after it and before anybody is told of it.
    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Release);
    }

    /// Has idle readers give up their snapshots.
    fn release(&self) {
        self.idle().readers.retain_mut(|reader| reader.end().is_ok());
    }

    /// Does something while no reader holds its snapshot longer than a read.
    pub(super) fn drained<T>(&self, work: impl FnOnce() -> T) -> T {
        self.idle().draining = true;
        self.release();
        let result = work();
        self.idle().draining = false;
        result
    }

    /// Refuses reads that are still to begin.
    pub(super) fn close(&self) {
        self.permits.close();
        let mut idle = self.idle();
        idle.closed = true;
        idle.readers.clear();
    }
}

/// Has idle readers give up their snapshots now and then, as long as there are readers.
pub(super) async fn release_regularly(readers: Weak<Readers>) {
    let mut ticks = tokio::time::interval(HOLD);
    loop {
        ticks.tick().await;
        let Some(readers) = readers.upgrade() else { return };
        readers.release();
    }
}
