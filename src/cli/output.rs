//! What commands print: a table for people, JSON for scripts.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use prost_types::Timestamp as Instant;
use serde_json::Value;

use super::Failure;
use crate::domain::time::Timestamp;

/// Prints JSON on one line.
pub(super) fn print_json(value: &Value) {
    println!("{value}");
}

/// Prints rows below a header, each column as wide as its widest cell.
pub(super) fn print_table(header: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let print = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    print(header.to_vec());
    for row in rows {
        print(row.iter().map(String::as_str).collect());
    }
}

/// A bar on a terminal, and nothing elsewhere. `counts` is how indicatif shows how far it is.
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

/// An instant of the contract as RFC 3339, if there is one.
pub(super) fn time_text(instant: Option<&Instant>) -> Option<String> {
    instant.map(|instant| {
        let micros = instant.seconds.saturating_mul(1_000_000) + i64::from(instant.nanos / 1000);
        Timestamp::from_micros(micros).rfc3339_seconds()
    })
}

/// Reads a duration such as `90d`, `12h`, `30m` or `45s` as seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let reason = || "A duration is a whole number and one of d, h, m, s, such as 90d.".to_owned();
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

/// A word of the command line as the contract's enum spells it.
pub(super) fn unexpected(what: &str) -> Failure {
    Failure(format!("the server's answer has no {what}"))
}
