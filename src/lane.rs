//! Threads for long work, which would otherwise occupy a thread of the runtime for milliseconds or
//! more.
//!
//! # Invariants
//!
//! - Work runs at low priority, so point reads and health checks preempt it.
//! - Work queues by share (usually a tenant), and shares take turns. One share occupies at most a
//!   quarter of the threads, so a fourth share finds a thread however much work three others have
//!   queued.
//! - Once the caller's future is dropped (its deadline expired, or its client left) or the lane
//!   closes, queued work never begins, and for running work [`Abandoned::is_set`] becomes true.
//! - A panic ends only the piece of work in which it occurs.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

/// The niceness of the threads. Under contention, the scheduler gives them a fifteenth of the time
/// of a thread of the runtime.
const NICENESS: i32 = 12;
/// The most pieces of work of one share that may be queued. Further work would be completed after
/// the deadlines of its callers.
pub const WAITING_MAX_PER_SHARE: usize = 256;

/// The reason why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The queue of this share is full.
    Full,
    /// The lane is closed, or was closed before the work began.
    Closed,
    /// The work panicked.
    Panicked,
}

/// A signal that the result of work is no longer wanted.
#[derive(Clone, Debug)]
pub struct Abandoned {
    caller_left: Arc<AtomicBool>,
    lane_closed: Arc<AtomicBool>,
}

impl Abandoned {
    /// Returns whether the caller stopped waiting or the lane is closing. Work should then end.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.caller_left.load(Ordering::Relaxed) || self.lane_closed.load(Ordering::Relaxed)
    }
}

/// Sets [`Abandoned`] when the caller's future is dropped.
struct Caller(Arc<AtomicBool>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Queued work.
struct Work {
    /// The signal that it is no longer wanted. Work without a caller has none.
    abandoned: Option<Abandoned>,
    begin: Box<dyn FnOnce() + Send>,
}

impl Work {
    fn is_wanted(&self) -> bool {
        self.abandoned.as_ref().is_none_or(|abandoned| !abandoned.is_set())
    }
}

#[derive(Default)]
struct State {
    /// The shares with queued work, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    waiting: HashMap<Arc<str>, VecDeque<Work>>,
    running: HashMap<Arc<str>, usize>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    running_max_per_share: usize,
    /// Set while the state is locked.
    closed: Arc<AtomicBool>,
}

impl Shared {
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Refuses queued work, and abandons running work.
    fn close(&self) {
        let left = {
            let mut state = self.state();
            self.closed.store(true, Ordering::Relaxed);
            state.turns.clear();
            std::mem::take(&mut state.waiting)
        };
        // Outside the lock, because dropping work wakes its caller.
        drop(left);
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the next piece of work of a share that is below its limit.
    fn next(&mut self, running_max_per_share: usize) -> Option<(Arc<str>, Work)> {
        let running = &self.running;
        let may_run =
            |share: &Arc<str>| running.get(share).is_none_or(|n| *n < running_max_per_share);
        let place = self.turns.iter().position(may_run)?;
        let share = self.turns.remove(place)?;
        let queue = self.waiting.get_mut(&share)?;
        let work = queue.pop_front()?;
        if queue.is_empty() {
            self.waiting.remove(&share);
        } else {
            self.turns.push_back(Arc::clone(&share));
        }
        *self.running.entry(Arc::clone(&share)).or_default() += 1;
        Some((share, work))
    }

    fn finished(&mut self, share: &Arc<str>) {
        if let Some(running) = self.running.get_mut(share) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(share);
            }
        }
    }
}

/// A fixed pool of threads for long work.
pub struct Lane {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lane")
    }
}

impl Lane {
    /// Starts twice as many threads as there are cores, but at least four. Their priority is low,
    /// and four shares must be able to run work.
    pub fn new(name: &str) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_threads(name, (2 * cores).max(4))
    }

    /// Starts so many threads.
    pub fn with_threads(name: &str, threads: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            running_max_per_share: (threads / 4).max(1),
            closed: Arc::default(),
        });
        let start = |number: usize| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || serve(&shared))
        };
        let threads = (0..threads).map(start).collect::<io::Result<_>>()?;
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// Runs work in its turn and returns its result. Dropping the future abandons the work.
    pub async fn run<T, W>(&self, share: &str, work: W) -> Result<T, Refused>
    where
        T: Send + 'static,
        W: FnOnce(&Abandoned) -> T + Send + 'static,
    {
        let caller = Caller(Arc::default());
        let abandoned = Abandoned {
            caller_left: Arc::clone(&caller.0),
            lane_closed: Arc::clone(&self.shared.closed),
        };
        let (reply, answer) = oneshot::channel();
        let waiting = abandoned.clone();
        let begin = move || {
            // The panic hook has received the message of a panic.
            let done = catch_unwind(AssertUnwindSafe(|| work(&abandoned)));
            // The caller may have left.
            let _ = reply.send(done.map_err(|_| Refused::Panicked));
        };
        self.enqueue(share, Work { abandoned: Some(waiting), begin: Box::new(begin) })?;
        answer.await.unwrap_or(Err(Refused::Closed))
    }

    /// Runs work in its turn, without a caller that waits. The work reports its own result; if it
    /// is dropped, it was not run.
    pub fn start<W>(&self, share: &str, work: W) -> Result<(), Refused>
    where
        W: FnOnce() + Send + 'static,
    {
        // The panic hook has received the message of a panic.
        let begin = || drop(catch_unwind(AssertUnwindSafe(work)));
        self.enqueue(share, Work { abandoned: None, begin: Box::new(begin) })
    }

    fn enqueue(&self, share: &str, work: Work) -> Result<(), Refused> {
        let mut state = self.shared.state();
        if self.shared.is_closed() {
            return Err(Refused::Closed);
        }
        if let Some(queue) = state.waiting.get_mut(share) {
            if queue.len() >= WAITING_MAX_PER_SHARE {
                queue.retain(Work::is_wanted);
            }
            if queue.len() >= WAITING_MAX_PER_SHARE {
                return Err(Refused::Full);
            }
            queue.push_back(work);
        } else {
            let share: Arc<str> = share.into();
            state.waiting.insert(Arc::clone(&share), VecDeque::from([work]));
            state.turns.push_back(share);
        }
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Refuses queued work, abandons running work, and blocks until it has ended.
    pub fn close(&self) {
        self.shared.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread panics only if the lane itself has a bug.
            let _ = thread.join();
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.close();
    }
}

fn serve(shared: &Shared) {
    // Linux applies niceness to a thread; `None` means the calling one. If the call is refused, the
    // work runs at normal priority.
    let _ = rustix::process::setpriority_process(None, NICENESS);
    loop {
        let mut state = shared.state();
        let (share, work) = loop {
            if let Some(next) = state.next(shared.running_max_per_share) {
                break next;
            }
            if shared.is_closed() {
                return;
            }
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        if work.is_wanted() {
            (work.begin)();
        }
        shared.state().finished(&share);
        // The share may run one more now, on this thread or on a waiting one.
        shared.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    use futures_util::FutureExt as _;
    use futures_util::future::join;

    #[tokio::test]
    async fn another_share_finds_a_thread_however_much_the_first_has_queued() {
        let lane = Lane::with_threads("test", 2).expect("threads");
        let (release, held) = mpsc::channel::<()>();
        let first = lane.run("first", move |_| held.recv().is_ok());
        let more = lane.run("first", |_| true);
        let second = async {
            assert_eq!(lane.run("second", |_| 2).await, Ok(2));
            release.send(()).expect("the first still waits");
        };
        let ((first, more), ()) = join(join(first, more), second).await;
        assert_eq!((first, more), (Ok(true), Ok(true)));
    }

    #[tokio::test]
    async fn abandoned_work_does_not_begin_and_running_work_learns_of_it() {
        let lane = Lane::with_threads("test", 2).expect("threads");
        let (begun, beginning) = oneshot::channel();
        let (ended, ending) = oneshot::channel();
        let running = lane.run("share", move |abandoned| {
            let _ = begun.send(());
            while !abandoned.is_set() {
                thread::yield_now();
            }
            let _ = ended.send(());
        });
        let mut running = Box::pin(running);
        assert!(running.as_mut().now_or_never().is_none());
        beginning.await.expect("it begins");
        let mut waiting = Box::pin(lane.run("share", |_| panic!("it must not begin")));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        drop(running);
        ending.await.expect("the running work ends");
        assert_eq!(lane.run("share", |_| 1).await, Ok(1), "the queue goes on behind both");
    }

    #[tokio::test]
    async fn a_share_has_a_longest_line_and_a_panic_ends_only_its_own_work() {
        let lane = Lane::with_threads("test", 2).expect("threads");
        let (release, held) = mpsc::channel::<()>();
        let (begun, beginning) = oneshot::channel();
        let mut first = Box::pin(lane.run("share", move |_| {
            let _ = begun.send(());
            held.recv().is_ok()
        }));
        assert!(first.as_mut().now_or_never().is_none());
        beginning.await.expect("it begins");
        let queue = || {
            let mut work = Box::pin(lane.run("share", |_| ()));
            assert!(work.as_mut().now_or_never().is_none());
            work
        };
        let mut queued: Vec<_> = (0..WAITING_MAX_PER_SHARE).map(|_| queue()).collect();
        assert_eq!(lane.run("share", |_| ()).await, Err(Refused::Full));
        // Work that is abandoned makes room although no thread is free.
        drop(queued.pop());
        queued.push(queue());
        let panicked: Result<(), _> = lane.run("other", |_| panic!("planted")).await;
        assert_eq!(panicked, Err(Refused::Panicked));
        release.send(()).expect("the first still waits");
        assert_eq!(first.await, Ok(true));
        for work in queued {
            assert_eq!(work.await, Ok(()));
        }
    }

    #[tokio::test]
    async fn a_closed_lane_refuses() {
        let lane = Lane::with_threads("test", 2).expect("threads");
        lane.close();
        assert_eq!(lane.run("share", |_| ()).await, Err(Refused::Closed));
        assert_eq!(lane.start("share", || ()), Err(Refused::Closed));
    }

    #[tokio::test]
    async fn closing_abandons_what_runs_although_its_caller_waits() {
        let lane = Lane::with_threads("test", 2).expect("threads");
        let (begun, beginning) = oneshot::channel();
        let mut running = Box::pin(lane.run("share", move |abandoned| {
            let _ = begun.send(());
            while !abandoned.is_set() {
                thread::yield_now();
            }
        }));
        assert!(running.as_mut().now_or_never().is_none());
        beginning.await.expect("it begins");
        lane.close();
        assert_eq!(running.await, Ok(()));
    }

    #[tokio::test]
    async fn work_that_waits_for_a_lane_that_is_dropped_never_begins() {
        let lane = Lane::with_threads("test", 2).expect("threads");
        let (release, held) = mpsc::channel::<()>();
        let (begun, beginning) = oneshot::channel();
        let first = move || {
            let _ = begun.send(());
            let _ = held.recv();
        };
        assert_eq!(lane.start("share", first), Ok(()));
        beginning.await.expect("it begins");
        let (dropped, ended) = oneshot::channel::<()>();
        let waiting = move || {
            let _ = dropped.send(());
        };
        assert_eq!(lane.start("share", waiting), Ok(()));
        drop(lane);
        assert!(ended.await.is_err(), "it was dropped and did not begin");
        drop(release);
    }

    #[tokio::test]
    async fn started_work_runs_without_a_caller_and_its_panic_ends_nothing_else() {
        let lane = Lane::with_threads("test", 2).expect("threads");
        let (dropped, ended) = oneshot::channel::<()>();
        let panicking = move || {
            let _dropped = dropped;
            panic!("planted")
        };
        assert_eq!(lane.start("share", panicking), Ok(()));
        assert!(ended.await.is_err(), "it ended without a word");
        assert_eq!(lane.run("share", |_| 1).await, Ok(1));
    }
}
