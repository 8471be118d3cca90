//! Bodies of requests: JSON objects of bounded size.

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body_util::LengthLimitError;
use serde_json::{Map, Value};

use crate::domain::error::{Error, Kind, Result};

/// Reads a body to its end, or up to the limit.
pub(super) async fn read(body: Body, max_bytes: usize) -> Result<Bytes> {
    let too_large =
        || Error::new(Kind::PayloadTooLarge, format!("A body has at most {max_bytes} bytes."));
    // One that announces its length is refused before it is sent.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|bytes| bytes > max_bytes) {
        return Err(too_large());
    }
    to_bytes(body, max_bytes).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            too_large()
        } else {
            Error::invalid_field("body", "The body did not arrive as a whole.")
        }
    })
}

/// Whether it is `application/json` or a type with the suffix `+json`.
fn is_json(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

/// The members of a body; none, if it is empty.
pub(super) fn members(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !headers.get_all(CONTENT_TYPE).iter().all(is_json) {
        let detail = "A body is read as application/json only.";
        return Err(Error::new(Kind::UnsupportedMediaType, detail));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Error::invalid_field("body", "A JSON object is needed here.")),
        Err(_) => Err(Error::invalid_field("body", "This is not JSON.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_cut_off_at_the_limit_whether_it_announces_its_length_or_not() {
        let streamed = |bytes: usize| {
            let chunk = Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; bytes]));
            Body::from_stream(futures_util::stream::iter([chunk]))
        };
        for (body, expected) in [
            (Body::from("1234"), Ok(4)),
            (Body::from("12345"), Err(Kind::PayloadTooLarge)),
            (streamed(4), Ok(4)),
            (streamed(5), Err(Kind::PayloadTooLarge)),
        ] {
            let read = read(body, 4).await;
            assert_eq!(read.map(|bytes| bytes.len()).map_err(|error| error.kind()), expected);
        }
    }
}
