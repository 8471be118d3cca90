//! Request bodies, which are JSON objects.

use axum::body::{Body, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::Gateway;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::header;
use crate::receive::{self, Tab};

/// Reads a body to its end, or up to the limit. Only an authenticated caller has a tenant, so no
/// body is read before that. The bytes stay charged until the tab is dropped.
pub(super) async fn read(
    gateway: &Gateway,
    tenant: &TenantId,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Tab)> {
    let tab = gateway.receiver.open(tenant.as_str());
    let bytes = receive::read_coded(headers, body, gateway.body_max_bytes, &tab).await?;
    Ok((bytes, tab))
}

/// Returns whether the media type is `application/json` or has the suffix `+json`.
fn is_json(value: &HeaderValue) -> bool {
    let essence = header::essence(value);
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

/// Returns the members of a body; an empty body has none.
pub(super) fn members(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !headers.get_all(CONTENT_TYPE).iter().all(is_json) {
        let detail = "content-type: Must be application/json.";
        return Err(Error::new(Kind::UnsupportedMediaType, detail));
    }
    let Value::Object(members) = receive::json::read(body).map_err(|flaw| flaw.refusal("body"))?
    else {
        return Err(Error::invalid_field("body", "Must be a JSON object."));
    };
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_stands_once_and_a_byte_order_mark_means_nothing() {
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let read = |body: &str| {
            let members = members(&headers, body.as_bytes());
            members.map_err(|error| error.violations()[0].field.clone())
        };
        let expected = serde_json::from_str(r#"{"a": {"b": 1}}"#).expect("JSON");
        assert_eq!(read("\u{feff}{\"a\": {\"b\": 1}}"), Ok(expected));
        for (body, field) in [
            (r#"{"a": 1, "a": 1}"#, "a"),
            (r#"{"a": {"b": 1, "b": 2}}"#, "a.b"),
            ("{", "body"),
            ("[]", "body"),
        ] {
            assert_eq!(read(body), Err(field.to_owned()), "{body}");
        }
    }
}
