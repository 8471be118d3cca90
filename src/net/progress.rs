//! Ends the HTTP/2 streams whose peer takes nothing.
//!
//! A peer that shuts its window stops its stream for as long as it likes, and hyper says nothing of
//! it. Two ends of the stream are ours, however: the task that it runs as ([`Watched`] is around it)
//! and the body of its answer, which hyper polls within that task and whose bytes it advances as the
//! connection takes them. The body notes what it hands over, the bytes note what is taken, and the
//! task ends when bytes wait and too little has been taken for too long. hyper resets a stream whose
//! task is dropped.

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
    /// What the body of the stream that this thread polls has noted.
    static NOTED: RefCell<Noted> = const { RefCell::new(Noted { untold: None, counted: None }) };
}

/// What a body notes for the task of its stream.
#[derive(Default)]
struct Noted {
    /// It handed bytes over that tell of nothing, and was not asked for more since.
    untold: Option<Untold>,
    /// Its bytes are counted from now on.
    counted: Option<Counted>,
}

/// Bytes that were handed over and do not tell when they are taken.
#[derive(Clone, Copy)]
struct Untold {
    /// How many times that happened before.
    turn: u32,
    stall_max: Duration,
}

/// Bytes that tell when they are taken.
struct Counted {
    bytes: Arc<Taken>,
    stall_max: Duration,
}

/// Notes that hyper asks for bytes, so that it has got rid of the ones before.
pub(super) fn note_asked() {
    NOTED.with_borrow_mut(|noted| noted.untold = None);
}

/// Notes that bytes are handed over which do not tell when they are taken. `turn` differs from that
/// of the bytes before.
pub(super) fn note_untold(turn: u32, stall_max: Duration) {
    NOTED.with_borrow_mut(|noted| noted.untold = Some(Untold { turn, stall_max }));
}

/// Notes that the bytes from now on are counted here.
pub(super) fn note_counted(bytes: Arc<Taken>, stall_max: Duration) {
    NOTED.with_borrow_mut(|noted| noted.counted = Some(Counted { bytes, stall_max }));
}

/// The bytes of an answer that hyper has been handed, and those that the connection has taken.
#[derive(Debug)]
pub(super) struct Taken {
    begun: Instant,
    handed_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    /// How many bytes are progress; fewer are none, unless they are all that wait.
    pace_bytes: u64,
    /// How many had been taken at the last progress.
    progressed_bytes: AtomicU64,
    /// When that was, or when bytes began to wait, in time since `begun`.
    progressed_ms: AtomicU64,
    /// Whether the body had no more bytes when it was last asked.
    is_paused: AtomicBool,
    /// Whether the body waits for the last of them to be taken.
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

    /// Counts bytes that hyper is handed. Only the body does.
    pub(super) fn hand(&self, bytes: usize) {
        // A peer is not blamed for the pauses of the body.
        if self.is_paused.swap(false, Ordering::Relaxed) && !self.is_waiting() {
            self.progress(self.sent_bytes.load(Ordering::SeqCst));
        }
        self.handed_bytes.fetch_add(bytes as u64, Ordering::SeqCst);
    }

    /// Notes that the body has no bytes to hand over for now. Only the body does.
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

    /// Waits until everything that was handed over is taken.
    pub(super) fn poll_taken(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.is_waiting() {
            return Poll::Ready(());
        }
        self.body.register(cx.waker());
        // From here on `take` wakes the body; what it took before is seen by the next line.
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
            // The timer is not set back at each progress, so it fires before its time.
            if deadline <= Instant::now() {
                tracing::debug!("stream ended because its peer read the response too slowly");
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}

/// When the stream ends unless its peer takes bytes; `None` if none wait.
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
