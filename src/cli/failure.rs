//! The failures of commands in the terms of the command line: cause and place, and flags in place
//! of the contract's fields.

use std::io::{self, ErrorKind};
use std::path::Path;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::domain::error::{Error, Kind, io_cause};

/// A failure that a command prints before it exits.
#[derive(Debug)]
pub(super) struct Failure {
    /// The text to print; empty, if there is no reader for it.
    pub(super) text: String,
    /// The exit code.
    pub(super) code: u8,
}

/// The exit code of a command that failed.
const FAILED: u8 = 1;
/// The exit code of an invalid command line, the same as that of `clap`.
const UNREADABLE: u8 = 2;

/// The parts of the command line that a call is built from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed<'a> {
    /// Fields of the contract, each with the flag or argument that it comes from.
    pub(super) fields: &'a [(&'a str, &'a str)],
    /// The subject of the call as it was typed, or empty if there is none.
    pub(super) subject: &'a str,
}

impl Failure {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: FAILED }
    }

    /// Returns the failure of an invalid command line, before anything is opened.
    pub(super) fn of_line(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: UNREADABLE }
    }

    /// Returns the failure of conflicting options, or of an error during their validation.
    pub(super) fn of_options(error: Error) -> Self {
        let code = if error.kind() == Kind::InvalidArgument { UNREADABLE } else { FAILED };
        Self { code, ..Self::from(error) }
    }

    /// Returns the failure to read a file.
    pub(super) fn to_read(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("cannot read {}: {}", path.display(), io_cause(error)))
    }

    /// Returns the failure to write a file or to create it in its folder.
    pub(super) fn to_write(path: &Path, error: &io::Error) -> Self {
        let folder = path.parent().filter(|_| error.kind() == ErrorKind::NotFound);
        let why = folder.map_or_else(
            || io_cause(error),
            |folder| format!("the folder {} does not exist", folder.display()),
        );
        Self::new(format!("cannot write {}: {why}", path.display()))
    }

    /// Returns the failure to print, without a text if the reader has closed the pipe, like `head`.
    pub(super) fn to_print(error: &io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            return Self::new("");
        }
        Self::new(format!("cannot write to the standard output: {}", io_cause(error)))
    }

    /// Returns the failure of work in this process. An internal error is described by its cause,
    /// after the action and the place in `cannot`.
    pub(super) fn of(error: &Error, fields: &[(&str, &str)], cannot: &str) -> Self {
        if error.kind() == Kind::Internal {
            return Self::new(format!("{cannot}: {}", error.internal_text().unwrap_or_default()));
        }
        let violations = error.violations().iter();
        let broken = violations.map(|it| (it.field.as_str(), it.reason.as_str()));
        let mut text = refusal(broken, error.detail(), fields);
        if let Some(cause) = error.internal_text() {
            text = format!("{} ({cause})", text.trim_end_matches('.'));
        }
        Self::new(text)
    }

    /// Returns the failure of a call on a database. Only the log contains the cause of an internal
    /// error: the log of the server that has the database open, or of this process.
    pub(super) fn of_call(status: &Status, typed: &Typed<'_>, database: &str, log: &str) -> Self {
        let Typed { fields, subject } = typed;
        if status.code() == Code::Internal {
            let id = status.get_details_request_info().map(|it| it.request_id);
            let id = id.filter(|id| !id.is_empty()).map_or(String::new(), |id| format!(" of {id}"));
            return Self::new(format!("cannot use {database}: {log} names the cause{id}"));
        }
        let found = status.get_details_bad_request().map(|it| it.field_violations);
        let found = found.unwrap_or_default();
        let broken = found.iter().map(|it| (it.field.as_str(), it.description.as_str()));
        let text = refusal(broken, status.message(), fields);
        let is_named = matches!(status.code(), Code::NotFound | Code::AlreadyExists);
        if is_named && found.is_empty() && !subject.is_empty() {
            return Self::new(format!("{subject}: {text}"));
        }
        Self::new(text)
    }
}

/// Returns a line for each violation, or else the detail of the refusal.
fn refusal<'a>(
    broken: impl Iterator<Item = (&'a str, &'a str)>,
    sentence: &str,
    fields: &[(&str, &str)],
) -> String {
    let line = |(field, reason)| format!("{}: {reason}", typed(field, fields));
    let lines: Vec<_> = broken.map(line).collect();
    if lines.is_empty() { sentence.to_owned() } else { lines.join("\n") }
}

/// Returns the flag or argument that a field, or the field around it, was typed as.
fn typed<'a>(field: &'a str, fields: &[(&str, &'a str)]) -> &'a str {
    let is_within = |name: &str| {
        field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let found = fields.iter().find(|(name, _)| is_within(name));
    found.map_or(field, |(_, typed)| typed)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error, &[], "the command failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Violation;

    const FIELDS: &[(&str, &str)] = &[("filter.session", "--session"), ("scopes", "--scope")];

    #[test]
    fn a_violation_names_the_flag_that_was_typed() {
        let violation = |field: &str| Violation::new(field, "Required.");
        let fields = ["scopes", "scopes[1]", "filter.session.in", "filter.sessions", "other"];
        let error = Error::invalid(fields.map(violation).into());
        let expected = "--scope: Required.\n--scope: Required.\n--session: Required.\n\
                        filter.sessions: Required.\nother: Required.";
        assert_eq!(Failure::of(&error, FIELDS, "cannot use a.db").text, expected);
    }

    #[test]
    fn a_fault_is_told_by_its_cause_and_place_and_not_as_the_server_tells_it() {
        let error = Error::internal("a row is damaged");
        let told = Failure::of(&error, FIELDS, "cannot use a.db").text;
        assert_eq!(told, "cannot use a.db: a row is damaged");
        let status = Status::internal(error.detail());
        let typed = Typed { fields: FIELDS, subject: "key_1" };
        let told = Failure::of_call(&status, &typed, "/srv/a.db", "its log").text;
        assert_eq!(told, "cannot use /srv/a.db: its log names the cause");
    }

    #[test]
    fn what_a_call_does_not_find_is_named_as_it_was_typed() {
        let typed = Typed { fields: FIELDS, subject: "--tenant acct_none" };
        let told = |status: Status| Failure::of_call(&status, &typed, "a.db", "its log").text;
        assert_eq!(
            told(Status::not_found("No such tenant.")),
            "--tenant acct_none: No such tenant."
        );
        assert_eq!(told(Status::unavailable("Try again later.")), "Try again later.");
    }
}
