//! Labels: short texts for people, such as names and titles.

/// The longest label, in characters, for names, titles and tags. Stricter limits are defined with
/// their types.
pub const LABEL_MAX_CHARS: usize = 500;

/// Checks that a text is a label, or returns the reason why not.
pub fn check_label(text: &str) -> Result<(), String> {
    let characters = text.chars().count();
    if !(1..=LABEL_MAX_CHARS).contains(&characters) || text.chars().any(char::is_control) {
        return Err(format!(
            "Must have 1 to {LABEL_MAX_CHARS} characters and no control characters."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_1_to_500_characters_and_none_that_controls() {
        for good in ["a", " ", "Zürich – 2", &"ü".repeat(500)] {
            assert!(check_label(good).is_ok(), "{good}");
        }
        for bad in ["", "two\nlines", "a\0", "\u{85}", &"a".repeat(501)] {
            assert!(check_label(bad).is_err(), "{bad}");
        }
    }
}
