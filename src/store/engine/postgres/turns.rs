//! Turns: the order in which calls get connections.
//!
//! Calls wait here, not in the database: a waiting call has no connection, and a call whose caller
//! leaves costs nothing. A call gets a turn once no other turn of this server excludes its locks. A
//! tenant has only some of the turns at a time, and the tenant with the fewest goes first, so that
//! many calls of one tenant do not delay another. Within a tenant calls are served in their order,
//! but calls that exclude others, such as the closing of a screener, alternate with the rest.
//!
//! Locks of other servers are unknown here. Only few calls of a tenant may wait for them at a time.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::domain::error::Result;
use crate::store::Locks;
use crate::store::engine::unavailable;
use crate::store::lock::{Key, Mode};

/// The most concurrent turns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) all: usize,
    pub(super) tenant: usize,
    /// The turns of a tenant whose calls do not have their locks in the database yet.
    pub(super) locking: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Turns {
    limits: Limits,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    arrivals: u64,
    tenants: HashMap<String, Tenant>,
}

#[derive(Debug, Default)]
struct Tenant {
    running: usize,
    locking: usize,
    held: HashMap<Key, Held>,
    /// Calls that exclude others by more than one person's lock.
    exclusive: VecDeque<Waiting>,
    others: VecDeque<Waiting>,
    /// Whether the last turn excluded others.
    was_exclusive: bool,
}

/// The turns that hold a lock.
#[derive(Debug, Default)]
struct Held {
    shared: usize,
    alone: bool,
}

#[derive(Debug)]
struct Waiting {
    arrival: u64,
    locks: Locks,
    start: oneshot::Sender<Turn>,
}

/// Lets the next calls begin if its call leaves while it waits: it may have reserved its locks.
struct Leaving<'a> {
    turns: &'a Turns,
    is_waiting: bool,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.turns.change(|_| ());
        }
    }
}

/// A turn. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    tenant: String,
    locks: Locks,
    is_locking: bool,
}

impl Turns {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Arc::default() }
    }

    /// Waits for a turn of a tenant. Calls without a tenant share the turns of one.
    pub(super) async fn take(&self, tenant: &str, locks: &Locks) -> Result<Turn> {
        // Dropped after the receiver, so that the call has left when the state is looked at.
        let mut leaving = Leaving { turns: self, is_waiting: true };
        let (start, started) = oneshot::channel();
        self.change(|state| {
            state.arrivals += 1;
            let waiting = Waiting { arrival: state.arrivals, locks: locks.clone(), start };
            let tenant = state.tenants.entry(tenant.to_owned()).or_default();
            tenant.queue(locks.is_exclusive()).push_back(waiting);
        });
        let turn = started.await.map_err(unavailable);
        leaving.is_waiting = false;
        turn
    }

    /// Returns how many calls wait.
    pub(super) fn waiting(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |tenant: &Tenant| tenant.exclusive.len() + tenant.others.len();
        state.tenants.values().map(waiting).sum()
    }

    /// Changes the state, and starts all calls that may begin then.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.tenants.retain(|_, tenant| tenant.is_here());
        let departed = self.start(&mut state);
        drop(state);
        // Each turn ends here, which locks the state again.
        drop(departed);
    }

    /// Starts calls while turns are free. Returns turns whose caller has just left.
    fn start(&self, state: &mut State) -> Vec<Turn> {
        let mut departed = Vec::new();
        while state.running < self.limits.all
            && let Some((name, waiting)) = self.next(state)
        {
            let tenant = state.tenants.entry(name.clone()).or_default();
            tenant.hold(&waiting.locks);
            state.running += 1;
            let turns = self.clone();
            let turn = Turn { turns, tenant: name, locks: waiting.locks, is_locking: true };
            departed.extend(waiting.start.send(turn).err());
        }
        departed
    }

    /// Removes the next call from its queue.
    fn next(&self, state: &mut State) -> Option<(String, Waiting)> {
        let mut tenants: Vec<_> = state
            .tenants
            .iter_mut()
            .filter(|(_, it)| it.running < self.limits.tenant && it.locking < self.limits.locking)
            .filter_map(|(name, it)| Some((it.running, it.first_arrival()?, name, it)))
            .collect();
        tenants.sort_unstable_by_key(|(running, first, ..)| (*running, *first));
        tenants.into_iter().find_map(|(.., name, it)| Some((name.clone(), it.next()?)))
    }
}

impl Tenant {
    fn queue(&mut self, is_exclusive: bool) -> &mut VecDeque<Waiting> {
        if is_exclusive { &mut self.exclusive } else { &mut self.others }
    }

    /// Removes calls whose callers have left. Returns whether the tenant still has any call.
    fn is_here(&mut self) -> bool {
        for queue in [&mut self.exclusive, &mut self.others] {
            queue.retain(|it| !it.start.is_closed());
        }
        self.running > 0 || self.first_arrival().is_some()
    }

    /// Returns the number of the call that has waited longest.
    fn first_arrival(&self) -> Option<u64> {
        let first = [self.exclusive.front(), self.others.front()];
        first.into_iter().flatten().map(|it| it.arrival).min()
    }

    /// Removes the next call that may begin from its queue.
    fn next(&mut self) -> Option<Waiting> {
        let exclusive = self.exclusive.front().map(|it| &it.locks);
        let may_begin = exclusive.is_some_and(|locks| self.is_free(locks));
        if may_begin && !self.was_exclusive {
            return self.exclusive.pop_front();
        }
        // Other calls overtake a call that excludes others only once.
        let reserved = exclusive.filter(|_| !self.was_exclusive);
        let other = self.others.iter().position(|it| {
            self.is_free(&it.locks) && !reserved.is_some_and(|locks| locks.exclude(&it.locks))
        });
        match other {
            Some(place) => self.others.remove(place),
            None if may_begin => self.exclusive.pop_front(),
            None => None,
        }
    }

    fn is_free(&self, locks: &Locks) -> bool {
        locks.keys().all(|(key, mode)| match (self.held.get(key), mode) {
            (None, _) => true,
            (Some(held), Mode::Shared) => !held.alone,
            (Some(_), Mode::Alone) => false,
        })
    }

    fn hold(&mut self, locks: &Locks) {
        self.running += 1;
        self.locking += 1;
        self.was_exclusive = locks.is_exclusive();
        for (key, mode) in locks.keys() {
            let held = self.held.entry(key.clone()).or_default();
            match mode {
                Mode::Shared => held.shared += 1,
                Mode::Alone => held.alone = true,
            }
        }
    }

    fn release(&mut self, locks: &Locks) {
        self.running -= 1;
        for (key, mode) in locks.keys() {
            let Some(held) = self.held.get_mut(key) else { continue };
            match mode {
                Mode::Shared => held.shared -= 1,
                Mode::Alone => held.alone = false,
            }
            if held.shared == 0 && !held.alone {
                self.held.remove(key);
            }
        }
    }
}

impl Turn {
    /// Records that the call has its locks in the database.
    pub(super) fn locked(&mut self) {
        if mem::take(&mut self.is_locking) {
            self.turns.change(|state| {
                if let Some(tenant) = state.tenants.get_mut(&self.tenant) {
                    tenant.locking -= 1;
                }
            });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.locked();
        let turns = self.turns.clone();
        turns.change(|state| {
            state.running -= 1;
            if let Some(tenant) = state.tenants.get_mut(&self.tenant) {
                tenant.release(&self.locks);
            }
        });
    }
}

#[cfg(test)]
mod tests;
