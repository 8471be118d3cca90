//! A publication: an immutable version of a screener's questionnaire.

use super::id::{OptionId, PageId, PublicationId, QuestionId, ScreenerId};
use super::tag::Tag;
use super::words::words;

/// The most questions in one publication; it bounds the answers of one session.
pub const QUESTIONS_MAX: usize = 500;
/// The most options of one question; it bounds the size of one answer.
pub const OPTIONS_MAX: usize = 500;

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

words! {
    /// What choosing an option means for qualification.
    Rule {
        /// Nothing.
        Neutral = "NEUTRAL",
        /// It qualifies.
        Qualifies = "QUALIFIES",
        /// It must be among the chosen options of a multi select.
        Required = "REQUIRED",
        /// It disqualifies.
        Disqualifies = "DISQUALIFIES",
    }
}

/// A closed range of numbers; an absent bound is open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The least number in it.
    pub min: Option<f64>,
    /// The greatest number in it.
    pub max: Option<f64>,
}

impl Range {
    /// Whether a number lies in it.
    #[must_use]
    pub fn contains(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }

    /// Whether it has a bound at all.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }
}

/// An option of a select question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// Its id, unique within the question.
    pub id: OptionId,
    /// Its text.
    pub text: String,
    /// What choosing it means.
    pub rule: Rule,
    /// Whether the participant adds a text of their own.
    pub write_in: bool,
    /// The question that choosing it leads to, if not the next.
    pub go_to: Option<QuestionId>,
}

/// What a question asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum QuestionForm {
    /// A text of one line or several.
    Text {
        /// Whether it may have several lines.
        multi_line: bool,
    },
    /// A number.
    Numeric {
        /// Whether it is entered by a slider.
        slider: bool,
        /// The numbers that are accepted.
        bounds: Range,
        /// The numbers that qualify, if the question decides.
        qualifies: Option<Range>,
    },
    /// One of these options.
    SingleSelect(Vec<Choice>),
    /// Any of these options.
    MultiSelect(Vec<Choice>),
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
            QuestionForm::Text { .. } => QuestionKind::Text,
            QuestionForm::Numeric { .. } => QuestionKind::Numeric,
            QuestionForm::SingleSelect(_) => QuestionKind::SingleSelect,
            QuestionForm::MultiSelect(_) => QuestionKind::MultiSelect,
        }
    }

    /// Its options; none unless it is a select question.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        match &self.form {
            QuestionForm::Text { .. } | QuestionForm::Numeric { .. } => &[],
            QuestionForm::SingleSelect(choices) | QuestionForm::MultiSelect(choices) => choices,
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
            QuestionForm::Text { multi_line: false } => "singleLineTextbox",
            QuestionForm::Text { multi_line: true } => "multiLineTextbox",
            QuestionForm::Numeric { slider: false, .. } => "numericBox",
            QuestionForm::Numeric { slider: true, .. } => "sliderScale",
            QuestionForm::SingleSelect(_) => "radio",
            QuestionForm::MultiSelect(_) => "checkbox",
        }
    }
}

/// An immutable version of a screener's questionnaire.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// Its id, unique within the tenant.
    pub id: PublicationId,
    /// The screener it is a version of.
    pub screener: ScreenerId,
    /// What its sessions are tagged with.
    pub tags: Vec<Tag>,
    /// Its questions, in order; those of one page stand together.
    pub questions: Vec<Question>,
}

impl Publication {
    /// A question by its id.
    #[must_use]
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == *id)
    }
}
