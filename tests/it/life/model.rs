//! The rules, written as plainly as possible, and the state that results from them.
//!
//! The model refers to things by their positions in these lists. An id that the server creates is
//! empty until it is read.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{Answers, Said, Verdict, verdict};
use super::history::{Entry, Field, FieldChange, Subject, Text, named, told, untold};
use super::questionnaire::Questionnaire;
use super::review::Review;
use super::time::precise;

pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Clone)]
pub(super) struct Screener {
    pub(super) id: String,
    pub(super) project: usize,
    pub(super) title: String,
    pub(super) status: &'static str,
    pub(super) multiple: bool,
    pub(super) active: Option<usize>,
    /// The questionnaire of the draft.
    pub(super) draft: Option<usize>,
}

pub(super) struct Publication {
    pub(super) id: String,
    pub(super) screener: usize,
    pub(super) questionnaire: usize,
    pub(super) at: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) uid: Option<String>,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) verification: &'static str,
}

/// A person in a screener.
pub(super) struct Assignment {
    pub(super) id: String,
    pub(super) screener: usize,
    pub(super) person: usize,
    pub(super) dismissals: BTreeSet<i64>,
    /// By idempotency key: the submission, and its number of answers.
    pub(super) receipts: BTreeMap<String, (Submitted, usize)>,
}

/// The parts that a retry must repeat: the answers, the publication that was shown, and whether the
/// submission was final.
pub(super) type Submitted = (BTreeMap<String, Said>, Option<String>, bool);

#[derive(Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) assignment: usize,
    pub(super) publication: usize,
    pub(super) status: &'static str,
    pub(super) started: Option<i64>,
    pub(super) last_active: Option<i64>,
    pub(super) completed: Option<i64>,
    pub(super) answers: Answers,
    pub(super) review: Option<Review>,
}

impl Session {
    pub(super) fn state(&self) -> &'static str {
        match (self.started, self.completed) {
            (None, _) => "NOT_STARTED",
            (Some(_), None) => "IN_PROGRESS",
            (Some(_), Some(_)) => "COMPLETED",
        }
    }
}

/// The reason of a refusal and the fields that it names.
pub(super) type Refused = (String, BTreeSet<String>);

pub(super) fn refused<T>(code: &str, fields: &[&str]) -> Result<T, Refused> {
    Err((code.to_owned(), fields.iter().map(ToString::to_string).collect()))
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) now: i64,
    pub(super) projects: Vec<Project>,
    pub(super) screeners: Vec<Screener>,
    /// Each questionnaire once, with its digest.
    pub(super) questionnaires: Vec<(Questionnaire, String)>,
    pub(super) publications: Vec<Publication>,
    pub(super) people: Vec<Person>,
    pub(super) assignments: Vec<Assignment>,
    pub(super) sessions: Vec<Session>,
    /// Session and question, in the order in which the answers arrived.
    pub(super) responses: Vec<(usize, String)>,
    /// Sessions in the order of their first submissions.
    pub(super) submissions: Vec<usize>,
    pub(super) history: Vec<Entry>,
}

/// The reason why the participant of a completed session does or does not qualify.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    Qualified,
    Pending,
    ByAnswer(String),
    ByVerification,
    ByResearcher,
}

impl Model {
    pub(super) fn project(&self, id: &str) -> Option<usize> {
        self.projects.iter().position(|it| it.id == id)
    }

    pub(super) fn screener(&self, id: &str) -> Option<usize> {
        self.screeners.iter().position(|it| it.id == id)
    }

    pub(super) fn person(&self, id: &str) -> Option<usize> {
        self.people.iter().position(|it| it.id == id)
    }

    pub(super) fn person_of_uid(&self, uid: &str) -> Option<usize> {
        self.people.iter().position(|it| it.uid.as_deref() == Some(uid))
    }

    pub(super) fn session(&self, id: &str) -> Option<usize> {
        self.sessions.iter().position(|it| it.id == id)
    }

    pub(super) fn assignment(&self, screener: usize, person: usize) -> Option<usize> {
        self.assignments.iter().position(|it| (it.screener, it.person) == (screener, person))
    }

    /// Returns the sessions of an assignment, oldest first.
    pub(super) fn sessions_of(&self, assignment: usize) -> Vec<usize> {
        let own = |at: &usize| self.sessions[*at].assignment == assignment;
        (0..self.sessions.len()).filter(own).collect()
    }

    pub(super) fn screener_of(&self, session: usize) -> usize {
        self.assignments[self.sessions[session].assignment].screener
    }

    pub(super) fn person_of(&self, session: usize) -> usize {
        self.assignments[self.sessions[session].assignment].person
    }

    pub(super) fn asked(&self, publication: usize) -> &Questionnaire {
        &self.questionnaires[self.publications[publication].questionnaire].0
    }

    pub(super) fn verdict(&self, session: usize) -> Verdict {
        let it = &self.sessions[session];
        verdict(self.asked(it.publication), &it.answers)
    }

    /// Returns the outcome of a session that has a submission.
    pub(super) fn outcome(&self, session: usize) -> Option<Outcome> {
        let review = self.sessions[session].review.as_ref()?;
        let first = self.verdict(session).first;
        let verification = self.people[self.person_of(session)].verification;
        Some(match (review.manual, first, verification) {
            (Some(true), _, _) | (None, None, "NONE" | "PASSED") => Outcome::Qualified,
            (Some(false), _, _) => Outcome::ByResearcher,
            (None, Some(question), _) => Outcome::ByAnswer(question),
            (None, None, "PENDING") => Outcome::Pending,
            (None, None, _) => Outcome::ByVerification,
        })
    }

    /// Returns why a person may not answer a screener, or `None`.
    pub(super) fn may_not_respond(
        &self,
        screener: usize,
        person: Option<usize>,
    ) -> Option<&'static str> {
        let assignment = person.and_then(|person| self.assignment(screener, person));
        let sessions = assignment.map_or_else(Vec::new, |it| self.sessions_of(it));
        self.may_not_answer(screener, sessions.last().copied(), &sessions)
    }

    /// Returns why the owner of these sessions may not answer this session or a new one.
    pub(super) fn may_not_answer(
        &self,
        screener: usize,
        session: Option<usize>,
        sessions: &[usize],
    ) -> Option<&'static str> {
        let session = session.map(|at| &self.sessions[at]);
        if session.is_some_and(|it| it.status == "REMOVED") {
            return Some("gone");
        }
        if self.is_exhausted(screener, sessions) {
            return Some("exhausted");
        }
        let is_archived =
            session.is_some_and(|it| it.status == "ARCHIVED" && it.completed.is_none());
        let screener = &self.screeners[screener];
        let is_open = screener.status == "OPEN" && screener.active.is_some();
        (is_archived || !is_open).then_some("not_open")
    }

    /// Whether a screener accepts no more answers from the owner of these sessions.
    pub(super) fn is_exhausted(&self, screener: usize, sessions: &[usize]) -> bool {
        let has_completed = sessions.iter().any(|at| self.sessions[*at].completed.is_some());
        has_completed && !self.screeners[screener].multiple
    }

    /// Returns the position of a questionnaire. Adds it if it is new.
    pub(super) fn keep(&mut self, questionnaire: &Questionnaire) -> usize {
        let known = self.questionnaires.iter().position(|it| it.0 == *questionnaire);
        known.unwrap_or_else(|| {
            self.questionnaires.push((questionnaire.clone(), String::new()));
            self.questionnaires.len() - 1
        })
    }

    pub(super) fn record(&mut self, action: &str, subject: Subject, fields: Vec<FieldChange>) {
        let action = action.to_owned();
        self.history.push(Entry { at: self.now, by_panelist: false, action, subject, fields });
    }

    pub(super) fn record_panelist(
        &mut self,
        action: &str,
        subject: Subject,
        fields: Vec<FieldChange>,
    ) {
        self.record(action, subject, fields);
        self.history.last_mut().expect("it was added").by_panelist = true;
    }

    pub(super) fn screener_fields(&self, screener: &Screener) -> Vec<Field> {
        vec![
            told("project_id", Some(&self.projects[screener.project].id)),
            told("title", Some(&screener.title)),
            told("status", Some(screener.status)),
            told("allow_multiple_responses", Some(screener.multiple)),
            named("active_publication_id", screener.active.map(Text::Publication)),
            named("draft_hash", screener.draft.map(Text::Digest)),
        ]
    }

    pub(super) fn session_fields(&self, session: &Session) -> Vec<Field> {
        let screener = self.assignments[session.assignment].screener;
        vec![
            told("screener_id", Some(&self.screeners[screener].id)),
            named("screener_participant_id", Some(Text::Assignment(session.assignment))),
            named("screener_publication_id", Some(Text::Publication(session.publication))),
            untold("link_slug", Some("")),
            told("status", Some(session.status)),
            told("started_at", session.started.map(precise)),
            told("last_active_at", session.last_active.map(precise)),
            told("completed_at", session.completed.map(precise)),
        ]
    }
}

impl Person {
    pub(super) fn fields(&self) -> Vec<Field> {
        vec![
            untold("external_uid", self.uid.as_ref()),
            untold("name", self.name.as_ref()),
            untold("email", self.email.as_ref()),
            told("id_verification", Some(self.verification)),
        ]
    }
}
