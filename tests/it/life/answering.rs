//! Participants in the model: access, and the effects of answers.

use std::collections::BTreeMap;

use super::answers::{Answers, take};
use super::history::{FieldChange, Subject, Text, differences};
use super::model::{Model, Refused, Session, Submitted, refused};
use super::operation::{Holder, Submit};
use super::review::Review;
use super::rules::Shown;
use super::time::precise;
use crate::support::calls::Transport;

impl Model {
    /// Returns the screener and the assignment of a key or a link.
    fn led_to(&self, holder: &Holder) -> Result<(usize, Option<usize>), Refused> {
        match holder {
            Holder::Nobody => refused("unauthorized", &[]),
            Holder::Key(screener, uid) => {
                let person = self.person_of_uid(uid);
                Ok((*screener, person.and_then(|it| self.assignment(*screener, it))))
            }
            Holder::Link(session) => {
                Ok((self.screener_of(*session), Some(self.sessions[*session].assignment)))
            }
        }
    }

    /// Returns the session that a submission continues, if there is one, or the refusal.
    fn answered(&self, holder: &Holder) -> Result<Option<usize>, Refused> {
        let (screener, assignment) = self.led_to(holder)?;
        let sessions = assignment.map_or_else(Vec::new, |it| self.sessions_of(it));
        if let Holder::Link(at) = holder {
            let session = &self.sessions[*at];
            let is_over = session.status != "REMOVED" && session.completed.is_some();
            let why = self.may_not_answer(screener, Some(*at), &sessions);
            let why = if is_over { Some("exhausted") } else { why };
            return why.map_or(Ok(Some(*at)), |why| refused(why, &[]));
        }
        let person = assignment.map(|it| self.assignments[it].person);
        if let Some(why) = self.may_not_respond(screener, person) {
            return refused(why, &[]);
        }
        let is_open = |at: &usize| {
            let session = &self.sessions[*at];
            session.status == "ACTIVE" && session.completed.is_none()
        };
        Ok(sessions.into_iter().rfind(is_open))
    }

    /// Returns the publication of a session, or the one that a new session gets.
    pub(super) fn shown_publication(&self, screener: usize, session: Option<usize>) -> usize {
        let active = || self.screeners[screener].active.expect("it is open");
        session.map_or_else(active, |at| self.sessions[at].publication)
    }

    /// Returns the publication and the present answers that a holder would see now.
    pub(super) fn prospect(&self, holder: &Holder) -> Option<(usize, Answers)> {
        let (screener, _) = self.led_to(holder).ok()?;
        let session = self.answered(holder).ok()?;
        let answers = session.map_or_else(BTreeMap::new, |at| self.sessions[at].answers.clone());
        Some((self.shown_publication(screener, session), answers))
    }

    pub(super) fn load(&self, holder: &Holder) -> Result<Shown, Refused> {
        let (screener, _) = self.led_to(holder)?;
        Ok(Shown::Sheet(screener, self.answered(holder)?))
    }

    /// Returns the assignment of a holder. Creates it if it is missing.
    fn enrol(&mut self, holder: &Holder) -> usize {
        match holder {
            Holder::Nobody => panic!("nobody acts"),
            Holder::Key(screener, uid) => {
                let person = self.ensure_person(uid, true);
                self.ensure_assignment(*screener, person)
            }
            Holder::Link(session) => self.sessions[*session].assignment,
        }
    }

    pub(super) fn dismiss(&mut self, holder: &Holder) -> Result<Shown, Refused> {
        self.answered(holder)?;
        let assignment = self.enrol(holder);
        if self.assignments[assignment].dismissals.insert(self.now) {
            let after = Some(Text::Said(precise(self.now)));
            let dismissed = FieldChange { name: "dismissed_at".into(), before: None, after };
            self.record_panelist("DISMISS", Subject::Assignment(assignment), vec![dismissed]);
        }
        Ok(Shown::Nothing)
    }

    pub(super) fn submit(
        &mut self,
        submit: &Submit,
        transport: Transport,
    ) -> Result<Shown, Refused> {
        let Submit { holder, answers, is_final, idempotency_key, publication } = submit;
        let (screener, assignment) = self.led_to(holder)?;
        let said = answers.iter().map(|(id, answer)| (id.clone(), answer.said())).collect();
        let submitted: Submitted = (said, publication.clone(), *is_final);
        let receipts = assignment.map(|it| &self.assignments[it].receipts);
        let repeated = receipts.zip(idempotency_key.as_ref()).and_then(|(kept, id)| kept.get(id));
        match repeated {
            Some((first, count)) if *first == submitted => return Ok(Shown::Count(*count)),
            Some(_) => return refused("conflict", &[]),
            None => {}
        }
        let session = self.answered(holder)?;
        let shown = self.shown_publication(screener, session);
        if publication.as_ref().is_some_and(|seen| *seen != self.publications[shown].id) {
            return refused("conflict", &[]);
        }
        let stored = session.map_or_else(BTreeMap::new, |at| self.sessions[at].answers.clone());
        let taken = take(self.asked(shown), &stored, answers, *is_final, transport);
        let taken = taken.map_err(|fields| ("invalid_argument".to_owned(), fields))?;
        let assignment = self.enrol(holder);
        let session = session.unwrap_or_else(|| {
            let at = self.add_session(assignment);
            self.history.last_mut().expect("it was told").by_panelist = true;
            at
        });
        self.advance(session, taken, *is_final);
        if let Some(id) = idempotency_key {
            let receipt = (submitted, answers.len());
            self.assignments[assignment].receipts.insert(id.clone(), receipt);
        }
        Ok(Shown::Count(answers.len()))
    }

    /// Stores a submission.
    fn advance(&mut self, at: usize, answers: Answers, is_final: bool) {
        let before = self.sessions[at].clone();
        let after = Session {
            started: before.started.or(Some(self.now)),
            last_active: Some(self.now),
            completed: is_final.then_some(self.now),
            answers,
            review: before.review.clone().or_else(|| Some(Review::new())),
            ..before.clone()
        };
        let mut fields =
            differences(Some(self.session_fields(&before)), self.session_fields(&after));
        fields.extend(self.answer_changes(at, &before, &after));
        let action = if is_final { "COMPLETE" } else { "ANSWER" };
        self.record_panelist(action, Subject::Session(at), fields);
        if let (None, Some(review)) = (&before.review, &after.review) {
            self.submissions.push(at);
            let fields = differences(None, review.fields());
            self.record_panelist("CREATE", Subject::Submission(at), fields);
        }
        self.sessions[at] = after;
    }

    /// Returns the answers that changed, in the order of the history: added, replaced, dropped.
    /// Updates the list of responses.
    fn answer_changes(&mut self, at: usize, before: &Session, after: &Session) -> Vec<FieldChange> {
        let (mut added, mut replaced, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        let mut arrived = Vec::new();
        for question in &self.asked(before.publication).questions {
            let name = format!("answers.{}", question.id);
            let named = FieldChange { name, before: None, after: None };
            match (before.answers.get(&question.id), after.answers.get(&question.id)) {
                (None, Some(_)) => {
                    added.push(named);
                    arrived.push((at, question.id.clone()));
                }
                (Some(was), Some(is)) if was != is => replaced.push(named),
                (Some(_), None) => dropped.push(named),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        self.responses.retain(|(session, id)| *session != at || after.answers.contains_key(id));
        self.responses.extend(arrived);
        [added, replaced, dropped].concat()
    }
}
