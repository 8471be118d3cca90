//! Long reads: their scheduling, their interruption, and their snapshots.

use std::time::Duration;

use futures_util::future::{join_all, select_all};
use futures_util::{FutureExt as _, poll};
use screenerd::domain::error::{Kind, Result};
use screenerd::domain::list::{IdFilter, IdSet};
use screenerd::store::{Length, Location, Locks, ResponseFilter, Row, SessionFilter, Store, Tx};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tokio::sync::oneshot;

use super::session::{any, none, only};
use crate::support::account::{pagination, set};
use crate::support::backend::{Backend, Database, run};

/// A statement that runs until it is interrupted.
const ENDLESS: &str = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
    SELECT COUNT(*) FROM n";
/// Scans of one tenant: more than can run concurrently on any machine, fewer than may wait.
const MANY: usize = 200;
/// A scan that waits longer is behind a statement that was not interrupted.
const PATIENCE: Duration = Duration::from_mins(1);

async fn endless(tx: &mut Tx) -> Result<()> {
    tx.scan(ENDLESS, &[], |_| Ok(())).await
}

/// Begins an endless scan. Returns it with a signal that it has begun.
fn begin_endless(
    store: &Store,
    share: &'static str,
) -> (impl Future<Output = Result<()>>, oneshot::Receiver<()>) {
    let (begun, beginning) = oneshot::channel();
    let scan = store.scan(share, async move |tx| {
        // The test may have ended.
        let _ = begun.send(());
        endless(tx).await
    });
    (scan, beginning)
}

/// Asserts that a scan gets its turn.
async fn assert_served(store: &Store, share: &str) {
    let scan = store.scan(share, async |tx| tx.list_tenants().await);
    let served = tokio::time::timeout(PATIENCE, scan).await.expect("a thread is free");
    served.expect("the scan succeeds");
}

#[test]
fn a_scan_whose_caller_leaves_stops_its_statement() {
    run(&Backend::Sqlite, async |db| {
        // Enough scans to occupy every thread if they were not interrupted.
        for _ in 0..MANY {
            let (scan, begun) = begin_endless(db.store(), "tenant");
            let mut scan = Box::pin(scan);
            assert!(poll!(&mut scan).is_pending());
            begun.await.expect("it begins");
            drop(scan);
        }
        assert_served(db.store(), "tenant").await;
    });
}

#[test]
fn a_scan_whose_deadline_passes_stops_its_statement() {
    run(&Backend::Sqlite, async |db| {
        let scans = (0..MANY).map(|_| {
            let (scan, _) = begin_endless(db.store(), "tenant");
            tokio::time::timeout(Duration::from_millis(1), scan)
        });
        assert!(join_all(scans).await.iter().all(std::result::Result::is_err));
        assert_served(db.store(), "tenant").await;
    });
}

#[test]
fn a_tenant_is_served_while_another_has_many_scans_waiting() {
    run(&Backend::Sqlite, async |db| {
        let crowd: Vec<_> = (0..MANY)
            .map(|_| Box::pin(begin_endless(db.store(), "busy").0))
            .map(|mut scan| {
                assert!(scan.as_mut().now_or_never().is_none());
                scan
            })
            .collect();
        for _ in 0..MANY {
            assert_served(db.store(), "quiet").await;
        }
        drop(crowd);
        assert_served(db.store(), "busy").await;
    });
}

#[test]
fn a_tenant_with_too_many_scans_is_refused_and_no_other() {
    run(&Backend::Sqlite, async |db| {
        let mut crowd = Vec::new();
        let refused = loop {
            let mut scan = Box::pin(begin_endless(db.store(), "busy").0);
            match scan.as_mut().now_or_never() {
                Some(refused) => break refused.expect_err("it never ends by itself"),
                None => crowd.push(scan),
            }
        };
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert_served(db.store(), "quiet").await;
        drop(crowd);
        assert_served(db.store(), "busy").await;
    });
}

#[test]
fn a_scan_that_panics_fails_alone() {
    run(&Backend::Sqlite, async |db| {
        let panicking = db.store().scan("tenant", async |tx| {
            tx.scan("SELECT 1", &[], |_| panic!("a test panics in a row")).await
        });
        assert_eq!(panicking.await.expect_err("it panicked").kind(), Kind::Internal);
        assert_served(db.store(), "tenant").await;
    });
}

#[test]
fn a_scan_that_waits_for_something_else_is_refused() {
    run(&Backend::Sqlite, async |db| {
        let waiting = db.store().scan("tenant", async |_| {
            tokio::task::yield_now().await;
            Ok(())
        });
        assert_eq!(waiting.await.expect_err("it waited").kind(), Kind::Internal);
        assert_served(db.store(), "tenant").await;
    });
}

#[test]
fn a_closed_store_refuses_scans_and_interrupts_those_that_run() {
    run(&Backend::Sqlite, async |db| {
        // More scans than can run concurrently: some run, the others wait.
        let crowd: Vec<_> = (0..MANY).map(|_| begin_endless(db.store(), "tenant")).collect();
        let (scans, begun): (Vec<_>, Vec<_>) = crowd.into_iter().unzip();
        let close = async {
            // The store closes while a scan is running and its caller waits.
            let _ = select_all(begun).await;
            db.store().close().await;
        };
        let (ended, ()) = tokio::join!(join_all(scans), close);
        for scan in ended {
            assert_eq!(scan.expect_err("it is closed").kind(), Kind::Unavailable);
        }
        let late = db.store().scan("tenant", async |tx| tx.list_tenants().await);
        assert_eq!(late.await.expect_err("it is closed").kind(), Kind::Unavailable);
    });
}

async fn count(tx: &mut Tx) -> Result<Option<i64>> {
    let read = |row: &mut Row<'_>| row.int();
    tx.one("SELECT CAST(COUNT(*) AS BIGINT) FROM tenants", &[], read).await
}

/// A scan reads one snapshot with every acknowledged write and none that came after it began.
pub(super) async fn a_scan_is_one_snapshot_that_has_every_acknowledged_write(db: &mut Database) {
    let add = async |id: i64| {
        let sql = format!(
            "INSERT INTO tenants (id, name, created_at) VALUES ('t_{id}', 'A tenant', {id})"
        );
        db.store()
            .write(Locks::import(), async move |tx| tx.exec(sql, &[]).await)
            .await
            .expect("it is added");
    };
    for tenants in 1..=50 {
        add(tenants).await;
        let seen = db.store().scan("tenant", count).await.expect("it is read");
        assert_eq!(seen, Some(tenants));
    }
}

#[test]
fn a_scan_given_up_leaves_no_statement_running_on_postgres() {
    let Some(backend) = Backend::postgres("an abandoned scan") else { return };
    run(&backend, async |db| {
        let Location::Postgres(url) = &db.location else { unreachable!("it is PostgreSQL") };
        let mut raw = PgConnection::connect(url).await.expect("it connects");
        let running = "SELECT COUNT(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active' AND query LIKE '%RECURSIVE n %'
                AND pid <> pg_backend_pid()";
        let mut count = async || raw.fetch_one(running).await.expect("it is read").get::<i64, _>(0);
        let scan = db.store().scan("tenant", endless);
        let seen = async {
            while count().await == 0 {
                tokio::task::yield_now().await;
            }
        };
        // Drops the scan once its statement is seen running.
        tokio::select! {
            _ = scan => panic!("it does not end by itself"),
            () = seen => {}
        }
        let gone = async {
            while count().await > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("the statement stops");
    });
}

#[test]
fn a_page_of_sessions_is_long_if_ids_are_joined_or_excluded() {
    let all = IdFilter::default;
    for (ids, screeners, expected) in [
        (all(), all(), Length::Short),
        (all(), only("scr_0"), Length::Short),
        (only("scses_0"), all(), Length::Short),
        (any(&["scses_0", "scses_1"]), none(&["scr_0"]), Length::Short),
        (all(), any(&["scr_0", "scr_1"]), Length::Long),
        (all(), none(&["scr_0"]), Length::Long),
        (none(&["scses_0"]), all(), Length::Long),
        (none(&["scses_0"]), only("scr_0"), Length::Long),
    ] {
        let filter = SessionFilter { ids: set(&ids), screeners: set(&screeners) };
        assert_eq!(filter.length(pagination(100, 0)), expected, "{filter:?}");
        assert_eq!(filter.length(pagination(500, 0)), Length::Long, "{filter:?}");
    }
}

#[test]
fn a_page_of_responses_is_long_if_it_collects_those_of_sessions_or_participants() {
    let all = IdSet::default;
    let only = |ids: &[&str]| set(&any(ids));
    for (sessions, assignments, expected) in [
        (all(), all(), Length::Short),
        (only(&["scses_0"]), all(), Length::Short),
        (only(&["scses_0"]), only(&["scpar_0"]), Length::Short),
        (only(&["scses_0", "scses_1"]), all(), Length::Long),
        (only(&["scses_0", "scses_1"]), only(&["scpar_0"]), Length::Long),
        (all(), only(&["scpar_0"]), Length::Long),
    ] {
        let filter = ResponseFilter { sessions, assignments, ..ResponseFilter::default() };
        assert_eq!(filter.length(pagination(100, 0)), expected, "{filter:?}");
        assert_eq!(filter.length(pagination(500, 0)), Length::Long, "{filter:?}");
    }
}
