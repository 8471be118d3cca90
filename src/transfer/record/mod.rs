//! The records of the import format, version 1.

mod people;
mod questionnaire;
mod session;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::app::Record;
use crate::domain::error::{Violation, Violations};
use crate::domain::label::check_label;
use crate::domain::time::Timestamp;

/// Every type of record, as the `type` member spells it.
pub const TYPES: [&str; 10] = [
    "tenant",
    "credential",
    "project",
    "screener",
    "publication",
    "participant",
    "screenerParticipant",
    "screenerSession",
    "screenerResponse",
    "dismissal",
];

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
}

/// A line that becomes a record; all of its violations are collected.
trait Line: for<'de> Deserialize<'de> {
    fn into_record(self, trust_links: bool, violations: &mut Violations) -> Option<Record>;
}

/// Reads one line of an import file.
pub fn parse(text: &str, trust_links: bool) -> Result<Record, Vec<Violation>> {
    let head: Head = serde_json::from_str(text).map_err(|_| {
        vec![Violation::new("", "A line is a JSON object with a member \"type\", a text.")]
    })?;
    match head.kind.as_str() {
        "tenant" => read::<people::TenantLine>(text, trust_links),
        "credential" => read::<people::CredentialLine>(text, trust_links),
        "project" => read::<people::ProjectLine>(text, trust_links),
        "screener" => read::<questionnaire::ScreenerLine>(text, trust_links),
        "publication" => read::<questionnaire::PublicationLine>(text, trust_links),
        "participant" => read::<people::ParticipantLine>(text, trust_links),
        "screenerParticipant" => read::<people::AssignmentLine>(text, trust_links),
        "screenerSession" => read::<session::SessionLine>(text, trust_links),
        "screenerResponse" => read::<session::ResponseLine>(text, trust_links),
        "dismissal" => read::<people::DismissalLine>(text, trust_links),
        _ => Err(vec![Violation::new("type", format!("It is one of {}.", TYPES.join(", ")))]),
    }
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

/// Cuts values out of a parser's message: an answer or a secret is not to be repeated.
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

/// The `type` member, which has been looked at already.
type Type = IgnoredAny;

fn time(violations: &mut Violations, field: &str, text: &str) -> Option<Timestamp> {
    violations.keep(field, Timestamp::parse_rfc3339(text))
}

/// An instant that may be absent. `None` with a violation is as good: the record is refused.
fn opt_time(violations: &mut Violations, field: &str, text: Option<&String>) -> Option<Timestamp> {
    time(violations, field, text?)
}

/// A word or an id that may be absent, likewise.
fn opt_parse<T>(
    violations: &mut Violations,
    field: &str,
    text: Option<&String>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    violations.keep(field, parse(text?))
}

/// A short text that is shown to people.
fn label(violations: &mut Violations, field: &str, text: String) -> Option<String> {
    violations.keep(field, check_label(&text))?;
    Some(text)
}

/// A short text that may be absent, likewise.
fn opt_label(violations: &mut Violations, field: &str, text: Option<String>) -> Option<String> {
    label(violations, field, text?)
}
