//! Rows that leave a list, against the model.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use screenerd::domain::answer::Answer;
use screenerd::domain::error::Kind;
use screenerd::domain::id::{PublicationId, QuestionId, ScreenerId, TenantId};
use screenerd::domain::list::IdFilter;
use screenerd::domain::publication::Publication;
use screenerd::domain::question::{Question, QuestionForm, TextForm};
use screenerd::domain::session::Session;
use screenerd::store::{Locks, ResponseFilter, Row, SessionFilter, Store, WriteTx};

use super::response::Shape;
use super::session::{edges, offsets, slice};
use super::write::check_counters;
use crate::support::account::{
    Account, QUESTIONS, answer_to, good, pagination, person_of, publication, question_of,
    screener_id, set,
};
use crate::support::backend::Database;

/// Pseudorandom numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let high = usize::try_from(self.0 >> 33).expect("31 bits fit");
        high % end
    }
}

fn only(id: &str) -> IdFilter {
    IdFilter { eq: Some(id.into()), ..IdFilter::default() }
}

/// Returns one filter for each way in which the store finds a page.
fn shapes(account: &Account) -> Vec<Shape> {
    let shape = Shape::default;
    let some = account.sessions.iter().skip(2).take(40);
    let some: Vec<_> = some.map(|it| it.id.to_string()).collect();
    vec![
        shape(),
        Shape { screeners: only("scr_0"), ..shape() },
        Shape { screeners: only("scr_1"), ..shape() },
        Shape { publications: only("pub_scr_0_0"), ..shape() },
        Shape { publications: only("pub_scr_1_1"), ..shape() },
        Shape { sessions: IdFilter { is_in: Some(some), ..IdFilter::default() }, ..shape() },
        Shape { assignments: only("scpar_scr_0_1"), ..shape() },
    ]
}

/// Creates an account with more than a thousand answers, of two screeners and four publications.
async fn account(db: &Database) -> Account {
    let mut account = Account::create(db.store(), "acct_one", 2, 5).await;
    for number in 0..330 {
        account.open_session(usize::from(number % 5 == 0), usize::from(number % 3 == 0), number);
        for question in 0..QUESTIONS {
            account.answer(number, question, answer_to(question, number));
        }
    }
    account.flush(db.store()).await;
    account
}

async fn check(store: &Store, account: &Account, limit: i64, step: i64) {
    store
        .read(async |tx| {
            for shape in shapes(account) {
                let rows = shape.expected(account).len();
                for offset in offsets(rows, step).chain(edges(rows)) {
                    shape.check(tx, account, limit, offset).await;
                }
            }
            Ok(())
        })
        .await
        .expect("the lists are read");
    check_counters(store).await;
}

pub(super) async fn lists_with_holes_match_the_model_at_every_offset(db: &mut Database) {
    let mut account = account(db).await;
    // Another tenant has rows in the same lists, which all stay.
    let mut other = Account::create(db.store(), "acct_other", 2, 5).await;
    for number in 0..200 {
        other.open_session(number % 2, number, number);
        other.answer(number, 0, answer_to(0, number));
    }
    other.flush(db.store()).await;
    let mut dice = Dice(7);
    for round in 0..4 {
        for _ in 0..60 {
            let session = dice.below(account.sessions.len());
            account.drop_answers(session, &[dice.below(QUESTIONS), dice.below(QUESTIONS)]);
        }
        // Whole blocks at the beginning, in the middle and at the end, and then new rows.
        let first = [0, 100, 260, 325][round];
        for session in first..(first + 45).min(account.sessions.len()) {
            account.drop_answers(session, &[0, 1, 2, 3]);
        }
        for _ in 0..10 {
            let number = account.sessions.len();
            account.open_session(dice.below(2), dice.below(2), number);
            account.answer(number, 1, answer_to(1, number));
        }
        account.flush(db.store()).await;
        check(db.store(), &account, 25, 37).await;
    }
    check(db.store(), &account, 3, 1).await;
    // All rows leave, and the lists continue.
    for session in 0..account.sessions.len() {
        account.drop_answers(session, &[0, 1, 2, 3]);
    }
    account.flush(db.store()).await;
    assert_eq!(account.responses, []);
    check(db.store(), &account, 25, 60).await;
    for number in 0..50 {
        account.answer(number, 2, answer_to(2, number));
    }
    account.flush(db.store()).await;
    check(db.store(), &account, 25, 60).await;
    db.store()
        .read(async |tx| {
            Shape::default().check(tx, &other, 500, 0).await;
            Ok(())
        })
        .await
        .expect("the list is read");
}

/// Questions of a long publication.
const LONG: usize = 500;
/// Sessions of the long publication of each of the two screeners.
const SESSIONS: [usize; 2] = [36, 6];

fn long_question(number: usize) -> QuestionId {
    good(QuestionId::parse(&format!("q_{number}")))
}

fn long_publication(screener: &ScreenerId) -> PublicationId {
    good(PublicationId::parse(&format!("long_{screener}")))
}

/// Long lists: sessions, and the positions of session and question in arrival order.
struct Long {
    tenant: TenantId,
    sessions: Vec<Session>,
    rows: Vec<(usize, usize)>,
}

impl Long {
    async fn create(store: &Store) -> Self {
        let mut account = Account::create(store, "acct_long", 2, 2).await;
        for number in 0..SESSIONS.iter().sum() {
            account.open_session(usize::from(number % 7 == 6), 0, number);
        }
        let mut sessions = std::mem::take(&mut account.sessions);
        for session in &mut sessions {
            session.publication = long_publication(&session.screener);
        }
        let (mut rows, mut long) = (Vec::new(), Vec::new());
        // Two passes, so that the answers of one session are far apart.
        for pass in 0..2 {
            for (place, session) in sessions.iter().enumerate() {
                let part = pass * LONG / 2..(pass + 1) * LONG / 2;
                rows.extend(part.clone().map(|question| (place, question)));
                long.push((session.clone(), part));
            }
        }
        let (tenant, opened) = (account.tenant.clone(), sessions.clone());
        store
            .write_alone(Locks::import(), async move |tx| {
                for number in 0..2 {
                    create_long_publication(tx, &tenant, &screener_id(number)).await?;
                }
                for session in &opened {
                    tx.create_session(&tenant, &person_of(&session.assignment), session).await?;
                }
                for (session, part) in long {
                    let answers: Vec<_> =
                        part.map(|number| (long_question(number), Answer::Skipped)).collect();
                    tx.create_responses(&tenant, &session, &answers, false).await?;
                }
                Ok(())
            })
            .await
            .expect("the long lists are stored");
        Self { tenant: account.tenant, sessions, rows }
    }

    /// Drops answers in one write.
    async fn leave(&mut self, store: &Store, gone: &BTreeSet<(usize, usize)>) {
        self.rows.retain(|row| !gone.contains(row));
        let (tenant, sessions) = (self.tenant.clone(), self.sessions.clone());
        let gone = gone.clone();
        store
            .write(Locks::import(), async move |tx| {
                let mut found = Vec::new();
                for (place, session) in sessions.iter().enumerate() {
                    let of_session = gone.range((place, 0)..(place + 1, 0));
                    let questions: Vec<_> =
                        of_session.map(|(_, number)| long_question(*number)).collect();
                    found.push((session, tx.find_dropping(&tenant, session, &questions).await?));
                }
                for (session, dropping) in found {
                    tx.drop_responses(&tenant, session, &dropping).await?;
                }
                Ok(())
            })
            .await
            .expect("the answers are dropped");
    }

    /// Asserts that pages from all parts of each list match the model.
    async fn check(&self, store: &Store) {
        let of = |screener: usize| {
            let screener = screener_id(screener);
            let rows =
                self.rows.iter().filter(move |row| self.sessions[row.0].screener == screener);
            rows.copied().collect::<Vec<_>>()
        };
        let id = |number: usize| screener_id(number).to_string();
        let long = |number: usize| long_publication(&screener_id(number)).to_string();
        let all = IdFilter::default;
        for (screeners, publications, expected) in [
            (all(), all(), self.rows.clone()),
            (only(&id(0)), all(), of(0)),
            (only(&id(1)), all(), of(1)),
            (all(), only(&long(0)), of(0)),
            (all(), only(&long(1)), of(1)),
        ] {
            let filter = ResponseFilter {
                screeners: set(&screeners),
                publications: set(&publications),
                ..ResponseFilter::default()
            };
            let name = |(place, number): &(usize, usize)| {
                (self.sessions[*place].id.clone(), long_question(*number))
            };
            store
                .read(async |tx| {
                    for offset in offsets(expected.len(), 397).chain(edges(expected.len())) {
                        let pagination = pagination(3, offset);
                        let page = tx.list_responses(&self.tenant, &filter, pagination).await?;
                        assert_eq!(usize::try_from(page.total), Ok(expected.len()));
                        let found = page
                            .items
                            .into_iter()
                            .map(|row| (row.origin.session.clone(), row.asked.question.clone()));
                        let wanted = slice(&expected, 3, offset).iter().map(name);
                        assert!(found.eq(wanted), "{filter:?}, offset {offset}");
                    }
                    Ok(())
                })
                .await
                .expect("the lists are read");
        }
    }
}

async fn create_long_publication(
    tx: &mut WriteTx,
    tenant: &TenantId,
    screener: &ScreenerId,
) -> screenerd::domain::error::Result<()> {
    let question = |number| Question {
        id: long_question(number),
        form: QuestionForm::Text(TextForm::default()),
        ..question_of(0)
    };
    let long = Publication {
        id: long_publication(screener),
        questions: (0..LONG).map(question).collect(),
        ..publication(screener, 0)
    };
    tx.create_publication(tenant, &long).await
}

/// Makes every list look as if 270 million rows had come and gone before its own: more of the widest
/// blocks than one block of another level has.
async fn lengthen(db: &Database) {
    let wide: Vec<_> = (0..130).map(|block| format!("({block})")).collect();
    let wide = wide.join(", ");
    for sql in [
        "UPDATE responses SET seq = seq + 272629760",
        "UPDATE list_totals SET total = total + 272629760, holes = holes + 272629760
         WHERE list = 'responses'",
        "UPDATE list_marks SET block = block + 2129920, first_seq = first_seq + 272629760
         WHERE list = 'responses'",
        "UPDATE list_holes SET block = block + 2129920 WHERE level = 1",
        "UPDATE list_holes SET block = block + 16640 WHERE level = 2",
        "UPDATE list_holes SET block = block + 130 WHERE level = 3",
        &format!(
            "INSERT INTO list_holes (tenant_id, list, scope, scope_id, level, block, holes)
             SELECT tenant_id, list, scope, scope_id, 3, wide.column1, 2097152
             FROM list_totals, (VALUES {wide}) AS wide WHERE list = 'responses'"
        ),
    ] {
        db.edit(sql).await;
    }
}

pub(super) async fn holes_are_found_across_blocks_of_every_level(db: &mut Database) {
    let mut long = Long::create(db.store()).await;
    let mut dice = Dice(11);
    long.check(db.store()).await;
    let some: BTreeSet<_> = (0..3000).map(|_| long.rows[dice.below(long.rows.len())]).collect();
    long.leave(db.store(), &some).await;
    long.check(db.store()).await;
    // All remaining rows of a block of the second level but one.
    let rest: BTreeSet<_> = long.rows[1..15_000].iter().copied().collect();
    long.leave(db.store(), &rest).await;
    long.check(db.store()).await;
    lengthen(db).await;
    long.check(db.store()).await;
    let more = [0, 1, 2, 500, 501, long.rows.len() - 1].map(|place| long.rows[place]);
    long.leave(db.store(), &BTreeSet::from(more)).await;
    long.check(db.store()).await;
}

async fn seqs(store: &Store) -> Vec<i64> {
    store
        .read(async |tx| {
            tx.all("SELECT seq FROM responses ORDER BY seq", &[], |row: &mut Row<'_>| row.int())
                .await
        })
        .await
        .expect("the positions are read")
}

pub(super) async fn a_row_that_leaves_moves_no_other_and_frees_no_number(db: &mut Database) {
    let mut account = Account::create(db.store(), "acct_one", 1, 2).await;
    for number in 0..3 {
        account.open_session(0, 0, number);
        account.answer(number, 0, answer_to(0, number));
        account.answer(number, 1, answer_to(1, number));
    }
    account.flush(db.store()).await;
    assert_eq!(seqs(db.store()).await, [0, 1, 2, 3, 4, 5]);
    account.drop_answers(0, &[1]);
    account.drop_answers(2, &[1, 3]);
    account.flush(db.store()).await;
    assert_eq!(seqs(db.store()).await, [0, 2, 3, 4]);
    // A new answer to the question is a new row, also within the write that dropped the old one.
    account.answer(2, 1, answer_to(1, 1));
    account.drop_answers(2, &[1]);
    account.answer(2, 1, answer_to(1, 2));
    account.flush(db.store()).await;
    assert_eq!(seqs(db.store()).await, [0, 2, 3, 4, 7]);
    check(db.store(), &account, 2, 1).await;
}

pub(super) async fn an_answer_is_dropped_once_whoever_drops_it(db: &mut Database) {
    const CALLERS: usize = 16;
    let mut account = Account::create(db.store(), "acct_one", 2, 2).await;
    for number in 0..40 {
        account.open_session(number % 2, number, number);
        for question in 0..QUESTIONS {
            account.answer(number, question, answer_to(question, number));
        }
    }
    account.flush(db.store()).await;
    let drop_all = async |caller: usize| {
        let (tenant, sessions) = (account.tenant.clone(), account.sessions.clone());
        let mut dropped = 0;
        for place in 0..20 {
            // Each caller has another order.
            let session = sessions[(place * 7 + caller) % 20].clone();
            let tenant = tenant.clone();
            let write = db.store().write(Locks::import(), async move |tx| {
                let questions = [question_of(caller % 2).id, question_of(2).id];
                let dropping = tx.find_dropping(&tenant, &session, &questions).await?;
                tx.drop_responses(&tenant, &session, &dropping).await?;
                Ok(dropping.len())
            });
            dropped += write.await.expect("a drop succeeds");
        }
        dropped
    };
    let dropped: usize = join_all((0..CALLERS).map(drop_all)).await.into_iter().sum();
    assert_eq!(dropped, 20 * 3);
    let gone: BTreeSet<_> = account.sessions[..20].iter().map(|it| it.id.clone()).collect();
    let stays = question_of(3).id;
    account
        .responses
        .retain(|row| !gone.contains(&row.origin.session) || row.asked.question == stays);
    check_counters(db.store()).await;
    db.store()
        .read(async |tx| {
            Shape::default().check(tx, &account, 500, 0).await;
            Shape { screeners: only("scr_1"), ..Shape::default() }.check(tx, &account, 25, 9).await;
            Ok(())
        })
        .await
        .expect("the lists are read");
}

pub(super) async fn a_changed_answer_keeps_its_place(db: &mut Database) {
    let mut account = account(db).await;
    for number in 0..50 {
        for question in 0..QUESTIONS {
            account.change_answer(number * 3, question, answer_to(question, number + question));
        }
    }
    account.drop_answers(0, &[1]);
    account.flush(db.store()).await;
    check(db.store(), &account, 400, 400).await;
    // One of the answers does not exist, so none is changed.
    let (tenant, session) = (account.tenant.clone(), account.sessions[0].clone());
    let answers = [0, 1].map(|question| (question_of(question).id, Answer::Skipped));
    let refused = db
        .store()
        .write(Locks::import(), async move |tx| {
            tx.replace_responses(&tenant, &session, &answers, false).await
        })
        .await
        .expect_err("an answer is not there");
    assert_eq!(refused.kind(), Kind::Internal);
    check(db.store(), &account, 400, 400).await;
}

pub(super) async fn sessions_are_not_merged_where_one_has_left(db: &mut Database) {
    let account = account(db).await;
    let both =
        IdFilter { is_in: Some(vec!["scr_0".into(), "scr_1".into()]), ..IdFilter::default() };
    let filter = SessionFilter { screeners: set(&both), ..SessionFilter::default() };
    let list = async || {
        let page = pagination(25, 0);
        db.store().read(async |tx| tx.list_sessions(&account.tenant, &filter, page).await).await
    };
    assert_eq!(list().await.expect("the list is read").total, 330);
    db.edit("UPDATE list_totals SET holes = 1 WHERE list = 'sessions' AND scope = 'tenant'").await;
    assert_eq!(list().await.expect_err("a wrong page is worse").kind(), Kind::Internal);
}

pub(super) async fn a_merge_of_a_damaged_list_ends(db: &mut Database) {
    let account = account(db).await;
    let not = IdFilter { ne: Some("scr_0".into()), ..IdFilter::default() };
    let filter = SessionFilter { screeners: set(&not), ..SessionFilter::default() };
    let page = pagination(500, 0);
    let list = async || {
        db.store().read(async |tx| tx.list_sessions(&account.tenant, &filter, page).await).await
    };
    let total = list().await.expect("the list is read").total;
    // With wrong marks, the store finds the sessions of a screener but cannot count them.
    db.edit(
        "UPDATE list_marks SET first_seq = first_seq + 1000000
         WHERE list = 'sessions' AND scope_id = 'scr_0'",
    )
    .await;
    let refused = tokio::time::timeout(Duration::from_mins(1), list()).await.expect("it ends");
    let refused = refused.expect_err("the list is damaged");
    let internal = refused.internal_text().expect("the log names the row");
    assert!(internal.contains("list_totals"), "{internal}");
    assert!(total > 0);
}
