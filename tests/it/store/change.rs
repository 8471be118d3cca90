//! The audit log.

use screenerd::domain::change::{Action, Change, Entry, FieldChange, Subject};
use screenerd::domain::error::Result;
use screenerd::domain::id::TenantId;
use screenerd::domain::review::Verb;
use screenerd::store::{ChangeFilter, Store, Tx, WriteTx};

use super::nouns::write;
use crate::support::account::{Account, at, pagination};
use crate::support::backend::Database;

fn field(name: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
    let [before, after] = [before, after].map(|text| text.map(str::to_owned));
    FieldChange { name: name.into(), before, after }
}

/// Returns a change whose action and subject depend on its number.
fn change(number: i64) -> Change {
    let subjects = [Subject::Session, Subject::Submission, Subject::Session];
    let place = usize::try_from(number).expect("it is not negative");
    let verbs = Verb::ALL.iter().map(|verb| Action::Review(*verb));
    let actions: Vec<_> = Action::ALL.iter().copied().chain(verbs).collect();
    Change {
        at: at(-number),
        actor: format!("key_{number}"),
        action: actions[place % actions.len()],
        subject: subjects[place % 3],
        subject_id: ["a", "a", "\"b\\"][place % 3].into(),
        fields: match number % 4 {
            0 => vec![],
            1 => vec![field("name", None, None)],
            2 => vec![field("a.b", Some("1"), None), field("c", None, Some("\"é\\\n"))],
            _ => vec![field("status", Some(""), Some("ACTIVE"))],
        },
    }
}

async fn listed(
    store: &Store,
    tenant: &TenantId,
    row: Option<(Subject, &str)>,
    (limit, offset): (i64, i64),
) -> (Vec<Entry>, i64) {
    let filter = ChangeFilter { row: row.map(|(subject, id)| (subject, id.to_owned())) };
    let page = pagination(limit, offset);
    let read = async |tx: &mut Tx| tx.list_changes(tenant, &filter, page).await;
    let page = store.read(read).await.expect("the log is read");
    (page.items, page.total)
}

pub(super) async fn changes_come_back_in_order_and_by_what_they_were_made_to(db: &mut Database) {
    const CHANGES: i64 = 150;
    let store = db.store();
    let one = Account::create(store, "acct_one", 0, 0).await.tenant;
    let other = Account::create(store, "acct_other", 0, 0).await.tenant;
    for number in 0..CHANGES {
        let tenant = if number == 50 { &other } else { &one };
        let (tenant, change) = (tenant.clone(), change(number));
        write!(store, |tx| tx.record_change(&tenant, &change));
    }
    let numbers: Vec<i64> = (0..CHANGES).filter(|number| *number != 50).collect();
    let all: Vec<Entry> =
        (0..).zip(&numbers).map(|(seq, number)| Entry { seq, change: change(*number) }).collect();
    let rows = [
        None,
        Some((Subject::Session, "a")),
        Some((Subject::Submission, "a")),
        Some((Subject::Session, "\"b\\")),
        Some((Subject::Submission, "\"b\\")),
        Some((Subject::Tenant, "acct_one")),
    ];
    for row in rows {
        let matches = |entry: &&Entry| {
            row.is_none_or(|(subject, id)| {
                entry.change.subject == subject && entry.change.subject_id == id
            })
        };
        let expected: Vec<Entry> = all.iter().filter(matches).cloned().collect();
        for (limit, offset) in [(500, 0), (7, 0), (7, 7), (1, 48), (100, 100), (5, 400)] {
            let (items, total) = listed(store, &one, row, (limit, offset)).await;
            let begin = usize::try_from(offset).expect("small").min(expected.len());
            let end = (begin + usize::try_from(limit).expect("small")).min(expected.len());
            assert_eq!(items, expected[begin..end], "{row:?}, {limit}, {offset}");
            assert_eq!(usize::try_from(total), Ok(expected.len()), "{row:?}");
        }
    }
    let theirs = (vec![Entry { seq: 0, change: change(50) }], 1);
    let row = Some((change(50).subject, "\"b\\"));
    assert_eq!(listed(store, &other, None, (500, 0)).await, theirs);
    assert_eq!(listed(store, &other, row, (500, 0)).await, theirs);
    assert_eq!(listed(store, &other, Some((Subject::Session, "a")), (9, 0)).await, (vec![], 0));
}

/// Action, subject, the old columns before and after, and the resulting field.
type Words = (&'static str, &'static str, [Option<&'static str>; 2], Option<Told>);
type Told = (&'static str, [Option<&'static str>; 2]);

const YES: Option<&str> = Some("true");
const NO: Option<&str> = Some("false");

const FROM_BEFORE: &[Words] = &[
    ("CREATE", "SESSION", [None, Some("ACTIVE")], Some(("status", [None, Some("ACTIVE")]))),
    (
        "REMOVE",
        "SESSION",
        [Some("ACTIVE"), Some("REMOVED")],
        Some(("status", [Some("ACTIVE"), Some("REMOVED")])),
    ),
    (
        "UPDATE",
        "PARTICIPANT",
        [Some("NONE"), Some("PASSED")],
        Some(("id_verification", [Some("NONE"), Some("PASSED")])),
    ),
    ("UPDATE", "PARTICIPANT", [None, None], None),
    ("HIDE", "SUBMISSION", [None, Some("HIDDEN")], Some(("hidden", [NO, YES]))),
    ("FAVORITE", "SUBMISSION", [Some("FAVORITE"), None], Some(("favorite", [YES, NO]))),
    (
        "DISQUALIFY",
        "SUBMISSION",
        [Some("QUALIFIED"), Some("DISQUALIFIED")],
        Some(("qualified_override", [YES, NO])),
    ),
    ("QUALIFY", "SUBMISSION", [None, Some("QUALIFIED")], Some(("qualified_override", [None, YES]))),
    (
        "REPORT",
        "SUBMISSION",
        [Some("VISIBLE"), Some("DISMISSED")],
        Some(("visibility", [Some("VISIBLE"), Some("DISMISSED")])),
    ),
    ("SCHEDULE", "SUBMISSION", [Some("SCHEDULED"), Some("SCHEDULED")], None),
    ("DISABLE", "TENANT", [None, None], None),
];

/// Reverts the migration, so that it runs again.
async fn take_back(tx: &mut WriteTx) -> Result<()> {
    for sql in [
        "ALTER TABLE changes DROP COLUMN fields",
        "ALTER TABLE changes ADD COLUMN state_before TEXT",
        "ALTER TABLE changes ADD COLUMN state_after TEXT",
        "DELETE FROM _sqlx_migrations WHERE version = 4",
    ] {
        tx.exec(sql, &[]).await?;
    }
    let quoted = |word: Option<&str>| word.map_or("NULL".to_owned(), |it| format!("'{it}'"));
    for (seq, (action, subject, words, _)) in FROM_BEFORE.iter().enumerate() {
        let [before, after] = words.map(quoted);
        let sql = format!(
            "UPDATE changes SET action = '{action}', subject = '{subject}',
             state_before = {before}, state_after = {after} WHERE seq = {seq}"
        );
        assert_eq!(tx.exec(sql, &[]).await?, 1);
    }
    Ok(())
}

pub(super) async fn words_from_before_become_fields(db: &mut Database) {
    let tenant = Account::create(db.store(), "acct_one", 0, 0).await.tenant;
    for _ in FROM_BEFORE {
        let (tenant, change) = (tenant.clone(), change(1));
        write!(db.store(), |tx| tx.record_change(&tenant, &change));
    }
    write!(db.store(), |tx| take_back(tx));
    db.reopen().await;
    let (items, total) = listed(db.store(), &tenant, None, (500, 0)).await;
    assert_eq!(usize::try_from(total), Ok(FROM_BEFORE.len()));
    for (entry, (action, subject, _, told)) in items.into_iter().zip(FROM_BEFORE) {
        let Change { action: kept, subject: of, fields, .. } = entry.change;
        assert_eq!((kept.as_str(), of.as_str()), (*action, *subject));
        let told = told.map(|(name, [before, after])| field(name, before, after));
        assert_eq!(fields, Vec::from_iter(told), "{action} {subject}");
    }
}
