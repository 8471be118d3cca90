//! The meter of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Words, count};

/// The upper bounds of waits and commits, in seconds.
const BUCKETS_SECONDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// The upper bounds of the writes that share a commit.
const BUCKETS_WRITES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// How an attempt to truncate the write-ahead log ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Truncation {
    /// The log is empty again.
    Truncated,
    /// A read of this process prevented it.
    Prevented,
    /// A read of another process prevented it.
    PreventedByOtherProcess,
    /// The database reported an error.
    Failed,
}

/// The counters and histograms of the store.
#[derive(Debug)]
pub struct StoreMeter {
    write_wait: Histogram,
    commit: Histogram,
    commit_writes: Histogram,
    commit_failures: Counter,
    wal_frames: Arc<AtomicI64>,
    truncations: Words,
    changes: Words,
}

impl Default for StoreMeter {
    /// Creates a meter that is not part of any scrape.
    fn default() -> Self {
        Self::registered(&mut Registry::default())
    }
}

impl StoreMeter {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let meter = Self {
            write_wait: Histogram::new(BUCKETS_SECONDS),
            commit: Histogram::new(BUCKETS_SECONDS),
            commit_writes: Histogram::new(BUCKETS_WRITES),
            commit_failures: Counter::default(),
            wal_frames: Arc::new(AtomicI64::new(-1)),
            truncations: Words::new(
                "outcome",
                &["truncated", "prevented", "prevented_by_other_process", "failed"],
            ),
            changes: Words::new("action", &[]),
        };
        registry.register_with_unit(
            "screenerd_store_write_wait",
            "How long writes waited for their turn",
            Unit::Seconds,
            meter.write_wait.clone(),
        );
        registry.register_with_unit(
            "screenerd_store_commit",
            "Duration of the work and the commit of writes, after they got their locks",
            Unit::Seconds,
            meter.commit.clone(),
        );
        registry.register(
            "screenerd_store_commit_writes",
            "Writes that shared a commit",
            meter.commit_writes.clone(),
        );
        registry.register(
            "screenerd_store_commit_failures",
            "Commits that failed",
            meter.commit_failures.clone(),
        );
        registry.register(
            "screenerd_store_wal_truncations",
            "Attempts to truncate the write-ahead log of SQLite",
            meter.truncations.family.clone(),
        );
        registry.register(
            "screenerd_changes",
            "Committed changes by the action of their entry in the audit log",
            meter.changes.family.clone(),
        );
        meter
    }

    /// Records how long a write waited for its turn.
    pub fn waited(&self, wait: Duration) {
        self.write_wait.observe(wait.as_secs_f64());
    }

    /// Records a commit of so many writes.
    pub fn committed(&self, writes: usize, took: Duration) {
        self.commit.observe(took.as_secs_f64());
        self.commit_writes.observe(f64::from(u32::try_from(writes).unwrap_or(u32::MAX)));
    }

    /// Records a commit that failed.
    pub fn commit_failed(&self) {
        self.commit_failures.inc();
    }

    /// Returns the frames of the write-ahead log after the last commit, if they are measured.
    #[must_use]
    pub fn wal_frames(&self) -> Option<f64> {
        let frames = self.wal_frames.load(Ordering::Relaxed);
        usize::try_from(frames).ok().map(count)
    }

    /// Records the length of the write-ahead log.
    pub fn wal_has(&self, frames: u64) {
        self.wal_frames.store(i64::try_from(frames).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Records an attempt to truncate the write-ahead log.
    pub fn truncation(&self, outcome: Truncation) {
        self.truncations.count(match outcome {
            Truncation::Truncated => "truncated",
            Truncation::Prevented => "prevented",
            Truncation::PreventedByOtherProcess => "prevented_by_other_process",
            Truncation::Failed => "failed",
        });
    }

    /// Records a committed change.
    pub fn changed(&self, action: &'static str) {
        self.changes.count(action);
    }
}
