//! A submission: one participant's answers as researchers review them.
//!
//! It exists from the first submission of its session and shares the session's id. The verdict is
//! computed from the answers by the rules; decisions of people override it here.

use std::sync::Arc;

use super::answer::{Answer, Score, Selected, Value};
use super::encoded::{
    Encoded, INSTANT_MAX_BYTES, NUMBER_MAX_BYTES, SMALL_MAX_BYTES, nested_max_bytes, row_max_bytes,
    texts_max_bytes,
};
use super::error::{Error, Result};
use super::id::{ProjectId, QuestionId};
use super::participant::{IdVerification, Participant};
use super::project::Project;
use super::publication::Publication;
use super::question::{Choice, Question, QuestionForm, Rule, number_text};
use super::review::{Meeting, Review};
use super::session::Session;
use super::verdict::{Outcome, Verdict};

/// The most submissions that one call reviews.
pub const BATCH_MAX_SUBMISSIONS: usize = 100;

/// A submission with everything it refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The session it was submitted in.
    pub session: Session,
    /// The state of its review.
    pub review: Review,
    /// The project of its screener.
    pub project: Project,
    /// The participant who submitted it.
    pub participant: Participant,
    /// The questionnaire, which the submissions of one page share.
    pub publication: Arc<Publication>,
    /// The answers and the positions of their questions, in question order.
    pub answers: Vec<(usize, Answer)>,
    /// The verdict of the rules: the stored one, or computed if none is stored.
    pub verdict: Verdict,
    /// Whether the verdict is stored. Older submissions have no stored verdict.
    pub is_verdict_stored: bool,
}

/// A new submission, to be stored with the first answers of its session.
#[derive(Clone, Copy, Debug)]
pub struct NewSubmission<'a> {
    /// The session, which is started.
    pub session: &'a Session,
    /// The project of its screener.
    pub project: &'a ProjectId,
    /// The state of the participant's id verification.
    pub id_verification: IdVerification,
    /// The state of its review.
    pub review: &'a Review,
    /// The verdict of the rules.
    pub verdict: &'a Verdict,
}

impl NewSubmission<'_> {
    /// Returns whether the participant qualifies, and the reason if not.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let first_disqualifying = self.verdict.first_disqualifying.as_ref();
        Outcome::of(self.review.qualified_override, first_disqualifying, self.id_verification)
    }
}

/// A submission with its stored verdict and the verdict computed now.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The submission.
    pub submission: Submission,
    /// The verdict, recomputed from the publication and the answers.
    pub recomputed: Verdict,
}

impl Explanation {
    /// Recomputes the verdict of a submission.
    #[must_use]
    pub fn of(submission: Submission) -> Self {
        Self { recomputed: submission.recomputed_verdict(), submission }
    }

    /// Returns the stored verdict, if there is one.
    #[must_use]
    pub fn stored(&self) -> Option<&Verdict> {
        Some(&self.submission.verdict).filter(|_| self.submission.is_verdict_stored)
    }
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// The question.
    pub question: &'a Question,
    /// Its position among the publication's questions, from 1.
    pub order: usize,
    /// Whether the answer does not disqualify.
    pub qualify: bool,
    /// The chosen options, or the typed text or number.
    pub answers: Vec<LineAnswer>,
}

/// One choice, or the typed text or number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineAnswer {
    /// The option's id, or the question's for a text or number.
    pub id: String,
    /// The option's text, or the typed text or number.
    pub text: String,
    /// The review dialect's number for its effect on qualification.
    pub value: i32,
    /// The target of the choice.
    pub go_to: Option<String>,
    /// Whether it is a write-in.
    pub is_other: bool,
    /// The participant's own text, for a write-in.
    pub other: Option<String>,
}

impl Submission {
    /// Sorts the answers into question order, and computes the verdict unless one is stored.
    pub fn new(
        session: Session,
        review: Review,
        project: Project,
        participant: Participant,
        publication: Arc<Publication>,
        answers: Vec<(QuestionId, Answer)>,
        stored: Option<Verdict>,
    ) -> Result<Self> {
        let is_verdict_stored = stored.is_some();
        let verdict = stored.unwrap_or_else(|| {
            Verdict::of(&publication, answers.iter().map(|(id, answer)| (id, answer)))
        });
        let mut placed = Vec::with_capacity(answers.len());
        for (question, answer) in answers {
            let position = publication.questions.iter().position(|it| it.id == question);
            let position =
                position.ok_or_else(|| Error::internal("an answer to an unknown question"))?;
            placed.push((position, answer));
        }
        placed.sort_by_key(|(position, _)| *position);
        let answers = placed;
        Ok(Self {
            session,
            review,
            project,
            participant,
            publication,
            answers,
            verdict,
            is_verdict_stored,
        })
    }

    /// Recomputes the verdict.
    #[must_use]
    pub fn recomputed_verdict(&self) -> Verdict {
        let question = |position: usize| &self.publication.questions[position].id;
        let answers = self.answers.iter();
        let answers = answers.map(|(position, answer)| (question(*position), answer));
        Verdict::of(&self.publication, answers)
    }

    /// Returns whether the participant qualifies, and the reason if not.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::of(
            self.review.qualified_override,
            self.verdict.first_disqualifying.as_ref(),
            self.participant.id_verification,
        )
    }

    /// Returns whether the participant qualifies.
    #[must_use]
    pub fn qualified(&self) -> bool {
        self.outcome() == Outcome::Qualified
    }

    /// Returns the whole seconds from the first submission to the last activity.
    #[must_use]
    pub fn total_seconds(&self) -> i64 {
        let progress = self.session.progress;
        match (progress.started(), progress.last_active()) {
            (Some(started), Some(last)) => last.seconds_since(started),
            _ => 0,
        }
    }

    /// Returns every answered question, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<Line<'_>> {
        self.answers
            .iter()
            .map(|(position, answer)| {
                let question = &self.publication.questions[*position];
                Line {
                    question,
                    order: position + 1,
                    qualify: question.score(answer) != Score::Disqualifies,
                    answers: line_answers(question, answer),
                }
            })
            .collect()
    }
}

fn line_answers(question: &Question, answer: &Answer) -> Vec<LineAnswer> {
    let typed = |text: String| {
        vec![LineAnswer {
            id: question.id.to_string(),
            text,
            value: if question.score(answer) == Score::Disqualifies { 2 } else { 1 },
            go_to: None,
            is_other: false,
            other: None,
        }]
    };
    match answer.value() {
        Value::Text(text) => typed(text.to_owned()),
        Value::Number(number) => typed(number_text(number)),
        Value::Options(selected) => {
            selected.iter().map(|selected| line_choice(question, selected)).collect()
        }
        Value::Nothing => Vec::new(),
    }
}

fn line_choice(question: &Question, selected: &Selected) -> LineAnswer {
    let choice = question.choice(&selected.option);
    LineAnswer {
        id: selected.option.to_string(),
        text: choice.map_or_else(|| selected.text.clone(), |choice| choice.text.clone()),
        value: choice.map_or(1, |choice| answer_value(question, choice)),
        // The dialect cannot express the end as a target.
        go_to: choice.and_then(|choice| choice.go_to.as_ref()?.question()).map(ToString::to_string),
        is_other: selected.write_in.is_some(),
        other: selected.write_in.clone(),
    }
}

/// Returns the review dialect's number for a choice: radio options are 1 (qualifies) or 2
/// (disqualifies), checkbox options 1 (may), 2 (must) or 3 (disqualifies).
fn answer_value(question: &Question, choice: &Choice) -> i32 {
    let is_multi = matches!(question.form, QuestionForm::MultiSelect(_));
    match (choice.rule, is_multi) {
        (Rule::Neutral | Rule::Qualifies, _) | (Rule::Required, false) => 1,
        (Rule::Required, true) | (Rule::Disqualifies, false) => 2,
        (Rule::Disqualifies, true) => 3,
    }
}

/// The longest name of a question kind in the review dialect, in bytes.
const REVIEW_TYPE_MAX_BYTES: usize = 17;

impl Encoded for Submission {
    fn encoded_max_bytes(&self) -> usize {
        let Self {
            session,
            review,
            project,
            participant,
            publication,
            answers,
            verdict: _,
            is_verdict_stored: _,
        } = self;
        let ids = [session.id.as_str(), project.id.as_str(), participant.id.as_str()];
        let name = participant.name.as_ref().map_or(0, String::len);
        // The message contains the person's id twice, and the name in two parts.
        let who = [session.assignment.as_str(), participant.id.as_str(), "", ""];
        let profile = nested_max_bytes(texts_max_bytes(who) + name);
        let Meeting { timezone, booking_url, cancel_url } = &review.meeting;
        let disqualification = review.disqualification.as_ref();
        let texts = [
            review.message.as_ref(),
            review.rejection.as_ref().map(|it| &it.message),
            disqualification.and_then(|it| it.message.as_ref()),
            review.report.as_ref().and_then(|it| it.message.as_ref()),
            timezone.as_ref(),
            booking_url.as_ref(),
            cancel_url.as_ref(),
        ];
        let people: usize = texts
            .into_iter()
            .map(|text| nested_max_bytes(nested_max_bytes(text.map_or(0, String::len))))
            .sum();
        // The reasons of a disqualification and a report. A booking contains the team.
        let reasons = disqualification.map_or(0, |it| it.reasons.len())
            + review.report.as_ref().map_or(0, |it| it.reasons.len());
        let reasons = reasons * SMALL_MAX_BYTES + nested_max_bytes(project.team.len());
        // Sixteen flags and enums, eleven more of what matches, two numbers, six instants.
        let others = 27 * SMALL_MAX_BYTES + 2 * NUMBER_MAX_BYTES + 6 * INSTANT_MAX_BYTES;
        let project = row_max_bytes(project);
        let lines: usize = answers
            .iter()
            .map(|(position, answer)| {
                nested_max_bytes(line_max_bytes(&publication.questions[*position], answer))
            })
            .sum();
        texts_max_bytes(ids)
            + profile
            + people
            + reasons
            + others
            + nested_max_bytes(0)
            + project
            + lines
    }
}

fn line_max_bytes(question: &Question, answer: &Answer) -> usize {
    let texts = texts_max_bytes([question.id.as_str(), &question.prompt]);
    let types = 2 * nested_max_bytes(REVIEW_TYPE_MAX_BYTES);
    let one = |id: &str, text: usize, go_to: &str, other: usize| {
        let ids = 2 * nested_max_bytes(id.len()) + texts_max_bytes([go_to]);
        let texts = nested_max_bytes(text) + nested_max_bytes(other);
        nested_max_bytes(ids + texts + 2 * SMALL_MAX_BYTES)
    };
    let chosen = |selected: &Selected| {
        let choice = question.choice(&selected.option);
        let text = choice.map_or(selected.text.len(), |choice| choice.text.len());
        let target = choice.and_then(|choice| choice.go_to.as_ref()?.question());
        let go_to = target.map_or("", QuestionId::as_str);
        one(
            selected.option.as_str(),
            text,
            go_to,
            selected.write_in.as_ref().map_or(0, String::len),
        )
    };
    let answers = match answer.value() {
        Value::Text(text) => one(question.id.as_str(), text.len(), "", 0),
        Value::Number(number) => one(question.id.as_str(), number_text(number).len(), "", 0),
        Value::Options(selected) => selected.iter().map(chosen).sum(),
        Value::Nothing => 0,
    };
    // The position is a small number, too.
    texts + types + answers + 3 * SMALL_MAX_BYTES
}
