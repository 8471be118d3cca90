//! Text questions.

use crate::domain::pattern::Pattern;

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
