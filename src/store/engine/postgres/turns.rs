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
    /// Turns whose calls do not have their locks in the database yet.
    pub(super) locking: usize,
    /// The same for one tenant.
    pub(super) tenant_locking: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Turns {
    limits: Limits,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    locking: usize,
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
            && state.locking < self.limits.locking
            && let Some((name, waiting)) = self.next(state)
        {
            let tenant = state.tenants.entry(name.clone()).or_default();
            tenant.hold(&waiting.locks);
            state.running += 1;
            state.locking += 1;
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
            .filter(|(_, it)| {
                it.running < self.limits.tenant && it.locking < self.limits.tenant_locking
            })
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
                state.locking -= 1;
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
mod tests {
    use std::future::Future;
    use std::pin::Pin;

    use futures_util::FutureExt as _;
    use proptest::collection;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::{ScreenerId, TenantId};
    use crate::domain::participant::{ExternalUid, Person};

    type Call = Pin<Box<dyn Future<Output = Result<Turn>> + Send>>;

    const LIMITS: Limits = Limits { all: 4, tenant: 3, locking: 4, tenant_locking: 3 };

    fn shared(tenant: &str) -> Locks {
        Locks::of(&TenantId::parse(tenant).expect("an id"))
    }

    fn screener() -> ScreenerId {
        ScreenerId::parse("s").expect("an id")
    }

    fn person(uid: &str) -> Person {
        Person::Uid(ExternalUid::parse(uid).expect("a uid"))
    }

    /// Returns a call that waits for its turn, and the turn if it has one already.
    fn call(turns: &Turns, tenant: &str, locks: Locks) -> (Call, Option<Turn>) {
        let (turns, tenant) = (turns.clone(), tenant.to_owned());
        let mut call: Call = Box::pin(async move { turns.take(&tenant, &locks).await });
        let turn = call.as_mut().now_or_never().and_then(Result::ok);
        (call, turn)
    }

    fn is_empty(turns: &Turns) -> bool {
        let state = turns.state.lock().expect("no panic");
        state.running == 0 && state.tenants.is_empty()
    }

    #[test]
    fn a_tenant_has_so_many_turns_and_the_one_with_the_fewest_goes_first() {
        let turns = Turns::new(LIMITS);
        let mut running: Vec<_> =
            (0..3).map(|_| call(&turns, "t", shared("t")).1.expect("a turn")).collect();
        let (mut crowd, none) = call(&turns, "t", shared("t"));
        assert!(none.is_none(), "a tenant has three");
        running.push(call(&turns, "u", shared("u")).1.expect("a turn"));
        let (mut second, none) = call(&turns, "u", shared("u"));
        assert!(none.is_none(), "there are four");
        let (mut quiet, none) = call(&turns, "v", shared("v"));
        assert!(none.is_none(), "there are four");
        drop(running.remove(0));
        assert!(
            crowd.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none()
        );
        let quiet = quiet.as_mut().now_or_never().expect("its turn");
        drop(running.remove(0));
        let crowd = crowd.as_mut().now_or_never().expect("its turn, for it came first");
        drop((running, quiet, crowd));
        assert!(second.now_or_never().is_some());
        assert!(is_empty(&turns));
    }

    #[test]
    fn a_call_that_another_excludes_is_passed_by_those_that_are_free() {
        let turns = Turns::new(LIMITS);
        let ann = || shared("t").person(&person("ann"));
        let first = call(&turns, "t", ann()).1.expect("a turn");
        let (mut second, none) = call(&turns, "t", ann());
        assert!(none.is_none(), "ann is locked");
        let bob = call(&turns, "t", shared("t").person(&person("bob"))).1.expect("a turn");
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.now_or_never().is_some());
        drop(bob);
        assert!(is_empty(&turns));
    }

    #[test]
    fn a_call_that_excludes_others_is_passed_by_once_only() {
        let turns = Turns::new(LIMITS);
        let answer = || call(&turns, "t", shared("t").screener(&screener()));
        let close = || call(&turns, "t", shared("t").screener_alone(&screener()));
        let crowd = [answer().1.expect("a turn"), answer().1.expect("a turn")];
        let ((mut one, _), (mut other, _)) = (close(), close());
        let ((mut next, none), (mut last, _)) = (answer(), answer());
        assert!(none.is_none(), "the screener is to be closed");
        drop(crowd);
        let closed = one.as_mut().now_or_never().expect("its turn");
        assert!(next.as_mut().now_or_never().is_none());
        drop(closed);
        let answered = next.as_mut().now_or_never().expect("its turn");
        assert!(last.as_mut().now_or_never().is_none(), "two in a row would be unfair");
        assert!(other.as_mut().now_or_never().is_none());
        drop(answered);
        let closed = other.as_mut().now_or_never().expect("its turn");
        drop(closed);
        assert!(last.now_or_never().is_some());
        assert!(is_empty(&turns));
    }

    #[test]
    fn few_calls_of_a_tenant_wait_for_locks_of_other_servers() {
        let turns = Turns::new(Limits { locking: 2, tenant_locking: 1, ..LIMITS });
        let mut first = call(&turns, "t", shared("t")).1.expect("a turn");
        let (mut second, none) = call(&turns, "t", shared("t"));
        assert!(none.is_none());
        let mut other = call(&turns, "u", shared("u")).1.expect("a turn");
        let (mut third, none) = call(&turns, "v", shared("v"));
        assert!(none.is_none(), "two of all tenants");
        first.locked();
        let third = third.as_mut().now_or_never().expect("its turn, for it has the fewest");
        assert!(second.as_mut().now_or_never().is_none());
        other.locked();
        let second = second.as_mut().now_or_never().expect("its turn");
        drop((first, other, second, third));
        assert!(is_empty(&turns));
    }

    #[test]
    fn a_caller_that_leaves_costs_nothing() {
        let turns = Turns::new(Limits { all: 1, ..LIMITS });
        let first = call(&turns, "t", shared("t")).1.expect("a turn");
        let (unseen, _) = call(&turns, "t", shared("t").screener_alone(&screener()));
        let (gone, _) = call(&turns, "u", shared("u"));
        let (mut last, _) = call(&turns, "u", shared("u"));
        drop(gone);
        drop(first);
        // It gets its turn, but leaves before it is polled.
        assert!(last.as_mut().now_or_never().is_none());
        drop(unseen);
        assert!(last.now_or_never().is_some());
        assert!(is_empty(&turns));
    }

    #[test]
    fn a_batch_of_persons_gets_its_turn_however_often_each_of_them_answers() {
        let turns = Turns::new(LIMITS);
        let answer = |uid: &str| call(&turns, "t", shared("t").person(&person(uid)));
        let mut ann = answer("ann").1.expect("a turn");
        let both = shared("t").person(&person("ann")).person(&person("bob"));
        let (mut batch, none) = call(&turns, "t", both);
        assert!(none.is_none(), "ann is locked");
        // Each answers again before the other one has ended.
        for round in 0.. {
            let (mut next, turn) = answer(if round % 2 == 0 { "bob" } else { "ann" });
            drop(ann);
            match turn.or_else(|| next.as_mut().now_or_never().and_then(Result::ok)) {
                Some(turn) => ann = turn,
                None => break,
            }
            assert!(round < 3, "the batch is overtaken again and again");
        }
        assert!(batch.as_mut().now_or_never().is_some());
    }

    #[test]
    fn a_call_that_leaves_holds_up_none_of_those_behind_it() {
        let turns = Turns::new(LIMITS);
        let answer = || call(&turns, "t", shared("t").screener(&screener()));
        let slow = answer().1.expect("a turn");
        let (mut close, none) = call(&turns, "t", shared("t").screener_alone(&screener()));
        assert!(none.is_none(), "the screener is shared");
        let (mut behind, none) = answer();
        assert!(none.is_none(), "the screener is to be closed");
        assert!(close.as_mut().now_or_never().is_none());
        drop(close);
        assert!(behind.as_mut().now_or_never().is_some(), "no turn has ended since");
        drop(slow);
    }

    /// A step: the tenant, the kind of its call, and which calls lock, end and leave.
    type Step = (usize, u8, [u8; 3]);

    proptest! {
        #[test]
        fn turns_hold_their_limits_and_exclude_whatever_comes(
            steps in collection::vec(any::<Step>(), 1..200)
        ) {
            let turns = Turns::new(Limits { locking: 3, tenant_locking: 2, ..LIMITS });
            let (mut waiting, mut running) = (Vec::new(), Vec::new());
            for (number, (tenant, kind, places)) in steps.into_iter().enumerate() {
                let tenant = ["t", "u", "v"][tenant % 3];
                let locks = match kind % 6 {
                    0 => shared(tenant).screener_alone(&screener()),
                    1 => Locks::alone(&TenantId::parse(tenant).expect("an id")),
                    2 | 3 => shared(tenant).screener(&screener()).person(&person("ann")),
                    _ => shared(tenant).screener(&screener()).person(&person(&number.to_string())),
                };
                let (waits, turn) = call(&turns, tenant, locks);
                match turn {
                    Some(turn) => running.push(turn),
                    None => waiting.push(waits),
                }
                go_on(places, &mut waiting, &mut running);
                check(&running);
            }
            while !running.is_empty() {
                go_on([0, 1, u8::MAX], &mut waiting, &mut running);
                check(&running);
            }
            prop_assert!(waiting.is_empty(), "calls wait for ever");
            prop_assert!(is_empty(&turns));
        }
    }

    /// Lets one call lock, one end and one waiting call leave. Then polls the waiting calls.
    fn go_on([lock, end, leave]: [u8; 3], waiting: &mut Vec<Call>, running: &mut Vec<Turn>) {
        if let Some(count @ 1..) = Some(running.len()) {
            running[usize::from(lock) % count].locked();
            // Now and then none ends.
            if end % 4 > 0 {
                running.swap_remove(usize::from(end) % count);
            }
        }
        if usize::from(leave) < waiting.len() {
            drop(waiting.swap_remove(usize::from(leave)));
        }
        let mut place = 0;
        while place < waiting.len() {
            match waiting[place].as_mut().now_or_never() {
                Some(turn) => {
                    running.push(turn.expect("a turn"));
                    drop(waiting.swap_remove(place));
                }
                None => place += 1,
            }
        }
    }

    fn check(running: &[Turn]) {
        assert!(running.len() <= 4, "too many turns");
        let locking = running.iter().filter(|it| it.is_locking).count();
        assert!(locking <= 3, "too many of all are locking");
        for (place, one) in running.iter().enumerate() {
            let others = running[place + 1..].iter().filter(|it| it.tenant == one.tenant);
            assert!(
                !others.clone().any(|it| it.locks.exclude(&one.locks)),
                "they exclude each other"
            );
            assert!(others.clone().count() < 3, "too many of a tenant");
            let locking = others.filter(|it| it.is_locking).count() + usize::from(one.is_locking);
            assert!(locking <= 2, "too many are locking");
        }
    }
}
