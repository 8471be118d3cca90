//! Bodies of requests: JSON objects.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use crate::domain::error::{Error, Kind, Result};

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
