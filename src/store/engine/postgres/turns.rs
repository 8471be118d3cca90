//! Whose turn it is to have a connection.
//!
//! A tenant has only some of the connections for writes, and of those for reads for the ones that take
//! long. Its writes follow each other anyway, at its counts. What has no turn waits here, in its order and
//! at no cost, where a caller that gives up leaves nothing behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tenants without writes that are remembered.
const IDLE_MAX: usize = 1_024;

#[derive(Debug)]
pub(super) struct Turns {
    /// Turns that a tenant has at a time.
    max: u32,
    tenants: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A turn, which ends when it is dropped. It keeps alive what the tenant's others wait for.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Gives each tenant at most so many turns at a time.
    pub(super) fn new(max: u32) -> Self {
        Self { max, tenants: Mutex::default() }
    }

    /// Waits for a turn of a tenant. What belongs to none needs none.
    pub(super) async fn take(&self, tenant: Option<&str>) -> Turn {
        let Some(tenant) = tenant else { return Turn { _permit: None } };
        let turns = self.of(tenant);
        // It is never closed.
        Turn { _permit: turns.acquire_owned().await.ok() }
    }

    fn of(&self, tenant: &str) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = tenants.get(tenant).and_then(Weak::upgrade) {
            return turns;
        }
        if tenants.len() >= IDLE_MAX {
            tenants.retain(|_, turns| turns.strong_count() > 0);
        }
        let turns = Arc::new(Semaphore::new(self.max as usize));
        tenants.insert(tenant.to_owned(), Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_tenant_has_so_many_turns_and_leaves_the_rest_to_others() {
        let turns = Turns::new(2);
        let mut taken = vec![turns.take(Some("t")).await, turns.take(Some("t")).await];
        assert!(turns.take(Some("t")).now_or_never().is_none(), "all turns are taken");
        assert!(turns.take(Some("u")).now_or_never().is_some());
        assert!(turns.take(None).now_or_never().is_some());
        taken.pop();
        assert!(turns.take(Some("t")).now_or_never().is_some(), "one has ended");
    }
}
