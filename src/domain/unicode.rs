//! Unicode properties of characters: invisible, ignorable, and digits.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Characters as sorted closed ranges, given by a class of a regular expression.
struct Characters(Vec<(char, char)>);

impl Characters {
    /// Parses a class. The classes below are constants, and a test parses each of them.
    fn parse(class: &str) -> Self {
        let parsed = regex_syntax::parse(class).map(|hir| hir.kind().clone());
        let Ok(HirKind::Class(Class::Unicode(class))) = parsed else { return Self(Vec::new()) };
        Self(class.ranges().iter().map(|range| (range.start(), range.end())).collect())
    }

    /// Returns the range that contains a character.
    fn range_of(&self, character: char) -> Option<(char, char)> {
        let place = self.0.partition_point(|(_, end)| *end < character);
        self.0.get(place).copied().filter(|(start, _)| *start <= character)
    }
}

/// White space, controls, characters that are ignored where unsupported (joiners, fillers,
/// variation selectors, bidirectional marks), and two symbols without a visible glyph: the blank of
/// Braille and the note without a head.
static INVISIBLE: LazyLock<Characters> = LazyLock::new(|| {
    Characters::parse(r"[\s\p{Cc}\p{Default_Ignorable_Code_Point}\x{2800}\x{1D159}]")
});

/// Characters that change how others are drawn but are not drawn themselves.
static IGNORABLE: LazyLock<Characters> =
    LazyLock::new(|| Characters::parse(r"\p{Default_Ignorable_Code_Point}"));

/// The digits of every script: ten each, from zero to nine.
static DIGITS: LazyLock<Characters> = LazyLock::new(|| Characters::parse(r"\p{Nd}"));

/// Returns whether no character of a text is visible.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| INVISIBLE.range_of(character).is_some())
}

/// Returns whether a character is ignorable: a joiner, a filler or a bidirectional mark.
pub(super) fn is_ignorable(character: char) -> bool {
    IGNORABLE.range_of(character).is_some()
}

/// A digit of some script.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Digit {
    /// The zero of its script.
    pub(super) zero: u32,
    /// Its value, as an ASCII digit.
    pub(super) ascii: char,
}

/// Returns the digit of a character, if it is a decimal digit.
pub(super) fn digit(character: char) -> Option<Digit> {
    let (start, _) = DIGITS.range_of(character)?;
    let value = (u32::from(character) - u32::from(start)) % 10;
    let ascii = char::from_digit(value, 10)?;
    Some(Digit { zero: u32::from(character) - value, ascii })
}

/// Replaces each line end by a single character, as every limit counts them.
#[must_use]
pub fn with_plain_line_ends(text: String) -> String {
    if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_blank_if_nothing_of_it_is_visible() {
        for blank in [
            "",
            " ",
            "\t\r\n",
            "\u{A0}",
            "\u{200B}",
            "\u{200D}\u{FE0F}",
            "\u{2060}",
            "\u{FEFF}",
            "\u{3000}",
            "\u{AD}",
            "\u{202E}",
            "\u{2800}",
            "\u{3164}",
            "\u{115F}",
            "\u{FFA0}",
            "\u{E0020}",
            "\u{1D159}",
            "\0",
            "\u{85}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for visible in [".", "\u{200B}a", "0", "\u{301}", "‑", "😀", "\u{E000}", "\u{FFFD}"] {
            assert!(!is_blank(visible), "{visible:?}");
        }
    }

    #[test]
    fn marks_are_ignored_and_what_separates_is_not() {
        for mark in
            ['\u{200B}', '\u{200E}', '\u{200F}', '\u{61C}', '\u{2060}', '\u{FEFF}', '\u{AD}']
        {
            assert!(is_ignorable(mark), "{mark:?}");
        }
        for other in ['1', '-', '.', ' ', '\u{A0}', '\u{202F}', '\t', 'a'] {
            assert!(!is_ignorable(other), "{other:?}");
        }
    }

    #[test]
    fn digits_of_every_script_count_from_its_zero() {
        for (text, zero) in [
            ("0123456789", 0x30),
            ("٠١٢٣٤٥٦٧٨٩", 0x660),
            ("۰۱۲۳۴۵۶۷۸۹", 0x6F0),
            ("०१२३४५६७८९", 0x966),
            ("０１２３４５６７８９", 0xFF10),
            ("𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", 0x1D7CE),
            ("𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿", 0x1D7F6),
        ] {
            let digits: Vec<_> = text.chars().map(digit).collect();
            let expected: Vec<_> = ('0'..='9').map(|ascii| Some(Digit { zero, ascii })).collect();
            assert_eq!(digits, expected, "{text}");
        }
        for other in ['a', '½', '²', '①', '一', ' ', '.'] {
            assert_eq!(digit(other), None, "{other}");
        }
        // Every range contains the digits of some scripts, all ten of each.
        for (start, end) in &DIGITS.0 {
            assert_eq!((u32::from(*end) - u32::from(*start) + 1) % 10, 0, "{start} to {end}");
        }
        assert!(DIGITS.0.len() > 50);
    }

    #[test]
    fn an_end_of_a_line_is_one_character() {
        for (text, expected) in [("a\r\nb", "a\nb"), ("a\nb\r", "a\nb\r"), ("\r\r\n", "\r\n")] {
            assert_eq!(with_plain_line_ends(text.to_owned()), expected);
        }
    }
}
