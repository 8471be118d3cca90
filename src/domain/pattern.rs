//! Patterns that texts must match.

use regex::{Regex, RegexBuilder};

/// The longest pattern, in characters.
pub const PATTERN_MAX_CHARS: usize = 500;
/// How large a pattern may become when it is compiled; repetitions multiply.
const COMPILED_MAX_BYTES: usize = 1 << 18;

/// A regular expression that a whole text must match. Matching takes time linear in the text,
/// whatever the pattern: there are no look-around and no back references.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// Takes an author's pattern, or says why it is none.
    pub fn parse(source: &str) -> Result<Self, String> {
        if source.is_empty() || source.chars().count() > PATTERN_MAX_CHARS {
            return Err(format!("A pattern has 1 to {PATTERN_MAX_CHARS} characters."));
        }
        if source.contains('\0') {
            return Err("A pattern does not contain the character U+0000.".into());
        }
        // Checked by itself first: the group around it must not complete a broken one.
        let check = |text: &str| RegexBuilder::new(text).size_limit(COMPILED_MAX_BYTES).build();
        let whole = check(source).and_then(|_| check(&format!("^(?:{source})$")));
        let regex = whole.map_err(|_| {
            "It is not a regular expression without look-around and back references, or it is too large."
        })?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// The pattern as its author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl AsRef<str> for Pattern {
    fn as_ref(&self) -> &str {
        &self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_held_against_the_whole_text() {
        let digits = Pattern::parse("[0-9]{3}|none").expect("a pattern");
        for (text, fits) in [("123", true), ("none", true), ("1234", false), ("x123", false)] {
            assert_eq!(digits.matches(text), fits, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "(", "a)(?:b", "(?=a)", "(a)\\1", "(.{1000}){1000}", "a\0"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        assert!(Pattern::parse(&"a".repeat(PATTERN_MAX_CHARS + 1)).is_err());
    }
}
