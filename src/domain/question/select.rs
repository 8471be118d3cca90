//! Select questions, of one option or several.

use std::mem::size_of;

use crate::domain::id::{OptionId, QuestionId};
use crate::domain::words::words;

/// The most options of one question; it bounds the size of one answer.
pub const OPTIONS_MAX: usize = 500;

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

impl Choice {
    /// About how many bytes it occupies.
    pub(super) fn heap_bytes(&self) -> usize {
        let Self { id, text, rule: _, write_in: _, go_to } = self;
        let target = go_to.as_ref().and_then(GoTo::question).map_or(0, |id| id.as_str().len());
        size_of::<Self>() + id.as_str().len() + text.len() + target
    }
}
