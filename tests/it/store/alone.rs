//! Writes that run alone: waiting and refused writes, and the rollback of a failed one.

use std::sync::mpsc;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, poll};
use screenerd::domain::error::{Error, Kind, Result};
use screenerd::domain::id::TenantId;
use screenerd::domain::tenant::Tenant;
use screenerd::store::{Locks, Store, Tx, WriteTx};
use tokio::sync::oneshot;

use super::write::{account_and_spare, check_counters, everything};
use crate::support::account::{at, person_of};
use crate::support::backend::{Backend, Database, run};

async fn add(tx: &mut WriteTx, id: &str) -> Result<()> {
    let id = TenantId::parse(id).expect("an id");
    let tenant = Tenant { id, name: "A tenant".into(), created: at(0), disabled: None };
    assert!(tx.create_tenant(&tenant).await?);
    Ok(())
}

async fn write(store: &Store, id: &'static str) -> Result<()> {
    store.write(Locks::import(), async move |tx| add(tx, id).await).await
}

async fn tenants(tx: &mut Tx) -> Result<Vec<String>> {
    Ok(tx.list_tenants().await?.into_iter().map(|tenant| tenant.id.to_string()).collect())
}

/// A write that runs alone until it receives a signal.
struct Lone {
    begun: oneshot::Receiver<()>,
    end: mpsc::Sender<()>,
}

fn begin_lone(store: &Store) -> (impl Future<Output = Result<Vec<String>>>, Lone) {
    let (begins, begun) = oneshot::channel();
    let (end, ends) = mpsc::channel();
    let write = store.write_alone(Locks::import(), async move |tx| {
        let before = tenants(tx).await?;
        add(tx, "t_alone").await?;
        begins.send(()).expect("the test waits");
        ends.recv().expect("the test says when");
        Ok(before)
    });
    (write, Lone { begun, end })
}

#[test]
fn writes_are_refused_while_one_lasts_alone_and_reads_go_on() {
    run(&Backend::Sqlite, async |db| {
        let store = db.store();
        let (lone, Lone { begun, end }) = begin_lone(store);
        let others = async {
            begun.await.expect("it begins");
            // These writes wait because the lone write is young, and are refused after a while.
            let waited = join_all((0..100).map(|_| write(store, "t_waited"))).await;
            let late = write(store, "t_late").now_or_never().expect("it is refused at once");
            let import = store.write_alone(Locks::import(), async |tx| add(tx, "t_import").await);
            let import = import.now_or_never().expect("so is another that would run alone");
            for refused in waited.into_iter().chain([late, import]) {
                let refused = refused.expect_err("it would wait for too long");
                assert_eq!(refused.kind(), Kind::Unavailable);
            }
            let seen = store.read(tenants).await.expect("reads go on");
            assert!(seen.is_empty(), "{seen:?}");
            assert!(store.scan("tenant", tenants).await.expect("long reads, too").is_empty());
            end.send(()).expect("it runs");
        };
        let (done, ()) = futures_util::join!(lone, others);
        assert!(done.expect("it is committed").is_empty());
        write(store, "t_next").await.expect("the gate is open again");
        // A refused write is not run later.
        let seen = store.read(tenants).await.expect("it is read");
        assert_eq!(seen, ["t_alone", "t_next"]);
    });
}

#[test]
fn what_is_queued_before_a_lone_write_is_committed_before_it() {
    run(&Backend::Sqlite, async |db| {
        let store = db.store();
        let mut before = Box::pin(write(store, "t_before"));
        assert!(poll!(&mut before).is_pending());
        let (lone, Lone { begun, end }) = begin_lone(store);
        let mut lone = Box::pin(lone);
        assert!(poll!(&mut lone).is_pending());
        begun.await.expect("it begins");
        before.await.expect("it was committed first");
        assert_eq!(store.read(tenants).await.expect("it is read"), ["t_before"]);
        end.send(()).expect("it runs");
        assert_eq!(lone.await.expect("it is committed"), ["t_before"]);
    });
}

pub(super) async fn a_lone_write_that_fails_or_panics_leaves_nothing_and_counts_nothing(
    db: &mut Database,
) {
    let (account, spare) = account_and_spare(db).await;
    let store = db.store();
    let before = everything(store).await;
    for is_panic in [false, true] {
        let (tenant, spare) = (account.tenant.clone(), spare.clone());
        let failed = store.write_alone(Locks::import(), async move |tx| {
            tx.create_session(&tenant, &person_of(&spare.assignment), &spare).await?;
            add(tx, "t_undone").await?;
            assert!(!is_panic, "a test panics in a write");
            Err::<(), _>(Error::new(Kind::Conflict, "Undone."))
        });
        let kind = if is_panic { Kind::Internal } else { Kind::Conflict };
        assert_eq!(failed.await.expect_err("it fails").kind(), kind);
        // The next write must not count the rolled-back rows.
        store.write(Locks::none(), async |_| Ok(())).await.expect("writes go on");
        assert!(everything(store).await == before, "something is left");
        check_counters(store).await;
    }
    let (tenant, spare) = (account.tenant.clone(), spare.clone());
    let written = store.write_alone(Locks::import(), async move |tx| {
        tx.create_session(&tenant, &person_of(&spare.assignment), &spare).await
    });
    written.await.expect("it is written");
    assert!(everything(store).await != before);
    check_counters(store).await;
}

#[test]
fn a_lone_write_whose_caller_gave_up_never_begins() {
    run(&Backend::Sqlite, async |db| {
        let store = db.store();
        let (first, Lone { begun, end }) = begin_lone(store);
        let mut first = Box::pin(first);
        assert!(poll!(&mut first).is_pending());
        let mut given_up =
            Box::pin(store.write_alone(Locks::import(), async |tx| add(tx, "t_given_up").await));
        assert!(poll!(&mut given_up).is_pending());
        begun.await.expect("it begins");
        drop(given_up);
        end.send(()).expect("it runs");
        first.await.expect("it is committed");
        write(store, "t_next").await.expect("the gate is open again");
        assert_eq!(store.read(tenants).await.expect("it is read"), ["t_alone", "t_next"]);
    });
}
