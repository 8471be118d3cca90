//! Ends the HTTP/2 streams whose peer takes nothing.
//!
//! A peer that shuts its window stops its stream for any time, and hyper does not report it. Two
//! ends of the stream belong to this module, however: the task that runs it ([`Watched`] wraps it),
//! and the body of its response. hyper polls the body within that task, and advances its bytes as
//! the connection takes them. The body notes the bytes that it hands over, the bytes note when they
//! are taken, and the task ends when bytes wait and too few were taken for too long. hyper resets a
//! stream whose task is dropped.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

thread_local! {
    /// The notes of the body whose stream this thread polls.
    static NOTED: RefCell<Noted> = const { RefCell::new(Noted { untold: None, counted: None }) };
}

/// The notes of a body for the task of its stream.
#[derive(Default)]
struct Noted {
    /// Untracked bytes, if the body was not polled again since it handed them over.
    untold: Option<Untold>,
    /// Set once its bytes are counted.
    counted: Option<Counted>,
}

/// Bytes handed over without tracking when they are taken.
#[derive(Clone, Copy)]
struct Untold {
    /// How many times that happened before.
    turn: u32,
    stall_max: Duration,
}

/// Tracked bytes, with their counter.
struct Counted {
    bytes: Arc<Taken>,
    stall_max: Duration,
}

/// Notes that hyper polls for more bytes, so that it has sent the previous ones.
pub(super) fn note_asked() {
    NOTED.with_borrow_mut(|noted| noted.untold = None);
}

/// Notes that untracked bytes are handed over. `turn` differs from that of the previous ones.
pub(super) fn note_untold(turn: u32, stall_max: Duration) {
    NOTED.with_borrow_mut(|noted| noted.untold = Some(Untold { turn, stall_max }));
}

/// Notes that `bytes` counts all further bytes.
pub(super) fn note_counted(bytes: Arc<Taken>, stall_max: Duration) {
    NOTED.with_borrow_mut(|noted| noted.counted = Some(Counted { bytes, stall_max }));
}

/// The bytes of a response that were handed to hyper, and those that the connection has taken.
#[derive(Debug)]
pub(super) struct Taken {
    begun: Instant,
    handed_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    /// The number of bytes that count as progress. Fewer count only if no more wait.
    pace_bytes: u64,
    /// The bytes taken until the last progress.
    progressed_bytes: AtomicU64,
    /// The time of the last progress, or when bytes began to wait, since `begun`.
    progressed_ms: AtomicU64,
    /// Whether the body had no more bytes at its last poll.
    is_paused: AtomicBool,
    /// Whether the body waits until the last of them is taken.
    is_awaited: AtomicBool,
    body: AtomicWaker,
}

impl Taken {
    pub(super) fn new(pace_bytes: u64) -> Self {
        Self {
            begun: Instant::now(),
            handed_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            pace_bytes,
            progressed_bytes: AtomicU64::new(0),
            progressed_ms: AtomicU64::new(0),
            is_paused: AtomicBool::new(false),
            is_awaited: AtomicBool::new(false),
            body: AtomicWaker::new(),
        }
    }

    /// Counts bytes that hyper receives. Called by the body only.
    pub(super) fn hand(&self, bytes: usize) {
        // The pauses of the body do not count as stalls of the peer.
        if self.is_paused.swap(false, Ordering::Relaxed) && !self.is_waiting() {
            self.progress(self.sent_bytes.load(Ordering::SeqCst));
        }
        self.handed_bytes.fetch_add(bytes as u64, Ordering::SeqCst);
    }

    /// Notes that the body has no bytes to hand over for now. Called by the body only.
    pub(super) fn pause(&self) {
        self.is_paused.store(true, Ordering::Relaxed);
    }

    /// Counts bytes that the connection takes.
    pub(super) fn take(&self, bytes: usize) {
        let sent_bytes = self.sent_bytes.load(Ordering::SeqCst) + bytes as u64;
        if sent_bytes - self.progressed_bytes.load(Ordering::Relaxed) >= self.pace_bytes {
            self.progress(sent_bytes);
        }
        self.sent_bytes.fetch_add(bytes as u64, Ordering::SeqCst);
        if self.is_awaited.load(Ordering::SeqCst) && !self.is_waiting() {
            self.body.wake();
        }
    }

    /// Waits until all bytes that were handed over are taken.
    pub(super) fn poll_taken(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.is_waiting() {
            return Poll::Ready(());
        }
        self.body.register(cx.waker());
        // From here on `take` wakes the body. The next line covers bytes taken before.
        self.is_awaited.store(true, Ordering::SeqCst);
        if self.is_waiting() { Poll::Pending } else { Poll::Ready(()) }
    }

    fn is_waiting(&self) -> bool {
        self.sent_bytes.load(Ordering::SeqCst) < self.handed_bytes.load(Ordering::SeqCst)
    }

    fn progress(&self, sent_bytes: u64) {
        self.progressed_bytes.store(sent_bytes, Ordering::Relaxed);
        let elapsed_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progressed_ms.store(elapsed_ms, Ordering::Relaxed);
    }

    fn progressed(&self) -> Instant {
        self.begun + Duration::from_millis(self.progressed_ms.load(Ordering::Relaxed))
    }
}

pin_project! {
    /// The task of a stream, which ends early if its peer takes too little.
    pub(super) struct Watched<F> {
        #[pin]
        task: F,
        untold: Option<(Untold, Instant)>,
        counted: Option<Counted>,
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<F> Watched<F> {
    pub(super) fn new(task: F) -> Self {
        Self { task, untold: None, counted: None, timer: None }
    }
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let before = *this.untold;
        NOTED.set(Noted { untold: before.map(|(untold, _)| untold), counted: None });
        let polled = this.task.poll(cx);
        let noted = NOTED.take();
        if polled.is_ready() {
            return Poll::Ready(());
        }
        if noted.counted.is_some() {
            *this.counted = noted.counted;
        }
        *this.untold = noted.untold.map(|untold| {
            let same = before.filter(|(before, _)| before.turn == untold.turn);
            (untold, same.map_or_else(Instant::now, |(_, since)| since))
        });
        loop {
            let Some(deadline) = deadline(*this.untold, this.counted.as_ref()) else {
                return Poll::Pending;
            };
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            ready!(timer.as_mut().poll(cx));
            // The timer is not reset at each progress, so it may fire early.
            if deadline <= Instant::now() {
                tracing::debug!("stream ended because its peer read the response too slowly");
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}

/// Returns when the stream ends unless its peer takes bytes. `None` if no bytes wait.
fn deadline(untold: Option<(Untold, Instant)>, counted: Option<&Counted>) -> Option<Instant> {
    if let Some((untold, since)) = untold {
        return Some(since + untold.stall_max);
    }
    let counted = counted.filter(|counted| counted.bytes.is_waiting())?;
    Some(counted.bytes.progressed() + counted.stall_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_the_pace_is_no_progress() {
        let taken = Taken::new(100);
        let progressed = || taken.progressed_bytes.load(Ordering::Relaxed);
        taken.hand(500);
        for (bytes, expected) in [(1, 0), (98, 0), (1, 100), (99, 100), (201, 400)] {
            taken.take(bytes);
            assert_eq!(progressed(), expected, "{bytes}");
        }
        taken.take(50);
        taken.hand(50);
        taken.take(100);
        assert!(!taken.is_waiting(), "all that there is was taken");
        taken.hand(10);
        assert_eq!(progressed(), 550, "the body always had more");
        taken.take(10);
        taken.pause();
        taken.hand(10);
        assert_eq!(progressed(), 560, "a peer that waited begins anew");
    }
}
