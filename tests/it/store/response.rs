//! Lists of responses against the model.

use screenerd::domain::answer::Answer;
use screenerd::domain::list::IdFilter;
use screenerd::domain::response::ScreenerResponse;
use screenerd::store::{Numbered, QuestionCache, ResponseFilter, ResponseSpan, Room, Tx};

use super::session::{any, edges, offsets, only, slice};
use crate::support::account::{Account, QUESTIONS, admits, answer_to, pagination, set};
use crate::support::backend::Database;

/// A filter of a list of responses, as a caller writes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) screeners: IdFilter,
    pub(crate) publications: IdFilter,
    pub(crate) sessions: IdFilter,
    pub(crate) assignments: IdFilter,
}

impl Shape {
    /// Returns the rows that the model expects.
    pub(crate) fn expected(&self, account: &Account) -> Vec<ScreenerResponse> {
        let matches = |row: &&ScreenerResponse| {
            admits(&self.screeners, row.origin.screener.as_str())
                && admits(&self.publications, row.origin.publication.as_str())
                && admits(&self.sessions, row.origin.session.as_str())
                && admits(&self.assignments, row.origin.assignment.as_str())
        };
        account.responses.iter().filter(matches).cloned().collect()
    }

    /// Asserts that a page matches the model.
    pub(crate) async fn check(&self, tx: &mut Tx, account: &Account, limit: i64, offset: i64) {
        let expected = self.expected(account);
        let filter = ResponseFilter {
            screeners: set(&self.screeners),
            publications: set(&self.publications),
            sessions: set(&self.sessions),
            assignments: set(&self.assignments),
        };
        let page = tx
            .list_responses(&account.tenant, &filter, pagination(limit, offset))
            .await
            .expect("a list is read");
        let context = || format!("{self:?}, limit {limit}, offset {offset}");
        assert_eq!(usize::try_from(page.total), Ok(expected.len()), "total of {}", context());
        assert_eq!(page.items, slice(&expected, limit, offset), "{}", context());
        let span = tx.response_span(&account.tenant, &filter).await.expect("a span is read");
        assert_eq!(usize::try_from(span.total), Ok(expected.len()), "span of {}", context());
        let all = export(tx, account, &span, 0, 500).await;
        let rows: Vec<_> = all.iter().map(|(_, row)| row.clone()).collect();
        assert_eq!(rows, expected, "export of {}", context());
        // An export from any row on, in pieces of any size, returns the remaining rows.
        let place = usize::try_from(offset).expect("an offset is small").min(all.len());
        if let Some((number, _)) = all.get(place) {
            let size = usize::try_from(limit).expect("a limit is small").max(20);
            let rest = export(tx, account, &span, *number, size).await;
            assert_eq!(rest, all[place..], "rest of {}", context());
        }
    }
}

/// Reads an export from a number on, in pieces of this many rows.
async fn export(
    tx: &mut Tx,
    account: &Account,
    span: &ResponseSpan,
    from: i64,
    size: usize,
) -> Vec<Numbered> {
    let (mut rows, mut from, mut cache) = (Vec::new(), from, QuestionCache::default());
    loop {
        // Some of the smaller pieces reach the limit of bytes first.
        let room = Room { rows: size, bytes: size * 20 };
        let piece = tx
            .responses_from(&account.tenant, &span.walk, &mut cache, (from, span.end), room)
            .await
            .expect("a piece is read");
        let Some((last, _)) = piece.last() else { return rows };
        assert!(piece.len() <= size, "a piece of {} rows instead of {size}", piece.len());
        from = last + 1;
        rows.extend(piece);
    }
}

/// Creates two tenants with the same screeners. Answers arrive in another order than sessions. The
/// first tenant has several blocks of answers in its list, in its first screener and in that one's
/// second publication.
async fn accounts(db: &Database) -> (Account, Account) {
    let mut one = Account::create(db.store(), "acct_one", 3, 5).await;
    let mut other = Account::create(db.store(), "acct_other", 3, 5).await;
    for number in 0..160 {
        let screener = usize::from(number % 10 >= 8);
        one.open_session(screener, usize::from(number % 4 > 0), number);
    }
    for number in 0..20 {
        other.open_session(number % 2, number, number);
    }
    // Two passes over the sessions separate the answers of one session.
    for pass in 0..2 {
        for number in 0..one.sessions.len() {
            for question in [pass, pass + 2] {
                if (number + question) % 5 > 0 {
                    one.answer(number, question, answer_to(question, number));
                }
            }
        }
        for number in 0..other.sessions.len() {
            other.answer(number, pass, answer_to(pass, number));
        }
        one.flush(db.store()).await;
        other.flush(db.store()).await;
    }
    (one, other)
}

pub(super) async fn every_combination_of_response_filters_matches_the_model(db: &mut Database) {
    let (one, other) = accounts(db).await;
    let [a, b, c] = [1, 8, 150].map(|number| one.sessions[number].id.as_str());
    let foreign = other.sessions[0].id.as_str();
    let people = [1, 8, 150].map(|number| one.sessions[number].assignment.as_str());
    let all = IdFilter::default;
    let screeners = [all(), only("scr_0"), only("scr_1"), only("scr_2"), only("scr_of_nobody")];
    let publications =
        [all(), only("pub_scr_0_1"), only("pub_scr_1_0"), only("pub_scr_2_0"), only("of_nobody")];
    let both = IdFilter { eq: Some(a.into()), ..any(&[b, a]) };
    let contradiction = IdFilter { eq: Some(a.into()), ..any(&[b, c]) };
    let sessions =
        [all(), only(b), only(foreign), any(&[]), any(&[c, a, foreign, a]), both, contradiction];
    let assignments = [all(), only(people[0]), any(&people), any(&[]), any(&["scpar_of_nobody"])];
    db.store()
        .read(async |tx| {
            for screeners in &screeners {
                for publications in &publications {
                    for sessions in &sessions {
                        for assignments in &assignments {
                            let shape = Shape {
                                screeners: screeners.clone(),
                                publications: publications.clone(),
                                sessions: sessions.clone(),
                                assignments: assignments.clone(),
                            };
                            shape.check(tx, &one, 500, 0).await;
                            shape.check(tx, &one, 3, 2).await;
                        }
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
    let many: Vec<&str> = account.sessions[20..150].iter().map(|it| it.id.as_str()).collect();
    let people = ["scpar_scr_0_1", "scpar_scr_0_2", "scpar_scr_1_3"];
    let shape = Shape::default;
    vec![
        shape(),
        Shape { screeners: only("scr_0"), ..shape() },
        Shape { screeners: only("scr_2"), ..shape() },
        Shape { publications: only("pub_scr_0_1"), ..shape() },
        Shape { publications: only("pub_scr_0_1"), screeners: only("scr_0"), ..shape() },
        Shape { sessions: any(&many), ..shape() },
        Shape { assignments: any(&people), ..shape() },
        Shape { sessions: any(&many), assignments: any(&people), ..shape() },
    ]
}

pub(super) async fn response_pages_of_every_size_make_up_the_list(db: &mut Database) {
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

pub(super) async fn response_pages_near_a_block_and_past_the_end_are_right(db: &mut Database) {
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

pub(super) async fn a_publication_of_another_screener_has_no_responses(db: &mut Database) {
    let (one, _) = accounts(db).await;
    let shape =
        Shape { screeners: only("scr_1"), publications: only("pub_scr_0_1"), ..Shape::default() };
    assert!(shape.expected(&one).is_empty());
    let halves = [
        Shape { screeners: IdFilter::default(), ..shape.clone() },
        Shape { publications: IdFilter::default(), ..shape.clone() },
    ];
    // Each half alone has rows, so that only their contradiction has none.
    assert!(halves.iter().all(|half| !half.expected(&one).is_empty()));
    db.store()
        .read(async |tx| {
            for shape in halves.iter().chain([&shape]) {
                shape.check(tx, &one, 500, 0).await;
            }
            Ok(())
        })
        .await
        .expect("the lists are read");
}

pub(super) async fn the_answers_of_a_session_are_its_own(db: &mut Database) {
    let (one, _) = accounts(db).await;
    db.store()
        .read(async |tx| {
            for session in &one.sessions[..QUESTIONS * 4] {
                let of_session = |row: &&ScreenerResponse| row.origin.session == session.id;
                let expected: Vec<_> = one.responses.iter().filter(of_session).collect();
                let mut answers = tx.session_answers(&one.tenant, &session.id).await?;
                answers.sort_by(|(one, _), (other, _)| one.cmp(other));
                let mut pairs: Vec<_> = expected
                    .iter()
                    .map(|row| (row.asked.question.clone(), Answer::clone(&row.answer)))
                    .collect();
                pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
                assert_eq!(answers, pairs);
                for row in expected {
                    let one_answer = tx
                        .get_answer(&one.tenant, &session.id, &row.asked.question, row.asked.kind)
                        .await?;
                    assert_eq!(one_answer.as_ref(), Some(&*row.answer));
                }
            }
            Ok(())
        })
        .await
        .expect("the answers are read");
}
