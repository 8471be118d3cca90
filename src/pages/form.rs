//! The forms that browsers send: fields with texts, in a body of bounded size.

use std::collections::HashMap;

use axum::body::Body;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;

use crate::domain::answer::SESSION_ANSWERS_MAX_BYTES;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::publication::QUESTIONS_MAX;
use crate::domain::questionnaire::DRAFT_OPTIONS_MAX;
use crate::domain::unicode::with_plain_line_ends;
use crate::header;
use crate::receive::{self, Tab};

/// The most fields of a form. The largest publishable page has each option with its text, three
/// fields per question, and those of the page itself.
const FIELDS_MAX: usize = 11_508;
const _: () = assert!(FIELDS_MAX == 2 * DRAFT_OPTIONS_MAX + 3 * QUESTIONS_MAX + 8);
/// The most bytes of a form per byte of an answer: the end of a line is sent as `%0D%0A`.
const ENCODED_MAX_BYTES: usize = 6;
/// The largest form: all answers that a session may have, percent-encoded, and the field names.
const FORM_MAX_BYTES: usize = 7 * 1024 * 1024;
const _: () =
    assert!(ENCODED_MAX_BYTES * SESSION_ANSWERS_MAX_BYTES + 32 * FIELDS_MAX < FORM_MAX_BYTES);

/// The fields of a form, each with its values in order.
#[derive(Debug, Default)]
pub(super) struct Form(HashMap<String, Vec<String>>);

fn unreadable() -> Error {
    Error::new(Kind::InvalidArgument, "The body must be a form.")
}

fn decoded(raw: &[u8]) -> Result<String> {
    let spaced: Vec<u8> = raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| unreadable())?;
    // Browsers end lines with CR LF, but limits count a line end as one character.
    Ok(with_plain_line_ends(text.into_owned()))
}

impl Form {
    /// Reads a body to its end, or up to the limit.
    pub(super) async fn read(headers: &HeaderMap, body: Body, tab: &Tab) -> Result<Self> {
        let content_type = header::once(headers, CONTENT_TYPE).ok().flatten().map(header::essence);
        if content_type.is_none_or(|it| it != "application/x-www-form-urlencoded") {
            return Err(Error::new(Kind::UnsupportedMediaType, "The body must be a form."));
        }
        Self::parse(&receive::read_coded(headers, body, FORM_MAX_BYTES, tab).await?)
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut fields: HashMap<String, Vec<String>> = HashMap::new();
        for (count, pair) in bytes.split(|byte| *byte == b'&').enumerate() {
            if count >= FIELDS_MAX {
                let detail = "The form is too large.";
                return Err(Error::new(Kind::PayloadTooLarge, detail));
            }
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let name = decoded(parts.next().unwrap_or_default())?;
            let value = decoded(parts.next().unwrap_or_default())?;
            fields.entry(name).or_default().push(value);
        }
        Ok(Self(fields))
    }

    /// Returns the values of a field, in order.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns the last value of a field.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_once_and_kept_in_order() {
        let form = Form::parse(b"a=1&a=2&b=x+y%2B%26&c=l1%0D%0Al2&d&e=%253D").expect("a form");
        assert_eq!(form.all("a"), ["1", "2"]);
        assert_eq!(form.last("a"), Some("2"));
        assert_eq!(form.last("b"), Some("x y+&"));
        assert_eq!(form.last("c"), Some("l1\nl2"));
        assert_eq!(form.last("d"), Some(""));
        assert_eq!(form.last("e"), Some("%3D"));
        assert_eq!(form.last("f"), None);
    }

    #[test]
    fn what_is_no_text_or_too_much_is_refused() {
        let kind = |bytes: &[u8]| Form::parse(bytes).map(drop).map_err(|error| error.kind());
        assert_eq!(kind(b"a=%FF"), Err(Kind::InvalidArgument));
        assert_eq!(kind(b"%C3=1"), Err(Kind::InvalidArgument));
        assert_eq!(kind("a=1&".repeat(FIELDS_MAX).as_bytes()), Err(Kind::PayloadTooLarge));
        assert_eq!(kind("a=1&".repeat(FIELDS_MAX - 1).as_bytes()), Ok(()));
    }
}
