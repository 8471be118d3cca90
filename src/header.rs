//! Headers as every transport reads them.

use http::header::{AsHeaderName, HeaderMap, HeaderValue};

/// That a header that may be sent once was sent more than once.
#[derive(Debug)]
pub struct Repeated;

/// Returns the value of a header that may be sent once.
pub fn once(
    headers: &HeaderMap,
    name: impl AsHeaderName,
) -> Result<Option<&HeaderValue>, Repeated> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Repeated),
    }
}

/// Returns a content type without its parameters, in lower case; an empty one if it is no text.
#[must_use]
pub fn essence(content_type: &HeaderValue) -> String {
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Returns the text of a header that may be sent once; an empty one if it is no text, or one of
/// several.
pub fn text_once(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    once(headers, name).map_or(Some(""), |it| it.map(|it| it.to_str().unwrap_or_default()))
}
