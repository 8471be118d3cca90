//! A tenant with everything that sessions require, and a plain model of its lists.

use std::sync::Arc;

use screenerd::domain::answer::{Answer, Selected};
use screenerd::domain::error::{Error, Result, Violations};
use screenerd::domain::id::{
    AssignmentId, OptionId, PageId, ParticipantId, ProjectId, PublicationId, QuestionId,
    ScreenerId, SessionId, TagId, TenantId,
};
use screenerd::domain::list::{FieldStyle, IdFilter, IdSet, Pagination};
use screenerd::domain::participant::{
    Assignment, ExternalUid, IdVerification, Participant, Person,
};
use screenerd::domain::pattern::Pattern;
use screenerd::domain::project::Project;
use screenerd::domain::publication::Publication;
use screenerd::domain::question::{
    Choice, GoTo, MultiSelectForm, NumericForm, Question, QuestionForm, QuestionKind, Range, Rule,
    TextForm,
};
use screenerd::domain::response::{Asked, Origin, ScreenerResponse};
use screenerd::domain::review::Review;
use screenerd::domain::screener::{Screener, ScreenerStatus};
use screenerd::domain::session::{Progress, Session, SessionStatus};
use screenerd::domain::submission::NewSubmission;
use screenerd::domain::tag::Tag;
use screenerd::domain::tenant::Tenant;
use screenerd::domain::time::Timestamp;
use screenerd::domain::wording::Wording;
use screenerd::store::{Locks, Store, WriteTx};

/// Returns an instant this many seconds after a fixed one.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_714_576_101_234_567).plus_seconds(seconds)
}

/// Unwraps a text that is known to be valid.
pub(crate) fn good<T>(parsed: Result<T, String>) -> T {
    parsed.expect("a test's own text is well-formed")
}

/// Returns a pagination that is known to be valid.
pub(crate) fn pagination(limit: i64, offset: i64) -> Pagination {
    let mut violations = Violations::new();
    let pagination =
        Pagination::parse(Some(limit), Some(offset), ["limit", "offset"], &mut violations);
    violations.finish().expect("a test's own pagination is in range");
    pagination
}

/// Parses a filter as the store reads it.
pub(crate) fn set(filter: &IdFilter) -> IdSet {
    let mut violations = Violations::new();
    let set = filter.clone().parse("id", FieldStyle::Dotted, &mut violations);
    violations.finish().expect("a test's own filter is well-formed");
    set
}

/// Whether a filter admits an id, operator by operator: the model of [`set`].
pub(crate) fn admits(filter: &IdFilter, id: &str) -> bool {
    let IdFilter { eq, ne, is_in, not_in } = filter;
    eq.as_ref().is_none_or(|eq| eq == id)
        && ne.as_ref().is_none_or(|ne| ne != id)
        && is_in.as_ref().is_none_or(|ids| ids.iter().any(|it| it == id))
        && not_in.as_ref().is_none_or(|ids| ids.iter().all(|it| it != id))
}

/// A pending change of the stored rows.
#[derive(Clone)]
enum Pending {
    Session(Session),
    Response(Session, QuestionId, Answer),
    Changed(Session, QuestionId, Answer),
    /// The questions, and their present answers in arrival order.
    Dropped(Session, Vec<QuestionId>, Vec<(QuestionId, Answer)>),
}

/// A tenant and its stored rows, in arrival order.
pub(crate) struct Account {
    pub(crate) tenant: TenantId,
    pub(crate) screeners: Vec<ScreenerId>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) responses: Vec<ScreenerResponse>,
    people: usize,
    pending: Vec<Pending>,
}

/// Publications of each screener.
pub(crate) const PUBLICATIONS: usize = 2;
/// Questions of each publication, one of each kind.
pub(crate) const QUESTIONS: usize = 4;

impl Account {
    /// Creates a tenant with screeners, each with its publications, and assigns people to all.
    ///
    /// Ids are the same in every tenant, except for those of sessions, which are globally unique.
    pub(crate) async fn create(
        store: &Store,
        tenant: &str,
        screeners: usize,
        people: usize,
    ) -> Self {
        let account = Self {
            tenant: good(TenantId::parse(tenant)),
            screeners: (0..screeners).map(screener_id).collect(),
            sessions: Vec::new(),
            responses: Vec::new(),
            people,
            pending: Vec::new(),
        };
        let (tenant, ids) = (account.tenant.clone(), account.screeners.clone());
        store
            .write_alone(Locks::alone(&account.tenant), async move |tx| {
                create_frame(tx, &tenant, &ids, people).await
            })
            .await
            .expect("the frame of an account is stored");
        account
    }

    /// Creates a session, which [`Account::flush`] stores.
    pub(crate) fn open_session(&mut self, screener: usize, publication: usize, person: usize) {
        let number = self.sessions.len();
        let screener = &self.screeners[screener];
        let seconds = i64::try_from(number).expect("a small number") * 10;
        let session = Session {
            // A quote and a letter of two bytes: the store compares ids as bytes.
            id: good(SessionId::parse(&format!("scses'{}_é{number}", self.tenant))),
            screener: screener.clone(),
            assignment: assignment_id(screener, person % self.people),
            publication: publication_id(screener, publication % PUBLICATIONS),
            slug: format!("slug-{}-{number}", self.tenant),
            link_trusted: number.is_multiple_of(2),
            status: SessionStatus::ALL[number % SessionStatus::ALL.len()],
            progress: match number % 3 {
                0 => Progress::NotStarted,
                1 => Progress::InProgress { started: at(seconds), last_active: at(seconds + 1) },
                _ => Progress::Completed { started: at(seconds), completed: at(seconds + 5) },
            },
            created: at(seconds),
            tags: tags().into(),
        };
        self.sessions.push(session.clone());
        self.pending.push(Pending::Session(session));
    }

    /// Answers a question of a session once. [`Account::flush`] stores the answer.
    pub(crate) fn answer(&mut self, session: usize, question: usize, answer: Answer) {
        let session = self.sessions[session].clone();
        let asked = question_of(question);
        let person = (0..self.people)
            .find(|person| assignment_id(&session.screener, *person) == session.assignment)
            .expect("a session belongs to one of the people");
        let participant = participant(person);
        let origin = Origin {
            session: session.id.clone(),
            screener: session.screener.clone(),
            publication: session.publication.clone(),
            participant: participant.id,
            external_uid: participant.external_uid,
            assignment: session.assignment.clone(),
        };
        let question = Asked {
            page: asked.page.clone(),
            question: asked.id.clone(),
            kind: asked.kind(),
            prompt: asked.prompt,
        };
        self.responses.push(ScreenerResponse {
            origin: Arc::new(origin),
            asked: Arc::new(question),
            answer: Arc::new(answer.clone()),
        });
        self.pending.push(Pending::Response(session, asked.id, answer));
    }

    /// Changes an existing answer. [`Account::flush`] stores the change.
    pub(crate) fn change_answer(&mut self, session: usize, question: usize, answer: Answer) {
        let session = self.sessions[session].clone();
        let id = question_of(question).id;
        let mut rows = self.responses.iter_mut();
        let row = rows.find(|row| row.origin.session == session.id && row.asked.question == id);
        row.expect("the answer is there").answer = Arc::new(answer.clone());
        self.pending.push(Pending::Changed(session, id, answer));
    }

    /// Drops the answers of a session that exist. [`Account::flush`] stores the change.
    pub(crate) fn drop_answers(&mut self, session: usize, questions: &[usize]) {
        let session = self.sessions[session].clone();
        let ids: Vec<_> = questions.iter().map(|number| question_of(*number).id).collect();
        let (dropped, kept): (Vec<_>, _) = std::mem::take(&mut self.responses)
            .into_iter()
            .partition(|row| row.origin.session == session.id && ids.contains(&row.asked.question));
        self.responses = kept;
        let dropped = dropped
            .into_iter()
            .map(|row| (row.asked.question.clone(), Answer::clone(&row.answer)))
            .collect();
        self.pending.push(Pending::Dropped(session, ids, dropped));
    }

    /// Stores the pending rows in the order of their creation. A dropped or changed answer needs a
    /// write of its own, because a write reads before it puts.
    pub(crate) async fn flush(&mut self, store: &Store) {
        let pending = std::mem::take(&mut self.pending);
        for rows in pending.chunk_by(|one, next| one.is_new() && next.is_new()) {
            for rows in rows.chunks(WRITE_MAX_ROWS) {
                let (tenant, rows) = (self.tenant.clone(), rows.to_vec());
                store
                    .write(Locks::alone(&self.tenant), async move |tx| {
                        append(tx, &tenant, &rows).await
                    })
                    .await
                    .expect("the rows of an account are stored");
            }
        }
    }
}

/// The most rows in one write: some blocks of a list.
const WRITE_MAX_ROWS: usize = 700;

impl Pending {
    fn is_new(&self) -> bool {
        match self {
            Self::Session(_) | Self::Response(..) => true,
            Self::Changed(..) | Self::Dropped(..) => false,
        }
    }
}

async fn append(tx: &mut WriteTx, tenant: &TenantId, rows: &[Pending]) -> Result<()> {
    for row in rows {
        match row {
            Pending::Session(session) => {
                tx.create_session(tenant, &person_of(&session.assignment), session).await?;
            }
            Pending::Response(session, question, answer) => {
                let answers = [(question.clone(), answer.clone())];
                tx.create_responses(tenant, session, &answers, false).await?;
            }
            Pending::Changed(session, question, answer) => {
                let answers = [(question.clone(), answer.clone())];
                tx.replace_responses(tenant, session, &answers, false).await?;
            }
            Pending::Dropped(session, questions, expected) => {
                let mut found = tx.session_answers(tenant, &session.id).await?;
                found.retain(|(question, _)| questions.contains(question));
                let by_question = |(one, _): &(QuestionId, _), (next, _): &(_, _)| one.cmp(next);
                let mut expected = expected.clone();
                expected.sort_by(by_question);
                found.sort_by(by_question);
                assert_eq!(found, expected, "what is dropped");
                let dropping = tx.find_dropping(tenant, session, questions).await?;
                tx.drop_responses(tenant, session, &dropping).await?;
            }
        }
    }
    Ok(())
}

/// Stores the submission of a session, with the verdict of its answers.
pub(crate) async fn submit(
    tx: &mut WriteTx,
    tenant: &TenantId,
    session: &Session,
    review: &Review,
) -> Result<()> {
    let verdict = tx.compute_verdict(tenant, session).await?;
    let assigned = tx.get_assignment(tenant, &session.assignment).await?.expect("an assignment");
    let person = tx.get_participant(tenant, &assigned.participant).await?.expect("a person");
    let new = NewSubmission {
        session,
        project: &project().id,
        id_verification: person.id_verification,
        review,
        verdict: &verdict,
    };
    let (_, standing) = tx.get_standing(tenant, &session.id).await?.expect("a session");
    let answered = tx.session_answers(tenant, &session.id).await?;
    let publication = tx.get_publication(tenant, &session.publication).await?.expect("it is there");
    let furthest = publication.furthest(answered.iter().map(|(question, _)| question));
    tx.create_submission(tenant, &new).await?;
    tx.shift_session(tenant, session, &standing.begun(furthest, &new)).await
}

async fn create_frame(
    tx: &mut WriteTx,
    tenant: &TenantId,
    screeners: &[ScreenerId],
    people: usize,
) -> Result<()> {
    let name = format!("The tenant {tenant}");
    let row = Tenant { id: tenant.clone(), name, created: at(0), disabled: None };
    if !tx.create_tenant(&row).await? {
        return Err(Error::internal("a test makes each tenant once"));
    }
    tx.create_project(tenant, &project()).await?;
    for person in 0..people {
        tx.create_participant(tenant, &participant(person)).await?;
    }
    for id in screeners {
        tx.create_screener(tenant, &screener(id)).await?;
        for number in 0..PUBLICATIONS {
            tx.create_publication(tenant, &publication(id, number)).await?;
        }
        for person in 0..people {
            let assignment = assignment(id, person);
            tx.create_assignment(tenant, &person_of(&assignment.id), &assignment).await?;
        }
    }
    Ok(())
}

/// Returns the id of the n-th screener of every account.
pub(crate) fn screener_id(number: usize) -> ScreenerId {
    good(ScreenerId::parse(&format!("scr_{number}")))
}

/// Returns the id of the n-th publication of a screener.
pub(crate) fn publication_id(screener: &ScreenerId, number: usize) -> PublicationId {
    good(PublicationId::parse(&format!("pub_{screener}_{number}")))
}

/// Returns the id of the n-th person's assignment to a screener.
pub(crate) fn assignment_id(screener: &ScreenerId, person: usize) -> AssignmentId {
    good(AssignmentId::parse(&format!("scpar_{screener}_{person}")))
}

/// Returns the person of an assignment, whose id ends with the number of the person.
pub(crate) fn person_of(assignment: &AssignmentId) -> Person {
    let number = assignment.as_str().rsplit('_').next().and_then(|it| it.parse().ok());
    Person::of(&participant(number.expect("a number")))
}

/// Returns the only project of every account.
pub(crate) fn project() -> Project {
    Project {
        id: good(ProjectId::parse("proj_1")),
        name: "Onboarding".into(),
        incentive: 12.5,
        organization: "org_1".into(),
        team: "team_1".into(),
    }
}

/// Returns a screener of an account.
pub(crate) fn screener(id: &ScreenerId) -> Screener {
    Screener {
        id: id.clone(),
        project: project().id,
        title: format!("Survey {id}"),
        status: ScreenerStatus::Open,
        allow_multiple_responses: false,
        active_publication: Some(publication_id(id, PUBLICATIONS - 1)),
        draft: None,
    }
}

/// Returns a publication of an account.
pub(crate) fn publication(screener: &ScreenerId, number: usize) -> Publication {
    Publication {
        id: publication_id(screener, number),
        screener: screener.clone(),
        tags: tags(),
        questions: (0..QUESTIONS).map(question_of).collect(),
        published: (number > 0).then(|| at(7)),
        wording: Wording {
            language: Some("de".into()),
            introduction: (number > 0).then(|| "Hallo.\n".into()),
            thanks_qualified: None,
            thanks_disqualified: Some("Trotzdem danke.".into()),
        },
    }
}

/// Returns the n-th person of every account. Only every second one has an external uid.
pub(crate) fn participant(person: usize) -> Participant {
    Participant {
        id: good(ParticipantId::parse(&format!("ptp_{person}"))),
        external_uid: person
            .is_multiple_of(2)
            .then(|| good(ExternalUid::parse(&format!("crm/{person}@example.com")))),
        name: person.is_multiple_of(3).then(|| format!("Person {person}")),
        email: None,
        id_verification: IdVerification::ALL[person % IdVerification::ALL.len()],
    }
}

/// Returns the n-th person's assignment to a screener.
pub(crate) fn assignment(screener: &ScreenerId, person: usize) -> Assignment {
    Assignment {
        id: assignment_id(screener, person),
        screener: screener.clone(),
        participant: participant(person).id,
        key_epoch: 0,
    }
}

fn tags() -> Vec<Tag> {
    let tag = |id: &str, category: Option<&str>| Tag {
        id: good(TagId::parse(id)),
        category: category.map(str::to_owned),
        value: format!("the value of \"{id}\""),
    };
    vec![tag("tag_1", Some("region")), tag("tag_2", None)]
}

fn choices() -> Vec<Choice> {
    let choice = |id: &str, rule, write_in, go_to: Option<GoTo>| Choice {
        id: good(OptionId::parse(id)),
        text: format!("Option {id}"),
        rule,
        write_in,
        go_to,
    };
    vec![
        choice(
            "z_first",
            Rule::Qualifies,
            false,
            Some(GoTo::Question(good(QuestionId::parse("q_3")))),
        ),
        choice("a_second", Rule::Disqualifies, false, Some(GoTo::End)),
        choice("other", Rule::Required, true, None),
    ]
}

/// Returns the n-th question of every publication.
pub(crate) fn question_of(number: usize) -> Question {
    let bounds = Range { min: Some(-1.5), max: None };
    let qualifies = Some(Range { min: None, max: Some(1e9) });
    Question {
        id: good(QuestionId::parse(&format!("q_{number}"))),
        page: good(PageId::parse(&format!("page_{}", number / 2))),
        prompt: format!("Question {number}?"),
        required: number.is_multiple_of(2),
        form: match QuestionKind::ALL[number % QuestionKind::ALL.len()] {
            QuestionKind::Text => QuestionForm::Text(TextForm {
                multi_line: true,
                min_length: None,
                max_length: Some(1_000),
                pattern: Some(good(Pattern::parse("(?s).*"))),
                pattern_hint: Some("Anything".into()),
            }),
            QuestionKind::Numeric => {
                let step = Some(0.1);
                QuestionForm::Numeric(NumericForm { slider: true, bounds, step, qualifies })
            }
            QuestionKind::SingleSelect => QuestionForm::SingleSelect(choices()),
            QuestionKind::MultiSelect => QuestionForm::MultiSelect(MultiSelectForm {
                choices: choices(),
                min_choices: None,
                max_choices: Some(3),
            }),
        },
    }
}

/// Returns a valid answer to the n-th question. `variant` selects it. One variant is skipped.
pub(crate) fn answer_to(question: usize, variant: usize) -> Answer {
    let selected = |write_in: Option<&str>| Selected {
        option: good(OptionId::parse(if write_in.is_some() { "other" } else { "z_first" })),
        text: write_in.map_or_else(|| "Option z_first".into(), |text| format!("Other: {text}")),
        write_in: write_in.map(str::to_owned),
    };
    let of_kind: [Answer; 3] = match question_of(question).kind() {
        QuestionKind::Text => ["", "plain", "quo\"te, ünïcode\nand a second line"]
            .map(|text| Answer::Text(text.to_owned())),
        QuestionKind::Numeric => [5.0, 5.5, -0.1].map(Answer::Numeric),
        QuestionKind::SingleSelect => {
            [None, Some("Insights \"Hub\""), Some("")].map(|it| Answer::SingleSelect(selected(it)))
        }
        QuestionKind::MultiSelect => {
            [vec![], vec![selected(None)], vec![selected(Some("Hub")), selected(None)]]
                .map(Answer::MultiSelect)
        }
    };
    of_kind.get(variant % 4).cloned().unwrap_or(Answer::Skipped)
}
