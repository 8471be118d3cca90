//! Comparing the responses of a server with the model.

use std::collections::BTreeSet;

use screenerd::client as pb;
use serde_json::{Value, json};

use super::drive::World;
use super::history::Subject;
use super::model::{Model, Outcome, Refused};
use super::operation::{Authoring, Holder, Named, Operation, Personal, Submit};
use super::rules::Shown;
use super::view::{participant_json, screener_json};
use crate::support::calls::printed::{session_json, submission_json};
use crate::support::calls::{Call, Ids, Transport};

/// The most items of one kind that are compared after one step.
const LOOKS_MAX: usize = 3;

/// The part of the model that a step may have changed.
#[derive(Debug, Default)]
pub(super) struct Touched {
    screeners: BTreeSet<usize>,
    people: BTreeSet<usize>,
    sessions: BTreeSet<usize>,
    assignments: BTreeSet<usize>,
    /// Whether the order of its history is undefined: a batch writes its submissions separately and
    /// concurrently.
    in_any_order: bool,
}

impl Touched {
    /// Returns the subjects that an operation names and those of the history since an entry.
    pub(super) fn of(model: &Model, operation: &Operation, since: usize) -> Self {
        let in_any_order = matches!(operation, Operation::ReviewAll { .. });
        let mut touched = Self { in_any_order, ..Self::default() };
        touched.name(model, operation);
        for entry in &model.history[since..] {
            match entry.subject {
                Subject::Session(at) | Subject::Submission(at) => _ = touched.sessions.insert(at),
                Subject::Participant(at) => _ = touched.people.insert(at),
                Subject::Screener(at) => _ = touched.screeners.insert(at),
                Subject::Assignment(at) => _ = touched.assignments.insert(at),
            }
        }
        touched.spread(model, operation);
        touched
    }

    fn name(&mut self, model: &Model, operation: &Operation) {
        match operation {
            Operation::Author(
                Authoring::Create { id, .. }
                | Authoring::Update { id, .. }
                | Authoring::Draft { id, .. }
                | Authoring::Discard { id, .. }
                | Authoring::Publish { id, .. }
                | Authoring::Close(id)
                | Authoring::Reopen(id),
            ) => self.screeners.extend(model.screener(id)),
            Operation::Person(Personal::Create(person)) => {
                self.people.extend(model.person(&person.id));
            }
            Operation::Person(Personal::Update { id, .. } | Personal::Verify { id, .. }) => {
                self.people.extend(model.person(id));
            }
            Operation::CreateSessions { requests, .. } => {
                for (screener, named) in requests {
                    self.screeners.extend(model.screener(screener));
                    self.people.extend(match named {
                        Named::Id(id) => model.person(id),
                        Named::Uid(uid) => model.person_of_uid(uid),
                    });
                }
            }
            Operation::SetSession { id, .. } | Operation::Review { id, .. } => {
                self.sessions.extend(model.session(id));
            }
            Operation::ReviewAll { ids, .. } => {
                self.sessions.extend(ids.iter().filter_map(|id| model.session(id)));
            }
            Operation::Load(holder)
            | Operation::Dismiss(holder)
            | Operation::Submit(Submit { holder, .. }) => match holder {
                Holder::Nobody => {}
                Holder::Link(at) => _ = self.sessions.insert(*at),
                Holder::Key(screener, uid) => {
                    let person = model.person_of_uid(uid);
                    let assignment = person.and_then(|it| model.assignment(*screener, it));
                    self.screeners.insert(*screener);
                    self.people.extend(person);
                    self.assignments.extend(assignment);
                }
            },
        }
    }

    /// Adds the subjects that depend on the changed ones.
    fn spread(&mut self, model: &Model, operation: &Operation) {
        if let Operation::Person(_) = operation {
            let is_own = |at: &usize| self.people.contains(&model.person_of(*at));
            let sessions = (0..model.sessions.len()).rev().filter(is_own);
            self.sessions.extend(sessions.take(LOOKS_MAX));
        }
        for at in &self.assignments {
            self.sessions.extend(model.sessions_of(*at).last());
        }
        for at in &self.sessions {
            self.assignments.insert(model.sessions[*at].assignment);
        }
        for at in &self.assignments {
            self.screeners.insert(model.assignments[*at].screener);
            self.people.insert(model.assignments[*at].person);
        }
    }
}

/// Returns the response that the model expects.
fn expected(model: &Model, world: &World, shown: &Shown, transport: Transport) -> Value {
    match shown {
        Shown::Screener(at) => model.screener_json(*at),
        Shown::Published(at) => {
            let mut json = model.screener_json(*at);
            // The response omits the draft. There is a draft only if a retry published nothing.
            json["draft"] = Value::Null;
            json
        }
        Shown::Person(at) => model.participant_json(*at),
        Shown::Sessions(all) => all.iter().map(|at| model.session_json(*at)).collect(),
        Shown::Submission(at) => model.submission_json(*at, &world.tenant),
        Shown::Submissions(results) => {
            let result = |it: &Result<usize, String>| match it {
                Ok(at) => model.submission_json(*at, &world.tenant),
                Err(code) => json!(code),
            };
            results.iter().map(result).collect()
        }
        Shown::Sheet(screener, session) => model.sheet_json(transport, *screener, *session),
        Shown::Count(count) => json!({ "count": count }),
        Shown::Nothing => json!({}),
    }
}

/// Compares a response with the model.
pub(super) fn compare_told(
    model: &Model,
    world: &World,
    transport: Transport,
    told: &Result<Value, Refused>,
    shown: &Result<Shown, Refused>,
) {
    let expected =
        shown.as_ref().map(|it| expected(model, world, it, transport)).map_err(Clone::clone);
    assert_eq!(*told, expected, "what the caller is told (left) and what the model says");
}

/// Compares everything that a step touched.
pub(super) async fn look(
    model: &Model,
    world: &mut World,
    touched: &Touched,
    transport: Transport,
) {
    read_history(model, world, touched.in_any_order).await;
    for at in &touched.screeners {
        let id = &model.screeners[*at].id;
        assert_eq!(screener_json(&world.screener(id).await), model.screener_json(*at));
        assert_eq!(world.funnel(id, None).await, model.funnel(*at, None), "the funnel of {id}");
    }
    for at in touched.sessions.iter().rev().take(LOOKS_MAX) {
        look_at_session(model, world, *at, transport).await;
    }
    for at in &touched.people {
        let id = &model.people[*at].id;
        assert_eq!(participant_json(&world.participant(id).await), model.participant_json(*at));
    }
    for at in touched.assignments.iter().take(LOOKS_MAX) {
        look_at_assignment(model, world, *at, transport).await;
    }
}

async fn look_at_session(model: &Model, world: &World, at: usize, transport: Transport) {
    let session = &model.sessions[at];
    let id = &session.id;
    let shown = world.make(transport, &Call::GetSession(id.clone())).await;
    assert_eq!(shown, Ok(model.session_json(at)), "the session");
    let listed = world.make(transport, &Call::responses_of(id)).await.expect("a list");
    let own = model.responses.iter().filter(|it| it.0 == at);
    let own: Vec<_> = own.map(|it| model.response_json(at, &it.1)).collect();
    assert_eq!((&listed["total"], &listed["items"]), (&json!(own.len()), &json!(own)));
    let screener = model.screener_of(at);
    let project = &model.projects[model.screeners[screener].project].id;
    let submission = world.make(transport, &Call::submission(project, id)).await;
    if session.review.is_none() {
        let absent = ("not_found".to_owned(), BTreeSet::new());
        assert_eq!(submission, Err(absent), "nothing was submitted");
    } else {
        assert_eq!(submission, Ok(model.submission_json(at, &world.tenant)), "the submission");
        assert_eq!(world.explanation(project, id).await, model.explanation(at));
    }
    let publication = session.publication;
    let funnel =
        world.funnel(&model.screeners[screener].id, Some(&model.publications[publication].id));
    let counted = model.funnel(screener, Some(publication));
    assert_eq!(funnel.await, counted, "the funnel of a publication");
}

async fn look_at_assignment(model: &Model, world: &mut World, at: usize, transport: Transport) {
    let it = &model.assignments[at];
    let (screener, person) = (&model.screeners[it.screener], &model.people[it.person]);
    let shown = world.screener_participant(&screener.id, &person.id).await;
    assert_eq!(shown, model.screener_participant(at), "the participant in the screener");
    if let Some(uid) = &person.uid {
        let key = world.key(model, it.screener, uid).await;
        let shown = world.make(transport, &Call::access(&screener.id, uid)).await;
        assert_eq!(shown, Ok(model.access_json(it.screener, uid, &key)), "the access of {uid}");
    }
}

/// Reads the new entries of the history.
async fn read_history(model: &Model, world: &mut World, in_any_order: bool) {
    let known = world.history.len();
    let fresh = world.changes(known, None).await;
    let mut entries: Vec<_> = model.history[known - world.entries_before..].iter().collect();
    if in_any_order {
        let id = |entry| model.change(world, 0, entry).subject_id;
        entries.sort_by_key(|entry| fresh.iter().position(|it| it.subject_id == id(entry)));
    }
    let entries = (known..).zip(entries).map(|(seq, entry)| model.change(world, seq, entry));
    assert_eq!(fresh, entries.collect::<Vec<_>>(), "what was added to the history");
    world.history.extend(fresh);
}

/// Compares everything: every list with its total and its order, and every funnel.
pub(super) async fn look_at_everything(model: &Model, world: &mut World) {
    let screeners = world.screeners().await;
    let heads = (0..model.screeners.len()).map(|at| {
        let mut json = model.screener_json(at);
        json["draft"] = Value::Null;
        json
    });
    assert_eq!(screeners.iter().map(screener_json).collect::<Vec<_>>(), heads.collect::<Vec<_>>());
    for at in 0..model.screeners.len() {
        look_at_screener(model, world, at).await;
    }
    let people: Vec<_> = world.participants(0).await.iter().map(participant_json).collect();
    let own = (0..model.people.len()).map(|at| model.participant_json(at));
    assert_eq!(people, own.collect::<Vec<_>>(), "all participants");
    let sessions: Vec<_> = world.sessions(0).await.iter().map(session_json).collect();
    let own = (0..model.sessions.len()).map(|at| model.session_json(at));
    assert_eq!(sessions, own.collect::<Vec<_>>(), "all sessions");
    look_at_responses(model, world).await;
    look_at_submissions(model, world).await;
    for at in 0..model.assignments.len() {
        look_at_assignment(model, world, at, Transport::Grpc).await;
    }
    assert_eq!(world.changes(0, None).await, world.history, "the history never changes");
    look_at_changes_of_one(model, world).await;
}

async fn look_at_screener(model: &Model, world: &World, at: usize) {
    let id = &model.screeners[at].id;
    assert_eq!(world.funnel(id, None).await, model.funnel(at, None), "the funnel of {id}");
    let of = |it: &usize| model.publications[*it].screener == at;
    let publications: Vec<_> = (0..model.publications.len()).filter(of).collect();
    let heads: Vec<_> = publications.iter().map(|it| model.publication(*it, false)).collect();
    assert_eq!(world.publications(id).await, heads, "the publications of {id}");
    for publication in publications {
        let expected = model.publication(publication, true);
        assert_eq!(world.publication(&expected.id).await, expected);
        let funnel = world.funnel(id, Some(&expected.id)).await;
        assert_eq!(funnel, model.funnel(at, Some(publication)), "the funnel of {}", expected.id);
    }
    let own = (0..model.sessions.len()).filter(|it| model.screener_of(*it) == at);
    let own: Vec<_> = own.map(|it| model.session_json(it)).collect();
    let call = Call::ListSessions {
        id: Ids::default(),
        screener: Ids::eq(id),
        limit: Some(500),
        offset: None,
    };
    for transport in Transport::BOTH {
        let listed = world.make(transport, &call).await.expect("a list");
        assert_eq!((&listed["total"], &listed["items"]), (&json!(own.len()), &json!(own)));
    }
}

async fn look_at_responses(model: &Model, world: &World) {
    let all = model.responses.iter().map(|(at, question)| model.response_json(*at, question));
    let all: Vec<_> = all.collect();
    let mut listed = Vec::new();
    while listed.len() < all.len() {
        let call = Call::ListResponses {
            screener: None,
            publication: None,
            session: Ids::default(),
            participant: Ids::default(),
            limit: Some(500),
            offset: Some(i32::try_from(listed.len()).expect("a few")),
        };
        let page = world.make(Transport::Rest, &call).await.expect("a list");
        assert_eq!(page["total"], all.len(), "the total of the responses");
        let items = page["items"].as_array().expect("items");
        assert!(!items.is_empty(), "there are more responses");
        listed.extend(items.iter().cloned());
    }
    assert_eq!(listed, all, "all responses");
}

async fn look_at_submissions(model: &Model, world: &World) {
    type Pick<'a> = Box<dyn Fn(&usize) -> bool + 'a>;
    let review = |at: &usize| model.sessions[*at].review.as_ref().expect("a submission");
    let project = &model.projects[0].id;
    let is_qualified = |at: &usize| model.outcome(*at) == Some(Outcome::Qualified);
    let status = |it: pb::SubmissionStatus| vec![it.into()];
    let none = pb::SubmissionFilter::default;
    let cases: Vec<(pb::SubmissionFilter, Pick<'_>)> = vec![
        (none(), Box::new(|_| true)),
        (pb::SubmissionFilter { qualified: Some(true), ..none() }, Box::new(is_qualified)),
        (
            pb::SubmissionFilter { qualified: Some(false), ..none() },
            Box::new(|at| !is_qualified(at)),
        ),
        (pb::SubmissionFilter { hidden: Some(true), ..none() }, Box::new(|at| review(at).hidden)),
        (
            pb::SubmissionFilter { statuses: status(pb::SubmissionStatus::Invited), ..none() },
            Box::new(|at| review(at).status == "INVITED"),
        ),
        (
            pb::SubmissionFilter { visibilities: vec![pb::Visibility::Visible.into()], ..none() },
            Box::new(|at| review(at).visibility == "VISIBLE"),
        ),
        (
            pb::SubmissionFilter {
                project_id: Some(pb::IdEqFilter { eq: Some(project.clone()) }),
                ..none()
            },
            Box::new(|at| model.screeners[model.screener_of(*at)].project == 0),
        ),
    ];
    for (filter, pick) in cases {
        let own = model.submissions.iter().filter(|at| pick(at));
        let own: Vec<_> = own.map(|at| model.submission_json(*at, &world.tenant)).collect();
        let listed: Vec<_> =
            world.submissions(filter.clone()).await.iter().map(submission_json).collect();
        assert_eq!(listed, own, "the submissions by {filter:?}");
    }
}

/// Compares the entries of the newest session and its submission.
async fn look_at_changes_of_one(model: &Model, world: &World) {
    let Some(session) = model.sessions.last() else { return };
    for subject in [pb::ChangeSubject::Session, pb::ChangeSubject::Submission] {
        let subject_id = Some(pb::IdEqFilter { eq: Some(session.id.clone()) });
        let filter = pb::ChangeFilter { subject: Some(subject.into()), subject_id };
        let own = world.history.iter();
        let own = own.filter(|it| it.subject() == subject && it.subject_id == session.id);
        let own: Vec<_> = own.cloned().collect();
        assert_eq!(world.changes(0, Some(filter)).await, own);
    }
}
