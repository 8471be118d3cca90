//! A screener response: the answer to one question in one session.

use std::collections::BTreeSet;
use std::mem::size_of;
use std::sync::Arc;

use super::encoded::{
    Encoded, NUMBER_MAX_BYTES, SMALL_MAX_BYTES, nested_max_bytes, opt_text_max_bytes,
    row_max_bytes, texts_max_bytes,
};
use super::id::{
    AssignmentId, OptionId, PageId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId,
};
use super::participant::ExternalUid;
use super::publication::{
    MultiSelectForm, NumericForm, Question, QuestionForm, QuestionKind, Rule,
};
use super::words::words;

/// The longest text answer or write-in, in bytes.
pub const ANSWER_TEXT_MAX_BYTES: usize = 16 * 1024;

/// The answers of one session together, in bytes: a quarter of a page, so that a row of a list
/// always fits, and sixty times the longest text.
pub const SESSION_ANSWERS_MAX_BYTES: usize = 1 << 20;
/// Why an answer is refused that is not too long by itself.
pub const SESSION_ANSWERS_TOO_LARGE: &str = "At most 1 MiB for all answers of a session.";
const _: () = assert!(SESSION_ANSWERS_MAX_BYTES == 1 << 20);

/// A chosen option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selected {
    /// The option.
    pub option: OptionId,
    /// The option's text; for a write-in with what was typed: `"Other: Insights Hub"`.
    pub text: String,
    /// What was typed, for an option with a write-in.
    pub write_in: Option<String>,
}

impl Selected {
    fn accept(question: &Question, given: GivenOption) -> Result<Self, String> {
        let GivenOption { option, write_in } = given;
        let choice = question
            .choice(&option)
            .ok_or_else(|| "The question has no such option.".to_owned())?;
        let text = match (&write_in, choice.write_in) {
            (None, false) => choice.text.clone(),
            (Some(typed), true) => {
                check_text(typed)?;
                format!("{}: {typed}", choice.text)
            }
            (None, true) => return Err("The option needs a text of the participant's own.".into()),
            (Some(_), false) => {
                return Err("The option takes no text of the participant's own.".into());
            }
        };
        Ok(Self { option, text, write_in })
    }
}

/// An option as it is chosen: by its id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenOption {
    /// The option.
    pub option: OptionId,
    /// What was typed, for an option with a write-in.
    pub write_in: Option<String>,
}

/// An answer as it is given, before it is held against its question.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// One option.
    Option(GivenOption),
    /// Any number of options.
    Options(Vec<GivenOption>),
    /// A text or a number, as it was typed.
    Typed(String),
    /// Options, and what was typed for the one among them that takes a text.
    Chosen(Vec<OptionId>, Option<String>),
    /// Nothing, on purpose.
    Skipped,
}

impl Given {
    /// Tells what was typed or chosen in the terms of its question.
    fn resolve(self, question: &Question) -> Result<Self, String> {
        match (self, question.kind()) {
            (Self::Typed(typed), QuestionKind::Numeric) => {
                let number = typed.trim().parse().map_err(|_| "A number is needed here.")?;
                Ok(Self::Number(number))
            }
            (Self::Typed(typed), _) => Ok(Self::Text(typed)),
            (Self::Chosen(options, mut typed), kind) => {
                let takes_text = |id: &OptionId| question.choice(id).is_some_and(|it| it.write_in);
                let several = options.iter().filter(|id| takes_text(id)).count() > 1;
                if several && typed.is_some() {
                    return Err("The text belongs to one option, but several take one.".into());
                }
                let given = |option: OptionId| {
                    let write_in = if takes_text(&option) { typed.take() } else { None };
                    GivenOption { option, write_in }
                };
                let mut options: Vec<_> = options.into_iter().map(given).collect();
                if let (Some(typed), Some(last)) = (typed, options.last_mut()) {
                    // It is refused with the option, which takes none.
                    last.write_in = Some(typed);
                }
                match (kind, options.len()) {
                    (QuestionKind::SingleSelect, 1) => Ok(Self::Option(options.remove(0))),
                    _ => Ok(Self::Options(options)),
                }
            }
            (given, _) => Ok(given),
        }
    }

    /// Holds it against its question: the kind must fit, the options must exist.
    pub fn accept(self, question: &Question) -> Result<Answer, String> {
        match (self.resolve(question)?, question.kind()) {
            (Self::Skipped, _) => Ok(Answer::Skipped),
            (Self::Text(text), QuestionKind::Text) => {
                check_text(&text)?;
                Ok(Answer::Text(text))
            }
            (Self::Number(number), QuestionKind::Numeric) if number.is_finite() => {
                Ok(Answer::Numeric(number))
            }
            (Self::Number(_), QuestionKind::Numeric) => Err("A number is finite.".into()),
            (Self::Option(given), QuestionKind::SingleSelect) => {
                Selected::accept(question, given).map(Answer::SingleSelect)
            }
            (Self::Options(given), QuestionKind::MultiSelect) => {
                let mut seen = BTreeSet::new();
                if !given.iter().all(|given| seen.insert(given.option.clone())) {
                    return Err("An option is chosen at most once.".into());
                }
                let selected = given.into_iter().map(|given| Selected::accept(question, given));
                selected.collect::<Result<_, _>>().map(Answer::MultiSelect)
            }
            (_, kind) => Err(format!("The question takes an answer of kind {}.", kind.as_str())),
        }
    }
}

/// Says why a text cannot be an answer.
pub fn check_text(text: &str) -> Result<(), String> {
    if text.len() > ANSWER_TEXT_MAX_BYTES {
        return Err(format!("A text has at most {ANSWER_TEXT_MAX_BYTES} bytes."));
    }
    if text.contains('\0') {
        return Err("A text does not contain the character U+0000.".into());
    }
    Ok(())
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To a text question.
    Text(String),
    /// To a numeric question; finite.
    Numeric(f64),
    /// To a single select question.
    SingleSelect(Selected),
    /// To a multi select question; may be empty.
    MultiSelect(Vec<Selected>),
    /// The question was shown and left out.
    Skipped,
}

words! {
    /// What an answer means for qualification.
    Score {
        /// The question decides nothing, or was skipped.
        None = "NONE",
        /// The answer qualifies.
        Qualifies = "QUALIFIES",
        /// The answer disqualifies.
        Disqualifies = "DISQUALIFIES",
    }
}

impl Answer {
    /// Whether it answers a question of this kind.
    #[must_use]
    pub fn fits(&self, kind: QuestionKind) -> bool {
        match self {
            Self::Text(_) => kind == QuestionKind::Text,
            Self::Numeric(_) => kind == QuestionKind::Numeric,
            Self::SingleSelect(_) => kind == QuestionKind::SingleSelect,
            Self::MultiSelect(_) => kind == QuestionKind::MultiSelect,
            Self::Skipped => true,
        }
    }

    /// What it means by the question's rules. A question without a rule scores nothing, and so
    /// does a skipped one: whoever must answer is asked by a required question.
    #[must_use]
    pub fn score(&self, question: &Question) -> Score {
        let disqualifies = match (self, &question.form) {
            (
                Self::Numeric(number),
                QuestionForm::Numeric(NumericForm { qualifies: Some(range), .. }),
            ) => !range.contains(*number),
            (Self::SingleSelect(selected), QuestionForm::SingleSelect(choices)) => {
                if choices.iter().all(|choice| choice.rule == Rule::Neutral) {
                    return Score::None;
                }
                question
                    .choice(&selected.option)
                    .is_some_and(|choice| choice.rule == Rule::Disqualifies)
            }
            (
                Self::MultiSelect(selected),
                QuestionForm::MultiSelect(MultiSelectForm { choices, .. }),
            ) => {
                if choices.iter().all(|choice| choice.rule == Rule::Neutral) {
                    return Score::None;
                }
                choices.iter().any(|choice| {
                    let chosen = selected.iter().any(|selected| selected.option == choice.id);
                    match choice.rule {
                        Rule::Required => !chosen,
                        Rule::Disqualifies => chosen,
                        Rule::Neutral | Rule::Qualifies => false,
                    }
                })
            }
            _ => return Score::None,
        };
        if disqualifies { Score::Disqualifies } else { Score::Qualifies }
    }
}

/// Whether a number lies on a step, counted from the least number or from zero. Decimal fractions
/// are seldom exact, so that a millionth of the step is forgiven.
#[must_use]
pub fn on_step(number: f64, step: f64, min: Option<f64>) -> bool {
    let steps = (number - min.unwrap_or(0.0)) / step;
    (steps - steps.round()).abs() < 1e-6
}

/// A number as people write it: whole numbers without a fraction.
#[must_use]
pub fn number_text(number: f64) -> String {
    // Adding zero turns a negative zero into a plain one.
    format!("{}", number + 0.0)
}

/// Where an answer comes from; the answers of a session share it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The session it belongs to.
    pub session: SessionId,
    /// The screener.
    pub screener: ScreenerId,
    /// The version of the questionnaire.
    pub publication: PublicationId,
    /// The person.
    pub participant: ParticipantId,
    /// The caller's own id of the person.
    pub external_uid: Option<ExternalUid>,
    /// The person's assignment to the screener.
    pub assignment: AssignmentId,
}

/// What was asked; the answers to a question share it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The page of the question.
    pub page: PageId,
    /// The question.
    pub question: QuestionId,
    /// What the participant read.
    pub prompt: String,
    /// What an answer to the question is.
    pub kind: QuestionKind,
}

/// An answer with everything that says what it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenerResponse {
    /// Where it comes from.
    pub origin: Arc<Origin>,
    /// What was asked.
    pub asked: Arc<Asked>,
    /// What was answered; those who chose the same may share it.
    pub answer: Arc<Answer>,
}

impl Answer {
    /// The bytes that a participant's answer takes of [`SESSION_ANSWERS_MAX_BYTES`]: what was typed
    /// and the texts that were chosen.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Numeric(_) => size_of::<f64>(),
            Self::SingleSelect(selected) => selected.content_bytes(),
            Self::MultiSelect(selected) => selected.iter().map(Selected::content_bytes).sum(),
            Self::Skipped => 0,
        }
    }
}

impl Selected {
    fn content_bytes(&self) -> usize {
        self.text.len() + self.write_in.as_ref().map_or(0, String::len)
    }
}

impl Encoded for Selected {
    fn encoded_max_bytes(&self) -> usize {
        texts_max_bytes([&self.text]) + SMALL_MAX_BYTES
    }
}

impl Encoded for Answer {
    fn encoded_max_bytes(&self) -> usize {
        match self {
            Self::Text(text) => nested_max_bytes(text.len()),
            Self::Numeric(_) => NUMBER_MAX_BYTES,
            Self::SingleSelect(selected) => row_max_bytes(selected),
            Self::MultiSelect(selected) => {
                nested_max_bytes(selected.iter().map(row_max_bytes).sum())
            }
            Self::Skipped => SMALL_MAX_BYTES,
        }
    }
}

impl Encoded for ScreenerResponse {
    fn encoded_max_bytes(&self) -> usize {
        let Self { origin, asked, answer } = self;
        let Origin { session, screener, publication, participant, external_uid, assignment } =
            &**origin;
        let Asked { page, question, prompt, kind: _ } = &**asked;
        let whose = [session.as_str(), participant.as_str(), assignment.as_str()];
        let what = [screener.as_str(), publication.as_str(), page.as_str(), question.as_str()];
        let texts = texts_max_bytes(whose) + texts_max_bytes(what) + texts_max_bytes([prompt]);
        let optional = opt_text_max_bytes(external_uid.as_ref());
        texts + optional + SMALL_MAX_BYTES + answer.encoded_max_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_print_without_a_fraction() {
        for (number, text) in [
            (5.0, "5"),
            (5.5, "5.5"),
            (-0.0, "0"),
            (-3.0, "-3"),
            (0.1, "0.1"),
            (1e15, "1000000000000000"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }
}
