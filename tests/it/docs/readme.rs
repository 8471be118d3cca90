//! README is short, and its numbers are those of `docs/performance.md`.

use super::markdown::{Markdown, read};
use crate::support::written;

const LINES_MAX: usize = 170;
const WORDS_MAX: usize = 1000;

/// The source of a number in a phrase: a row and a column of a table in `docs/performance.md`.
struct Number {
    before: &'static str,
    after: &'static str,
    row: &'static str,
    column: usize,
    form: Form,
}

/// The rounding of a number in README.
enum Form {
    /// Two significant digits.
    Rounded,
    /// Two significant digits, in millions.
    Millions,
    /// As printed in the table.
    Whole,
}

/// The columns of a median and of a ratio.
const MEDIAN: usize = 1;
const RATIO: usize = 4;

const NUMBERS: &[Number] = &[
    Number {
        before: "One core serves ",
        after: " random sessions a second over gRPC",
        row: "gRPC GetScreenerSession, random",
        column: MEDIAN,
        form: Form::Rounded,
    },
    Number {
        before: "random sessions a second over gRPC, ",
        after: " of what the gRPC framework reaches without a database",
        row: "gRPC GetScreenerSession, random",
        column: RATIO,
        form: Form::Whole,
    },
    Number {
        before: "64 callers submit ",
        after: " times a second",
        row: "submissions, 64 callers",
        column: MEDIAN,
        form: Form::Rounded,
    },
    Number {
        before: "the last page of a list is served at ",
        after: " of the first page's rate",
        row: "gRPC sessions last / first",
        column: RATIO,
        form: Form::Whole,
    },
    Number {
        before: "starts in ",
        after: " ms on a file of 8.2 GiB",
        row: "start on a file of 8.2 GiB until ready, within 300 ms",
        column: MEDIAN,
        form: Form::Rounded,
    },
    Number {
        before: "and takes ",
        after: " MiB when idle",
        row: "memory, idle, of at most 40 MiB",
        column: MEDIAN,
        form: Form::Rounded,
    },
    Number {
        before: "leave as CSV at ",
        after: " million rows a second",
        row: "export, CSV",
        column: MEDIAN,
        form: Form::Millions,
    },
    // The column of this build. Its second value is the number of round trips.
    Number {
        before: "A submission takes ",
        after: " round trips",
        row: "statements / round trips of a submission, one caller, seen by the proxy",
        column: 2,
        form: Form::Whole,
    },
];

/// Digits in the bullets that are conditions of a measurement. The name of its row states them.
const CONDITIONS: &[&str] = &["64 callers", "1 million sessions", "8.2 GiB"];

/// Returns the number at the beginning of a cell or after its slash.
fn number(cell: &str) -> String {
    let cell = cell.split(" / ").last().unwrap_or(cell);
    let is_part = |it: char| it.is_ascii_digit() || matches!(it, '.' | ' ');
    cell.chars().take_while(|it| is_part(*it)).collect::<String>().trim().to_owned()
}

/// Formats a number with two significant digits and spaces between thousands.
fn rounded(value: f64) -> String {
    let digits = value.log10().floor();
    let unit = 10_f64.powf(digits - 1.0);
    let value = (value / unit).round() * unit;
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let plain = format!("{value:.0}");
    let mut text = String::new();
    for (position, digit) in plain.chars().enumerate() {
        if position > 0 && (plain.len() - position) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

impl Number {
    /// Returns the number that README must have.
    fn measured(&self, performance: &str) -> String {
        let Self { row, column, form, .. } = self;
        let line = performance.lines().find(|line| line.starts_with(&format!("| {row} |")));
        let line = line.unwrap_or_else(|| panic!("docs/performance.md has no row {row}"));
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let text = number(cells[*column]);
        let value = || text.replace(' ', "").parse::<f64>().expect("a number");
        match form {
            Form::Rounded => rounded(value()),
            Form::Millions => rounded(value() / 1e6),
            Form::Whole => text,
        }
    }
}

#[test]
fn the_numbers_of_the_readme_are_those_of_the_measurements() {
    let performance = read("docs/performance.md");
    assert!(performance.contains("\n1000000 sessions, "), "README says 1 million");
    let mut readme = read("README.md");
    for number in NUMBERS {
        let Number { before, after, .. } = number;
        let (head, rest) = readme.split_once(before).unwrap_or_else(|| panic!("{before}"));
        let (_, tail) = rest.split_once(after).unwrap_or_else(|| panic!("{after}"));
        readme = format!("{head}{before}{}{after}{tail}", number.measured(&performance));
    }
    written::compare("README.md", &readme);
}

#[test]
fn every_number_of_the_six_bullets_is_measured() {
    let readme = read("README.md");
    let bullets: Vec<&str> = readme.lines().filter(|line| line.starts_with("- **")).collect();
    assert_eq!(bullets.len(), 6);
    let performance = read("docs/performance.md");
    for bullet in bullets {
        let mut rest = bullet.to_owned();
        for number in NUMBERS {
            let Number { before, after, .. } = number;
            let value = number.measured(&performance);
            rest = rest.replace(&format!("{before}{value}{after}"), &format!("{before}{after}"));
        }
        for condition in CONDITIONS {
            rest = rest.replace(condition, "");
        }
        assert!(rest.len() < bullet.len(), "it has a number: {bullet}");
        assert!(!rest.contains(|it: char| it.is_ascii_digit()), "{rest}");
    }
}

#[test]
fn the_readme_is_short_and_has_no_table() {
    let readme = read("README.md");
    let lines = readme.lines().count();
    let words = readme.split_whitespace().count();
    assert!(lines <= LINES_MAX && words <= WORDS_MAX, "{lines} lines, {words} words");
    let prose = Markdown::parse(&readme).prose;
    assert!(!prose.lines().any(|line| line.starts_with('|')), "tables are in docs/");
}

#[test]
fn numbers_are_read_and_rounded() {
    assert_eq!(number("64 105 /s"), "64 105");
    assert_eq!(number("5.2 / 5.3, 2.0 pings of the pool"), "5.3");
    let texts = [64_105.0, 8_007.0, 19.9, 30.9, 1.181, 0.96, 155_816.0].map(rounded);
    assert_eq!(texts, ["64 000", "8 000", "20", "31", "1.2", "1.0", "160 000"]);
}
