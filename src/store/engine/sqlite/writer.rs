//! The writer: one thread that runs queued writes and commits them together.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::abort::AbortOnPanic;
use super::gate::Shut;
use super::reader::Readers;
use super::wal::Wal;
use super::{control, driver_of, poll_to_completion, unavailable};
use crate::domain::error::{Error, Result};
use crate::meter::StoreMeter;
use crate::store::{Locks, WriteTx};

/// The most writes that share one commit.
const BATCH_MAX_WRITES: usize = 512;

/// A queued write.
pub(super) trait Job: Send {
    /// Returns whether its caller has left.
    fn is_abandoned(&self) -> bool;
    /// Returns when it was queued.
    fn waits_since(&self) -> Instant;
    /// Runs the write. Returns `false` if its changes must be undone.
    fn run(&mut self, tx: &mut WriteTx) -> bool;
    /// Sends the outcome to the caller, or a later failure.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

pub(super) struct Queued<T, F> {
    work: Option<(Locks, F)>,
    is_alone: bool,
    since: Instant,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Queued<T, F> {
    /// Creates work that shares a commit.
    pub(super) fn new(locks: Locks, work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        let work = Some((locks, work));
        Self { work, is_alone: false, since: Instant::now(), outcome: None, reply }
    }

    /// Creates work that runs alone.
    pub(super) fn alone(locks: Locks, work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { is_alone: true, ..Self::new(locks, work, reply) }
    }
}

impl<T, F> Job for Queued<T, F>
where
    F: AsyncFnOnce(&mut WriteTx) -> Result<T> + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn waits_since(&self) -> Instant {
        self.since
    }

    fn run(&mut self, tx: &mut WriteTx) -> bool {
        let Some((locks, work)) = self.work.take() else { return false };
        tx.begin_piece(locks, self.is_alone);
        let outcome = poll_to_completion(work(tx));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, failure: Option<Error>) {
        let panicked = || Err(Error::internal("a write panicked"));
        let outcome = match failure {
            Some(error) => Err(error),
            None => self.outcome.unwrap_or_else(panicked),
        };
        // The caller may have left.
        let _ = self.reply.send(outcome);
    }
}

/// An entry of the writer's queue.
pub(super) enum Write {
    /// A write that shares a commit with others.
    Together(Box<dyn Job>),
    /// A write with a transaction of its own. The gate stays shut until the log is small again.
    Alone(Box<dyn Job>, Shut),
}

/// Writes that are dequeued at the same time.
#[derive(Default)]
struct Batch {
    together: Vec<Box<dyn Job>>,
    /// The write that runs alone after these.
    alone: Option<(Box<dyn Job>, Shut)>,
}

pub(super) fn run(
    mut tx: WriteTx,
    mut queue: mpsc::Receiver<Write>,
    mut wal: Wal,
    readers: &Readers,
    meter: &StoreMeter,
) {
    let _guard = AbortOnPanic;
    let mut batch = Batch::default();
    while gather(&mut queue, &mut batch) {
        if !batch.together.is_empty() {
            let result =
                measured(&mut tx, meter, |tx| run_together(tx, &mut batch.together, meter));
            finish(&mut tx, readers, &result);
            answer(&result, batch.together.drain(..));
            wal.keep_small(driver_of(&tx), readers);
        }
        if let Some((mut job, shut)) = batch.alone.take() {
            let result = measured(&mut tx, meter, |tx| run_alone(tx, &mut *job, meter));
            finish(&mut tx, readers, &result);
            wal.expect_large();
            // The gate opens before its caller gets the result: the next import can begin at once.
            wal.keep_small(driver_of(&tx), readers);
            drop(shut);
            answer(&result, [job]);
        }
    }
}

/// Runs a transaction, which returns how many writes it has committed, and records it.
fn measured(
    tx: &mut WriteTx,
    meter: &StoreMeter,
    run: impl FnOnce(&mut WriteTx) -> Result<usize>,
) -> Result<()> {
    let begun = Instant::now();
    match run(tx) {
        Ok(0) => {}
        Ok(writes) => {
            meter.committed(writes, begun.elapsed());
            tx.acts.count(meter);
        }
        Err(error) => {
            meter.commit_failed();
            return Err(error);
        }
    }
    Ok(())
}

/// Finishes a transaction: readers take another snapshot, and a failed transaction is rolled back.
fn finish(tx: &mut WriteTx, readers: &Readers, result: &Result<()>) {
    // Also after a failed commit, which may have been made after all.
    readers.committed();
    if let Err(error) = result {
        tracing::error!(error.internal = error.internal_text(), "a commit failed");
        // Fails if the transaction has ended already, which is harmless.
        let _ = control(tx, "ROLLBACK");
        tx.forget_all_counts();
    }
}

/// Responds to the callers of jobs whose transaction has ended.
fn answer(result: &Result<()>, jobs: impl IntoIterator<Item = Box<dyn Job>>) {
    for job in jobs {
        let failure = result.as_ref().err();
        job.answer(failure.map(|error| unavailable(error.internal_text().unwrap_or_default())));
    }
}

/// Waits for a write, and dequeues all up to one that runs alone. Returns `false` once the queue is
/// closed.
fn gather(queue: &mut mpsc::Receiver<Write>, batch: &mut Batch) -> bool {
    let Some(first) = queue.blocking_recv() else { return false };
    let mut next = Some(first);
    // On a busy core, ready tasks run first, and their writes share the commit. On an idle core
    // this returns at once.
    std::thread::yield_now();
    while let Some(write) = next {
        match write {
            Write::Together(job) => batch.together.push(job),
            Write::Alone(job, shut) => {
                batch.alone = Some((job, shut));
                break;
            }
        }
        let is_full = batch.together.len() == BATCH_MAX_WRITES;
        next = if is_full { None } else { queue.try_recv().ok() };
    }
    true
}

/// Runs every job whose caller still waits, and commits them together. Returns how
/// many it has committed.
fn run_together(
    tx: &mut WriteTx,
    batch: &mut Vec<Box<dyn Job>>,
    meter: &StoreMeter,
) -> Result<usize> {
    batch.retain(|job| !job.is_abandoned());
    if batch.is_empty() {
        return Ok(0);
    }
    let mut writes = 0;
    control(tx, "BEGIN IMMEDIATE")?;
    for job in batch.iter_mut() {
        // Its caller may have left while the previous jobs ran.
        if job.is_abandoned() {
            continue;
        }
        control(tx, "SAVEPOINT job")?;
        meter.waited(job.waits_since().elapsed());
        if run_job(tx, &mut **job) {
            writes += 1;
        } else {
            control(tx, "ROLLBACK TO job")?;
            tx.forget_counts();
        }
        control(tx, "RELEASE job")?;
        poll_to_completion(tx.keep_counts())?;
    }
    poll_to_completion(tx.write_counts())?;
    control(tx, "COMMIT")?;
    Ok(writes)
}

/// Runs a job in a transaction of its own. A savepoint would keep every changed page in memory, and
/// an import changes most of the file.
fn run_alone(tx: &mut WriteTx, job: &mut dyn Job, meter: &StoreMeter) -> Result<usize> {
    if job.is_abandoned() {
        return Ok(0);
    }
    meter.waited(job.waits_since().elapsed());
    control(tx, "BEGIN IMMEDIATE")?;
    if run_job(tx, job) {
        poll_to_completion(tx.keep_counts())?;
        poll_to_completion(tx.write_counts())?;
        control(tx, "COMMIT")?;
        return Ok(1);
    }
    tx.forget_all_counts();
    // A full disk, for example, has ended the transaction already.
    if !driver_of(tx).is_autocommit() {
        control(tx, "ROLLBACK")?;
    }
    Ok(0)
}

/// Runs a job. Returns `false` if its changes must be undone.
fn run_job(tx: &mut WriteTx, job: &mut dyn Job) -> bool {
    catch_unwind(AssertUnwindSafe(|| job.run(tx))).unwrap_or(false)
}
