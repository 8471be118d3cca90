//! The guarantees of writes and reads, whatever the rows.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};
use futures_util::poll;
use screenerd::domain::error::{Error, Kind, Result};
use screenerd::domain::id::{SessionId, TenantId};
use screenerd::domain::session::Session;
use screenerd::domain::tenant::Tenant;
use screenerd::store::{Locks, Row, SessionFilter, Store, WriteTx};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use super::session::Shape;
use crate::support::account::{Account, answer_to, at, good, pagination, person_of, question_of};
use crate::support::backend::Database;

/// Returns every row of the tables that make up a list, as text, in order.
pub(super) async fn everything(store: &Store) -> Vec<Vec<String>> {
    let line = |row: &mut Row<'_>| row.text();
    store
        .read(async |tx| {
            let mut tables = Vec::new();
            for sql in [
                "SELECT id || ' ' || CAST(seq AS TEXT) FROM sessions ORDER BY tenant_id, seq",
                "SELECT session_id || ' ' || question_id || ' ' || CAST(seq AS TEXT)
                 FROM responses ORDER BY tenant_id, seq",
                "SELECT subject_id || ' ' || CAST(seq AS TEXT) FROM changes ORDER BY tenant_id, seq",
                "SELECT id FROM tenants ORDER BY id",
                "SELECT tenant_id || ' ' || list || ' ' || scope || ' ' || scope_id || ' '
                 || CAST(total AS TEXT) || ' ' || CAST(holes AS TEXT) FROM list_totals
                 ORDER BY tenant_id, list, scope, scope_id",
                "SELECT tenant_id || ' ' || list || ' ' || scope || ' ' || scope_id || ' '
                 || CAST(level AS TEXT) || ' ' || CAST(block AS TEXT) || ' '
                 || CAST(holes AS TEXT) FROM list_holes
                 ORDER BY tenant_id, list, scope, scope_id, level, block",
                "SELECT tenant_id || ' ' || list || ' ' || scope || ' ' || scope_id || ' '
                 || CAST(block AS TEXT) || ' ' || CAST(first_seq AS TEXT) FROM list_marks
                 ORDER BY tenant_id, list, scope, scope_id, block",
            ] {
                tables.push(tx.all(sql, &[], line).await?);
            }
            Ok(tables)
        })
        .await
        .expect("the tables are read")
}

/// Creates an account with some rows, and a session that is not stored.
pub(super) async fn account_and_spare(db: &Database) -> (Account, Session) {
    let mut account = Account::create(db.store(), "acct_one", 2, 3).await;
    for number in 0..5 {
        account.open_session(number % 2, number, number);
        account.answer(number, 0, answer_to(0, number));
    }
    account.flush(db.store()).await;
    let taken = account.sessions[1].clone();
    let id = good(SessionId::parse("scses_spare"));
    (account, Session { id, slug: "spare".into(), ..taken })
}

/// Runs several statements that touch every list.
pub(super) async fn add(tx: &mut WriteTx, account: &TenantId, spare: &Session) -> Result<()> {
    tx.create_session(account, &person_of(&spare.assignment), spare).await?;
    for number in 0..2 {
        let answers = [(question_of(number).id, answer_to(number, 1))];
        tx.create_responses(account, spare, &answers, false).await?;
    }
    Ok(())
}

/// Asserts that a write of [`add`] works now and adds exactly its rows.
async fn add_succeeds(db: &Database, account: &mut Account, spare: &Session) {
    let (tenant, row) = (account.tenant.clone(), spare.clone());
    let work = async move |tx: &mut WriteTx| add(tx, &tenant, &row).await;
    db.store().write(Locks::import(), work).await.expect("the same rows are stored now");
    account.sessions.push(spare.clone());
    db.store()
        .read(async |tx| {
            Shape::default().check(tx, account, 500, 0).await;
            Ok(())
        })
        .await
        .expect("the list is read");
}

pub(super) async fn a_failed_write_leaves_nothing(db: &mut Database) {
    let (mut account, spare) = account_and_spare(db).await;
    let before = everything(db.store()).await;
    let (tenant, row) = (account.tenant.clone(), spare.clone());
    let outcome: Result<()> = db
        .store()
        .write(Locks::import(), async move |tx| {
            add(tx, &tenant, &row).await?;
            Err(Error::new(Kind::Conflict, "Changed its mind."))
        })
        .await;
    // The write fails with the error of its caller.
    let error = outcome.expect_err("a write fails with the error of its work");
    assert_eq!((error.kind(), error.detail()), (Kind::Conflict, "Changed its mind."));
    assert_eq!(everything(db.store()).await, before);
    add_succeeds(db, &mut account, &spare).await;
}

pub(super) async fn a_failed_statement_leaves_nothing(db: &mut Database) {
    let (mut account, spare) = account_and_spare(db).await;
    let before = everything(db.store()).await;
    let (tenant, row) = (account.tenant.clone(), spare.clone());
    let outcome = db
        .store()
        .write(Locks::import(), async move |tx| {
            add(tx, &tenant, &row).await?;
            // The database refuses the same session a second time.
            add(tx, &tenant, &row).await
        })
        .await;
    let error = outcome.expect_err("a session id is unique");
    assert_eq!(error.kind(), Kind::Internal);
    assert_eq!(everything(db.store()).await, before);
    add_succeeds(db, &mut account, &spare).await;
}

pub(super) async fn a_panicking_write_is_an_error_and_the_next_one_runs(db: &mut Database) {
    let (mut account, spare) = account_and_spare(db).await;
    let before = everything(db.store()).await;
    for in_a_row in [false, true] {
        let (tenant, row) = (account.tenant.clone(), spare.clone());
        let panicking = db.store().write(Locks::import(), async move |tx| {
            tx.scan("SELECT id FROM sessions", &[], |_| {
                assert!(!in_a_row, "a test panics while rows are read");
                Ok(())
            })
            .await?;
            add(tx, &tenant, &row).await?;
            assert!(in_a_row, "a test panics between statements");
            Ok(())
        });
        // Another write of the same batch, on an engine with batches.
        let (outcome, beside) =
            join(panicking, db.store().write(Locks::none(), async |_| Ok(5))).await;
        let error = outcome.expect_err("a panic is answered");
        assert_eq!(error.kind(), Kind::Internal);
        assert_eq!(beside.expect("another write does not suffer"), 5);
    }
    assert_eq!(everything(db.store()).await, before);
    add_succeeds(db, &mut account, &spare).await;
}

/// Writes that signal their beginning and end when their gate opens.
struct Blockers {
    begun: mpsc::UnboundedSender<()>,
    gate: Arc<Semaphore>,
}

impl Blockers {
    fn new() -> (Self, mpsc::UnboundedReceiver<()>) {
        let (begun, begins) = mpsc::unbounded_channel();
        (Self { begun, gate: Arc::new(Semaphore::new(0)) }, begins)
    }

    fn one<'a>(&self, store: &'a Store) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> {
        let (begun, gate) = (self.begun.clone(), self.gate.clone());
        let runtime = Handle::current();
        Box::pin(store.write(Locks::none(), async move |_| {
            begun.send(()).map_err(Error::internal)?;
            // On SQLite a write runs on the writer's thread, so it must block instead of yielding.
            let permit = match Handle::try_current() {
                Ok(_) => gate.acquire().await,
                Err(_) => runtime.block_on(gate.acquire()),
            };
            permit.map_err(Error::internal)?.forget();
            Ok(())
        }))
    }
}

/// Returns a write that only records that it ran.
fn telltale<'a>(
    store: &'a Store,
    ran: &Arc<AtomicBool>,
) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> {
    let ran = ran.clone();
    Box::pin(store.write(Locks::none(), async move |_| {
        ran.store(true, Ordering::SeqCst);
        Ok(())
    }))
}

async fn all_begin(begins: &mut mpsc::UnboundedReceiver<()>, count: usize) {
    for _ in 0..count {
        begins.recv().await.expect("the blocking writes begin");
    }
}

pub(super) async fn a_write_whose_caller_gave_up_never_begins(db: &mut Database) {
    let (store, writers) = (db.store(), db.backend.parallel_writes());
    let (blockers, mut begins) = Blockers::new();
    let ran = Arc::new(AtomicBool::new(false));
    let scenario = async {
        all_begin(&mut begins, writers).await;
        let mut given_up = telltale(store, &ran);
        assert!(poll!(&mut given_up).is_pending(), "it waits behind the others");
        drop(given_up);
        blockers.gate.add_permits(writers);
    };
    // The largest number of concurrent writes, none of which ends before the gate opens.
    let blocking = join_all((0..writers).map(|_| blockers.one(store)));
    let (blocked, ()) = join(blocking, scenario).await;
    assert!(blocked.iter().all(Result::is_ok));
    // Later writes run later, so the abandoned write would have run before these.
    for _ in 0..=writers {
        store.write(Locks::none(), async |_| Ok(())).await.expect("writes go on");
    }
    assert!(!ran.load(Ordering::SeqCst));
}

pub(super) async fn a_write_given_up_behind_others_of_its_batch_never_begins(db: &mut Database) {
    let (store, writers) = (db.store(), db.backend.parallel_writes());
    let (first, mut first_begins) = Blockers::new();
    let (second, mut second_begins) = Blockers::new();
    let ran = Arc::new(AtomicBool::new(false));
    let scenario = async {
        all_begin(&mut first_begins, writers).await;
        // These writes queue behind the first ones, as one batch on an engine with batches.
        let mut behind: Vec<_> = (0..writers).map(|_| second.one(store)).collect();
        for write in &mut behind {
            assert!(poll!(write).is_pending());
        }
        let mut given_up = telltale(store, &ran);
        assert!(poll!(&mut given_up).is_pending(), "it waits behind the others");
        let meanwhile = async {
            first.gate.add_permits(writers);
            all_begin(&mut second_begins, writers).await;
            drop(given_up);
            second.gate.add_permits(writers);
        };
        join(join_all(behind), meanwhile).await.0
    };
    let blocking = join_all((0..writers).map(|_| first.one(store)));
    let (blocked, behind) = join(blocking, scenario).await;
    assert!(blocked.iter().chain(&behind).all(Result::is_ok));
    for _ in 0..=writers {
        store.write(Locks::none(), async |_| Ok(())).await.expect("writes go on");
    }
    assert!(!ran.load(Ordering::SeqCst));
}

/// Creates a tenant, the smallest row.
async fn add_tenant(store: &Store, id: String) -> Result<bool> {
    let tenant =
        Tenant { id: good(TenantId::parse(&id)), name: id, created: at(0), disabled: None };
    let locks = Locks::alone(&tenant.id);
    store.write(locks, async move |tx| tx.create_tenant(&tenant).await).await
}

pub(super) async fn a_read_sees_every_acknowledged_write(db: &mut Database) {
    let store = db.store();
    let callers = (0..8).map(|caller| async move {
        for number in 0..25 {
            let id = format!("acct_{caller}_{number}");
            assert!(add_tenant(store, id.clone()).await.expect("the tenant is stored"));
            // Several readers, because each has its own snapshot.
            let reads = (0..4).map(|_| async {
                let id = good(TenantId::parse(&id));
                store.read(async move |tx| tx.get_tenant(&id).await).await
            });
            for seen in join_all(reads).await {
                assert!(seen.expect("the tenant is read").is_some(), "{id} is not seen");
            }
        }
    });
    join_all(callers).await;
}

pub(super) async fn a_read_is_one_snapshot(db: &mut Database) {
    let mut account = Account::create(db.store(), "acct_one", 1, 1).await;
    account.open_session(0, 0, 0);
    account.flush(db.store()).await;
    let store = db.store();
    let (tenant, later) = (account.tenant.clone(), &mut account);
    store
        .read(async |tx| {
            let first =
                tx.list_sessions(&tenant, &SessionFilter::default(), pagination(25, 0)).await?;
            later.open_session(0, 0, 0);
            later.flush(store).await;
            let again =
                tx.list_sessions(&tenant, &SessionFilter::default(), pagination(25, 0)).await?;
            assert_eq!((first.total, first.items.len()), (1, 1));
            assert_eq!(again, first);
            Ok(())
        })
        .await
        .expect("the list is read");
    store
        .read(async |tx| {
            Shape::default().check(tx, &account, 25, 0).await;
            Ok(())
        })
        .await
        .expect("the list is read");
}

pub(super) async fn a_read_cannot_write(db: &mut Database) {
    let store = db.store();
    let refused = store
        .read(async |tx| {
            let sql =
                "INSERT INTO tenants (id, name, created_at) VALUES ('a', 'b', 0) RETURNING id";
            tx.one(sql, &[], |row: &mut Row<'_>| row.text()).await
        })
        .await;
    refused.expect_err("a reader is read-only");
    let tenants = store.read(async |tx| tx.list_tenants().await).await.expect("reads go on");
    assert_eq!(tenants, []);
}

/// Returns the locks of a write that creates a session.
fn locks_of(tenant: &TenantId, session: &Session) -> Locks {
    Locks::of(tenant).screener(&session.screener).person(&person_of(&session.assignment))
}

/// Appends a session with an answer and an audit row in one write.
async fn append(store: &Store, account: &Account, number: usize) -> Result<()> {
    let session = account.sessions[number].clone();
    let tenant = account.tenant.clone();
    store
        .write(locks_of(&tenant, &session), async move |tx| {
            tx.create_session(&tenant, &person_of(&session.assignment), &session).await?;
            let answers = [(question_of(number % 4).id, answer_to(number % 4, number))];
            tx.create_responses(&tenant, &session, &answers, false).await
        })
        .await
}

pub(super) async fn concurrent_appends_are_dense_and_counted(db: &mut Database) {
    const CALLERS: usize = 64;
    const ROUNDS: usize = 3;
    let mut account = Account::create(db.store(), "acct_one", 3, 2).await;
    for number in 0..CALLERS * ROUNDS {
        account.open_session(number % 3, number, number);
    }
    let (store, made) = (db.store(), &account);
    for round in 0..ROUNDS {
        let callers = (0..CALLERS).map(|caller| append(store, made, round * CALLERS + caller));
        for outcome in join_all(callers).await {
            outcome.expect("an append succeeds");
        }
    }
    for list in ["sessions", "responses"] {
        let sql = format!("SELECT seq FROM {list} ORDER BY seq");
        let seqs = store
            .read(async |tx| tx.all(sql, &[], |row: &mut Row<'_>| row.int()).await)
            .await
            .expect("the positions are read");
        let dense: Vec<i64> = (0..).take(CALLERS * ROUNDS).collect();
        assert_eq!(seqs, dense, "{list}");
    }
    check_counters(store).await;
    // The store determines the arrival order, and the lists must follow it.
    let order = arrival(store).await;
    account.sessions.sort_by_key(|row| order.iter().position(|id| id == row.id.as_str()));
    let mut shape = Shape::default();
    store
        .read(async |tx| {
            for screener in [None, Some("scr_0"), Some("scr_1"), Some("scr_2")] {
                shape.screeners.eq = screener.map(str::to_owned);
                shape.check(tx, &account, 500, 0).await;
                shape.check(tx, &account, 25, 60).await;
            }
            Ok(())
        })
        .await
        .expect("the lists are read");
}

/// On SQLite, writes that are queued together share a transaction and its counters.
pub(super) async fn what_an_undone_write_counted_is_counted_by_no_other(db: &mut Database) {
    const CALLERS: usize = 64;
    let mut account = Account::create(db.store(), "acct_one", 3, 2).await;
    for number in 0..CALLERS {
        account.open_session(number % 3, number, number);
    }
    let (store, made) = (db.store(), &account);
    let callers = (0..CALLERS).map(|number| async move {
        let row = made.sessions[number].clone();
        let tenant = made.tenant.clone();
        let locks = locks_of(&tenant, &row);
        let written = store.write(locks, async move |tx| {
            tx.create_session(&tenant, &person_of(&row.assignment), &row).await?;
            let answers = [(question_of(number % 4).id, answer_to(number % 4, number))];
            tx.create_responses(&tenant, &row, &answers, false).await?;
            match number % 4 {
                0 => Err(Error::new(Kind::Conflict, "Undone.")),
                1 => panic!("undone, too"),
                _ => Ok(()),
            }
        });
        assert_eq!(written.await.is_ok(), number % 4 > 1, "{number}");
    });
    join_all(callers).await;
    assert_eq!(arrival(store).await.len(), CALLERS / 2);
    check_counters(store).await;
    let cells = "SELECT CAST(COALESCE(SUM(sessions), 0) AS BIGINT) FROM funnel_cells";
    let counted = store
        .read(async |tx| tx.one(cells, &[], |row: &mut Row<'_>| row.int()).await)
        .await
        .expect("the cells are read");
    assert_eq!(counted.and_then(|it| usize::try_from(it).ok()), Some(CALLERS / 2));
}

async fn arrival(store: &Store) -> Vec<String> {
    store
        .read(async |tx| {
            tx.all("SELECT id FROM sessions ORDER BY seq", &[], |row: &mut Row<'_>| row.text())
                .await
        })
        .await
        .expect("the order is read")
}

/// Asserts that every total without its holes equals the count of the rows.
pub(super) async fn check_counters(store: &Store) {
    for (list, scope, scope_id) in [
        ("sessions", "tenant", ""),
        ("sessions", "screener", "screener_id"),
        ("responses", "tenant", ""),
        ("responses", "screener", "screener_id"),
        ("responses", "publication", "publication_id"),
    ] {
        let (column, group) = match scope_id {
            "" => ("''", "tenant_id".to_owned()),
            column => (column, format!("tenant_id, {column}")),
        };
        let counted = format!(
            "SELECT tenant_id || ' ' || {column} || ' ' || CAST(COUNT(*) AS TEXT) AS line
             FROM {list} GROUP BY {group} ORDER BY tenant_id, line"
        );
        let kept = format!(
            "SELECT tenant_id || ' ' || scope_id || ' ' || CAST(total - holes AS TEXT) AS line
             FROM list_totals WHERE list = '{list}' AND scope = '{scope}' AND total > holes
             ORDER BY tenant_id, line"
        );
        let lines = async |sql: String| {
            store
                .read(async |tx| tx.all(sql, &[], |row: &mut Row<'_>| row.text()).await)
                .await
                .expect("the counters are read")
        };
        assert_eq!(lines(kept).await, lines(counted).await, "{list} by {scope}");
    }
}
