//! The direction in which a question is written: the side at which its text, options and fields
//! begin.

/// Languages that are written from right to left, unless their tag names another script.
const LANGUAGES: [&str; 30] = [
    "ar", "arc", "azb", "bal", "bgn", "bqi", "ckb", "dv", "fa", "glk", "haz", "he", "iw", "ji",
    "khw", "ks", "lrc", "luz", "mzn", "nqo", "pnb", "prs", "ps", "sd", "sdh", "skr", "syr", "ug",
    "ur", "yi",
];
/// Scripts that are written from right to left.
const SCRIPTS: [&str; 11] =
    ["Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"];

/// Returns the direction of a language, or of the first letter of a text if no language is known.
pub(super) fn of(language: Option<&str>, text: &str) -> &'static str {
    let is_leftward = language.map_or_else(
        || text.chars().find(|it| it.is_alphabetic()).is_some_and(is_leftward_letter),
        is_leftward_language,
    );
    if is_leftward { "rtl" } else { "ltr" }
}

fn is_leftward_language(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let language = subtags.next().unwrap_or_default();
    let is_among =
        |known: &[&str], it: &str| known.iter().any(|known| known.eq_ignore_ascii_case(it));
    // Of four characters, a script has only letters; a variant begins with a digit.
    let script = subtags.find(|it| it.len() == 4 && it.bytes().all(|it| it.is_ascii_alphabetic()));
    script.map_or_else(|| is_among(&LANGUAGES, language), |script| is_among(&SCRIPTS, script))
}

/// Returns whether a letter is in a block that Unicode reserves for right-to-left scripts.
fn is_leftward_letter(letter: char) -> bool {
    matches!(letter,
        '\u{590}'..='\u{8FF}'
        | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}'
        | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_a_direction_and_without_one_the_first_letter_tells() {
        for (language, text, expected) in [
            (Some("ar"), "iPhone", "rtl"),
            (Some("ar-EG"), "", "rtl"),
            (Some("FA"), "", "rtl"),
            (Some("he-IL"), "", "rtl"),
            (Some("ur"), "", "rtl"),
            (Some("pa-Arab-PK"), "", "rtl"),
            (Some("az-ARAB"), "", "rtl"),
            (Some("ar-Latn"), "مرحبا", "ltr"),
            (Some("de"), "مرحبا", "ltr"),
            (Some("sl-rozaj-1994"), "", "ltr"),
            (None, "1. مرحبا hello", "rtl"),
            (None, "١٢ «שלום»", "rtl"),
            (None, "𞤀𞤣𞤤𞤢𞤥", "rtl"),
            (None, "Hello, مرحبا", "ltr"),
            (None, "12 + 5?", "ltr"),
            (None, "日本", "ltr"),
        ] {
            assert_eq!(of(language, text), expected, "{language:?} {text}");
        }
    }
}
