//! A PostgreSQL server that fails or rejects statements: the store's errors, and the data after.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use screenerd::app::{Operator, ResponseFilter};
use screenerd::domain::error::{Kind, Result};
use screenerd::domain::export::Format;
use screenerd::domain::id::TenantId;
use screenerd::domain::tenant::Tenant;
use screenerd::store::{Arg, Location, Locks, Row, Store, Tx, WriteTx};
use screenerd::transfer;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::sync::Barrier;

use crate::support::account::at;
use crate::support::backend::{Backend, Database, run};

/// Runs a case on a database of PostgreSQL, with a connection that bypasses the store.
fn on_postgres(case: impl AsyncFnOnce(&Database, &mut PgConnection)) {
    let Some(backend) = Backend::postgres("a database that goes away") else { return };
    run(&backend, async |db| {
        let Location::Postgres(url) = &db.location else { unreachable!("it is PostgreSQL") };
        let mut raw = PgConnection::connect(url).await.expect("it connects");
        case(db, &mut raw).await;
        raw.close().await.expect("the connection closes");
    });
}

async fn run_sql(raw: &mut PgConnection, sql: &str) {
    raw.execute(AssertSqlSafe(sql)).await.expect("the statement runs");
}

/// Ends every other connection to the database, like a shutdown.
async fn cut(raw: &mut PgConnection) {
    let others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    run_sql(raw, others).await;
}

async fn add(tx: &mut WriteTx, id: &str) -> Result<()> {
    let id = TenantId::parse(id).expect("an id");
    let tenant = Tenant { id, name: "A tenant".into(), created: at(0), disabled: None };
    assert!(tx.create_tenant(&tenant).await?);
    Ok(())
}

async fn write(store: &Store, id: &'static str) -> Result<()> {
    store.write(Locks::import(), async move |tx| add(tx, id).await).await
}

async fn tenants(store: &Store) -> Vec<String> {
    let tenants = store.read(async |tx| tx.list_tenants().await).await.expect("they are read");
    tenants.into_iter().map(|tenant| tenant.id.to_string()).collect()
}

#[test]
fn connections_that_die_in_the_pool_are_replaced_before_anybody_notices() {
    on_postgres(async |db, raw| {
        const AT_ONCE: usize = 16;
        for round in 0..3 {
            // The pool now has its maximum of connections.
            let at_once = join_all((0..AT_ONCE).map(|_| tenants(db.store()))).await;
            assert_eq!(at_once, vec![vec!["a", "b", "c"][..round].to_vec(); AT_ONCE]);
            cut(raw).await;
            write(db.store(), ["a", "b", "c"][round]).await.expect("the write runs");
        }
    });
}

#[test]
fn a_write_that_is_cut_before_its_commit_is_unavailable_and_leaves_nothing() {
    on_postgres(async |db, raw| {
        let begun = Arc::new(Barrier::new(2));
        let (here, there) = (Arc::clone(&begun), begun);
        let written = db.store().write(Locks::import(), async move |tx| {
            add(tx, "a").await?;
            here.wait().await;
            here.wait().await;
            add(tx, "b").await
        });
        let (written, ()) = tokio::join!(written, async {
            there.wait().await;
            cut(raw).await;
            there.wait().await;
        });
        assert_eq!(written.map_err(|error| error.kind()), Err(Kind::Unavailable));
        write(db.store(), "c").await.expect("the next write runs");
        assert_eq!(tenants(db.store()).await, ["c"]);
    });
}

#[test]
fn whoever_loses_the_answer_to_a_commit_is_told_that_it_may_have_been_written() {
    on_postgres(async |db, raw| {
        let trigger = "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM pg_terminate_backend(pg_backend_pid());
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON tenants DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION cut()";
        run_sql(raw, trigger).await;
        let error = write(db.store(), "a").await.expect_err("the connection is lost");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.detail().contains("the outcome is unknown"), "{}", error.detail());
        run_sql(raw, "DROP TRIGGER cut ON tenants").await;
        write(db.store(), "a").await.expect("the store goes on");
    });
}

#[test]
fn a_write_that_went_on_after_a_statement_had_failed_is_an_error_and_leaves_nothing() {
    on_postgres(async |db, _| {
        let written = db.store().write(Locks::import(), async |tx| {
            add(tx, "a").await?;
            tx.exec("SELECT 1 / 0", &[]).await.expect_err("a division by zero");
            Ok(())
        });
        let error = written.await.expect_err("PostgreSQL has undone all of it");
        assert_eq!(error.kind(), Kind::Internal);
        assert_eq!(tenants(db.store()).await, [""; 0]);
        write(db.store(), "a").await.expect("the store goes on");
        assert_eq!(tenants(db.store()).await, ["a"]);
    });
}

#[test]
fn of_two_writes_that_wait_for_each_other_one_is_made_and_the_other_is_unavailable() {
    on_postgres(async |db, _| {
        for id in ["a", "b"] {
            write(db.store(), id).await.expect("the write runs");
        }
        let both_hold_one = Arc::new(Barrier::new(2));
        let rename = |ids: [&'static str; 2], name: &'static str| {
            let both_hold_one = Arc::clone(&both_hold_one);
            db.store().write(Locks::none(), async move |tx| {
                for id in ids {
                    let id = TenantId::parse(id).expect("an id");
                    let sql = "UPDATE tenants SET name = $1 WHERE id = $2";
                    tx.exec(sql, &[Arg::from(name), Arg::from(id.as_str())]).await?;
                    if id.as_str() == ids[0] {
                        both_hold_one.wait().await;
                    }
                }
                Ok(name)
            })
        };
        let (one, other) = tokio::join!(rename(["a", "b"], "one"), rename(["b", "a"], "other"));
        let (made, refused) = match (one, other) {
            (Ok(made), Err(refused)) | (Err(refused), Ok(made)) => (made, refused),
            both => panic!("one of them is made: {both:?}"),
        };
        assert_eq!(refused.kind(), Kind::Unavailable);
        let stored = db.store().read(async |tx| tx.list_tenants().await).await.expect("a list");
        let names: Vec<_> = stored.into_iter().map(|tenant| tenant.name).collect();
        assert_eq!(names, [made, made]);
    });
}

#[test]
fn a_server_from_before_the_locks_were_declared_reads_and_is_told_that_its_writes_are_refused() {
    on_postgres(async |db, raw| {
        write(db.store(), "a").await.expect("the write runs");
        // Every write of such a server runs this statement.
        let count = "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
            VALUES ('a', 'changes', 'tenant', '', 0)
            ON CONFLICT (tenant_id, list, scope, scope_id)
            DO UPDATE SET total = list_totals.total";
        let refused = raw.execute(count).await.expect_err("it would lock other things");
        let refused = refused.as_database_error().expect("the database refuses");
        // Old servers map this code to unavailable, so that callers retry.
        assert_eq!(refused.code().as_deref(), Some("57P03"));
        assert!(refused.message().contains("newer version"), "{refused}");
        assert_eq!(tenants(db.store()).await, ["a"]);
    });
}

#[test]
fn a_database_that_only_reads_is_unavailable_to_those_who_write() {
    on_postgres(async |db, raw| {
        write(db.store(), "a").await.expect("the write runs");
        for (setting, expected) in [("on", Err(Kind::Unavailable)), ("off", Ok(()))] {
            let set = format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only
                = {setting}', current_database()); END $$"
            );
            run_sql(raw, &set).await;
            cut(raw).await;
            let written = write(db.store(), "b").await.map_err(|error| error.kind());
            assert_eq!(written, expected);
            assert_eq!(tenants(db.store()).await[0], "a");
            run_sql(raw, "SET default_transaction_read_only = off").await;
        }
    });
}

#[test]
fn what_was_imported_is_planned_for_at_once() {
    on_postgres(async |db, raw| {
        let app = screenerd::serve::open_store(&db.location).await.expect("it opens");
        transfer::demo::load(&app, &Operator::trusted()).await.expect("it loads");
        app.close().await;
        // PostgreSQL stores -1 until it has analyzed a table.
        let unknown = "SELECT COUNT(*) FROM pg_class WHERE reltuples <= 0 AND relname IN
            ('assignments', 'participants', 'questions', 'responses', 'sessions', 'submissions')";
        let unknown: i64 = sqlx::query_scalar(unknown).fetch_one(raw).await.expect("it counts");
        assert_eq!(unknown, 0);
    });
}

/// The bounds of `docs/operations.md`, as each connection has them.
#[test]
fn no_connection_waits_or_is_silent_for_longer_than_documented() {
    on_postgres(async |db, _| {
        const SETTINGS: &str = "SELECT current_setting('lock_timeout') || ' '
            || current_setting('idle_in_transaction_session_timeout') || ' '
            || current_setting('client_connection_check_interval')";
        let read = async |tx: &mut Tx| tx.one(SETTINGS, &[], |row: &mut Row<'_>| row.text()).await;
        let settings = db.store().read(read).await.expect("they are read");
        assert_eq!(settings.as_deref(), Some("10s 30s 200ms"));
        let write =
            async |tx: &mut WriteTx| tx.one(SETTINGS, &[], |row: &mut Row<'_>| row.text()).await;
        let settings = db.store().write(Locks::none(), write).await.expect("they are read");
        assert_eq!(settings.as_deref(), Some("10s 30s 200ms"));
    });
}

#[test]
fn what_a_repeat_may_mend_is_unavailable_and_everything_else_a_fault() {
    on_postgres(async |db, _| {
        for (code, kind) in [
            ("08006", Kind::Unavailable),
            ("25006", Kind::Unavailable),
            ("25P03", Kind::Unavailable),
            ("40001", Kind::Unavailable),
            ("40P01", Kind::Unavailable),
            ("53100", Kind::Unavailable),
            ("53300", Kind::Unavailable),
            ("55P03", Kind::Unavailable),
            ("57014", Kind::Unavailable),
            ("57P01", Kind::Unavailable),
            ("58030", Kind::Unavailable),
            ("23505", Kind::Internal),
            ("25001", Kind::Internal),
            ("42P01", Kind::Internal),
            ("55000", Kind::Internal),
        ] {
            let sql = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$");
            let failed =
                db.store().write(Locks::import(), async move |tx| tx.exec(sql, &[]).await).await;
            let error = failed.expect_err("a refusal");
            assert_eq!(error.kind(), kind, "{code}");
            // A caller that waited for a lock learns why.
            assert_eq!(error.detail().contains("such as an import"), code == "55P03", "{code}");
        }
    });
}

/// Waits until this many statements hang.
async fn until_hanging(raw: &mut PgConnection, expected: i64) {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let reached = async {
        loop {
            let hanging: i64 = sqlx::query_scalar(sql).fetch_one(&mut *raw).await.expect("a count");
            if hanging == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), reached).await.expect("it is noticed");
}

#[test]
fn an_export_whose_statement_hangs_ends_when_its_client_leaves_and_when_the_server_closes() {
    on_postgres(async |db, raw| {
        let app = screenerd::serve::open_store(&db.location).await.expect("it opens");
        let app = Arc::new(app);
        let what = transfer::Generated { sessions: 10, responses_per_session: 5, seed: 1 };
        transfer::generate(&app, &Operator::trusted(), what).await.expect("it generates");
        let hang = "ALTER TABLE questions RENAME TO kept_questions;
            CREATE VIEW questions AS SELECT kept.* FROM kept_questions kept, pg_sleep(86400)";
        run_sql(raw, hang).await;
        let begin = || {
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                let filter = ResponseFilter::default();
                let format = Format::Ndjson;
                app.export_responses_of(&Operator::trusted(), None, &filter, format).await
            })
        };
        let left = begin();
        until_hanging(raw, 1).await;
        left.abort();
        until_hanging(raw, 0).await;
        let cut = begin();
        until_hanging(raw, 1).await;
        let closed = tokio::time::timeout(Duration::from_mins(1), app.close()).await;
        closed.expect("closing does not wait for the statement");
        let error = cut.await.expect("no panic").expect_err("the server closed");
        assert_eq!(error.kind(), Kind::Unavailable);
        let unhang = "DROP VIEW questions; ALTER TABLE kept_questions RENAME TO questions";
        run_sql(raw, unhang).await;
    });
}
