//! Answers: as they are given, and as they are stored.
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
/// Why an answer is refused that is not too long by itself.
pub const SESSION_ANSWERS_TOO_LARGE: &str = "At most 1 MiB for all answers of a session.";
const _: () = assert!(SESSION_ANSWERS_MAX_BYTES == 1 << 20);

/// Why a question cannot be left out.
pub(super) const NEEDED: &str = "This question must be answered.";

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

/// An option as it is chosen: by its id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenOption {
    /// The option.
    pub option: OptionId,
    /// What was typed, for an option with a write-in.
    pub write_in: Option<String>,
}

/// An answer as it is given, before its question has accepted it.
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
    /// Not any more: an answer that was given before is withdrawn, and the question is open again.
    Withdrawn,
}

/// Answers as they are given, each to one question.
pub type GivenAnswers = BTreeMap<QuestionId, Given>;

impl Given {
    /// Returns it with the ends of lines as one character each, which is how they are stored and
    /// counted. Forms, files and some systems write two.
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

    /// Digests what was chosen and what was typed, independent of the dialect. The option that a
    /// typed text belongs to can be left out, because options that take a text require one.
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
            // Nothing that is chosen or typed has as many texts.
            Self::Withdrawn => (None, vec![String::new(); 2]),
        };
        content.opt(chosen.as_deref(), |content, chosen| {
            content.all(chosen, |content, id| content.text(id.as_str()));
        });
        content.all(&typed, |content, text| content.text(text));
    }
}

/// Says why a text cannot be an answer.
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

impl Score {
    /// Returns the score of an answer that qualifies or does not; `None` decides nothing.
    pub(super) fn of(qualifies: Option<bool>) -> Self {
        match qualifies {
            Some(true) => Self::Qualifies,
            Some(false) => Self::Disqualifies,
            None => Self::None,
        }
    }
}

/// The value of an answer, independent of the kind of its question: what is stored and exported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// Options of a select question; may be empty.
    Options(&'a [Selected]),
    /// Nothing: the question was left out.
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

    /// What was chosen; nothing unless it answers a select question.
    #[must_use]
    pub fn selected(&self) -> &[Selected] {
        match self.value() {
            Value::Options(selected) => selected,
            Value::Text(_) | Value::Number(_) | Value::Nothing => &[],
        }
    }

    /// The bytes that a participant's answer takes of [`SESSION_ANSWERS_MAX_BYTES`]: what was typed
    /// and the texts that were chosen.
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
