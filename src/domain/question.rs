//! Questions. Each kind has its own file; this one dispatches to them.

mod decimal;
pub(super) mod number;
pub(super) mod select;
mod text;
mod typed;

use std::mem::size_of;
use std::slice;

use super::answer::{Answer, Given, NEEDED, Score, check_text};
use super::content_hash::Content;
use super::error::Violations;
use super::id::{OptionId, PageId, QuestionId};
use super::pattern::Pattern;
use super::words::words;

pub use decimal::on_step;
pub use number::{NumericForm, Range, number_text};
pub use select::{
    Choice, GoTo, GoToDraft, MultiSelectDraft, MultiSelectForm, OPTIONS_MAX, OptionDraft, Rule,
};
pub use text::{TextDraft, TextForm};
pub use typed::{Reading, parse as parse_number};

words! {
    /// The kind of a question, by its answers.
    QuestionKind {
        /// A text.
        Text = "TEXT",
        /// A number.
        Numeric = "NUMERIC",
        /// One option.
        SingleSelect = "SINGLE_SELECT",
        /// Any number of options.
        MultiSelect = "MULTI_SELECT",
    }
}

/// The form of a question: its kind with its limits and options.
#[derive(Clone, Debug, PartialEq)]
pub enum QuestionForm {
    /// A text.
    Text(TextForm),
    /// A number.
    Numeric(NumericForm),
    /// One of these options.
    SingleSelect(Vec<Choice>),
    /// Any number of options.
    MultiSelect(MultiSelectForm),
}

/// A question of a publication.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its id, unique within the publication.
    pub id: QuestionId,
    /// The page that shows it.
    pub page: PageId,
    /// The text that the participant reads.
    pub prompt: String,
    /// Whether it must be answered.
    pub required: bool,
    /// Its form.
    pub form: QuestionForm,
}

impl Question {
    /// Returns its kind.
    #[must_use]
    pub fn kind(&self) -> QuestionKind {
        match self.form {
            QuestionForm::Text(_) => QuestionKind::Text,
            QuestionForm::Numeric(_) => QuestionKind::Numeric,
            QuestionForm::SingleSelect(_) => QuestionKind::SingleSelect,
            QuestionForm::MultiSelect(_) => QuestionKind::MultiSelect,
        }
    }

    /// Returns the pattern of its answers, if it is a text question that has one.
    #[must_use]
    pub fn pattern(&self) -> Option<&Pattern> {
        match &self.form {
            QuestionForm::Text(form) => form.pattern.as_ref(),
            QuestionForm::Numeric(_)
            | QuestionForm::SingleSelect(_)
            | QuestionForm::MultiSelect(_) => None,
        }
    }

    /// Returns the author's hint on the pattern, if it is a text question that has one.
    #[must_use]
    pub fn pattern_hint(&self) -> Option<&str> {
        match &self.form {
            QuestionForm::Text(form) => form.pattern_hint.as_deref(),
            QuestionForm::Numeric(_)
            | QuestionForm::SingleSelect(_)
            | QuestionForm::MultiSelect(_) => None,
        }
    }

    /// Returns its options. Empty unless it is a select question.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        match &self.form {
            QuestionForm::Text(_) | QuestionForm::Numeric(_) => &[],
            QuestionForm::SingleSelect(choices)
            | QuestionForm::MultiSelect(MultiSelectForm { choices, .. }) => choices,
        }
    }

    /// Finds an option by its id.
    #[must_use]
    pub fn choice(&self, id: &OptionId) -> Option<&Choice> {
        select::find(self.choices(), id)
    }

    /// Accepts a given answer: the kind must fit, and the options must exist.
    pub fn accept(&self, given: Given) -> Result<Answer, String> {
        let other_kind = || format!("Must be an answer of kind {}.", self.kind().as_str());
        match (&self.form, given) {
            (_, Given::Skipped) => Ok(Answer::Skipped),
            (QuestionForm::Text(_), Given::Text(text) | Given::Typed(text)) => {
                check_text(&text).map(|()| Answer::Text(text))
            }
            (QuestionForm::Numeric(_), Given::Number(number)) => {
                number::accept(number).map(Answer::Numeric)
            }
            (QuestionForm::Numeric(_), Given::Typed(typed)) => {
                typed::parse(&typed).map(Answer::Numeric)
            }
            (QuestionForm::SingleSelect(choices), Given::Option(given)) => {
                select::accept(choices, given).map(Answer::SingleSelect)
            }
            (QuestionForm::SingleSelect(choices), Given::Chosen(options, typed)) => {
                let mut given = select::with_typed(choices, options, typed)?;
                let only = given.pop().filter(|_| given.is_empty()).ok_or_else(other_kind)?;
                select::accept(choices, only).map(Answer::SingleSelect)
            }
            (QuestionForm::MultiSelect(form), Given::Options(given)) => {
                select::accept_all(&form.choices, given).map(Answer::MultiSelect)
            }
            (QuestionForm::MultiSelect(form), Given::Chosen(options, typed)) => {
                let given = select::with_typed(&form.choices, options, typed)?;
                select::accept_all(&form.choices, given).map(Answer::MultiSelect)
            }
            _ => Err(other_kind()),
        }
    }

    /// Checks an accepted answer against the limits of the question. Patterns are matched by
    /// [`Misfits`](super::answering::Misfits).
    pub fn check(&self, answer: &Answer) -> Result<(), String> {
        match (&self.form, answer) {
            (_, Answer::Skipped) if self.required => Err(NEEDED.into()),
            (QuestionForm::Text(form), Answer::Text(text)) => form.check(text, self.required),
            (QuestionForm::Numeric(form), Answer::Numeric(number)) => form.check(*number),
            (QuestionForm::SingleSelect(_), Answer::SingleSelect(selected)) => {
                select::check(slice::from_ref(selected))
            }
            (QuestionForm::MultiSelect(form), Answer::MultiSelect(selected)) => {
                form.check(selected, self.required)
            }
            // Answers of another kind are refused by `accept`.
            _ => Ok(()),
        }
    }

    /// Scores an answer by the rules of the question. Without a rule, or if it was skipped, the
    /// score is none. An author who needs an answer makes the question required.
    #[must_use]
    pub fn score(&self, answer: &Answer) -> Score {
        Score::of(match (&self.form, answer) {
            (QuestionForm::Numeric(form), Answer::Numeric(number)) => form.qualifies(*number),
            (QuestionForm::SingleSelect(choices), Answer::SingleSelect(selected)) => {
                select::qualifies(choices, slice::from_ref(selected))
            }
            (QuestionForm::MultiSelect(form), Answer::MultiSelect(selected)) => {
                select::qualifies(&form.choices, selected)
            }
            _ => None,
        })
    }

    /// Returns a description of its rule, if it has one.
    pub(super) fn rule(&self) -> Option<String> {
        match &self.form {
            QuestionForm::Text(_) => None,
            QuestionForm::Numeric(form) => form.qualifies.map(|range| range.to_string()),
            QuestionForm::SingleSelect(choices)
            | QuestionForm::MultiSelect(MultiSelectForm { choices, .. }) => select::rule(choices),
        }
    }

    /// Removes its rule.
    pub(super) fn hide_rule(&mut self) {
        match &mut self.form {
            QuestionForm::Text(_) => {}
            QuestionForm::Numeric(form) => form.qualifies = None,
            QuestionForm::SingleSelect(choices)
            | QuestionForm::MultiSelect(MultiSelectForm { choices, .. }) => {
                for choice in choices {
                    choice.rule = Rule::Neutral;
                }
            }
        }
    }

    /// Returns the fewest options that an answer must choose.
    pub(super) fn least_choices(&self) -> u32 {
        match &self.form {
            QuestionForm::Text(_) | QuestionForm::Numeric(_) => 0,
            QuestionForm::SingleSelect(_) => 1,
            QuestionForm::MultiSelect(form) => form.least_choices(self.required),
        }
    }

    /// Checks that some answer is accepted and qualifies. Reports violations below a path.
    pub(super) fn check_works(&self, path: &str, violations: &mut Violations) {
        match &self.form {
            QuestionForm::Text(_) => {}
            QuestionForm::Numeric(form) => form.check_works(path, violations),
            QuestionForm::SingleSelect(choices) => select::check_works(choices, path, violations),
            QuestionForm::MultiSelect(form) => form.check_works(path, self.required, violations),
        }
    }

    pub(super) fn digest(&self, content: &mut Content) {
        let Self { id, page, prompt, required, form } = self;
        content.text(id.as_str());
        content.text(page.as_str());
        content.text(prompt);
        content.flag(*required);
        content.text(self.kind().as_str());
        match form {
            QuestionForm::Text(form) => form.digest(content),
            QuestionForm::Numeric(form) => form.digest(content),
            QuestionForm::SingleSelect(choices) => select::digest(choices, content),
            QuestionForm::MultiSelect(form) => form.digest(content),
        }
    }

    /// Returns the review dialect's name of its kind.
    #[must_use]
    pub fn review_type(&self) -> &'static str {
        match self.form {
            QuestionForm::Text(TextForm { multi_line: false, .. }) => "singleLineTextbox",
            QuestionForm::Text(TextForm { multi_line: true, .. }) => "multiLineTextbox",
            QuestionForm::Numeric(NumericForm { slider: false, .. }) => "numericBox",
            QuestionForm::Numeric(NumericForm { slider: true, .. }) => "sliderScale",
            QuestionForm::SingleSelect(_) => "radio",
            QuestionForm::MultiSelect(_) => "checkbox",
        }
    }

    /// Returns its approximate size in bytes, without a compiled pattern.
    pub(super) fn heap_bytes(&self) -> usize {
        let Self { id, page, prompt, required: _, form: _ } = self;
        let pattern = self.pattern().map_or(0, |pattern| pattern.as_str().len())
            + self.pattern_hint().map_or(0, str::len);
        let choices: usize = self.choices().iter().map(Choice::heap_bytes).sum();
        let texts = id.as_str().len() + page.as_str().len() + prompt.len() + pattern;
        size_of::<Self>() + texts + choices
    }
}
