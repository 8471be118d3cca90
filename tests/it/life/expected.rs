//! The expected messages that only gRPC has.

use prost_types::Timestamp;
use screenerd::client as pb;

use super::drive::World;
use super::history::{Entry, FieldChange, Subject, Text};
use super::model::{Model, Outcome};

fn instant(micros: i64) -> Timestamp {
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1000).expect("below a second");
    Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).expect("a few")
}

impl Model {
    /// Counts the funnel of a screener or of one of its publications.
    pub(super) fn funnel(&self, screener: usize, publication: Option<usize>) -> pb::Funnel {
        let sessions = (0..self.sessions.len()).filter(|at| {
            self.screener_of(*at) == screener
                && publication.is_none_or(|it| self.sessions[*at].publication == it)
        });
        let sessions: Vec<usize> = sessions.collect();
        let of = |state: &str| {
            count(sessions.iter().filter(|at| self.sessions[**at].state() == state).count())
        };
        let with = |status: &str| {
            count(sessions.iter().filter(|at| self.sessions[**at].status == status).count())
        };
        let is_rejected = |at: &&usize| {
            let review = self.sessions[**at].review.as_ref();
            review.is_some_and(|it| it.status == "REJECTEDQUALITY")
        };
        let completed: Vec<_> =
            sessions.iter().filter(|at| self.sessions[**at].completed.is_some()).collect();
        let outcomes: Vec<_> = completed.iter().filter_map(|at| self.outcome(**at)).collect();
        let came = |outcome: &Outcome| count(outcomes.iter().filter(|it| *it == outcome).count());
        let disqualified =
            count(outcomes.len()) - came(&Outcome::Qualified) - came(&Outcome::Pending);
        pb::Funnel {
            screener_id: self.screeners[screener].id.clone(),
            publication_id: publication.map(|it| self.publications[it].id.clone()),
            created: Some(count(sessions.len())),
            not_started: Some(of("NOT_STARTED")),
            started: Some(of("IN_PROGRESS") + of("COMPLETED")),
            in_progress: Some(of("IN_PROGRESS")),
            completed: Some(of("COMPLETED")),
            qualified: Some(came(&Outcome::Qualified)),
            pending_id_verification: Some(came(&Outcome::Pending)),
            disqualified: Some(disqualified),
            disqualified_by_question: self.by_question(&sessions),
            disqualified_by_id_verification: Some(came(&Outcome::ByVerification)),
            disqualified_by_researcher: Some(came(&Outcome::ByResearcher)),
            questions: publication.map_or_else(Vec::new, |it| self.reach(it, &sessions)),
            rejected: Some(count(sessions.iter().filter(is_rejected).count())),
            archived: Some(with("ARCHIVED")),
            removed: Some(with("REMOVED")),
        }
    }

    fn by_question(&self, sessions: &[usize]) -> Vec<pb::QuestionDisqualifications> {
        let mut publications: Vec<_> = (0..self.publications.len()).collect();
        publications.sort_by_key(|at| &self.publications[*at].id);
        let mut disqualified = Vec::new();
        for at in publications {
            for question in &self.asked(at).questions {
                let outcome = Some(Outcome::ByAnswer(question.id.clone()));
                let sessions = sessions.iter().filter(|session| {
                    let it = &self.sessions[**session];
                    it.publication == at
                        && it.completed.is_some()
                        && self.outcome(**session) == outcome
                });
                disqualified.push(pb::QuestionDisqualifications {
                    question_id: question.id.clone(),
                    publication_id: self.publications[at].id.clone(),
                    prompt: Some(question.prompt.clone()),
                    sessions: count(sessions.count()),
                });
            }
        }
        disqualified.retain(|it| it.sessions > 0);
        disqualified
    }

    fn reach(&self, publication: usize, sessions: &[usize]) -> Vec<pb::QuestionReach> {
        let questions = &self.asked(publication).questions;
        let reach = |at: usize| {
            let reached = sessions.iter().filter(|session| {
                let answers = &self.sessions[**session].answers;
                questions[at..].iter().any(|it| answers.contains_key(&it.id))
            });
            pb::QuestionReach {
                question_id: questions[at].id.clone(),
                order: i32::try_from(at + 1).expect("a few"),
                reached: Some(count(reached.count())),
            }
        };
        (0..questions.len()).map(reach).collect()
    }

    pub(super) fn explanation(&self, at: usize) -> pb::ExplainSubmissionResponse {
        let review = self.sessions[at].review.as_ref().expect("a submission");
        let publication = &self.publications[self.sessions[at].publication];
        let it = self.verdict(at);
        let percentage = u32::try_from(it.percentage).expect("at most 100");
        let line = |(question_id, rule, value, qualifies)| pb::TraceLine {
            question_id,
            rule,
            value,
            score: match qualifies {
                None => pb::Score::None,
                Some(true) => pb::Score::Qualifies,
                Some(false) => pb::Score::Disqualifies,
            }
            .into(),
        };
        let verdict = pb::Verdict {
            publication_hash: self.questionnaires[publication.questionnaire].1.clone(),
            percentage: Some(percentage.into()),
            questions_qualified: Some(it.first.is_none()),
            first_disqualifying_question_id: it.first,
            trace: it.trace.into_iter().map(line).collect(),
        };
        let verification = self.people[self.person_of(at)].verification;
        let verification =
            pb::IdVerification::from_str_name(&format!("ID_VERIFICATION_{verification}"));
        let why = |it: &(String, Option<String>)| {
            let reason = format!("DISQUALIFICATION_REASON_{}", it.0);
            let reason = pb::DisqualificationReason::from_str_name(&reason).expect("a reason");
            let (reason, message) = (reason.into(), it.1.clone());
            pb::Disqualification { reason, message, reasons: vec![reason] }
        };
        pb::ExplainSubmissionResponse {
            stored: Some(verdict.clone()),
            recomputed: Some(verdict),
            is_equal: Some(true),
            is_publication_unchanged: Some(true),
            r#override: review.manual.map(|qualified| pb::QualificationOverride {
                qualified: Some(qualified),
                disqualification: review.disqualification.as_ref().map(why),
            }),
            id_verification: verification.expect("a state").into(),
            qualified: Some(self.outcome(at) == Some(Outcome::Qualified)),
        }
    }

    pub(super) fn screener_participant(&self, at: usize) -> pb::ScreenerParticipant {
        let assignment = &self.assignments[at];
        let newest = self.sessions_of(at).last().copied();
        let state = newest.map(|at| (self.sessions[at].state(), self.outcome(at)));
        let status = match state {
            Some(("NOT_STARTED", _)) => pb::ScreenerParticipantStatus::NotStarted,
            Some(("IN_PROGRESS", _)) => pb::ScreenerParticipantStatus::InProgress,
            Some((_, Some(Outcome::Qualified))) => pb::ScreenerParticipantStatus::Qualified,
            None | Some((_, None | Some(Outcome::Pending))) => {
                pb::ScreenerParticipantStatus::Unknown
            }
            Some((_, Some(_))) => pb::ScreenerParticipantStatus::Disqualified,
        };
        pb::ScreenerParticipant {
            id: assignment.id.clone(),
            screener_id: self.screeners[assignment.screener].id.clone(),
            participant_id: self.people[assignment.person].id.clone(),
            status: status.into(),
            newest_session_id: newest.map(|at| self.sessions[at].id.clone()),
        }
    }

    pub(super) fn publication(&self, at: usize, is_whole: bool) -> pb::Publication {
        let it = &self.publications[at];
        let (questionnaire, digest) = &self.questionnaires[it.questionnaire];
        pb::Publication {
            id: it.id.clone(),
            screener_id: self.screeners[it.screener].id.clone(),
            content_hash: Some(digest.clone()),
            published_at: Some(instant(it.at)),
            questionnaire: is_whole.then(|| questionnaire.message()),
        }
    }

    /// Returns an entry of the history with its sequence number.
    pub(super) fn change(&self, world: &World, seq: usize, entry: &Entry) -> pb::Change {
        let (subject, subject_id) = match entry.subject {
            Subject::Session(at) => (pb::ChangeSubject::Session, &self.sessions[at].id),
            Subject::Submission(at) => (pb::ChangeSubject::Submission, &self.sessions[at].id),
            Subject::Participant(at) => (pb::ChangeSubject::Participant, &self.people[at].id),
            Subject::Screener(at) => (pb::ChangeSubject::Screener, &self.screeners[at].id),
            Subject::Assignment(at) => {
                (pb::ChangeSubject::ScreenerParticipant, &self.assignments[at].id)
            }
        };
        let text = |text: &Text| match text {
            Text::Said(text) => text.clone(),
            Text::Assignment(at) => self.assignments[*at].id.clone(),
            Text::Publication(at) => self.publications[*at].id.clone(),
            Text::Digest(at) => self.questionnaires[*at].1.clone(),
        };
        let field = |it: &FieldChange| pb::FieldChange {
            name: it.name.clone(),
            before: it.before.as_ref().map(text),
            after: it.after.as_ref().map(text),
        };
        let action = pb::ChangeAction::from_str_name(&format!("CHANGE_ACTION_{}", entry.action));
        pb::Change {
            seq: Some(count(seq)),
            at: Some(instant(entry.at)),
            actor: if entry.by_panelist { "panelist".into() } else { world.actor.clone() },
            action: action.expect("an action").into(),
            subject: subject.into(),
            subject_id: subject_id.clone(),
            fields: entry.fields.iter().map(field).collect(),
        }
    }
}
