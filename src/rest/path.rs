//! Path segments, decoded exactly once.
//!
//! The path is split before its segments are decoded, so that `a%2Fb` is one segment.

use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::domain::error::Error;

/// Returns the segment at a zero-based position, unless it is not UTF-8.
pub(super) fn segment(parts: &Parts, position: usize) -> Option<String> {
    let raw = parts.uri.path().split('/').nth(position + 1)?;
    Some(percent_decode_str(raw).decode_utf8().ok()?.into_owned())
}

/// Returns the id in a segment. An invalid id names nothing, so it is refused like an unknown one.
pub(super) fn id<T>(
    parts: &Parts,
    position: usize,
    parse: impl FnOnce(&str) -> Result<T, String>,
    absent: impl FnOnce() -> Error,
) -> Result<T, Error> {
    segment(parts, position).and_then(|text| parse(&text).ok()).ok_or_else(absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_cut_first_and_decoded_once() {
        for (path, expected) in [
            ("/s/plain/rest", Some("plain")),
            ("/s/a%2Fb/rest", Some("a/b")),
            ("/s/a%252Fb/rest", Some("a%2Fb")),
            ("/s/x+y@z/rest", Some("x+y@z")),
            ("/s/%C3%BC/rest", Some("ü")),
            ("/s/%FF/rest", None),
            ("/s", None),
        ] {
            let (parts, ()) =
                http::Request::builder().uri(path).body(()).expect("a request").into_parts();
            assert_eq!(segment(&parts, 1).as_deref(), expected, "{path}");
        }
    }
}
