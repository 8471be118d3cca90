//! The message of a GET request, which is in its query.

use data_encoding::BASE64URL_NOPAD;
use percent_encoding::percent_decode;

use super::Sent;
use super::headers::Encoding;
use super::refusal::Refusal;
use crate::domain::error::{Error, Kind, Violation};
use crate::receive::coding::Coding;

/// Reads a message and its encoding, or fails with every violation of the query. Ignores unknown
/// parameters, as the protocol requires.
pub(super) fn read(query: Option<&str>) -> Result<Sent, Refusal> {
    let mut violations = Vec::new();
    let mut refuse = |name: &str, reason: &str| violations.push(Violation::new(name, reason));
    let (mut message, mut encoding, mut is_base64) = (None, None, false);
    let mut coding = Ok(Coding::Identity);
    for (name, value) in query.iter().flat_map(|query| query.split('&')).filter_map(pair) {
        match (name.as_str(), value.as_slice()) {
            ("message", _) => message = Some(value),
            ("encoding", _) => encoding = Some(value),
            ("compression", value) => coding = Coding::parse("compression", value),
            ("base64", b"1") => is_base64 = true,
            ("base64", b"" | b"0") | ("connect", b"v1") => {}
            ("base64", _) => refuse("base64", "Must be 1 or 0."),
            ("connect", _) => refuse("connect", "Must be v1."),
            _ => {}
        }
    }
    if message.is_none() {
        refuse("message", "Required.");
    }
    let encoding = encoding.map(|name| Encoding::parse(&name));
    if encoding.is_none() {
        refuse("encoding", "Required: json or proto.");
    }
    let message = message.unwrap_or_default();
    let message = if is_base64 { decoded(&message) } else { Some(message) };
    if message.is_none() {
        refuse("message", "Must be base64url.");
    }
    match (encoding, message) {
        (Some(encoding), Some(message)) if violations.is_empty() => {
            let encoding = encoding.ok_or_else(|| {
                Error::new(Kind::UnsupportedMediaType, "encoding: Must be json or proto.")
            })?;
            let coding = coding.map_err(Refusal::coding)?;
            Ok(Sent { encoding, coding, message: message.into() })
        }
        _ => Err(Error::invalid(violations).into()),
    }
}

/// Decodes a form-encoded parameter. Returns `None` if it is empty.
fn pair(text: &str) -> Option<(String, Vec<u8>)> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let decode = |text: &str| {
        let spaced: Vec<u8> = text.bytes().map(|it| if it == b'+' { b' ' } else { it }).collect();
        percent_decode(&spaced).collect::<Vec<u8>>()
    };
    let name = String::from_utf8_lossy(&decode(name)).into_owned();
    (!text.is_empty()).then(|| (name, decode(value)))
}

/// Decodes base64url. Clients may pad it.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|it| **it == b'=').count();
    BASE64URL_NOPAD.decode(&text[..text.len() - padding]).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_message_comes_plain_or_in_base64() {
        for (query, encoding, message) in [
            ("message=%7B%7D&encoding=json", Encoding::Json, "{}"),
            ("connect=v1&encoding=json&message={\"id\":+\"a\"}", Encoding::Json, "{\"id\": \"a\"}"),
            ("encoding=proto&message=", Encoding::Proto, ""),
            ("base64=1&encoding=json&message=e30", Encoding::Json, "{}"),
            ("base64=1&encoding=json&message=e30%3D&compression=identity", Encoding::Json, "{}"),
            ("base64=1&encoding=json&message=-_8", Encoding::Json, "\u{fbff}"),
            ("encoding=json&message={}&utm_source=x&Encoding=xml&&=1", Encoding::Json, "{}"),
        ] {
            let read = read(Some(query)).ok().expect("it can be read");
            let message = if message == "\u{fbff}" { &b"\xfb\xff"[..] } else { message.as_bytes() };
            let message = Bytes::copy_from_slice(message);
            let expected = Sent { encoding, coding: Coding::Identity, message };
            assert_eq!(read, expected, "{query}");
        }
        let packed = read(Some("compression=gzip&base64=1&encoding=proto&message=H4s"));
        assert_eq!(packed.ok().map(|sent| sent.coding), Some(Coding::Gzip));
    }

    fn error(query: Option<&str>) -> Error {
        match read(query) {
            Err(Refusal::Here(error, _)) => error,
            Err(Refusal::Grpc(_)) | Ok(_) => panic!("{query:?} can be read"),
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        for (query, fields) in [
            (None, &["message", "encoding"][..]),
            (Some("message={}&encoding=json&base64=1"), &["message"]),
            (Some("message=&encoding=json&base64=yes&connect=v2&limit=5"), &["base64", "connect"]),
        ] {
            let error = error(query);
            let named: Vec<_> = error.violations().iter().map(|it| it.field.as_str()).collect();
            assert_eq!(named, fields, "{query:?}");
        }
    }

    #[test]
    fn an_encoding_or_coding_that_is_not_read_is_of_another_type() {
        for query in ["message={}&encoding=xml", "message={}&encoding=json&compression=br"] {
            assert_eq!(error(Some(query)).kind(), Kind::UnsupportedMediaType, "{query}");
        }
    }
}
