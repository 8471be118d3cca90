//! Headers as every transport reads them.

use http::header::{AsHeaderName, HeaderMap, HeaderValue};

use crate::domain::error::Result as Checked;
use crate::domain::version;

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

/// Checks the header that names the version its caller was written for. What is no text, or one of
/// several, is no version.
pub fn check_api_version(headers: &HeaderMap, name: impl AsHeaderName) -> Checked<()> {
    let version = once(headers, name);
    let text = version.map_or(Some(""), |it| it.map(|it| it.to_str().unwrap_or_default()));
    version::check_api_version(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = "x-spot-api-version";

    #[test]
    fn one_version_header_is_read_and_two_are_refused() {
        for (values, is_good) in [
            (&[][..], true),
            (&["1.0.0"][..], true),
            (&["2024-11-15"][..], true),
            (&["9.9.9"][..], false),
            (&["\u{fc}"][..], false),
            (&["1.0.0", "1.0.0"][..], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
                headers.append(VERSION, value);
            }
            assert_eq!(check_api_version(&headers, VERSION).is_ok(), is_good, "{values:?}");
        }
    }
}
