//! Answers: as submitted, and as stored.
//!
//! A [`Question`](super::question::Question) decides whether it accepts an answer, and scores it.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::slice;

use super::content_hash::Content;
use super::encoded::{
    Encoded, NUMBER_MAX_BYTES, SMALL_MAX_BYTES, nested_max_bytes, row_max_bytes, texts_max_bytes,
};
use super::id::{OptionId, QuestionId};
use super::question::number::number_text;
use super::unicode::with_plain_line_ends;
use super::words::words;

/// The longest text answer or write-in, in bytes.
pub const ANSWER_TEXT_MAX_BYTES: usize = 16 * 1024;

/// The answers of one session together, in bytes: a quarter of a page, so that a row of a list
/// always fits, and sixty times the longest text.
pub const SESSION_ANSWERS_MAX_BYTES: usize = 1 << 20;
/// The reason to refuse an answer that exceeds only the limit of the session.
pub const SESSION_ANSWERS_TOO_LARGE: &str = "At most 1 MiB for all answers of a session.";
const _: () = assert!(SESSION_ANSWERS_MAX_BYTES == 1 << 20);

/// The reason to refuse a missing or blank answer to a required question.
pub(super) const NEEDED: &str = "This question must be answered.";

/// A chosen option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selected {
    /// The option.
    pub option: OptionId,
    /// The option's text. With a write-in, both: `"Other: Insights Hub"`.
    pub text: String,
    /// The participant's own text, for an option with a write-in.
    pub write_in: Option<String>,
}

/// A chosen option, by its id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenOption {
    /// The option.
    pub option: OptionId,
    /// The participant's own text, for an option with a write-in.
    pub write_in: Option<String>,
}

/// An answer as submitted, before its question has accepted it.
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
    /// A text or a number, as typed.
    Typed(String),
    /// Options, and the text for the one of them that has a write-in.
    Chosen(Vec<OptionId>, Option<String>),
    /// Explicitly no answer.
    Skipped,
    /// The withdrawal of an earlier answer, after which the question is unanswered again.
    Withdrawn,
}

/// Submitted answers by question.
pub type GivenAnswers = BTreeMap<QuestionId, Given>;

impl Given {
    /// Replaces each line end by a single character, the form in which texts are stored and
    /// counted. Forms, files and some systems use two characters.
    #[must_use]
    pub fn with_plain_line_ends(self) -> Self {
        let option = |GivenOption { option, write_in }: GivenOption| {
            let write_in = write_in.map(with_plain_line_ends);
            GivenOption { option, write_in }
        };
        match self {
            Self::Text(text) => Self::Text(with_plain_line_ends(text)),
            Self::Typed(text) => Self::Typed(with_plain_line_ends(text)),
            Self::Option(given) => Self::Option(option(given)),
            Self::Options(given) => Self::Options(given.into_iter().map(option).collect()),
            Self::Chosen(options, typed) => Self::Chosen(options, typed.map(with_plain_line_ends)),
            Self::Number(_) | Self::Skipped | Self::Withdrawn => self,
        }
    }

    /// Digests the chosen options and the typed texts, independent of the dialect. The option of a
    /// typed text can be omitted, because options with a write-in require a text.
    pub(super) fn digest(&self, content: &mut Content) {
        let (chosen, typed): (Option<Vec<&OptionId>>, Vec<String>) = match self {
            Self::Text(text) | Self::Typed(text) => (None, vec![text.clone()]),
            Self::Number(number) => (None, vec![number_text(*number)]),
            Self::Option(GivenOption { option, write_in }) => {
                (Some(vec![option]), write_in.iter().cloned().collect())
            }
            Self::Options(given) => (
                Some(given.iter().map(|it| &it.option).collect()),
                given.iter().filter_map(|it| it.write_in.clone()).collect(),
            ),
            Self::Chosen(options, typed) => {
                (Some(options.iter().collect()), typed.iter().cloned().collect())
            }
            Self::Skipped => (None, Vec::new()),
            // No other answer without options has two texts.
            Self::Withdrawn => (None, vec![String::new(); 2]),
        };
        content.opt(chosen.as_deref(), |content, chosen| {
            content.all(chosen, |content, id| content.text(id.as_str()));
        });
        content.all(&typed, |content, text| content.text(text));
    }
}

/// Checks that a text can be an answer, or returns the reason why not.
pub fn check_text(text: &str) -> Result<(), String> {
    if text.len() > ANSWER_TEXT_MAX_BYTES {
        return Err(format!("At most {ANSWER_TEXT_MAX_BYTES} bytes."));
    }
    if text.contains('\0') {
        return Err("Must not contain the character U+0000.".into());
    }
    Ok(())
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To a text question.
    Text(String),
    /// To a numeric question. Finite.
    Numeric(f64),
    /// To a single select question.
    SingleSelect(Selected),
    /// To a multi select question. May be empty.
    MultiSelect(Vec<Selected>),
    /// To a question that was shown and left out.
    Skipped,
}

words! {
    /// The effect of an answer on qualification.
    Score {
        /// No effect: the question has no rule, or was skipped.
        None = "NONE",
        /// The answer qualifies.
        Qualifies = "QUALIFIES",
        /// The answer disqualifies.
        Disqualifies = "DISQUALIFIES",
    }
}

impl Score {
    /// Returns the score of an answer that qualifies or not. `None` has no effect.
    pub(super) fn of(qualifies: Option<bool>) -> Self {
        match qualifies {
            Some(true) => Self::Qualifies,
            Some(false) => Self::Disqualifies,
            None => Self::None,
        }
    }
}

/// The value of an answer as stored and exported, independent of the kind of its question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// Options of a select question. May be empty.
    Options(&'a [Selected]),
    /// No value: the question was left out.
    Nothing,
}

impl Answer {
    /// Returns its value.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Numeric(number) => Value::Number(*number),
            Self::SingleSelect(selected) => Value::Options(slice::from_ref(selected)),
            Self::MultiSelect(selected) => Value::Options(selected),
            Self::Skipped => Value::Nothing,
        }
    }

    /// Returns the chosen options. Empty unless it answers a select question.
    #[must_use]
    pub fn selected(&self) -> &[Selected] {
        match self.value() {
            Value::Options(selected) => selected,
            Value::Text(_) | Value::Number(_) | Value::Nothing => &[],
        }
    }

    /// Returns the bytes that count toward [`SESSION_ANSWERS_MAX_BYTES`]: the typed texts and the
    /// texts of the chosen options.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        let bytes_of = |it: &Selected| it.text.len() + it.write_in.as_ref().map_or(0, String::len);
        match self.value() {
            Value::Text(text) => text.len(),
            Value::Number(_) => size_of::<f64>(),
            Value::Options(selected) => selected.iter().map(bytes_of).sum(),
            Value::Nothing => 0,
        }
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
