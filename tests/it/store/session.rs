//! Lists of sessions against the model, and removal.

use std::sync::Arc;

use screenerd::app::{App, Environment, Settings, WriteSessions};
use screenerd::domain::change::{Action, Change, Entry, FieldChange, Subject};
use screenerd::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use screenerd::domain::id::CredentialId;
use screenerd::domain::list::IdFilter;
use screenerd::domain::session::{Session, SessionStatus};
use screenerd::store::{ChangeFilter, Location, Locks, SessionFilter, Tx, WriteTx};

use crate::support::account::{Account, admits, at, good, pagination, set};
use crate::support::backend::Database;
use crate::support::bearer;

/// Rows enough for one screener to reach a second block.
const ROWS: usize = 420;

/// A filter of a list of sessions, as a caller writes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) ids: IdFilter,
    pub(crate) screeners: IdFilter,
}

impl Shape {
    /// Returns the rows that the model expects.
    pub(crate) fn expected(&self, account: &Account) -> Vec<Session> {
        let matches = |row: &&Session| {
            admits(&self.ids, row.id.as_str()) && admits(&self.screeners, row.screener.as_str())
        };
        account.sessions.iter().filter(matches).cloned().collect()
    }

    /// Asserts that a page matches the model.
    pub(crate) async fn check(&self, tx: &mut Tx, account: &Account, limit: i64, offset: i64) {
        let expected = self.expected(account);
        let filter = SessionFilter { ids: set(&self.ids), screeners: set(&self.screeners) };
        let page = tx
            .list_sessions(&account.tenant, &filter, pagination(limit, offset))
            .await
            .expect("a list is read");
        let context = || format!("{self:?}, limit {limit}, offset {offset}");
        assert_eq!(usize::try_from(page.total), Ok(expected.len()), "total of {}", context());
        assert_eq!(page.items, slice(&expected, limit, offset), "{}", context());
    }
}

/// Returns the rows of a page.
pub(crate) fn slice<T>(rows: &[T], limit: i64, offset: i64) -> &[T] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(rows.len());
    let length = usize::try_from(limit).expect("a page size is small").min(rows.len() - start);
    &rows[start..start + length]
}

/// Returns the offsets of every page at a limit, and of the empty one after the last.
pub(crate) fn offsets(rows: usize, limit: i64) -> impl Iterator<Item = i64> {
    let rows = i64::try_from(rows).expect("a list of a test is small");
    (0..).map(move |page| page * limit).take_while(move |offset| *offset < rows + limit)
}

/// Returns offsets around the borders of blocks of 128 rows and around the end of the list.
pub(crate) fn edges(rows: usize) -> impl Iterator<Item = i64> {
    let rows = i64::try_from(rows).expect("a list of a test is small");
    let near = |offset: i64| [offset - 1, offset, offset + 1];
    [0, 128, 256, rows]
        .into_iter()
        .flat_map(near)
        .chain([rows + 1000, i64::MAX])
        .filter(|it| *it >= 0)
}

/// Creates two tenants with the same screeners. The first has several blocks of rows in its list,
/// its first and its second screener, and no rows in its last.
async fn accounts(db: &Database) -> (Account, Account) {
    let mut one = Account::create(db.store(), "acct_one", 4, 8).await;
    let mut other = Account::create(db.store(), "acct_other", 4, 8).await;
    for number in 0..ROWS {
        // Runs of one screener, and rows that alternate between screeners.
        let screener = match number % 20 {
            0..12 => 0,
            12..19 => number % 2,
            _ => 2,
        };
        one.open_session(screener, number / 3, number / 5);
        if number % 7 == 0 {
            other.open_session(number % 3, number, number);
        }
        if number % 50 == 49 {
            one.flush(db.store()).await;
            other.flush(db.store()).await;
        }
    }
    one.flush(db.store()).await;
    other.flush(db.store()).await;
    (one, other)
}

pub(crate) fn only(id: &str) -> IdFilter {
    IdFilter { eq: Some(id.into()), ..IdFilter::default() }
}

fn not(id: &str) -> IdFilter {
    IdFilter { ne: Some(id.into()), ..IdFilter::default() }
}

pub(crate) fn any(ids: &[&str]) -> IdFilter {
    IdFilter { is_in: Some(ids.iter().map(|id| (*id).into()).collect()), ..IdFilter::default() }
}

pub(crate) fn none(ids: &[&str]) -> IdFilter {
    IdFilter { not_in: Some(ids.iter().map(|id| (*id).into()).collect()), ..IdFilter::default() }
}

/// Returns every operator alone, empty lists, unknown ids, repeated ids, and combined operators.
fn filters_over(ids: [&str; 3], foreign: &str) -> Vec<IdFilter> {
    let [a, b, c] = ids;
    vec![
        IdFilter::default(),
        only(a),
        only(foreign),
        not(b),
        not(foreign),
        any(&[]),
        any(&[c]),
        any(&[c, a, foreign, a]),
        none(&[]),
        none(&[a, foreign]),
        none(&[c, b]),
        IdFilter { ne: Some(a.into()), ..only(a) },
        IdFilter { eq: Some(a.into()), ..any(&[b, a]) },
        IdFilter { eq: Some(a.into()), ..any(&[b, c]) },
        IdFilter { not_in: Some(vec![b.into()]), ..any(&[a, b, c]) },
        IdFilter { ne: Some(b.into()), ..none(&[c]) },
    ]
}

pub(super) async fn every_combination_of_session_filters_matches_the_model(db: &mut Database) {
    let (one, other) = accounts(db).await;
    let ids = [0, 130, 419].map(|number| one.sessions[number].id.as_str());
    let id_filters = filters_over(ids, other.sessions[3].id.as_str());
    let screener_filters = filters_over(["scr_0", "scr_1", "scr_2"], "scr_of_nobody");
    db.store()
        .read(async |tx| {
            for ids in &id_filters {
                for screeners in &screener_filters {
                    let shape = Shape { ids: ids.clone(), screeners: screeners.clone() };
                    for (limit, offset) in [(500, 0), (25, 120), (7, 400)] {
                        shape.check(tx, &one, limit, offset).await;
                    }
                }
            }
            Ok(())
        })
        .await
        .expect("the lists are read");
}

/// Returns one filter over many rows for each way in which the store finds a page.
fn long_shapes(account: &Account) -> Vec<Shape> {
    let many: Vec<&str> = account.sessions[60..260].iter().map(|it| it.id.as_str()).collect();
    let shape = |ids, screeners| Shape { ids, screeners };
    let everything = IdFilter::default;
    vec![
        shape(everything(), everything()),
        shape(everything(), only("scr_0")),
        shape(everything(), only("scr_3")),
        shape(everything(), any(&["scr_0", "scr_2"])),
        shape(everything(), not("scr_0")),
        shape(everything(), none(&["scr_1", "scr_2", "scr_3"])),
        shape(any(&many), everything()),
        shape(none(&many), everything()),
        shape(none(&many), any(&["scr_0", "scr_1"])),
        shape(none(&many), not("scr_1")),
    ]
}

pub(super) async fn session_pages_of_every_size_make_up_the_list(db: &mut Database) {
    let (one, _) = accounts(db).await;
    db.store()
        .read(async |tx| {
            for shape in long_shapes(&one) {
                for limit in [1, 7, 25, 500] {
                    for offset in offsets(shape.expected(&one).len(), limit) {
                        shape.check(tx, &one, limit, offset).await;
                    }
                }
            }
            Ok(())
        })
        .await
        .expect("the lists are read");
}

pub(super) async fn session_pages_near_a_block_and_past_the_end_are_right(db: &mut Database) {
    let (one, _) = accounts(db).await;
    db.store()
        .read(async |tx| {
            for shape in long_shapes(&one) {
                for limit in [1, 7, 128, 129, 500] {
                    for offset in edges(shape.expected(&one).len()) {
                        shape.check(tx, &one, limit, offset).await;
                    }
                }
            }
            Ok(())
        })
        .await
        .expect("the lists are read");
}

pub(super) async fn a_page_continues_behind_long_runs_that_are_excluded(db: &mut Database) {
    let mut one = Account::create(db.store(), "acct_one", 2, 2).await;
    for number in 0..3000 {
        // The first run ends where the store ends its first read of 1024 rows.
        let is_excluded = (10..1024).contains(&number) || (1034..2980).contains(&number);
        one.open_session(usize::from(is_excluded), 0, 0);
    }
    one.flush(db.store()).await;
    let shape = Shape { screeners: not("scr_1"), ..Shape::default() };
    db.store()
        .read(async |tx| {
            for offset in [0, 5, 10] {
                shape.check(tx, &one, 25, offset).await;
            }
            Ok(())
        })
        .await
        .expect("the list is read");
}

pub(super) async fn a_removed_session_keeps_its_instants(db: &mut Database) {
    let (mut one, _) = accounts(db).await;
    // Sessions 0 and 3 are ACTIVE and not started. Session 1 is ARCHIVED and in progress.
    for number in [0, 1, 3] {
        let session = one.sessions[number].clone();
        let (tenant, id) = (one.tenant.clone(), session.id.clone());
        let work = async move |tx: &mut WriteTx| {
            let (session, standing) = tx.get_standing(&tenant, &id).await?.expect("it is there");
            let removed = Session { status: SessionStatus::Removed, ..session };
            tx.set_session_status(&tenant, &removed, &standing).await
        };
        db.store().write(Locks::import(), work).await.expect("the removal runs");
        one.sessions[number].status = SessionStatus::Removed;
    }
    // Only the status has changed, and the list still has the sessions.
    db.store()
        .read(async |tx| {
            Shape::default().check(tx, &one, 500, 0).await;
            Ok(())
        })
        .await
        .expect("the list is read");
}

fn environment() -> Environment {
    Environment { now: Arc::new(|| at(1000)), random: Arc::new(|| [7; 32]) }
}

async fn remove_through_the_app(location: &Location, session: &Session, times: usize) {
    let settings = Settings::new(location.clone(), environment());
    let app = App::open(settings).await.expect("it opens");
    let presented = bearer("token");
    let caller =
        app.authenticate::<WriteSessions>(&presented).await.expect("the credential is good");
    for _ in 0..times {
        let removed = app.remove_session(&caller, session.id.clone()).await.expect("it is removed");
        assert_eq!(removed.session, Session { status: SessionStatus::Removed, ..session.clone() });
    }
    app.close().await;
}

pub(super) async fn removing_a_session_twice_writes_one_audit_row(db: &mut Database) {
    let (one, _) = accounts(db).await;
    let credential = Credential {
        id: good(CredentialId::parse("key_1")),
        tenant: one.tenant.clone(),
        kind: CredentialKind::Service,
        hash: SecretHash::of(b"token"),
        scopes: [Scope::SessionsWrite].into(),
        created: at(0),
        expires: None,
        revoked: None,
    };
    let create = async move |tx: &mut WriteTx| tx.create_credential(&credential).await;
    assert!(db.store().write(Locks::import(), create).await.expect("the credential is stored"));
    let session = one.sessions[0].clone();
    db.close().await;
    remove_through_the_app(&db.location, &session, 2).await;
    db.reopen().await;
    let all = ChangeFilter::default();
    let read = async |tx: &mut Tx| tx.list_changes(&one.tenant, &all, pagination(5, 0)).await;
    let log = db.store().read(read).await.expect("the audit log is read");
    let change = Change {
        at: at(1000),
        actor: "key_1".into(),
        action: Action::Remove,
        subject: Subject::Session,
        subject_id: session.id.to_string(),
        fields: vec![FieldChange {
            name: "status".into(),
            before: Some("ACTIVE".into()),
            after: Some("REMOVED".into()),
        }],
    };
    assert_eq!((log.items, log.total), (vec![Entry { seq: 0, change }], 1));
}
