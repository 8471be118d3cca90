//! Whose turn it is to have a connection for a write.
//!
//! The writes of one tenant follow each other anyway, at its counts. So a tenant has only some of the
//! connections, and its other writes wait here, in their order and at no cost, where a caller that gives
//! up leaves nothing behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::id::TenantId;

/// Connections that the writes of one tenant have at most: enough that the next one waits at the
/// tenant's counts while one commits, over a slow network, too.
const TENANT_WRITE_MAX_CONNECTIONS: u32 = 8;
/// Tenants without writes that are remembered.
const IDLE_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<TenantId, Weak<Semaphore>>>);

/// A turn, which ends when it is dropped. It keeps alive what the tenant's others wait for.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for a turn of a tenant. What belongs to none needs none.
    pub(super) async fn take(&self, tenant: Option<&TenantId>) -> Turn {
        let Some(tenant) = tenant else { return Turn { _permit: None } };
        let turns = self.of(tenant);
        // It is never closed.
        Turn { _permit: turns.acquire_owned().await.ok() }
    }

    fn of(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = tenants.get(tenant).and_then(Weak::upgrade) {
            return turns;
        }
        if tenants.len() >= IDLE_MAX {
            tenants.retain(|_, turns| turns.strong_count() > 0);
        }
        let turns = Arc::new(Semaphore::new(TENANT_WRITE_MAX_CONNECTIONS as usize));
        tenants.insert(tenant.clone(), Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_tenant_has_so_many_turns_and_leaves_the_rest_to_others() {
        let (one, other) = ("t", "u");
        let id = |text| TenantId::parse(text).expect("an id");
        let turns = Turns::default();
        let mut taken = Vec::new();
        for _ in 0..TENANT_WRITE_MAX_CONNECTIONS {
            taken.push(turns.take(Some(&id(one))).await);
        }
        assert!(turns.take(Some(&id(one))).now_or_never().is_none(), "all turns are taken");
        assert!(turns.take(Some(&id(other))).now_or_never().is_some());
        assert!(turns.take(None).now_or_never().is_some());
        taken.pop();
        assert!(turns.take(Some(&id(one))).now_or_never().is_some(), "one has ended");
    }
}
