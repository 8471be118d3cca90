//! The effects of each operation on the model.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::history::{Subject, differences};
use super::model::{Assignment, Model, Person, Publication, Refused, Screener, Session, refused};
use super::operation::{Authoring, Named, Operation, Personal};
use super::questionnaire::Questionnaire;
use super::review;
use crate::support::calls::Transport;

/// The response of a call that is not refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shown {
    Screener(usize),
    Published(usize),
    Person(usize),
    Sessions(Vec<usize>),
    Submission(usize),
    /// Each result: the session, or the code of the refusal.
    Submissions(Vec<Result<usize, String>>),
    /// The questionnaire of a screener, and the session if there is one.
    Sheet(usize, Option<usize>),
    Count(usize),
    Nothing,
}

type Outcome = Result<Shown, Refused>;

impl Model {
    /// Applies an operation, or returns the refusal.
    pub(super) fn apply(&mut self, operation: &Operation, transport: Transport) -> Outcome {
        match operation.clone() {
            Operation::Author(it) => self.author(it),
            Operation::Person(it) => self.change_someone(it),
            Operation::CreateSessions { requests, is_batch } => {
                self.create_sessions(&requests, is_batch)
            }
            Operation::SetSession { id, action } => self.set_session(&id, action),
            Operation::Load(holder) => self.load(&holder),
            Operation::Submit(submit) => self.submit(&submit, transport),
            Operation::Dismiss(holder) => self.dismiss(&holder),
            Operation::Review { verb, project, id, body } => {
                self.review(verb, &project, &id, &body).map(Shown::Submission)
            }
            Operation::ReviewAll { verb, project, ids } => {
                let one = |id: &String| self.review(verb, &project, id, &Value::Null);
                let results = ids.iter().map(one).map(|it| it.map_err(|refused| refused.0));
                Ok(Shown::Submissions(results.collect()))
            }
        }
    }

    fn author(&mut self, operation: Authoring) -> Outcome {
        match operation {
            Authoring::Create { id, project, title, multiple, draft, flaw } => {
                self.create_screener(id, &project, title, multiple, draft.zip(Some(flaw)))
            }
            Authoring::Update { id, title, multiple } => {
                self.change_screener(&id, "UPDATE", |_, screener| {
                    screener.title = title.unwrap_or_else(|| screener.title.clone());
                    screener.multiple = multiple.unwrap_or(screener.multiple);
                    Ok(())
                })
            }
            Authoring::Draft { id, draft, flaw, expected } => {
                if let Some(flaw) = flaw {
                    return refused("invalid_argument", &[flaw]);
                }
                self.change_screener(&id, "UPDATE", |model, screener| {
                    let draft = Some(model.keep(&draft));
                    if screener.draft != draft
                        && !model.is_expected(screener.draft, expected.as_ref())
                    {
                        return refused("conflict", &[]);
                    }
                    screener.draft = draft;
                    Ok(())
                })
            }
            Authoring::Discard { id, expected } => {
                self.change_screener(&id, "UPDATE", |model, screener| {
                    if screener.draft.is_some()
                        && !model.is_expected(screener.draft, expected.as_ref())
                    {
                        return refused("conflict", &[]);
                    }
                    screener.draft = None;
                    Ok(())
                })
            }
            Authoring::Publish { id, expected } => self.publish(&id, expected.as_ref()),
            Authoring::Close(id) => self.switch(&id, "CLOSE", "CLOSED"),
            Authoring::Reopen(id) => self.switch(&id, "REOPEN", "OPEN"),
        }
    }

    fn change_someone(&mut self, operation: Personal) -> Outcome {
        match operation {
            Personal::Create(person) => self.create_person(person),
            Personal::Update { id, name, email } => self.change_person(&id, |person| {
                let changed = |new: Option<String>, old: Option<String>| match new {
                    None => old,
                    Some(text) => Some(text).filter(|text| !text.is_empty()),
                };
                person.name = changed(name, person.name.take());
                person.email = changed(email, person.email.take());
            }),
            Personal::Verify { id, state } => {
                self.change_person(&id, |person| person.verification = state)
            }
        }
    }

    fn is_expected(&self, draft: Option<usize>, expected: Option<&String>) -> bool {
        let digest = draft.map(|it| &self.questionnaires[it].1);
        expected.is_none() || expected == digest
    }

    fn create_screener(
        &mut self,
        id: String,
        project: &str,
        title: String,
        multiple: bool,
        draft: Option<(Questionnaire, Option<&str>)>,
    ) -> Outcome {
        if let Some((_, Some(flaw))) = draft {
            return refused("invalid_argument", &[flaw]);
        }
        let Some(project) = self.project(project) else {
            return refused("not_found", &["project_id"]);
        };
        if self.screener(&id).is_some() {
            return refused("already_exists", &["id"]);
        }
        let draft = draft.map(|(draft, _)| self.keep(&draft));
        let (status, active) = ("DRAFT", None);
        self.screeners.push(Screener { id, project, title, status, multiple, active, draft });
        let at = self.screeners.len() - 1;
        let fields = differences(None, self.screener_fields(&self.screeners[at]));
        self.record("CREATE", Subject::Screener(at), fields);
        Ok(Shown::Screener(at))
    }

    fn change_screener(
        &mut self,
        id: &str,
        action: &str,
        change: impl FnOnce(&mut Self, &mut Screener) -> Result<(), Refused>,
    ) -> Outcome {
        let Some(at) = self.screener(id) else { return refused("not_found", &[]) };
        let mut after = self.screeners[at].clone();
        change(self, &mut after)?;
        let before = self.screener_fields(&self.screeners[at]);
        let fields = differences(Some(before), self.screener_fields(&after));
        if !fields.is_empty() {
            self.screeners[at] = after;
            self.record(action, Subject::Screener(at), fields);
        }
        Ok(Shown::Screener(at))
    }

    fn publish(&mut self, id: &str, expected: Option<&String>) -> Outcome {
        let done = self.change_screener(id, "PUBLISH", |model, screener| {
            let Some(draft) = screener.draft.filter(|it| model.is_expected(Some(*it), expected))
            else {
                let active = screener.active.map(|it| model.publications[it].questionnaire);
                let is_published = active.is_some() && model.is_expected(active, expected);
                return match expected {
                    None => refused("invalid_status_transition", &[]),
                    Some(_) if is_published => Ok(()),
                    Some(_) => refused("conflict", &[]),
                };
            };
            let of = model.screener(&screener.id).expect("it is there");
            let (id, at) = (String::new(), model.now);
            let publication = Publication { id, screener: of, questionnaire: draft, at };
            model.publications.push(publication);
            screener.active = Some(model.publications.len() - 1);
            screener.draft = None;
            if screener.status == "DRAFT" {
                screener.status = "OPEN";
            }
            Ok(())
        });
        done.map(|_| Shown::Published(self.screener(id).expect("it is there")))
    }

    fn switch(&mut self, id: &str, action: &str, status: &'static str) -> Outcome {
        self.change_screener(id, action, |_, screener| {
            if screener.status == "DRAFT" {
                return refused("invalid_status_transition", &[]);
            }
            screener.status = status;
            Ok(())
        })
    }

    fn create_person(&mut self, person: Person) -> Outcome {
        if self.person(&person.id).is_some() {
            return refused("already_exists", &["id"]);
        }
        if person.uid.as_ref().is_some_and(|uid| self.person_of_uid(uid).is_some()) {
            return refused("already_exists", &["external_uid"]);
        }
        Ok(Shown::Person(self.add_person(person)))
    }

    fn add_person(&mut self, person: Person) -> usize {
        let fields = differences(None, person.fields());
        self.people.push(person);
        let at = self.people.len() - 1;
        self.record("CREATE", Subject::Participant(at), fields);
        at
    }

    fn change_person(&mut self, id: &str, change: impl FnOnce(&mut Person)) -> Outcome {
        let Some(at) = self.person(id) else { return refused("not_found", &[]) };
        let before = self.people[at].clone();
        change(&mut self.people[at]);
        let fields = differences(Some(before.fields()), self.people[at].fields());
        if !fields.is_empty() {
            self.record("UPDATE", Subject::Participant(at), fields);
        }
        Ok(Shown::Person(at))
    }

    /// Returns the person of a uid. Adds a person with nothing but the uid if there is none.
    pub(super) fn ensure_person(&mut self, uid: &str, by_panelist: bool) -> usize {
        self.person_of_uid(uid).unwrap_or_else(|| {
            let person = Person {
                id: String::new(),
                uid: Some(uid.to_owned()),
                name: None,
                email: None,
                verification: "NONE",
            };
            let at = self.add_person(person);
            self.history.last_mut().expect("it was told").by_panelist = by_panelist;
            at
        })
    }

    pub(super) fn ensure_assignment(&mut self, screener: usize, person: usize) -> usize {
        self.assignment(screener, person).unwrap_or_else(|| {
            self.assignments.push(Assignment {
                id: String::new(),
                screener,
                person,
                dismissals: BTreeSet::new(),
                receipts: BTreeMap::new(),
            });
            self.assignments.len() - 1
        })
    }

    pub(super) fn add_session(&mut self, assignment: usize) -> usize {
        let screener = self.assignments[assignment].screener;
        self.sessions.push(Session {
            id: String::new(),
            slug: String::new(),
            assignment,
            publication: self.screeners[screener].active.expect("it is open"),
            status: "ACTIVE",
            started: None,
            last_active: None,
            completed: None,
            answers: BTreeMap::new(),
            review: None,
        });
        let at = self.sessions.len() - 1;
        let fields = differences(None, self.session_fields(&self.sessions[at]));
        self.record("CREATE", Subject::Session(at), fields);
        at
    }

    /// Returns the reasons why a session cannot be created, each with its field. There may be two.
    fn obstacles(&self, screener: &str, named: &Named) -> Vec<(&'static str, &'static str)> {
        let mut obstacles = Vec::new();
        let found = self.screener(screener);
        match found.map(|it| self.screeners[it].status) {
            None => obstacles.push(("not_found", "screener_id")),
            Some("OPEN") => {}
            Some(_) => obstacles.push(("not_open", "screener_id")),
        }
        let (field, person) = match named {
            Named::Id(id) => ("participant_id", self.person(id)),
            Named::Uid(uid) => ("external_uid", self.person_of_uid(uid)),
        };
        if matches!(named, Named::Id(_)) && person.is_none() {
            obstacles.push(("not_found", field));
        }
        if let (Some(screener), Some(person)) = (found, person)
            && let Some(assignment) = self.assignment(screener, person)
            && self.screeners[screener].status == "OPEN"
            && self.is_exhausted(screener, &self.sessions_of(assignment))
        {
            obstacles.push(("exhausted", field));
        }
        obstacles
    }

    fn create_sessions(&mut self, requests: &[(String, Named)], is_batch: bool) -> Outcome {
        let mut obstacles = Vec::new();
        for (at, (screener, named)) in requests.iter().enumerate() {
            for (code, field) in self.obstacles(screener, named) {
                let field = if is_batch { format!("requests[{at}].{field}") } else { field.into() };
                obstacles.push((code, field));
            }
        }
        if let Some((code, _)) = obstacles.first() {
            let fields = obstacles.iter().map(|it| it.1.clone()).collect();
            return Err(((*code).to_owned(), fields));
        }
        let people = requests.iter().map(|(_, named)| match named {
            Named::Id(id) => self.person(id).expect("it was found"),
            Named::Uid(uid) => self.ensure_person(uid, false),
        });
        let people: Vec<_> = people.collect();
        let mut sessions = Vec::new();
        for ((screener, _), person) in requests.iter().zip(people) {
            let screener = self.screener(screener).expect("it was found");
            let assignment = self.ensure_assignment(screener, person);
            sessions.push(self.add_session(assignment));
        }
        Ok(Shown::Sessions(sessions))
    }

    fn set_session(&mut self, id: &str, action: &'static str) -> Outcome {
        let Some(at) = self.session(id) else { return refused("not_found", &[]) };
        let before = self.sessions[at].clone();
        let status = match action {
            "ARCHIVE" => "ARCHIVED",
            "RESTORE" => "ACTIVE",
            _ => "REMOVED",
        };
        if before.status == "REMOVED" && status != "REMOVED" {
            return refused("invalid_status_transition", &[]);
        }
        let after = Session { status, ..before.clone() };
        let fields = differences(Some(self.session_fields(&before)), self.session_fields(&after));
        if !fields.is_empty() {
            self.sessions[at] = after;
            self.record(action, Subject::Session(at), fields);
        }
        Ok(Shown::Sessions(vec![at]))
    }

    fn review(
        &mut self,
        verb: &str,
        project: &str,
        id: &str,
        body: &Value,
    ) -> Result<usize, Refused> {
        let Some(at) = self.session(id) else { return refused("not_found", &[]) };
        let of = self.screeners[self.screener_of(at)].project;
        let session = &self.sessions[at];
        let Some(before) = &session.review else { return refused("not_found", &[]) };
        if self.projects[of].id != project {
            return refused("not_found", &[]);
        }
        let after = before.decide(verb, body, session.status == "REMOVED", self.now);
        let after = after.or_else(|code| refused(code, &[]))?;
        let fields = differences(Some(before.fields()), after.fields());
        self.sessions[at].review = Some(after);
        if !fields.is_empty() {
            self.record(&review::action(verb), Subject::Submission(at), fields);
        }
        Ok(at)
    }
}
