//! A question, of one of several kinds; what a kind asks for has a file of its own.

mod number;
mod select;
mod text;

use std::mem::size_of;

use super::id::{OptionId, PageId, QuestionId};
use super::pattern::Pattern;
use super::words::words;

pub use number::{NumericForm, Range, number_text, on_step};
pub use select::{Choice, GoTo, MultiSelectForm, OPTIONS_MAX, Rule};
pub use text::TextForm;

words! {
    /// What an answer to a question is.
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

/// What a question asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum QuestionForm {
    /// A text.
    Text(TextForm),
    /// A number.
    Numeric(NumericForm),
    /// One of these options.
    SingleSelect(Vec<Choice>),
    /// Any of some options.
    MultiSelect(MultiSelectForm),
}

/// A question of a publication.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its id, unique within the publication.
    pub id: QuestionId,
    /// The page it stands on.
    pub page: PageId,
    /// What the participant reads.
    pub prompt: String,
    /// Whether it must be answered.
    pub required: bool,
    /// What it asks for.
    pub form: QuestionForm,
}

impl Question {
    /// What an answer to it is.
    #[must_use]
    pub fn kind(&self) -> QuestionKind {
        match self.form {
            QuestionForm::Text(_) => QuestionKind::Text,
            QuestionForm::Numeric(_) => QuestionKind::Numeric,
            QuestionForm::SingleSelect(_) => QuestionKind::SingleSelect,
            QuestionForm::MultiSelect(_) => QuestionKind::MultiSelect,
        }
    }

    /// The pattern that its answers match, if it is a text question that has one.
    #[must_use]
    pub fn pattern(&self) -> Option<&Pattern> {
        match &self.form {
            QuestionForm::Text(form) => form.pattern.as_ref(),
            QuestionForm::Numeric(_)
            | QuestionForm::SingleSelect(_)
            | QuestionForm::MultiSelect(_) => None,
        }
    }

    /// Its options; none unless it is a select question.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        match &self.form {
            QuestionForm::Text(_) | QuestionForm::Numeric(_) => &[],
            QuestionForm::SingleSelect(choices) => choices,
            QuestionForm::MultiSelect(form) => &form.choices,
        }
    }

    /// An option by its id.
    #[must_use]
    pub fn choice(&self, id: &OptionId) -> Option<&Choice> {
        self.choices().iter().find(|choice| choice.id == *id)
    }

    /// The review dialect's word for it.
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
}

impl Question {
    /// About how many bytes it occupies without a compiled pattern.
    pub(super) fn heap_bytes(&self) -> usize {
        let Self { id, page, prompt, required: _, form: _ } = self;
        let pattern = self.pattern().map_or(0, |pattern| pattern.as_str().len());
        let choices: usize = self.choices().iter().map(Choice::heap_bytes).sum();
        let texts = id.as_str().len() + page.as_str().len() + prompt.len() + pattern;
        size_of::<Self>() + texts + choices
    }
}
