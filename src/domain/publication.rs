//! A publication: an immutable version of a screener's questionnaire.

use std::fmt;
use std::mem::size_of;

use super::content_hash::ContentHash;
use super::encoded::{Encoded, INSTANT_MAX_BYTES, nested_max_bytes, texts_max_bytes};
use super::id::{OptionId, PageId, PublicationId, QuestionId, ScreenerId};
use super::pattern::{Pattern, keep_compiled};
use super::response::number_text;
use super::tag::Tag;
use super::time::Timestamp;
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

impl fmt::Display for Range {
    /// As a person says it: `5 to 10`, `at least 5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min.map(number_text), self.max.map(number_text)) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("any number"),
        }
    }
}

impl Range {
    /// Whether a number lies in it.
    #[must_use]
    pub fn contains(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }

    /// Whether the two have a number in common.
    #[must_use]
    pub fn meets(&self, other: Self) -> bool {
        let apart = |min: Option<f64>, max: Option<f64>| min.zip(max).is_some_and(|(a, b)| a > b);
        !apart(self.min, other.max) && !apart(other.min, self.max)
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
    /// Where choosing it leads, if not to the next question.
    pub go_to: Option<GoTo>,
}

/// Where a choice leads. Of several choices the one that leads furthest counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GoTo {
    /// To a later question.
    Question(QuestionId),
    /// Past every question that is left.
    End,
}

impl GoTo {
    /// The question that it leads to, unless that is the end.
    #[must_use]
    pub fn question(&self) -> Option<&QuestionId> {
        match self {
            Self::Question(id) => Some(id),
            Self::End => None,
        }
    }
}

/// What a text question asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextForm {
    /// Whether it may have several lines.
    pub multi_line: bool,
    /// The fewest characters that are accepted.
    pub min_length: Option<u32>,
    /// The most characters that are accepted.
    pub max_length: Option<u32>,
    /// What the whole text must match.
    pub pattern: Option<Pattern>,
}

/// What a numeric question asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumericForm {
    /// Whether it is entered by a slider.
    pub slider: bool,
    /// The numbers that are accepted.
    pub bounds: Range,
    /// The distance between accepted numbers, counted from the least one, or from zero.
    pub step: Option<f64>,
    /// The numbers that qualify, if the question decides.
    pub qualifies: Option<Range>,
}

/// What a multi select question asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MultiSelectForm {
    /// The options.
    pub choices: Vec<Choice>,
    /// The fewest choices that are accepted.
    pub min_choices: Option<u32>,
    /// The most choices that are accepted.
    pub max_choices: Option<u32>,
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
    fn heap_bytes(&self) -> usize {
        let Self { id, page, prompt, required: _, form: _ } = self;
        let pattern = self.pattern().map_or(0, |pattern| pattern.as_str().len());
        let choices: usize = self.choices().iter().map(Choice::heap_bytes).sum();
        let texts = id.as_str().len() + page.as_str().len() + prompt.len() + pattern;
        size_of::<Self>() + texts + choices
    }
}

impl Choice {
    /// About how many bytes it occupies.
    fn heap_bytes(&self) -> usize {
        let Self { id, text, rule: _, write_in: _, go_to } = self;
        let target = go_to.as_ref().and_then(GoTo::question).map_or(0, |id| id.as_str().len());
        size_of::<Self>() + id.as_str().len() + text.len() + target
    }
}

/// What a screener asks, in a draft or in a publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Questionnaire {
    /// What sessions are tagged with.
    pub tags: Vec<Tag>,
    /// The questions, in order; those of one page stand together.
    pub questions: Vec<Question>,
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
    /// When it was published; not known of one that was imported.
    pub published: Option<Timestamp>,
}

/// What a publication is known by, without what it asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicationHead {
    /// Its id, unique within the tenant.
    pub id: PublicationId,
    /// The screener it is a version of.
    pub screener: ScreenerId,
    /// The digest of what it asks; not stored for one from before digests were.
    pub hash: Option<ContentHash>,
    /// When it was published; not known of one that was imported.
    pub published: Option<Timestamp>,
}

/// The pages that questions stand on, in order.
pub fn pages(questions: &[Question]) -> impl Iterator<Item = (&PageId, &[Question])> {
    let pages = questions.chunk_by(|one, next| one.page == next.page);
    pages.filter_map(|questions| Some((&questions.first()?.page, questions)))
}

impl Questionnaire {
    /// The digest of its tags and questions.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of(&self.tags, &self.questions)
    }
}

impl Publication {
    /// The digest of its tags and questions.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of(&self.tags, &self.questions)
    }

    /// Compiles the patterns of its questions and keeps them, within their bound. Returns the bytes
    /// that are kept.
    pub fn keep_patterns(&self) -> Result<usize, String> {
        keep_compiled(self.questions.iter().filter_map(Question::pattern))
    }

    /// Whether a question has a pattern.
    #[must_use]
    pub fn has_patterns(&self) -> bool {
        self.questions.iter().any(|question| question.pattern().is_some())
    }

    /// About how many bytes it occupies without compiled patterns.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let Self { id, screener, tags, questions, published: _ } = self;
        let tags: usize = tags.iter().map(Tag::heap_bytes).sum();
        let questions: usize = questions.iter().map(Question::heap_bytes).sum();
        size_of::<Self>() + id.as_str().len() + screener.as_str().len() + tags + questions
    }

    /// The same as whoever answers may see it: without tags, and without what qualifies.
    #[must_use]
    pub fn without_rules(mut self) -> Self {
        self.tags.clear();
        for question in &mut self.questions {
            let choices = match &mut question.form {
                QuestionForm::Text(_) => continue,
                QuestionForm::Numeric(form) => {
                    form.qualifies = None;
                    continue;
                }
                QuestionForm::SingleSelect(choices) => choices,
                QuestionForm::MultiSelect(form) => &mut form.choices,
            };
            for choice in choices {
                choice.rule = Rule::Neutral;
            }
        }
        self
    }

    /// Its pages, in order.
    pub fn pages(&self) -> impl Iterator<Item = (&PageId, &[Question])> {
        pages(&self.questions)
    }

    /// The greatest position, from 1, of these questions; 0 of none.
    #[must_use]
    pub fn furthest<'a>(&self, ids: impl Iterator<Item = &'a QuestionId>) -> usize {
        let position = |id: &QuestionId| self.questions.iter().position(|it| it.id == *id);
        ids.filter_map(position).max().map_or(0, |position| position + 1)
    }

    /// A question by its id.
    #[must_use]
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == *id)
    }
}

impl Encoded for PublicationHead {
    fn encoded_max_bytes(&self) -> usize {
        let Self { id, screener, hash: _, published: _ } = self;
        let texts = texts_max_bytes([id.as_str(), screener.as_str()]);
        texts + nested_max_bytes(ContentHash::TEXT_BYTES) + INSTANT_MAX_BYTES
    }
}
