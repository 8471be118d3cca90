//! Text questions.

use super::number::check_order;
use crate::domain::answer::{ANSWER_TEXT_MAX_BYTES, NEEDED};
use crate::domain::content_hash::Content;
use crate::domain::error::Violations;
use crate::domain::pattern::Pattern;
use crate::domain::unicode::is_blank;
use crate::domain::wording::check_words;

/// The form of a text question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextForm {
    /// Whether it may have several lines.
    pub multi_line: bool,
    /// The fewest characters that are accepted.
    pub min_length: Option<u32>,
    /// The most characters that are accepted.
    pub max_length: Option<u32>,
    /// The pattern that the whole text must match.
    pub pattern: Option<Pattern>,
    /// The author's explanation of the pattern.
    pub pattern_hint: Option<String>,
}

/// The form of a text question, unchecked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextDraft {
    /// Whether it may have several lines.
    pub multi_line: bool,
    /// The fewest characters that are accepted.
    pub min_length: Option<u32>,
    /// The most characters that are accepted.
    pub max_length: Option<u32>,
    /// The pattern that the whole text must match.
    pub pattern: Option<String>,
    /// The author's explanation of the pattern.
    pub pattern_hint: Option<String>,
}

impl TextDraft {
    pub(in crate::domain) fn parse(self, path: &str, violations: &mut Violations) -> TextForm {
        let Self { multi_line, min_length, max_length, pattern, pattern_hint } = self;
        check_order(path, "min_length", min_length, max_length, violations);
        if max_length.is_some_and(|max| max as usize > ANSWER_TEXT_MAX_BYTES) {
            let reason = format!("Must be at most {ANSWER_TEXT_MAX_BYTES}.");
            violations.add(format!("{path}.max_length"), reason);
        }
        let has_pattern = pattern.is_some();
        let pattern = pattern.and_then(|pattern| {
            violations.keep(&format!("{path}.pattern"), Pattern::parse(&pattern))
        });
        if let Some(hint) = &pattern_hint {
            let field = format!("{path}.pattern_hint");
            if has_pattern {
                violations.keep(&field, check_words(hint));
            } else {
                violations.add(field, "Requires a pattern.");
            }
        }
        TextForm { multi_line, min_length, max_length, pattern, pattern_hint }
    }
}

impl TextForm {
    /// Checks a text against the limits. The pattern is matched separately, by
    /// [`Misfits`](crate::domain::answering::Misfits).
    pub(in crate::domain) fn check(&self, text: &str, is_required: bool) -> Result<(), String> {
        if is_required && is_blank(text) {
            return Err(NEEDED.into());
        }
        if !self.multi_line && text.contains(['\n', '\r']) {
            return Err("Must be a single line.".into());
        }
        let length = text.chars().count();
        if let Some(min) = self.min_length.filter(|min| length < *min as usize) {
            return Err(format!("At least {min} characters."));
        }
        if let Some(max) = self.max_length.filter(|max| length > *max as usize) {
            return Err(format!("At most {max} characters."));
        }
        Ok(())
    }

    pub(super) fn digest(&self, content: &mut Content) {
        // Hints were added after the digest, and come at the end of a publication's digest.
        let Self { multi_line, min_length, max_length, pattern, pattern_hint: _ } = self;
        content.flag(*multi_line);
        content.limit(*min_length);
        content.limit(*max_length);
        content.opt(pattern.as_ref(), |content, pattern| content.text(pattern.as_str()));
    }
}
