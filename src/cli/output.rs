//! The output of commands: a table for people, JSON for scripts.
//!
//! Stored text may contain control characters, which a terminal interprets. So [`printable`]
//! escapes text for people, and [`print_json`] escapes JSON. The standard output may be closed or
//! full: that is a [`Failure`] of the command, never a panic.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};
use prost_types::Timestamp as Instant;
use serde_json::Value;

use super::failure::Failure;
use crate::config;
use crate::domain::time::Timestamp;

/// The form in which a command prints.
#[derive(Debug, clap::Args)]
pub(super) struct Printed {
    /// Print JSON.
    #[arg(
        long = "json",
        env = "SCREENERD_JSON",
        value_parser = config::flag,
        global = true
    )]
    pub(super) as_json: bool,
}

/// Rows of a response as JSON: a single one, or a list.
pub(super) enum Rows {
    One(Value),
    Many(Vec<Value>),
}

/// Returns whether a terminal would interpret the character or reorder the text after it: controls
/// (C0, DEL, C1), line separators, and the controls of writing direction.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len());
    for character in text.chars() {
        if is_control(character) {
            escape(&mut printed, character);
        } else {
            printed.push(character);
        }
    }
    Cow::Owned(printed)
}

/// Escapes the characters that a terminal would interpret, as `\u{1b}`.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |printed, character| printed.extend(character.escape_unicode()))
}

/// Escapes a text of several lines.
pub(super) fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Prints a text and a newline.
pub(super) fn print_line(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    // Flushed, because a failure at the end of the process would be lost silently.
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| Failure::to_print(&error))
}

/// Prints JSON on one line. `serde_json` escapes only C0; the other controls occur only within
/// strings, where an escape is equivalent.
pub(super) fn print_json(value: &Value) -> Result<(), Failure> {
    print_line(&escaped(&value.to_string(), |printed, character| {
        // Writing to a string cannot fail. Every such character has at most four digits.
        let _ = write!(printed, "\\u{:04x}", u32::from(character));
    }))
}

/// Prints the result of a command: a sentence, or the same as JSON.
pub(super) fn print_summary(text: &str, json: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json { print_json(json) } else { print_line(text) }
}

/// Prints rows as JSON, or as a table: each column has its header and the member that it shows.
pub(super) fn print_rows(
    rows: Rows,
    columns: &[(&str, &str)],
    as_json: bool,
) -> Result<(), Failure> {
    let rows = match rows {
        Rows::One(row) if as_json => return print_json(&row),
        Rows::Many(rows) if as_json => return print_json(&Value::Array(rows)),
        Rows::One(row) => vec![row],
        Rows::Many(rows) => rows,
    };
    let cells = |row: &Value| columns.iter().map(|(_, member)| cell(&row[*member])).collect();
    let header: Vec<_> = columns.iter().map(|(header, _)| *header).collect();
    print_table(&header, &rows.iter().map(cells).collect::<Vec<_>>())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// Prints rows below a header, each column as wide as its widest cell.
pub(super) fn print_table(header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let rows: Vec<Vec<Cow<'_, str>>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let print = |cells: &[Cow<'_, str>]| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        print_line(padded.join("  ").trim_end())
    };
    print(&header.iter().map(|name| Cow::Borrowed(*name)).collect::<Vec<_>>())?;
    rows.iter().try_for_each(|row| print(row))
}

/// Returns a progress bar, hidden unless on a terminal. `counts` is a part of its template.
pub(super) fn progress_bar(doing: &'static str, counts: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_message(doing);
    match ProgressStyle::with_template(&format!("{{msg}} {{wide_bar}} {counts} {{eta}}")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Formats a timestamp of the contract as RFC 3339.
pub(super) fn time_text(instant: Option<&Instant>) -> Option<String> {
    instant.map(|instant| {
        let micros = instant.seconds.saturating_mul(1_000_000) + i64::from(instant.nanos / 1000);
        Timestamp::from_micros(micros).rfc3339_seconds()
    })
}

/// Parses a duration such as `90d`, `12h`, `30m` or `45s` to seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let reason = || "Must be a whole number above 0 and one of d, h, m, s, such as 90d.".to_owned();
    let split = text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at));
    let (number, unit) = text.split_at(split.ok_or_else(reason)?);
    let factor = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return Err(reason()),
    };
    let number: i64 = number.parse().map_err(|_| reason())?;
    number.checked_mul(factor).filter(|seconds| *seconds > 0).ok_or_else(reason)
}

/// Parses a count.
pub(super) fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "Must be a whole number.".to_owned())
}

/// Returns the failure that a response lacks a field that the contract requires.
pub(super) fn unexpected(what: &str) -> Failure {
    Failure::new(format!("the response of the server has no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_nothing_else() {
        for (text, printed) in [
            ("Zoë O'Neil, 東京 👩‍👩‍👧", "Zoë O'Neil, 東京 👩‍👩‍👧"),
            ("\u{1b}[2J\u{7}", r"\u{1b}[2J\u{7}"),
            ("a\tb\nc\rd\u{0}", r"a\u{9}b\u{a}c\u{d}d\u{0}"),
            ("\u{7f}\u{80}\u{9b}31m\u{9f}\u{a0}", "\\u{7f}\\u{80}\\u{9b}31m\\u{9f}\u{a0}"),
            ("\u{202e}txt.exe\u{2066}\u{2069}", r"\u{202e}txt.exe\u{2066}\u{2069}"),
            ("\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}", r"\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}"),
        ] {
            assert_eq!(printable(text), printed);
        }
        assert_eq!(printable_lines("a\u{1b}\nb"), "a\\u{1b}\nb");
    }
}
