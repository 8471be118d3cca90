//! CSV by RFC 4180, written so that a spreadsheet executes nothing that a participant typed.
//!
//! A text is a formula to a spreadsheet if it begins with `=`, `+`, `-`, `@`, one of their
//! full-width forms, a tab or the end of a line. An apostrophe then precedes it, also after a
//! semicolon, where some spreadsheets begin another cell, and at the beginning of each line.
//! Numbers stay numbers. An absent value is an empty cell, and an empty text a pair of quotes.

use super::add_options;
use super::columns::{COLUMNS, Part, Source};
use super::lines::Form;
use crate::domain::answer::Answer;
use crate::domain::error::{Error, Result};
use crate::domain::question::number_text;

/// The characters that begin a formula in a spreadsheet.
const FORMULA_SIGNS: [&str; 8] = ["=", "+", "-", "@", "＝", "＋", "－", "＠"];

/// Whitespace that some take for one at the start of a cell, and a tab at the start of a line.
const FORMULA_SPACES: [u8; 3] = *b"\t\r\n";

/// The CSV form.
pub(super) struct Csv;

impl Form for Csv {
    const LENGTH: usize = 320;
    const LINE_BEGINNING: &'static [u8] = b"";

    fn header() -> String {
        COLUMNS.map(|column| column.name).join(",") + "\r\n"
    }

    fn cell(line: &mut Vec<u8>, _: &str, text: Option<&str>) -> Result<()> {
        if let Some(text) = text {
            add_text(line, text);
        }
        line.push(b',');
        Ok(())
    }

    fn answer(line: &mut Vec<u8>, answer: &Answer) -> Result<()> {
        for column in &COLUMNS {
            let Source::Answer(part) = column.source else { continue };
            match part {
                Part::Text(text) => text(answer).into_iter().for_each(|text| add_text(line, text)),
                Part::Number(number) => {
                    line.extend(number(answer).map(number_text).unwrap_or_default().as_bytes());
                }
                Part::Options(options) => {
                    if let Some(selected) = options(answer) {
                        let mut json = Vec::new();
                        add_options(&mut json, selected).map_err(Error::internal)?;
                        add_text(line, &json);
                    }
                }
            }
            line.push(b',');
        }
        // The line ends in place of the next cell.
        line.pop();
        line.extend(b"\r\n");
        Ok(())
    }
}

/// Adds a cell with a text.
fn add_text(line: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    let bytes = text.as_ref();
    let needs_quotes = |byte: &u8| matches!(byte, b',' | b'"' | b'\t' | b'\r' | b'\n');
    let is_quoted = bytes.is_empty() || bytes.iter().any(needs_quotes);
    if is_quoted {
        line.push(b'"');
    }
    if bytes.first().is_some_and(|first| FORMULA_SPACES.contains(first)) {
        line.push(b'\'');
    }
    let mut begins = true;
    for (place, byte) in bytes.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| bytes.get(before));
        let is_indented = *byte == b'\t' && before.is_some_and(|it| b";\r\n".contains(it));
        if begins && begins_formula(bytes.get(place..).unwrap_or_default()) || is_indented {
            line.push(b'\'');
        }
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
        // Quotes and spaces hide the beginning of a cell, but not from programs that strip them.
        begins =
            matches!(byte, b';' | b'\t' | b'\r' | b'\n') || (begins && matches!(byte, b'"' | b' '));
    }
    if is_quoted {
        line.push(b'"');
    }
}

fn begins_formula(bytes: &[u8]) -> bool {
    FORMULA_SIGNS.iter().any(|sign| bytes.starts_with(sign.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", r#""""#),
            ("a,b", r#""a,b""#),
            (r#"say "a""#, r#""say ""a""""#),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t'=1\""),
            ("x\t=1+1", "\"x\t'=1+1\""),
            ("\r=1", "\"'\r'=1\""),
            ("\n=1+1", "\"'\n'=1+1\""),
            ("＝1+1", "'＝1+1"),
            ("－1", "'－1"),
            ("a;=1+1", "a;'=1+1"),
            ("a;b;＠x", "a;b;'＠x"),
            ("- one\n- two", "\"'- one\n'- two\""),
            ("a\r\n=1", "\"a\r\n'=1\""),
            ("a;\"=1\"", "\"a;\"\"'=1\"\"\""),
            ("a; b - c", "a; b - c"),
            ("a; =1", "a; '=1"),
            ("a;\t=1", "\"a;'\t'=1\""),
            ("x\n\tcmd", "\"x\n'\tcmd\""),
            ("x\t\ty\n\nz", "\"x\t\ty\n\nz\""),
            (r#"=HYPERLINK("http://a","b")"#, r#""'=HYPERLINK(""http://a"",""b"")""#),
            ("a=1", "a=1"),
            ("'=1", "'=1"),
            ("é", "é"),
        ] {
            let mut line = Vec::new();
            add_text(&mut line, text);
            assert_eq!(String::from_utf8(line).as_deref(), Ok(expected), "{text:?}");
        }
    }
}
