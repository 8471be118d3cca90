//! The way of an export's parts from its encoder to its client.
//!
//! A client that keeps pace takes them from memory, and the encoder waits for it. Once it falls behind,
//! further parts go into files until it has taken those, so the snapshot of the export is released
//! about as soon as for a client that keeps pace, however slow this one is.
//!
//! # Invariants
//!
//! - Parts are taken in the order in which they were given, and the end after all of them, an error too.
//! - A part is given to memory only if none is in a file.
//! - A file is dropped when all its parts were taken, and every file when the client leaves.

use std::collections::VecDeque;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::shares::{Exports, Share, SpoolFile, not_kept};
use crate::domain::error::{Error, Kind, Result};

/// What may wait in memory for the client: enough that a client that keeps pace always finds some,
/// little enough for every export that a server may have. A single part may be larger.
const READY_MAX_BYTES: usize = 1024 * 1024;
/// A part of what an export becomes, which can be kept in a file until its client takes it.
pub trait Part: Send + Sized + 'static {
    /// How many bytes it takes in memory, about.
    fn length(&self) -> usize;
    /// The bytes that it is kept as.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads it again.
    fn from_bytes(bytes: Bytes) -> Result<Self>;
}

/// Where a part is in a file.
struct Kept {
    file: Arc<SpoolFile>,
    offset: u64,
    length: usize,
}

impl Kept {
    fn read<T: Part>(self) -> Result<T> {
        let mut bytes = vec![0; self.length];
        self.file.file.read_exact_at(&mut bytes, self.offset).map_err(not_kept)?;
        T::from_bytes(bytes.into())
    }
}

struct State<T> {
    ready: VecDeque<T>,
    ready_bytes: usize,
    kept: VecDeque<Kept>,
    /// How it ended, once it has.
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
    /// See [`Outlet::may_wait`].
    patience: Duration,
    began: Instant,
    waited: Duration,
}

/// The files of an export.
struct Spool {
    exports: Arc<Exports>,
    share: Arc<Share>,
    /// The file that is written, and where.
    open: Option<(Arc<SpoolFile>, u64)>,
}

/// The client's side.
pub(super) struct Parts<T: Part> {
    shared: Arc<Shared<T>>,
    exports: Arc<Exports>,
    share: Arc<Share>,
}

/// A queue for the parts of one export.
pub(super) fn queue<T: Part>(
    exports: &Arc<Exports>,
    share: &Arc<Share>,
    patience: Duration,
) -> (Outlet<T>, Parts<T>) {
    let state = State {
        ready: VecDeque::new(),
        ready_bytes: 0,
        kept: VecDeque::new(),
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
    (outlet, Parts { shared, exports, share })
}

impl<T: Part> Outlet<T> {
    /// Gives a part. Blocks the thread for a moment if the client has fallen behind.
    pub(super) fn give(&mut self, part: T) -> Result<()> {
        let Some(part) = self.give_ready(part)? else { return Ok(()) };
        let kept = self.spool.keep(&part.to_bytes())?;
        let mut state = self.shared.state();
        if state.has_left {
            return Err(left());
        }
        state.kept.push_back(kept);
        drop(state);
        self.shared.given.notify_one();
        Ok(())
    }

    /// Gives a part to memory, or returns it if it has to go to a file.
    fn give_ready(&mut self, part: T) -> Result<Option<T>> {
        let length = part.length();
        let mut state = self.shared.state();
        loop {
            if state.has_left {
                return Err(left());
            }
            if !state.kept.is_empty() {
                return Ok(Some(part));
            }
            if state.ready.is_empty() || state.ready_bytes + length <= READY_MAX_BYTES {
                state.ready_bytes += length;
                state.ready.push_back(part);
                drop(state);
                self.shared.given.notify_one();
                return Ok(None);
            }
            let began_waiting = Instant::now();
            let may_wait = may_wait(self.patience, began_waiting - self.began, self.waited);
            if may_wait.is_zero() {
                return Ok(Some(part));
            }
            let woken = self.shared.taken.wait_timeout(state, may_wait);
            let timeout;
            (state, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
            self.waited += began_waiting.elapsed();
            if timeout.timed_out() && !state.ready.is_empty() {
                return Ok(Some(part));
            }
        }
    }

    /// Says how the export ended, which the client learns after the last part.
    pub(super) fn end(self, end: Result<()>) {
        self.shared.state().end = Some(end);
    }
}

/// How long an encoder may wait for its client now. A client that keeps half of the server's pace is
/// waited for, so that nothing goes through a file only because the client is the slower of the two;
/// the export, and its snapshot, then last twice as long as they could. One that takes nothing for the
/// length of the patience has fallen behind.
fn may_wait(patience: Duration, elapsed: Duration, waited: Duration) -> Duration {
    let worked = elapsed.saturating_sub(waited);
    (patience + worked).saturating_sub(waited).min(patience)
}

impl<T: Part> Drop for Outlet<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if state.end.is_none() {
            state.end = Some(Err(Error::internal("an export panicked")));
        }
        drop(state);
        self.shared.given.notify_one();
    }
}

fn left() -> Error {
    Error::new(Kind::Unavailable, "The client has left.")
}

impl Spool {
    /// Writes a part to a file.
    fn keep(&mut self, bytes: &[u8]) -> Result<Kept> {
        let length = bytes.len();
        let fits = |(file, end): &(Arc<SpoolFile>, u64)| *end + length as u64 <= file.size;
        let (file, offset) = if let Some(open) = self.open.take().filter(fits) {
            open
        } else {
            (Arc::new(self.exports.spool_file(&self.share, length)?), 0)
        };
        file.file.write_all_at(bytes, offset).map_err(not_kept)?;
        self.open = Some((Arc::clone(&file), offset + length as u64));
        Ok(Kept { file, offset, length })
    }
}

/// What a client finds when it looks.
enum Next<T> {
    Ready(T),
    Kept(Kept),
    End(Result<()>),
    Nothing,
}

impl<T: Part> Parts<T> {
    /// The next part, or `None` after the last one.
    pub(super) async fn take(&mut self) -> Option<Result<T>> {
        loop {
            match self.look() {
                Next::Ready(part) => return Some(Ok(part)),
                Next::Kept(kept) => {
                    let read = spawn_blocking(move || kept.read()).await;
                    return Some(read.unwrap_or_else(|_| Err(Error::internal("a read panicked"))));
                }
                Next::End(Ok(())) => return None,
                Next::End(Err(error)) => return Some(Err(error)),
                // What is given from now on has a permit waiting.
                Next::Nothing => self.shared.given.notified().await,
            }
        }
    }

    fn look(&self) -> Next<T> {
        let mut state = self.shared.state();
        if let Some(part) = state.ready.pop_front() {
            state.ready_bytes -= part.length();
            drop(state);
            self.shared.taken.notify_one();
            return Next::Ready(part);
        }
        if let Some(kept) = state.kept.pop_front() {
            return Next::Kept(kept);
        }
        state.end.take().map_or(Next::Nothing, Next::End)
    }
}

impl<T: Part> Drop for Parts<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.has_left = true;
        let (ready, kept) = (std::mem::take(&mut state.ready), std::mem::take(&mut state.kept));
        drop(state);
        self.shared.taken.notify_one();
        drop(ready);
        if !kept.is_empty() {
            // Closing a large file takes too long for a thread that serves. A lane that is closed or
            // full has it done here, which is when the work is dropped.
            let tenant = self.share.tenant.as_str();
            let _ = self.exports.lane.start(tenant, move || drop(kept));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::export::shares::SpoolBounds;
    use crate::domain::id::TenantId;

    /// As many bytes of each part that only one fits into memory.
    const PART_BYTES: usize = READY_MAX_BYTES;

    /// A part with a number.
    #[derive(Debug, PartialEq)]
    struct Numbered(u8);

    impl Part for Numbered {
        fn length(&self) -> usize {
            PART_BYTES
        }

        fn to_bytes(&self) -> Vec<u8> {
            vec![self.0; 10]
        }

        fn from_bytes(bytes: Bytes) -> Result<Self> {
            assert!(bytes.iter().all(|byte| *byte == bytes[0]) && bytes.len() == 10);
            Ok(Self(bytes[0]))
        }
    }

    struct Bench {
        exports: Arc<Exports>,
        outlet: Outlet<Numbered>,
        parts: Parts<Numbered>,
        _folder: tempfile::TempDir,
    }

    /// A queue whose encoder never waits, with two parts to a file.
    fn bench(max_bytes: usize) -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let bounds = SpoolBounds {
            max_bytes,
            max_bytes_per_tenant: max_bytes,
            file_bytes: 20,
            disk_free_min_bytes: 0,
        };
        let exports = Exports::with(folder.path(), bounds).expect("exports");
        let slot = exports.slot(&TenantId::parse("a").expect("an id")).expect("a slot");
        let (outlet, parts) = queue(&exports, &slot.share, Duration::ZERO);
        Bench { exports, outlet, parts, _folder: folder }
    }

    async fn taken(parts: &mut Parts<Numbered>) -> Option<u8> {
        parts.take().await.map(|part| part.expect("a part").0)
    }

    #[tokio::test]
    async fn parts_are_taken_in_order_and_each_file_is_given_back_when_it_is_read() {
        let Bench { exports, mut outlet, mut parts, _folder } = bench(100);
        for number in 0..6 {
            outlet.give(Numbered(number)).expect("it is kept");
        }
        assert_eq!(exports.spooled_bytes(), 60, "one is in memory, and five in three files");
        for number in 0..4 {
            assert_eq!(taken(&mut parts).await, Some(number));
        }
        assert_eq!(exports.spooled_bytes(), 40);
        outlet.give(Numbered(6)).expect("it is kept");
        for number in 4..7 {
            assert_eq!(taken(&mut parts).await, Some(number));
        }
        // From here on the client keeps pace again.
        for number in 7..9 {
            outlet.give(Numbered(number)).expect("there is room");
            assert_eq!(taken(&mut parts).await, Some(number));
        }
        assert_eq!(exports.spooled_bytes(), 20, "the file that is open");
        outlet.end(Ok(()));
        assert_eq!(exports.spooled_bytes(), 0);
        assert_eq!(taken(&mut parts).await, None);
    }

    #[tokio::test]
    async fn a_client_that_waits_is_told_of_a_part_and_of_the_end() {
        let Bench { mut outlet, mut parts, .. } = bench(100);
        let (first, ()) = futures_util::future::join(taken(&mut parts), async {
            outlet.give(Numbered(1)).expect("there is room");
        })
        .await;
        assert_eq!(first, Some(1));
        let (end, ()) =
            futures_util::future::join(taken(&mut parts), async { outlet.end(Ok(())) }).await;
        assert_eq!(end, None);
    }

    #[tokio::test]
    async fn what_does_not_fit_ends_the_export_after_everything_that_was_kept() {
        let Bench { mut outlet, mut parts, _folder, .. } = bench(20);
        for number in 0..3 {
            outlet.give(Numbered(number)).expect("it is kept");
        }
        let error = outlet.give(Numbered(3)).expect_err("there is no room");
        assert_eq!((error.kind(), error.internal_text()), (Kind::Unavailable, None));
        outlet.end(Err(error));
        for number in 0..3 {
            assert_eq!(taken(&mut parts).await, Some(number));
        }
        let end = parts.take().await.expect("an end").expect_err("an error");
        assert_eq!(end.kind(), Kind::Unavailable);
    }

    #[tokio::test]
    async fn a_full_disk_ends_the_export_and_is_told_to_the_operator() {
        let Bench { exports, mut outlet, mut parts, _folder } = bench(20);
        let full = SpoolFile::full(&exports, &TenantId::parse("a").expect("an id"));
        outlet.spool.open = Some((Arc::new(full), 0));
        outlet.give(Numbered(0)).expect("there is room in memory");
        let error = outlet.give(Numbered(1)).expect_err("the disk is full");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.internal_text().is_some_and(|text| text.contains("space")));
        outlet.end(Err(error));
        assert_eq!(taken(&mut parts).await, Some(0));
        assert!(parts.take().await.is_some_and(|end| end.is_err()));
    }

    #[tokio::test]
    async fn a_client_that_leaves_ends_the_encoder_and_gives_back_the_files() {
        let Bench { exports, mut outlet, parts, _folder } = bench(100);
        for number in 0..4 {
            outlet.give(Numbered(number)).expect("it is kept");
        }
        drop(parts);
        assert!(outlet.give(Numbered(4)).is_err());
        drop(outlet);
        exports.close().await;
        assert_eq!(exports.spooled_bytes(), 0);
    }

    #[tokio::test]
    async fn an_encoder_that_panics_is_a_fault() {
        let Bench { outlet, mut parts, .. } = bench(100);
        drop(outlet);
        let end = parts.take().await.expect("an end").expect_err("an error");
        assert_eq!(end.kind(), Kind::Internal);
    }

    #[test]
    fn a_client_of_half_the_pace_is_waited_for_and_no_longer() {
        let seconds = Duration::from_secs;
        for (elapsed, waited, expected) in
            [(0, 0, 1), (10, 0, 1), (10, 5, 1), (11, 6, 0), (30, 20, 0), (9, 5, 0), (100, 2, 1)]
        {
            let waits = may_wait(seconds(1), seconds(elapsed), seconds(waited));
            assert_eq!(waits, seconds(expected), "{waited} of {elapsed}");
        }
    }
}
