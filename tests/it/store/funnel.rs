//! The funnel against a count of the rows, after thousands of random changes.

use std::sync::Arc;

use futures_util::future::join_all;
use screenerd::app::{
    App, Caller, Environment, Imported, NewAnswer, Operator, Record, ReviewSubmissions,
    SessionRecord, Settings, WriteParticipants, WriteSessions,
};
use screenerd::domain::answer::{Answer, Given, GivenOption, Selected};
use screenerd::domain::credential::{Credential, CredentialKind, Scope, SecretHash};
use screenerd::domain::error::Result;
use screenerd::domain::funnel::Funnel;
use screenerd::domain::id::{CredentialId, ScreenerId, SessionId};
use screenerd::domain::participant::{IdVerification, ParticipantName};
use screenerd::domain::review::{
    Decision, Disqualification, DisqualificationReason, RejectionMessage, Review, ReviewStatus,
};
use screenerd::domain::session::{NewSession, Progress, Session, SessionState, SessionStatus};
use screenerd::domain::verdict::{Outcome, Verdict};
use screenerd::store::Tx;

use super::nouns::write;
use crate::support::account::{
    Account, PUBLICATIONS, QUESTIONS, answer_to, assignment_id, at, good, participant, project,
    publication_id, question_of,
};
use crate::support::backend::Database;
use crate::support::bearer;
use crate::support::random::Random;

const SEED: u64 = 20_240_601;
const PEOPLE: usize = 6;
/// The rows are counted after each phase.
const PHASES: u64 = 3;
const ROUNDS: usize = 25;
/// Concurrent changes.
const AT_ONCE: usize = 24;

struct Callers {
    app: App,
    sessions: Caller<WriteSessions>,
    reviews: Caller<ReviewSubmissions>,
    people: Caller<WriteParticipants>,
}

async fn let_in(db: &Database, account: &Account) {
    let credential = Credential {
        id: good(CredentialId::parse("key_1")),
        tenant: account.tenant.clone(),
        kind: CredentialKind::Service,
        hash: SecretHash::of(b"token"),
        scopes: [Scope::SessionsWrite, Scope::SubmissionsReview, Scope::ParticipantsWrite].into(),
        created: at(0),
        expires: None,
        revoked: None,
    };
    assert!(write!(db.store(), |tx| tx.create_credential(&credential)));
}

async fn callers(db: &Database, seed: u64) -> Callers {
    let entropy = Arc::new(std::sync::Mutex::new(Random(seed)));
    let random = move || entropy.lock().expect("nobody panics with it").bytes();
    let environment = Environment { now: Arc::new(|| at(1000)), random: Arc::new(random) };
    let settings = Settings::new(db.location.clone(), environment);
    let app = App::open(settings).await.expect("it opens");
    let presented = bearer("token");
    Callers {
        sessions: app.authenticate(&presented).await.expect("it may"),
        reviews: app.authenticate(&presented).await.expect("it may"),
        people: app.authenticate(&presented).await.expect("it may"),
        app,
    }
}

fn given(answer: Answer) -> Given {
    let option = |Selected { option, write_in, .. }| GivenOption { option, write_in };
    match answer {
        Answer::Text(text) => Given::Text(text),
        Answer::Numeric(number) => Given::Number(number),
        Answer::SingleSelect(selected) => Given::Option(option(selected)),
        Answer::MultiSelect(selected) => Given::Options(selected.into_iter().map(option).collect()),
        Answer::Skipped => Given::Skipped,
    }
}

/// Returns the records of a new session with some answers, as an import has them.
fn imported(account: &Account, number: usize, random: &mut Random) -> (SessionId, Vec<Record>) {
    let screener = account.screeners[random.below(account.screeners.len())].clone();
    let id = good(SessionId::parse(&format!("scses_import_{number}")));
    let progress = match random.below(4) {
        0 => Progress::NotStarted,
        1 => Progress::InProgress { started: at(1), last_active: at(2) },
        _ => Progress::Completed { started: at(1), completed: at(3) },
    };
    let session = Session {
        id: id.clone(),
        assignment: assignment_id(&screener, random.below(PEOPLE)),
        publication: publication_id(&screener, random.below(PUBLICATIONS)),
        screener,
        slug: format!("import-{number}"),
        link_trusted: false,
        status: SessionStatus::ALL[random.below(3)],
        progress,
        created: at(0),
        tags: [].into(),
    };
    let status = ReviewStatus::ALL[random.below(ReviewStatus::ALL.len())];
    let is_started = progress != Progress::NotStarted;
    let review = Some(Review { status, ..Review::default() }).filter(|_| is_started);
    let record = Record::Session(
        account.tenant.clone(),
        Box::new(SessionRecord { session, review: review.filter(|_| random.below(2) == 0) }),
    );
    let mut records = vec![record];
    for question in 0..QUESTIONS {
        if is_started && random.below(2) == 0 {
            records.push(response(account, &id, question, random.below(4)));
        }
    }
    (id, records)
}

fn response(account: &Account, session: &SessionId, question: usize, variant: usize) -> Record {
    let given = given(match (question, variant) {
        // Outside the qualifying range.
        (1, 0) => Answer::Numeric(2e9),
        _ => answer_to(question, variant),
    });
    let (session, question) = (session.clone(), question_of(question).id);
    Record::Response(account.tenant.clone(), NewAnswer { session, question, given })
}

async fn import(callers: &Callers, records: Vec<Record>) -> bool {
    let lines: Vec<Result<Imported>> = (1..).zip(records).map(Ok).collect();
    let outcome = callers.app.import(&Operator::trusted(), lines.into_iter(), None).await;
    assert!(outcome.as_ref().err().is_none_or(|it| !it.kind().is_fault()), "{outcome:?}");
    outcome.is_ok()
}

/// Makes one random change of one of these sessions. It may be refused but must not fail.
async fn change(callers: &Callers, account: &Account, ids: &[SessionId], mut random: Random) {
    let Callers { app, sessions, reviews, people } = callers;
    let id = ids[random.below(ids.len())].clone();
    let decision = [
        Decision::Qualify,
        Decision::Disqualify(Disqualification {
            reasons: [DisqualificationReason::Other].into(),
            message: None,
        }),
        Decision::Reject(good(RejectionMessage::parse(None))),
        Decision::Invite(None),
        Decision::Hide,
    ][random.below(5)]
    .clone();
    let outcome = match random.below(8) {
        0 => app.archive_session(sessions, id).await.map(drop),
        1 => app.restore_session(sessions, id).await.map(drop),
        2 if random.below(4) == 0 => app.remove_session(sessions, id).await.map(drop),
        3 => {
            let person = participant(random.below(PEOPLE)).id;
            let state = IdVerification::ALL[random.below(IdVerification::ALL.len())];
            app.set_id_verification(people, person, state).await.map(drop)
        }
        4 => {
            let screener = account.screeners[random.below(account.screeners.len())].clone();
            let participant = ParticipantName::Id(participant(random.below(PEOPLE)).id);
            let new = NewSession { screener, participant };
            app.create_sessions(sessions, vec![new.clone(), new]).await.map(drop)
        }
        _ => app.review_submission(reviews, project().id, id, decision).await.map(drop),
    };
    assert!(outcome.as_ref().err().is_none_or(|it| !it.kind().is_fault()), "{outcome:?}");
}

/// Counts one session from its rows, as the contract defines it.
async fn count(tx: &mut Tx, account: &Account, id: &SessionId, funnel: &mut Funnel) -> Result<()> {
    let tenant = &account.tenant;
    let session = tx.get_session(tenant, id).await?.expect("the session is there");
    let answers = tx.session_answers(tenant, id).await?;
    let publication = tx.get_publication(tenant, &session.publication).await?.expect("it is there");
    let furthest = publication.questions.iter().enumerate().filter_map(|(position, question)| {
        answers.iter().any(|(id, _)| *id == question.id).then_some(position + 1)
    });
    *funnel.furthest.entry(furthest.max().unwrap_or(0)).or_default() += 1;
    match session.status {
        SessionStatus::Active => {}
        SessionStatus::Archived => funnel.archived += 1,
        SessionStatus::Removed => funnel.removed += 1,
    }
    let review = tx.get_review(tenant, id).await?;
    assert_eq!(review.is_some(), session.progress != Progress::NotStarted);
    if review.as_ref().is_some_and(|it| it.status == ReviewStatus::RejectedQuality) {
        funnel.rejected += 1;
    }
    match session.progress.state() {
        SessionState::NotStarted => funnel.not_started += 1,
        SessionState::InProgress => funnel.in_progress += 1,
        SessionState::Completed => funnel.completed += 1,
    }
    let Some(submission) = tx.get_submission(tenant, &project().id, id).await? else {
        return Ok(());
    };
    let verdict = Verdict::of(&publication, answers.iter().map(|(id, answer)| (id, answer)));
    assert!(submission.is_verdict_stored);
    assert_eq!(submission.verdict, verdict);
    if session.progress.state() == SessionState::Completed {
        match submission.outcome() {
            Outcome::Qualified => funnel.qualified += 1,
            Outcome::PendingIdVerification => funnel.pending_id_verification += 1,
            Outcome::DisqualifiedByAnswer(question) => {
                let place = (session.publication, question);
                *funnel.disqualified_by_question.entry(place).or_default() += 1;
            }
            Outcome::DisqualifiedByIdVerification => funnel.disqualified_by_id_verification += 1,
            Outcome::DisqualifiedByResearcher => funnel.disqualified_by_researcher += 1,
        }
    }
    Ok(())
}

async fn check(tx: &mut Tx, account: &Account, screener: &ScreenerId) -> Result<Funnel> {
    let mut all = Funnel::default();
    for number in 0..PUBLICATIONS {
        let publication = publication_id(screener, number);
        let sql = "SELECT id FROM sessions WHERE publication_id = $1";
        let id = &[screenerd::store::Arg::from(&publication)];
        let ids = tx.all(sql, id, |row| row.parse(SessionId::parse)).await?;
        let mut counted = Funnel::default();
        for id in &ids {
            count(tx, account, id, &mut counted).await?;
            count(tx, account, id, &mut all).await?;
        }
        let kept = tx.get_funnel(&account.tenant, screener, Some(&publication)).await?;
        assert_eq!(kept, counted, "{publication}, seed {SEED}");
        assert_eq!(usize::try_from(kept.created()), Ok(ids.len()));
        let ended = kept.qualified + kept.pending_id_verification + kept.disqualified();
        assert_eq!(kept.completed, ended);
    }
    assert_eq!(tx.get_funnel(&account.tenant, screener, None).await?, all, "seed {SEED}");
    Ok(all)
}

/// Makes imports one after another, and then many other changes concurrently.
async fn change_much(
    callers: &Callers,
    account: &Account,
    ids: &mut Vec<SessionId>,
    random: &mut Random,
) {
    for _ in 0..4 {
        let (id, records) = imported(account, ids.len(), random);
        assert!(import(callers, records).await);
        ids.push(id);
        // A later answer, which the session may refuse.
        let later = &ids[random.below(ids.len())];
        let question = random.below(QUESTIONS);
        import(callers, vec![response(account, later, question, random.below(4))]).await;
    }
    let seeds: Vec<_> = (0..AT_ONCE).map(|_| random.below(1 << 30)).collect();
    let seeded = |seed: usize| Random(seed.try_into().expect("30 bits"));
    let changes = seeds.into_iter().map(|seed| change(callers, account, ids, seeded(seed)));
    join_all(changes).await;
}

pub(super) async fn the_funnel_is_what_counting_the_rows_gives(db: &mut Database) {
    let account = Account::create(db.store(), "acct_one", 2, PEOPLE).await;
    let_in(db, &account).await;
    let mut random = Random(SEED);
    let mut ids = Vec::new();
    let mut seen = [false; 10];
    for phase in 0..PHASES {
        db.close().await;
        let callers = callers(db, SEED + phase).await;
        for _ in 0..ROUNDS {
            change_much(&callers, &account, &mut ids, &mut random).await;
        }
        callers.app.close().await;
        // Releases the file.
        drop(callers);
        db.reopen().await;
        for screener in &account.screeners {
            let read = async |tx: &mut Tx| check(tx, &account, screener).await;
            let it = db.store().read(read).await.expect("the rows are read");
            let numbers = [
                it.not_started,
                it.in_progress,
                it.qualified,
                it.pending_id_verification,
                it.disqualified_by_id_verification,
                it.disqualified_by_researcher,
                it.rejected,
                it.archived,
                it.removed,
                it.disqualified_by_question.values().sum(),
            ];
            for (seen, number) in seen.iter_mut().zip(numbers) {
                *seen |= number > 0;
            }
        }
    }
    assert_eq!(seen, [true; 10], "every number was tried");
}
