//! CSV by RFC 4180, made so that a spreadsheet runs nothing of what a participant typed.
//!
//! A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return would be taken for a
//! formula, so an apostrophe is put before it. Numbers stay numbers. What is not there is an empty
//! cell; an empty text is a pair of quotes.

use super::{COLUMNS, Encode, options_json};
use crate::domain::error::Result;
use crate::domain::response::{Answer, ScreenerResponse, number_text};
use crate::rest::spot::type_names;

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA_BEGINNINGS: [u8; 6] = *b"=+-@\t\r";

/// The encoder.
#[derive(Default)]
pub(super) struct Csv {
    has_header: bool,
}

impl Encode for Csv {
    fn encode(&mut self, rows: Vec<ScreenerResponse>) -> Result<Vec<u8>> {
        // About the length of a row.
        let mut lines = Vec::with_capacity((rows.len() + 1) * 320);
        if !self.has_header {
            self.has_header = true;
            lines.extend(COLUMNS.join(",").as_bytes());
            lines.extend(b"\r\n");
        }
        for row in &rows {
            add_line(&mut lines, row)?;
        }
        Ok(lines)
    }
}

fn add_line(line: &mut Vec<u8>, row: &ScreenerResponse) -> Result<()> {
    let ScreenerResponse {
        session,
        page,
        question,
        screener,
        publication,
        participant,
        external_uid,
        assignment,
        prompt,
        kind,
        answer,
    } = row;
    let (item_type, question_type) = type_names(*kind);
    for text in [
        item_type,
        question_type,
        session.as_str(),
        page.as_str(),
        question.as_str(),
        screener.as_str(),
        publication.as_str(),
        participant.as_str(),
    ] {
        add_text(line, text);
        line.push(b',');
    }
    if let Some(uid) = external_uid {
        add_text(line, uid);
    }
    line.push(b',');
    for text in [assignment.as_str(), prompt] {
        add_text(line, text);
        line.push(b',');
    }
    match answer {
        Answer::Text(text) => {
            add_text(line, text);
            line.extend(b",,");
        }
        Answer::Numeric(number) => {
            line.push(b',');
            line.extend(number_text(*number).as_bytes());
            line.push(b',');
        }
        Answer::SingleSelect(_) | Answer::MultiSelect(_) => {
            line.extend(b",,");
            if let Some(options) = options_json(answer)? {
                add_text(line, &options);
            }
        }
        Answer::Skipped => line.extend(b",,"),
    }
    line.extend(b"\r\n");
    Ok(())
}

/// Adds a cell that holds a text.
fn add_text(line: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let is_formula = bytes.first().is_some_and(|first| FORMULA_BEGINNINGS.contains(first));
    let needs_quotes = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    if !bytes.is_empty() && !bytes.iter().any(needs_quotes) {
        if is_formula {
            line.push(b'\'');
        }
        line.extend(bytes);
        return;
    }
    line.push(b'"');
    if is_formula {
        line.push(b'\'');
    }
    for byte in bytes {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
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
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
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
