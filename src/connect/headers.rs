//! The request headers of a call.

use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Version, request};

use crate::domain::error::{Error, Kind, Result, Violation};
use crate::header;

const VERSION_HEADER: &str = "connect-protocol-version";
const TIMEOUT_HEADER: &str = "connect-timeout-ms";
/// The header with the coding of a stream's messages. `Content-Encoding` has that of a body.
pub(super) const STREAM_CODING: HeaderName = HeaderName::from_static("connect-content-encoding");
/// The header with the codings that a peer accepts for a stream's messages.
pub(super) const STREAM_ACCEPTED: HeaderName = HeaderName::from_static("connect-accept-encoding");

/// The maximum number of digits in the protocol.
const TIMEOUT_MAX_DIGITS: usize = 10;

/// The exclusive upper bound of the number in `grpc-timeout`, which has at most eight digits.
const GRPC_TIMEOUT_COUNT_END: u128 = 100_000_000;

/// The encoding of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Encoding {
    Json,
    Proto,
}

impl Encoding {
    /// Parses the name of an encoding.
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        match name {
            b"json" => Some(Self::Json),
            b"proto" => Some(Self::Proto),
            _ => None,
        }
    }
}

/// The way in which Connect makes a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    Get,
    Unary(Encoding),
    Stream(Encoding),
}

impl Protocol {
    /// Derives the protocol from the content type.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        match essence(headers).as_str() {
            "application/json" => Ok(Self::Unary(Encoding::Json)),
            "application/proto" => Ok(Self::Unary(Encoding::Proto)),
            "application/connect+json" => Ok(Self::Stream(Encoding::Json)),
            "application/connect+proto" => Ok(Self::Stream(Encoding::Proto)),
            _ => Err(Error::new(
                Kind::UnsupportedMediaType,
                "content-type: Must be application/json or application/proto.",
            )),
        }
    }
}

/// Returns the content type without its parameters, in lower case.
pub(super) fn essence(headers: &HeaderMap) -> String {
    headers.get(CONTENT_TYPE).map(header::essence).unwrap_or_default()
}

/// Returns the client's timeout. Fails if a header of the protocol is invalid.
pub(super) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>> {
    let mut violations = Vec::new();
    if headers.get_all(VERSION_HEADER).iter().any(|version| version != "1") {
        violations.push(Violation::new(VERSION_HEADER, "Must be 1."));
    }
    let timeout = headers.get(TIMEOUT_HEADER).map(|value| milliseconds(value.as_bytes()));
    if timeout == Some(None) {
        violations.push(Violation::new(TIMEOUT_HEADER, "Must be 1 to 10 digits."));
    }
    if violations.is_empty() { Ok(timeout.flatten()) } else { Err(Error::invalid(violations)) }
}

fn milliseconds(digits: &[u8]) -> Option<Duration> {
    if !(1..=TIMEOUT_MAX_DIGITS).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0, |count, digit| count * 10 + u64::from(digit - b'0'));
    Some(Duration::from_millis(count))
}

/// Turns the head of a request into that of a gRPC call with the given timeout.
pub(super) fn to_grpc(parts: &mut request::Parts, timeout: Option<Duration>) {
    let headers = &mut parts.headers;
    let of_connect: Vec<_> = headers
        .keys()
        .filter(|name| ["connect-", "grpc-"].iter().any(|start| name.as_str().starts_with(start)))
        .cloned()
        .collect();
    let of_the_body = [CONTENT_LENGTH, CONTENT_ENCODING, ACCEPT_ENCODING];
    for name in of_connect.into_iter().chain(of_the_body) {
        headers.remove(name);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if let Some(timeout) = timeout.and_then(|timeout| HeaderValue::try_from(printed(timeout)).ok())
    {
        headers.insert("grpc-timeout", timeout);
    }
    parts.method = http::Method::POST;
    parts.version = Version::HTTP_2;
}

/// Formats a duration for `grpc-timeout`, in the smallest unit whose digits suffice.
fn printed(timeout: Duration) -> String {
    let units = [(timeout.as_micros(), 'u'), (timeout.as_millis(), 'm')];
    let fitting = units.into_iter().find(|(count, _)| *count < GRPC_TIMEOUT_COUNT_END);
    let (count, unit) = fitting.unwrap_or((u128::from(timeout.as_secs()), 'S'));
    format!("{count}{unit}")
}

/// Returns the metadata of a gRPC response for the caller, without gRPC's own headers.
pub(super) fn metadata(
    headers: &HeaderMap,
) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> + '_ {
    headers.iter().filter(|(name, _)| **name != CONTENT_TYPE && !name.as_str().starts_with("grpc-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_one_to_ten_digits() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1500", Some(1500)),
            ("9999999999", Some(9_999_999_999)),
            ("", None),
            ("99999999999", None),
            ("-1", None),
            ("1.5", None),
        ] {
            assert_eq!(
                milliseconds(text.as_bytes()),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn every_timeout_fits_the_digits_of_grpc() {
        for (millis, expected) in [
            (0, "0u"),
            (1_500, "1500000u"),
            (99_999, "99999000u"),
            (100_000, "100000m"),
            (99_999_999, "99999999m"),
            (9_999_999_999, "9999999S"),
        ] {
            assert_eq!(printed(Duration::from_millis(millis)), expected);
        }
    }
}
