//! A submission: one participant's answers as researchers review them.
//!
//! It exists from the first submission of its session on and shares the session's id. What can be
//! computed from the answers and the publication is computed here and stored nowhere.

use super::error::{Error, Result};
use super::id::QuestionId;
use super::participant::{IdVerification, Participant};
use super::project::Project;
use super::publication::{Choice, Publication, Question, QuestionForm, Rule};
use super::response::{Answer, Score, Selected, number_text};
use super::review::Review;
use super::session::Session;
use super::time::Timestamp;

/// A submission with everything it refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The session it was submitted in.
    pub session: Session,
    /// What was decided about it.
    pub review: Review,
    /// The project of its screener.
    pub project: Project,
    /// Who submitted it.
    pub participant: Participant,
    /// The questionnaire.
    pub publication: Publication,
    /// The answers with their questions' positions, in question order.
    pub answers: Vec<(usize, Answer)>,
}

/// What the answers say by the questionnaire's rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// No answer disqualifies.
    pub questions_qualified: bool,
    /// The share of scored answers that qualify, in percent, rounded half up.
    pub percentage: u32,
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
    /// What was chosen or typed.
    pub answers: Vec<LineAnswer>,
}

/// One choice, or the typed text or number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineAnswer {
    /// The option's id; the question's for a text or number.
    pub id: String,
    /// What was read or typed.
    pub text: String,
    /// The review dialect's number for what it means.
    pub value: i32,
    /// Where choosing it leads.
    pub go_to: Option<String>,
    /// Whether it is a write-in.
    pub is_other: bool,
    /// What was typed, for a write-in.
    pub other: Option<String>,
}

impl Submission {
    /// Puts the answers into question order.
    pub fn new(
        session: Session,
        review: Review,
        project: Project,
        participant: Participant,
        publication: Publication,
        answers: Vec<(QuestionId, Answer)>,
    ) -> Result<Self> {
        let mut placed = Vec::with_capacity(answers.len());
        for (question, answer) in answers {
            let position = publication.questions.iter().position(|it| it.id == question);
            let position = position
                .ok_or_else(|| Error::internal("an answer to a question that was never asked"))?;
            placed.push((position, answer));
        }
        placed.sort_by_key(|(position, _)| *position);
        let answers = placed;
        Ok(Self { session, review, project, participant, publication, answers })
    }

    /// Scores the answers.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let (mut scored, mut qualifying) = (0, 0);
        for (position, answer) in &self.answers {
            match answer.score(&self.publication.questions[*position]) {
                Score::None => {}
                Score::Qualifies => {
                    scored += 1;
                    qualifying += 1;
                }
                Score::Disqualifies => scored += 1,
            }
        }
        Verdict {
            questions_qualified: qualifying == scored,
            percentage: if scored == 0 { 100 } else { (200 * qualifying + scored) / (2 * scored) },
        }
    }

    /// Whether the participant qualifies: a researcher's word, else answers and identity.
    #[must_use]
    pub fn qualified(&self) -> bool {
        self.review.qualified_override.unwrap_or_else(|| {
            let identified = match self.participant.id_verification {
                IdVerification::None | IdVerification::Passed => true,
                IdVerification::Pending | IdVerification::Failed => false,
            };
            identified && self.verdict().questions_qualified
        })
    }

    /// Whether only the verification of the identity is missing.
    #[must_use]
    pub fn qualified_pending_id_verification(&self) -> bool {
        self.review.qualified_override.is_none()
            && self.participant.id_verification == IdVerification::Pending
            && self.verdict().questions_qualified
    }

    /// Whole seconds from the first submission to the last activity.
    #[must_use]
    pub fn total_seconds(&self) -> i64 {
        let progress = self.session.progress;
        match (progress.started(), progress.last_active()) {
            (Some(started), Some(last)) => last.seconds_since(started),
            _ => 0,
        }
    }

    /// When it came to be: the final submission, or the first one until then.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.session.progress.completed().or(self.session.progress.started())
    }

    /// Every answered question, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<Line<'_>> {
        self.answers
            .iter()
            .map(|(position, answer)| {
                let question = &self.publication.questions[*position];
                Line {
                    question,
                    order: position + 1,
                    qualify: answer.score(question) != Score::Disqualifies,
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
            value: if answer.score(question) == Score::Disqualifies { 2 } else { 1 },
            go_to: None,
            is_other: false,
            other: None,
        }]
    };
    match answer {
        Answer::Text(text) => typed(text.clone()),
        Answer::Numeric(number) => typed(number_text(*number)),
        Answer::SingleSelect(selected) => vec![line_choice(question, selected)],
        Answer::MultiSelect(selected) => {
            selected.iter().map(|selected| line_choice(question, selected)).collect()
        }
        Answer::Skipped => Vec::new(),
    }
}

fn line_choice(question: &Question, selected: &Selected) -> LineAnswer {
    let choice = question.choice(&selected.option);
    LineAnswer {
        id: selected.option.to_string(),
        text: choice.map_or_else(|| selected.text.clone(), |choice| choice.text.clone()),
        value: choice.map_or(1, |choice| answer_value(question, choice)),
        // The dialect has no word for the end.
        go_to: choice.and_then(|choice| choice.go_to.as_ref()?.question()).map(ToString::to_string),
        is_other: selected.write_in.is_some(),
        other: selected.write_in.clone(),
    }
}

/// The review dialect numbers radio options 1 (qualifies) and 2 (disqualifies), and checkbox
/// options 1 (may), 2 (must) and 3 (disqualifies).
fn answer_value(question: &Question, choice: &Choice) -> i32 {
    let is_multi = matches!(question.form, QuestionForm::MultiSelect(_));
    match (choice.rule, is_multi) {
        (Rule::Neutral | Rule::Qualifies, _) | (Rule::Required, false) => 1,
        (Rule::Required, true) | (Rule::Disqualifies, false) => 2,
        (Rule::Disqualifies, true) => 3,
    }
}
