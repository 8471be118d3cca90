//! Refused writes: those that read after a change, or touch rows that they have not locked.

use screenerd::domain::error::{Kind, Result};
use screenerd::domain::id::{ScreenerId, SessionId, TenantId};
use screenerd::domain::participant::Person;
use screenerd::store::{Locks, WriteTx};

use super::write::{account_and_spare, add, everything};
use crate::support::account::{at, good, participant, person_of};
use crate::support::backend::Database;

/// A statement without effect.
const TOUCH: &str = "UPDATE sessions SET created_at = created_at";

pub(super) async fn a_write_reads_before_it_puts(db: &mut Database) {
    let (account, spare) = account_and_spare(db).await;
    let before = everything(db.store()).await;
    let (tenant, row) = (account.tenant.clone(), spare.clone());
    let late = db.store().write(Locks::alone(&account.tenant), async move |tx| {
        tx.create_session(&tenant, &person_of(&row.assignment), &row).await?;
        tx.get_session(&tenant, &row.id).await
    });
    assert_eq!(late.await.expect_err("not all engines would see it").kind(), Kind::Internal);
    assert_eq!(everything(db.store()).await, before);
    // The statement runs at once, so on one engine only it would precede the pending changes.
    let (tenant, row) = (account.tenant.clone(), spare.clone());
    let late = db.store().write(Locks::alone(&account.tenant), async move |tx| {
        tx.exec(TOUCH, &[]).await?;
        tx.create_session(&tenant, &person_of(&row.assignment), &row).await?;
        tx.exec(TOUCH, &[]).await
    });
    assert_eq!(late.await.expect_err("it runs at once").kind(), Kind::Internal);
    assert_eq!(everything(db.store()).await, before);
    let tenant = account.tenant.clone();
    let alone = db.store().write_alone(Locks::import(), async move |tx| {
        tx.create_session(&tenant, &person_of(&spare.assignment), &spare).await?;
        tx.exec(TOUCH, &[]).await
    });
    alone.await.expect("what a lone write puts runs at once, too");
}

pub(super) async fn a_write_touches_what_it_has_locked(db: &mut Database) {
    let (account, spare) = account_and_spare(db).await;
    let tenant = &account.tenant;
    let other = good(ScreenerId::parse("scr_other"));
    let (person, somebody) = (person_of(&spare.assignment), Person::of(&participant(2)));
    let shared = |tenant| Locks::of(tenant).screener(&spare.screener);
    for (locks, is_declared) in [
        (Locks::none(), false),
        (Locks::of(tenant), false),
        (Locks::of(tenant).screener(&other).person(&person), false),
        (shared(&good(TenantId::parse("acct_two"))).person(&person), false),
        (shared(tenant), false),
        (shared(tenant).person(&somebody), false),
        (shared(tenant).person(&person), true),
    ] {
        let (tenant, row) = (tenant.clone(), spare.clone());
        let named = format!("{locks:?}");
        let written = db.store().write(locks, async move |tx| add(tx, &tenant, &row).await);
        assert_eq!(written.await.is_ok(), is_declared, "{named}");
    }
}

/// Runs one of the writes that touch a person's rows.
async fn touch(tx: &mut WriteTx, tenant: &TenantId, id: &SessionId, number: usize) -> Result<()> {
    let (session, standing) = tx.get_standing(tenant, id).await?.expect("a session");
    let assigned = tx.get_assignment(tenant, &session.assignment).await?.expect("an assignment");
    let person = tx.get_participant(tenant, &assigned.participant).await?.expect("a person");
    match number {
        0 => tx.set_session_status(tenant, &session, &standing).await,
        1 => tx.advance_session(tenant, &session, &standing).await,
        2 => tx.shift_session(tenant, &session, &standing).await,
        3 => tx.settle(tenant, &session, &standing).await,
        4 => tx.create_dismissal(tenant, standing.person(), (&assigned.id, at(1))).await,
        5 => tx.create_assignment(tenant, standing.person(), &assigned).await,
        _ => tx.update_participant(tenant, &person).await,
    }
}

pub(super) async fn a_write_touches_the_persons_whom_it_has_locked(db: &mut Database) {
    let (account, spare) = account_and_spare(db).await;
    let (person, somebody) = (person_of(&spare.assignment), Person::of(&participant(2)));
    let id = &account.sessions[1].id;
    for number in 0..7 {
        for (person, is_declared) in [(&somebody, false), (&person, true)] {
            let locks = Locks::of(&account.tenant).screener(&spare.screener).person(person);
            let (tenant, id) = (account.tenant.clone(), id.clone());
            let touched = async move |tx: &mut WriteTx| touch(tx, &tenant, &id, number).await;
            let refused = db.store().write(locks, touched).await.err();
            let why = refused.and_then(|it| it.internal_text());
            let is_refused = why.is_some_and(|why| why.contains("a person that it has not locked"));
            assert_eq!(is_refused, !is_declared, "{number}");
        }
    }
}
