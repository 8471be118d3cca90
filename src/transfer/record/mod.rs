//! The records of the import format, version 1.

mod participant;
mod project;
mod questionnaire;
mod session;
mod tenant;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::app::Record;
use crate::domain::error::{Violation, Violations};
use crate::domain::label::check_label;
use crate::domain::time::Timestamp;
use crate::receive::json::{ALTERED, altered_number};

/// Reads one line of a type. The flag marks the links of a session as trusted.
type Read = fn(&str, bool) -> Result<Record, Vec<Violation>>;

/// All types of records, by their `type` member.
const TYPES: [(&str, Read); 10] = [
    ("tenant", read::<tenant::TenantLine>),
    ("credential", read::<tenant::CredentialLine>),
    ("project", read::<project::ProjectLine>),
    ("screener", read::<questionnaire::ScreenerLine>),
    ("publication", read::<questionnaire::PublicationLine>),
    ("participant", read::<participant::ParticipantLine>),
    ("screenerParticipant", read::<participant::AssignmentLine>),
    ("screenerSession", read::<session::SessionLine>),
    ("screenerResponse", read::<session::ResponseLine>),
    ("dismissal", read::<participant::DismissalLine>),
];

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
}

/// A line that becomes a record. Collects all of its violations.
trait Line: for<'de> Deserialize<'de> {
    fn into_record(self, trust_links: bool, violations: &mut Violations) -> Option<Record>;
}

/// Parses one line of an import file.
pub fn parse(text: &str, trust_links: bool) -> Result<Record, Vec<Violation>> {
    let head: Head = serde_json::from_str(text).map_err(|_| {
        vec![Violation::new("", "A line is a JSON object with a member \"type\", a text.")]
    })?;
    if let Some(byte) = altered_number(text.as_bytes()) {
        return Err(vec![Violation::new("", format!("{ALTERED} It begins at byte {byte}."))]);
    }
    let Some((_, read)) = TYPES.iter().find(|(kind, _)| *kind == head.kind) else {
        let types = TYPES.map(|(kind, _)| kind).join(", ");
        return Err(vec![Violation::new("type", format!("It is one of {types}."))]);
    };
    read(text, trust_links)
}

fn read<L: Line>(text: &str, trust_links: bool) -> Result<Record, Vec<Violation>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let line: L = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let field = if field == "." { String::new() } else { field };
        vec![Violation::new(field, without_values(&error.inner().to_string()))]
    })?;
    let mut violations = Violations::new();
    let record = line.into_record(trust_links, &mut violations);
    match (violations.into_inner(), record) {
        (violations, Some(record)) if violations.is_empty() => Ok(record),
        (violations, _) => Err(violations),
    }
}

/// Removes values from a parser's message, which must not repeat an answer or a secret.
fn without_values(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    match message.split_once(", expected ") {
        Some((problem, expected)) if problem.starts_with("invalid ") => {
            format!("The value is not {expected}.")
        }
        _ => {
            let mut sentence: Vec<char> = message.chars().collect();
            if let Some(first) = sentence.first_mut() {
                first.make_ascii_uppercase();
            }
            sentence.into_iter().chain(['.']).collect()
        }
    }
}

/// The `type` member, which was read before.
type Type = IgnoredAny;

fn time(violations: &mut Violations, field: &str, text: &str) -> Option<Timestamp> {
    violations.keep(field, Timestamp::parse_rfc3339(text))
}

/// Parses an optional timestamp. An invalid one is `None`, and its violation rejects the record.
fn opt_time(violations: &mut Violations, field: &str, text: Option<String>) -> Option<Timestamp> {
    time(violations, field, &text?)
}

/// Parses an optional word or id, likewise.
fn opt_parse<T>(
    violations: &mut Violations,
    field: &str,
    text: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    violations.keep(field, parse(&text?))
}

/// Checks a short text that people see.
fn label(violations: &mut Violations, field: &str, text: String) -> Option<String> {
    violations.keep(field, check_label(&text))?;
    Some(text)
}

/// Checks an optional short text, likewise.
fn opt_label(violations: &mut Violations, field: &str, text: Option<String>) -> Option<String> {
    label(violations, field, text?)
}
