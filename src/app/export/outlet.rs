//! The queue of an export's parts between its encoder and its client.
//!
//! A client that keeps pace reads parts from memory, and the encoder waits for it. If the client
//! falls behind, further parts go to files until it has read those. The snapshot is then released
//! about as soon as for a client that keeps pace.
//!
//! # Invariants
//!
//! - The client receives parts in the order in which they were given, and the end or an error last.
//! - A part goes to memory only if no part is in a file.
//! - A file is dropped when all its parts were read, and every file when the client leaves.
//! - Each part in memory is charged to its tenant and the server until the client requests the
//!   next. Only the last part read from a file is not charged; the number of files bounds those.

use std::collections::VecDeque;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::left;
use super::shares::{Charges, Exports, Share, SpoolFile, not_spooled};
use crate::domain::error::{Error, Result};

/// Bytes that wait in memory for the client of one export: enough that a client that keeps pace
/// always finds a part. A larger part goes to a file.
const READY_MAX_BYTES: usize = 1024 * 1024;

/// A part of an exported stream, which can be spooled to a file until the client reads it.
pub trait Part: Send + Sized + 'static {
    /// Returns its approximate size in memory, in bytes.
    fn length(&self) -> usize;
    /// Returns the bytes to spool.
    fn to_bytes(&self) -> Vec<u8>;
    /// Restores a part from its spooled bytes.
    fn from_bytes(bytes: Bytes) -> Result<Self>;
}

/// The place of a part in a file.
struct Spooled {
    file: Arc<SpoolFile>,
    offset: u64,
    length: usize,
}

/// A part in memory.
struct Ready<T> {
    part: T,
    bytes: usize,
    charges: Charges,
}

/// The resources of the part that was read last, until the client requests the next.
#[derive(Default)]
struct Sent {
    _charges: Option<Charges>,
    file: Option<Arc<SpoolFile>>,
}

impl Spooled {
    fn read<T: Part>(&self) -> Result<T> {
        let mut bytes = vec![0; self.length];
        self.file.file.read_exact_at(&mut bytes, self.offset).map_err(not_spooled)?;
        T::from_bytes(bytes.into())
    }
}

struct State<T> {
    ready: VecDeque<Ready<T>>,
    ready_bytes: usize,
    spooled: VecDeque<Spooled>,
    /// The result of the export, once it has ended.
    end: Option<Result<()>>,
    has_left: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    given: Notify,
    taken: Condvar,
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The encoder's side.
pub(super) struct Outlet<T: Part> {
    shared: Arc<Shared<T>>,
    spool: Spool,
    /// See [`may_wait`].
    patience: Duration,
    began: Instant,
    waited: Duration,
}

/// The files of an export.
struct Spool {
    exports: Arc<Exports>,
    share: Arc<Share>,
    /// The file that is being written, and the offset of the next part.
    open: Option<(Arc<SpoolFile>, u64)>,
}

/// The client's side.
pub(super) struct Parts<T: Part> {
    shared: Arc<Shared<T>>,
    sent: Sent,
    exports: Arc<Exports>,
    share: Arc<Share>,
}

/// Creates a queue for the parts of one export.
pub(super) fn queue<T: Part>(
    exports: &Arc<Exports>,
    share: &Arc<Share>,
    patience: Duration,
) -> (Outlet<T>, Parts<T>) {
    let state = State {
        ready: VecDeque::new(),
        ready_bytes: 0,
        spooled: VecDeque::new(),
        end: None,
        has_left: false,
    };
    let (given, taken) = (Notify::new(), Condvar::new());
    let shared = Arc::new(Shared { state: Mutex::new(state), given, taken });
    let (exports, share) = (Arc::clone(exports), Arc::clone(share));
    let spool = Spool { exports: Arc::clone(&exports), share: Arc::clone(&share), open: None };
    let began = Instant::now();
    let outlet =
        Outlet { shared: Arc::clone(&shared), spool, patience, began, waited: Duration::ZERO };
    (outlet, Parts { shared, sent: Sent::default(), exports, share })
}

impl<T: Part> Outlet<T> {
    /// Gives a part to the client. Blocks the thread briefly if the client has fallen behind.
    pub(super) fn give(&mut self, part: T) -> Result<()> {
        let Some(part) = self.give_ready(part)? else { return Ok(()) };
        let spooled = self.spool.write(&part.to_bytes())?;
        let mut state = self.shared.state();
        if state.has_left {
            return Err(left());
        }
        state.spooled.push_back(spooled);
        drop(state);
        self.shared.given.notify_one();
        Ok(())
    }

    /// Puts a part into memory, or returns it if it has to go to a file.
    fn give_ready(&mut self, part: T) -> Result<Option<T>> {
        let bytes = part.length();
        let mut state = self.shared.state();
        loop {
            if state.has_left {
                return Err(left());
            }
            if !state.spooled.is_empty() {
                return Ok(Some(part));
            }
            let fits = state.ready_bytes + bytes <= READY_MAX_BYTES;
            let Spool { exports, share, .. } = &self.spool;
            if let Some(charges) = fits.then(|| exports.in_memory(share, bytes)).flatten() {
                state.ready_bytes += bytes;
                state.ready.push_back(Ready { part, bytes, charges });
                drop(state);
                self.shared.given.notify_one();
                return Ok(None);
            }
            let began_waiting = Instant::now();
            let may_wait = may_wait(self.patience, began_waiting - self.began, self.waited);
            if may_wait.is_zero() || state.ready.is_empty() {
                return Ok(Some(part));
            }
            let woken = self.shared.taken.wait_timeout(state, may_wait);
            let timeout;
            (state, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
            self.waited += began_waiting.elapsed();
            if timeout.timed_out() {
                return Ok(Some(part));
            }
        }
    }

    /// Sets the result of the export, which the client receives after the last part.
    pub(super) fn end(self, end: Result<()>) {
        self.shared.state().end = Some(end);
    }
}

/// Returns how long the encoder may wait for its client now. It waits for a client with at least
/// half of the server's pace, so that a slightly slower client does not need files; the export and
/// its snapshot then last up to twice as long. A client that reads nothing for the whole patience
/// has fallen behind.
fn may_wait(patience: Duration, elapsed: Duration, waited: Duration) -> Duration {
    let worked = elapsed.saturating_sub(waited);
    (patience + worked).saturating_sub(waited).min(patience)
}

impl<T: Part> Drop for Outlet<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if state.end.is_none() {
            state.end = Some(Err(self.spool.exports.ended_early()));
        }
        drop(state);
        self.shared.given.notify_one();
    }
}

impl Spool {
    /// Writes a part to a file.
    fn write(&mut self, bytes: &[u8]) -> Result<Spooled> {
        let length = bytes.len();
        let fits = |(file, end): &(Arc<SpoolFile>, u64)| *end + length as u64 <= file.size;
        let (file, offset) = if let Some(open) = self.open.take().filter(fits) {
            open
        } else {
            (Arc::new(self.exports.spool_file(&self.share, length)?), 0)
        };
        file.file.write_all_at(bytes, offset).map_err(not_spooled)?;
        self.open = Some((Arc::clone(&file), offset + length as u64));
        Ok(Spooled { file, offset, length })
    }
}

/// The next item for the client.
enum Next<T> {
    Ready(Ready<T>),
    Spooled(Spooled),
    End(Result<()>),
    Nothing,
}

impl<T: Part> Parts<T> {
    /// Returns the next part, or `None` after the last one.
    pub(super) async fn take(&mut self) -> Option<Result<T>> {
        loop {
            let next = self.look();
            let sent = std::mem::take(&mut self.sent);
            match next {
                Next::Ready(Ready { part, bytes: _, charges }) => {
                    self.release(sent);
                    self.sent = Sent { _charges: Some(charges), file: None };
                    return Some(Ok(part));
                }
                Next::Spooled(spooled) => {
                    self.sent.file = Some(Arc::clone(&spooled.file));
                    let read = spawn_blocking(move || {
                        drop(sent);
                        spooled.read()
                    });
                    let read = read.await;
                    return Some(read.unwrap_or_else(|_| Err(Error::internal("a read panicked"))));
                }
                Next::End(end) => {
                    self.release(sent);
                    return end.err().map(Err);
                }
                // `Notify` stores a permit for parts that are given from now on.
                Next::Nothing => {
                    self.release(sent);
                    self.shared.given.notified().await;
                }
            }
        }
    }

    /// Ends an export whose encoder did not start.
    pub(super) fn refuse(&self, error: Error) {
        self.shared.state().end = Some(Err(error));
    }

    fn release(&self, sent: Sent) {
        if sent.file.as_ref().is_some_and(|file| Arc::strong_count(file) == 1) {
            self.close(sent);
        }
    }

    /// Closes files on the export lane, because closing large files would block a serving thread.
    /// If the lane is closed or full, it drops the work, and so closes the files, here.
    fn close(&self, files: impl Send + 'static) {
        let _ = self.exports.lane.start(self.share.tenant.as_str(), move || drop(files));
    }

    fn look(&self) -> Next<T> {
        let mut state = self.shared.state();
        if let Some(ready) = state.ready.pop_front() {
            state.ready_bytes -= ready.bytes;
            drop(state);
            self.shared.taken.notify_one();
            return Next::Ready(ready);
        }
        if let Some(spooled) = state.spooled.pop_front() {
            return Next::Spooled(spooled);
        }
        state.end.take().map_or(Next::Nothing, Next::End)
    }
}

impl<T: Part> Drop for Parts<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.has_left = true;
        let (ready, spooled) =
            (std::mem::take(&mut state.ready), std::mem::take(&mut state.spooled));
        drop(state);
        self.shared.taken.notify_one();
        drop(ready);
        let sent = std::mem::take(&mut self.sent);
        if !spooled.is_empty() || sent.file.is_some() {
            self.close((spooled, sent));
        }
    }
}

#[cfg(test)]
mod tests;
