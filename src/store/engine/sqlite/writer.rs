//! The writer: one thread that runs queued writes and commits them together.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::{mpsc, oneshot};

use super::reader::Readers;
use super::wal::Wal;
use super::{control, driver_of, poll_to_completion, unavailable};
use crate::domain::error::{Error, Result};
use crate::store::Tx;

/// Writes that share one commit.
const BATCH_MAX_WRITES: usize = 512;

/// A queued write.
pub(super) trait Job: Send + std::fmt::Debug {
    /// Whether its caller has gone away.
    fn is_abandoned(&self) -> bool;
    /// Runs it; `false` if what it changed must be undone.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Answers its caller with the outcome, or with a failure that came after it.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

pub(super) struct Queued<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Queued<T, F> {
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work: Some(work), outcome: None, reply }
    }
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

    fn run(&mut self, tx: &mut Tx) -> bool {
        let Some(work) = self.work.take() else { return false };
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
        // Nobody may be waiting any more.
        let _ = self.reply.send(outcome);
    }
}

pub(super) fn run(
    mut tx: Tx,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    mut wal: Wal,
    readers: &Readers,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX_WRITES);
    while gather(&mut queue, &mut batch) {
        let result = run_batch(&mut tx, &mut batch);
        // Whether it succeeded or not: a commit that failed may have been made after all.
        readers.committed();
        if let Err(error) = &result {
            tracing::error!(error.internal = error.internal_text(), "a commit failed");
            // Fails if the transaction is over already, which is as good.
            let _ = control(&tx, "ROLLBACK");
            tx.forget_all_counts();
        }
        for job in batch.drain(..) {
            job.answer(
                result
                    .as_ref()
                    .err()
                    .map(|error| unavailable(error.internal_text().unwrap_or_default())),
            );
        }
        wal.keep_small(driver_of(&tx), readers);
    }
}

/// Takes the writes that are queued, once there is one; `false` if there will be none any more.
fn gather(queue: &mut mpsc::Receiver<Box<dyn Job>>, batch: &mut Vec<Box<dyn Job>>) -> bool {
    let Some(first) = queue.blocking_recv() else { return false };
    batch.push(first);
    // On a busy core, whoever is ready runs first: what it queues shares the commit. On an idle one
    // this returns at once.
    std::thread::yield_now();
    while batch.len() < BATCH_MAX_WRITES
        && let Ok(job) = queue.try_recv()
    {
        batch.push(job);
    }
    true
}

/// Runs every job whose caller still waits, and commits them together.
fn run_batch(tx: &mut Tx, batch: &mut Vec<Box<dyn Job>>) -> Result<()> {
    batch.retain(|job| !job.is_abandoned());
    if batch.is_empty() {
        return Ok(());
    }
    control(tx, "BEGIN IMMEDIATE")?;
    for job in batch.iter_mut() {
        // Its caller may have given up while the ones before it ran.
        if job.is_abandoned() {
            continue;
        }
        control(tx, "SAVEPOINT job")?;
        let keep = catch_unwind(AssertUnwindSafe(|| job.run(tx))).unwrap_or(false);
        if !keep {
            control(tx, "ROLLBACK TO job")?;
            tx.forget_counts();
        }
        control(tx, "RELEASE job")?;
        poll_to_completion(tx.keep_counts())?;
    }
    poll_to_completion(tx.write_counts())?;
    control(tx, "COMMIT")
}
