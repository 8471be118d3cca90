//! Long reads: each runs on a thread of a [`Lane`], with a connection that point reads do not use.
//!
//! A scan takes a snapshot when it begins and releases it when it ends, so idle connections have
//! none. SQLite checks every few steps of a statement whether the scan is abandoned, and then
//! interrupts the statement. The thread is free long before the statement would have ended.

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{closed, control, driver_of, open_reader, poll_to_completion, sqlite_error};
use crate::domain::error::{Error, Kind, Result};
use crate::lane::{Abandoned, Lane, Refused};
use crate::store::Tx;

/// The steps of SQLite's virtual machine between two checks of the caller: some microseconds of
/// work, or some tens of pages from the disk.
const STEPS_BETWEEN_LOOKS: c_int = 256;

/// The lane of long reads.
#[derive(Debug)]
pub(in crate::store::engine) struct Scans {
    lane: Lane,
    connections: Arc<Connections>,
}

/// Idle connections: at most as many as the lane has threads.
#[derive(Debug)]
struct Connections {
    path: PathBuf,
    idle: Mutex<Vec<Tx>>,
    running: AtomicUsize,
}

/// Counts a scan while it runs.
struct Running<'c>(&'c AtomicUsize);

impl<'c> Running<'c> {
    fn begin(running: &'c AtomicUsize) -> Self {
        running.fetch_add(1, Ordering::SeqCst);
        Self(running)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Scans {
    pub(super) fn new(path: &Path) -> Result<Self> {
        let lane = Lane::new("store-scan").map_err(Error::internal)?;
        let connections = Connections {
            path: path.to_owned(),
            idle: Mutex::default(),
            running: AtomicUsize::new(0),
        };
        Ok(Self { lane, connections: Arc::new(connections) })
    }

    /// Runs a read in its share's turn, against one snapshot. Dropping the future interrupts it.
    pub(in crate::store::engine) async fn run<T, F>(&self, share: &str, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let connections = Arc::clone(&self.connections);
        let read = move |abandoned: &Abandoned| connections.read(abandoned, work);
        self.lane.run(share, read).await.map_err(refusal)?
    }

    /// Returns how many scans run.
    pub(super) fn running(&self) -> usize {
        self.connections.running.load(Ordering::SeqCst)
    }

    /// Refuses scans that have not begun, interrupts running ones, and closes every connection.
    /// Blocks the thread until the last statement has ended.
    pub(super) fn close(&self) {
        self.lane.close();
        self.connections.idle().clear();
    }
}

impl Connections {
    fn idle(&self) -> MutexGuard<'_, Vec<Tx>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Tx> {
        let idle = self.idle().pop();
        idle.map_or_else(|| open_reader(&self.path), Ok)
    }

    fn read<T, F>(&self, abandoned: &Abandoned, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T>,
    {
        // Dropped after the connection, whose snapshot ends at the latest when it closes.
        let _running = Running::begin(&self.running);
        // Work that panics drops its connection, and the next read opens another.
        let mut tx = self.take()?;
        control(&tx, "BEGIN")?;
        let caller = abandoned.clone();
        watch(&tx, Some(move || caller.is_set()))?;
        let result = poll_to_completion(work(&mut tx));
        // The statement that ends the snapshot must not be interrupted. A connection that cannot
        // end its snapshot is not used again.
        let ended = watch(&tx, None::<fn() -> bool>).and_then(|()| control(&tx, "COMMIT"));
        if ended.is_ok() {
            self.idle().push(tx);
        }
        // Of the two causes of abandonment, only a closing store has a waiting caller.
        if result.is_err() && abandoned.is_set() { Err(closed()) } else { result }
    }
}

/// Interrupts statements once `is_abandoned` returns true.
fn watch<F>(tx: &Tx, is_abandoned: Option<F>) -> Result<()>
where
    F: FnMut() -> bool + Send + 'static,
{
    driver_of(tx).progress_handler(STEPS_BETWEEN_LOOKS, is_abandoned).map_err(sqlite_error)
}

/// Maps a refusal of the lane to the caller's error.
fn refusal(refused: Refused) -> Error {
    match refused {
        Refused::Full => {
            let detail = "Too many long reads are waiting. Try again later.";
            Error::new(Kind::Unavailable, detail)
        }
        Refused::Closed => closed(),
        Refused::Panicked => Error::internal("a scan panicked"),
    }
}
