//! Labels: the short texts that people read, such as names and titles.

/// The longest label, in characters.
pub const LABEL_MAX_CHARS: usize = 500;

/// Says why a text is not a label.
pub fn check_label(text: &str) -> Result<(), String> {
    let characters = text.chars().count();
    if !(1..=LABEL_MAX_CHARS).contains(&characters) || text.chars().any(char::is_control) {
        return Err(format!("It has 1 to {LABEL_MAX_CHARS} characters and no control characters."));
    }
    Ok(())
}
