//! The message of a GET, which is in the query.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use percent_encoding::percent_decode;

use super::headers::Encoding;
use crate::domain::error::{Error, Result, Violation};

/// Reads encoding and message, or names everything that is wrong with the query.
pub(super) fn read(query: Option<&str>) -> Result<(Encoding, Bytes)> {
    let mut violations = Vec::new();
    let mut refuse = |name: String, reason: &str| violations.push(Violation::new(name, reason));
    let (mut message, mut encoding, mut is_base64) = (None, None, false);
    for (name, value) in query.iter().flat_map(|query| query.split('&')).filter_map(pair) {
        match (name.as_str(), value.as_slice()) {
            ("message", _) => message = Some(value),
            ("encoding", b"json") => encoding = Some(Encoding::Json),
            ("encoding", b"proto") => encoding = Some(Encoding::Proto),
            ("encoding", _) => encoding = None,
            ("base64", b"1") => is_base64 = true,
            ("base64", b"0") | ("connect", b"v1") | ("compression", b"" | b"identity") => {}
            ("base64", _) => refuse(name, "It is 1 or 0."),
            ("connect", _) => refuse(name, "The version of the protocol is v1."),
            ("compression", _) => refuse(name, "Messages are not compressed: it is identity."),
            _ => refuse(name, "There is no such parameter."),
        }
    }
    if message.is_none() {
        refuse("message".into(), "It is needed.");
    }
    if encoding.is_none() {
        refuse("encoding".into(), "It is json or proto.");
    }
    let message = message.unwrap_or_default();
    let message = if is_base64 { decoded(&message) } else { Some(message) };
    if message.is_none() {
        refuse("message".into(), "It is not in base64 of the alphabet for URLs.");
    }
    match (encoding, message) {
        (Some(encoding), Some(message)) if violations.is_empty() => Ok((encoding, message.into())),
        _ => Err(Error::invalid(violations)),
    }
}

/// A parameter as forms write it, unless nothing stands there.
fn pair(text: &str) -> Option<(String, Vec<u8>)> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let decode = |text: &str| {
        let spaced: Vec<u8> = text.bytes().map(|it| if it == b'+' { b' ' } else { it }).collect();
        percent_decode(&spaced).collect::<Vec<u8>>()
    };
    let name = String::from_utf8_lossy(&decode(name)).into_owned();
    (!text.is_empty()).then(|| (name, decode(value)))
}

/// What base64 stands for; clients pad it or not.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|it| **it == b'=').count();
    BASE64URL_NOPAD.decode(&text[..text.len() - padding]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_plain_or_in_base64() {
        for (query, encoding, message) in [
            ("message=%7B%7D&encoding=json", Encoding::Json, "{}"),
            ("connect=v1&encoding=json&message={\"id\":+\"a\"}", Encoding::Json, "{\"id\": \"a\"}"),
            ("encoding=proto&message=", Encoding::Proto, ""),
            ("base64=1&encoding=json&message=e30", Encoding::Json, "{}"),
            ("base64=1&encoding=json&message=e30%3D&compression=identity", Encoding::Json, "{}"),
        ] {
            let read = read(Some(query)).expect("it can be read");
            assert_eq!(read, (encoding, Bytes::from(message)), "{query}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        for (query, fields) in [
            (None, &["message", "encoding"][..]),
            (Some("message={}&encoding=xml"), &["encoding"]),
            (Some("message={}&encoding=json&base64=1"), &["message"]),
            (
                Some("message=&encoding=json&base64=yes&connect=v2&compression=gzip&limit=5"),
                &["base64", "connect", "compression", "limit"],
            ),
        ] {
            let error = read(query).expect_err("it cannot be read");
            let named: Vec<_> = error.violations().iter().map(|it| it.field.as_str()).collect();
            assert_eq!(named, fields, "{query:?}");
        }
    }
}
