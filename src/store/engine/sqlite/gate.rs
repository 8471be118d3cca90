//! The gate in front of the writer's queue: shut while a write runs alone.
//!
//! A write passes the gate before it is queued, so a write that is refused here has not begun. The
//! gate shuts once every write that has passed is queued. The exclusive write comes after them, and
//! no other write is queued until it has ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedRwLockWriteGuard, RwLock, RwLockReadGuard};
use tokio::time::{Instant, timeout_at};

use crate::domain::error::{Error, Kind, Result};

/// How long a write runs alone before others are refused. Others wait for a short import, but a
/// long one would keep callers waiting beyond their deadlines.
const WAIT_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Gate {
    wait_max: Duration,
    lock: Arc<RwLock<()>>,
    shut_at: Arc<Mutex<Option<Instant>>>,
}

/// Keeps the gate shut.
#[derive(Debug)]
pub(super) struct Shut {
    _lock: OwnedRwLockWriteGuard<()>,
    shut_at: Arc<Mutex<Option<Instant>>>,
}

impl Drop for Shut {
    fn drop(&mut self) {
        set(&self.shut_at, None);
    }
}

fn set(shut_at: &Mutex<Option<Instant>>, instant: Option<Instant>) {
    *shut_at.lock().unwrap_or_else(PoisonError::into_inner) = instant;
}

impl Default for Gate {
    fn default() -> Self {
        Self { wait_max: WAIT_MAX, lock: Arc::default(), shut_at: Arc::default() }
    }
}

impl Gate {
    /// Passes the gate, which stays open until the returned guard is dropped. Fails if a write has
    /// been running alone for too long.
    pub(super) async fn pass(&self) -> Result<RwLockReadGuard<'_, ()>> {
        match self.lock.try_read() {
            Ok(passage) => Ok(passage),
            Err(_) => self.patiently(self.lock.read()).await,
        }
    }

    /// Shuts the gate. Fails like [`Self::pass`].
    pub(super) async fn shut(&self) -> Result<Shut> {
        let lock = self.patiently(Arc::clone(&self.lock).write_owned()).await?;
        set(&self.shut_at, Some(Instant::now()));
        Ok(Shut { _lock: lock, shut_at: Arc::clone(&self.shut_at) })
    }

    async fn patiently<T>(&self, turn: impl Future<Output = T>) -> Result<T> {
        let shut_at = *self.shut_at.lock().unwrap_or_else(PoisonError::into_inner);
        let until = shut_at.unwrap_or_else(Instant::now) + self.wait_max;
        timeout_at(until, turn).await.map_err(|_| {
            let detail = "An import is running, and no other write is accepted. Try again later.";
            Error::new(Kind::Unavailable, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn writes_are_refused_once_one_has_been_running_alone_for_too_long() {
        let gate = Gate { wait_max: Duration::ZERO, ..Gate::default() };
        let shut = gate.shut().await.expect("it is open");
        assert_eq!(gate.pass().await.expect_err("it is shut").kind(), Kind::Unavailable);
        assert!(gate.shut().await.is_err(), "another import is refused, too");
        drop(shut);
        assert!(gate.pass().await.is_ok());
    }

    #[tokio::test]
    async fn writes_wait_for_one_that_runs_alone_for_a_short_time() {
        let gate = Gate { wait_max: Duration::from_mins(10), ..Gate::default() };
        let shut = gate.shut().await.expect("it is open");
        let mut waiting = Box::pin(gate.pass());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(shut);
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn the_gate_shuts_behind_the_writes_that_have_passed() {
        let gate = Gate { wait_max: Duration::from_mins(10), ..Gate::default() };
        let passage = gate.pass().await.expect("it is open");
        let mut shutting = Box::pin(gate.shut());
        assert!(shutting.as_mut().now_or_never().is_none(), "a write is being queued");
        let mut late = Box::pin(gate.pass());
        assert!(late.as_mut().now_or_never().is_none(), "it comes after the import");
        drop(passage);
        let shut = shutting.await.expect("every write is queued");
        drop(shut);
        assert!(late.await.is_ok());
    }
}
