//! Answers that were replaced or dropped.

use screenerd::domain::answer::{Answer, Selected};
use screenerd::domain::change::{Action, Change, FieldChange, Subject};
use screenerd::domain::error::Result;
use screenerd::domain::id::{OptionId, SessionId, TenantId};
use screenerd::domain::list::IdSet;
use screenerd::domain::response::{EarlierAnswer, EarlierReason, EarlierResponse};
use screenerd::store::{ChangeFilter, EarlierFilter, Tx, WriteTx};

use super::nouns::write;
use crate::support::account::{Account, answer_to, at, good, pagination, question_of};
use crate::support::backend::Database;

async fn listed(
    db: &Database,
    tenant: &TenantId,
    sessions: IdSet,
    (limit, offset): (i64, i64),
) -> (Vec<EarlierResponse>, i64) {
    let (filter, page) = (EarlierFilter { sessions }, pagination(limit, offset));
    let read = async |tx: &mut Tx| tx.list_earlier_responses(tenant, &filter, page).await;
    let page = db.store().read(read).await.expect("a list is read");
    (page.items, page.total)
}

fn only(session: &SessionId) -> IdSet {
    IdSet::Only([session.to_string()].into())
}

fn earlier(session: &SessionId, (question, answer, reason): EarlierAnswer) -> EarlierResponse {
    let number = question.as_str().strip_prefix("q_").and_then(|it| it.parse().ok());
    let kind = question_of(number.expect("a question of the account")).kind();
    EarlierResponse { session: session.clone(), question, kind, answer, at: at(3), reason }
}

async fn add(
    tx: &mut WriteTx,
    tenant: &TenantId,
    session: &SessionId,
    answers: &[EarlierAnswer],
) -> Result<()> {
    tx.create_earlier_responses(tenant, session, (answers, at(3))).await
}

pub(super) async fn earlier_answers_are_paged_by_their_sessions(db: &mut Database) {
    let mut account = Account::create(db.store(), "acct_one", 1, 1).await;
    for _ in 0..2 {
        account.open_session(0, 0, 0);
    }
    account.flush(db.store()).await;
    let other = Account::create(db.store(), "acct_two", 0, 0).await.tenant;
    let mut all = Vec::new();
    for number in 0..24 {
        let session = account.sessions[number % 2].id.clone();
        let reason = EarlierReason::ALL[number / 2 % 2];
        let answer = (question_of(number % 4).id, answer_to(number % 4, number / 4), reason);
        let (tenant, answers) = (account.tenant.clone(), [answer.clone()]);
        let of = session.clone();
        write!(db.store(), |tx| add(tx, &tenant, &of, &answers));
        all.push(earlier(&session, answer));
    }
    let tenant = &account.tenant;
    let first = &account.sessions[0].id;
    let its: Vec<_> = all.iter().filter(|it| it.session == *first).cloned().collect();
    for (limit, offset) in [(500, 0), (5, 0), (5, 5), (7, 21), (1, 30)] {
        for (sessions, expected) in [
            (IdSet::default(), &all),
            (only(first), &its),
            (IdSet::Only(account.sessions.iter().map(|it| it.id.to_string()).collect()), &all),
            (IdSet::Only(["nobody".to_owned()].into()), &Vec::new()),
            (IdSet::Only([].into()), &Vec::new()),
        ] {
            let (items, total) = listed(db, tenant, sessions, (limit, offset)).await;
            let begin = usize::try_from(offset).expect("small").min(expected.len());
            let end = (begin + usize::try_from(limit).expect("small")).min(expected.len());
            assert_eq!(items, expected[begin..end], "{limit}, {offset}");
            assert_eq!(usize::try_from(total), Ok(expected.len()));
        }
    }
    assert_eq!(listed(db, &other, IdSet::default(), (500, 0)).await, (vec![], 0));
    assert_eq!(listed(db, &other, only(first), (500, 0)).await, (vec![], 0));
}

fn chosen(option: &str, text: &str, write_in: Option<&str>) -> Selected {
    let option = good(OptionId::parse(option));
    Selected { option, text: text.into(), write_in: write_in.map(str::to_owned) }
}

/// The number of a question, its values in an old entry, and the earlier answer made of them.
type Old = (usize, [Option<&'static str>; 2], Option<(Answer, EarlierReason)>);

/// Returns the old entries. The last answer to the first question, a skipped one, is still current.
fn from_before() -> Vec<Old> {
    use EarlierReason::{Dropped, Replaced};
    let several = |chosen: Vec<Selected>| Answer::MultiSelect(chosen);
    let first = || chosen("z_first", "Option z_first", None);
    let typed = "Option other: x; y";
    let text = "a; \"b\"\n\u{e9}'\\";
    vec![
        (0, [None, None], None),
        (0, [Some(text), Some("c")], Some((Answer::Text(text.into()), Replaced))),
        (0, [Some("c"), None], Some((Answer::Text("c".into()), Replaced))),
        (1, [Some("5.5"), None], Some((Answer::Numeric(5.5), Dropped))),
        (1, [None, Some("7")], Some((Answer::Skipped, Replaced))),
        (
            2,
            [Some(typed), Some("Option z_first")],
            Some((Answer::SingleSelect(chosen("other", typed, Some("x; y"))), Replaced)),
        ),
        (2, [Some("Option z_first"), None], Some((Answer::SingleSelect(first()), Dropped))),
        (3, [Some(""), Some(typed)], Some((several(vec![]), Replaced))),
        (
            3,
            [Some("Option z_first; Option other: Hub"), None],
            Some((
                several(vec![first(), chosen("other", "Option other: Hub", Some("Hub"))]),
                Dropped,
            )),
        ),
        (
            3,
            [Some(typed), None],
            Some((several(vec![chosen("other", typed, Some(typed))]), Dropped)),
        ),
    ]
}

/// Reverts the migration, so that it runs again.
async fn take_back(tx: &mut WriteTx) -> Result<()> {
    for sql in [
        "DROP TABLE earlier_responses",
        "ALTER TABLE responses DROP COLUMN provisional",
        "DELETE FROM list_totals WHERE list = 'earlier_responses'",
        "DELETE FROM _sqlx_migrations WHERE version = 10",
    ] {
        tx.exec(sql, &[]).await?;
    }
    Ok(())
}

pub(super) async fn values_leave_old_entries_for_a_table_of_their_own(db: &mut Database) {
    let mut account = Account::create(db.store(), "acct_one", 1, 1).await;
    for _ in 0..2 {
        account.open_session(0, 0, 0);
    }
    account.answer(1, 0, Answer::Skipped);
    account.flush(db.store()).await;
    let (tenant, session) = (account.tenant.clone(), account.sessions[1].id.clone());
    let field = |name: String, [before, after]: [Option<&str>; 2]| {
        let [before, after] = [before, after].map(|text| text.map(str::to_owned));
        FieldChange { name, before, after }
    };
    let status = || field("status".into(), [Some("ACTIVE"), Some("\"\\")]);
    let entry = |fields| Change {
        at: at(3),
        actor: "panelist".into(),
        action: Action::Answer,
        subject: Subject::Session,
        subject_id: session.to_string(),
        fields,
    };
    for (question, values, _) in from_before() {
        let answer = field(format!("answers.q_{question}"), values);
        let (tenant, change) = (tenant.clone(), entry(vec![status(), answer, status()]));
        write!(db.store(), |tx| tx.record_change(&tenant, &change));
    }
    write!(db.store(), |tx| take_back(tx));
    db.reopen().await;
    let moved = from_before().into_iter().filter_map(|(question, _, moved)| {
        let (answer, reason) = moved?;
        Some(earlier(&session, (question_of(question).id, answer, reason)))
    });
    let moved: Vec<_> = moved.collect();
    let total = i64::try_from(moved.len()).expect("few");
    for sessions in [IdSet::default(), only(&session)] {
        let (items, found) = listed(db, &tenant, sessions, (500, 0)).await;
        assert_eq!((items, found), (moved.clone(), total));
    }
    // The entries still name the questions and are otherwise unchanged.
    let (filter, page) = (ChangeFilter::default(), pagination(500, 0));
    let read = async |tx: &mut Tx| tx.list_changes(&tenant, &filter, page).await;
    let entries = db.store().read(read).await.expect("the log is read").items;
    let expected = from_before().into_iter().map(|(question, ..)| {
        entry(vec![status(), field(format!("answers.q_{question}"), [None, None]), status()])
    });
    let found: Vec<_> = entries.into_iter().map(|entry| entry.change).collect();
    assert_eq!(found, expected.collect::<Vec<_>>());
    // The next earlier answer has the next number.
    let answer = (question_of(0).id, answer_to(0, 1), EarlierReason::Dropped);
    let (answers, of, id) = ([answer.clone()], tenant.clone(), session.clone());
    write!(db.store(), |tx| add(tx, &of, &id, &answers));
    let (items, _) = listed(db, &tenant, IdSet::default(), (500, total)).await;
    assert_eq!(items, [earlier(&session, answer)]);
}
