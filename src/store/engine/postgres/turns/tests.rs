//! Tests of turns.

use std::future::Future;
use std::pin::Pin;

use futures_util::FutureExt as _;
use proptest::collection;
use proptest::prelude::*;

use super::*;
use crate::domain::id::{ScreenerId, TenantId};
use crate::domain::participant::{ExternalUid, Person};

type Call = Pin<Box<dyn Future<Output = Result<Turn>> + Send>>;

const LIMITS: Limits = Limits { all: 4, tenant: 3, locking: 3 };

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
    assert!(crowd.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
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
    let turns = Turns::new(Limits { locking: 1, ..LIMITS });
    let mut first = call(&turns, "t", shared("t")).1.expect("a turn");
    let (mut second, none) = call(&turns, "t", shared("t"));
    assert!(none.is_none());
    let other = call(&turns, "u", shared("u")).1.expect("a turn");
    first.locked();
    let second = second.as_mut().now_or_never().expect("its turn");
    drop((first, other, second));
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
        let turns = Turns::new(Limits { locking: 2, ..LIMITS });
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
    for (place, one) in running.iter().enumerate() {
        let others = running[place + 1..].iter().filter(|it| it.tenant == one.tenant);
        assert!(!others.clone().any(|it| it.locks.exclude(&one.locks)), "they exclude each other");
        assert!(others.clone().count() < 3, "too many of a tenant");
        let locking = others.filter(|it| it.is_locking).count() + usize::from(one.is_locking);
        assert!(locking <= 2, "too many are locking");
    }
}
