//! The page at the root: it leads participants back to their invitation, and programs to the contract.

use std::sync::Arc;

use super::Pages;
use super::render::{self, About};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};

pub(super) const PATH: &str = "/";

/// Returns HTML to a browser, and JSON to every other client.
pub(super) async fn home(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    let base = pages.app.links().base_path();
    let about = About {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        openapi: format!("{base}/openapi.json"),
        contract: format!("{base}/descriptor.binpb"),
        ready: format!("{base}/readyz"),
    };
    let accepts_html = |value: &HeaderValue| value.to_str().is_ok_and(names_html);
    let mut response = if headers.get_all(ACCEPT).iter().any(accepts_html) {
        render::home(&about)
    } else {
        let mut response = Response::new(Body::from(serde_json::json!(about).to_string()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

/// Returns whether a list of media types names HTML and does not exclude it.
fn names_html(accepted: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_html = parts.next().is_some_and(|it| it.eq_ignore_ascii_case("text/html"));
        let is_zero = |part: &str| {
            let quality = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            quality.is_some_and(|it| it.parse() == Ok(0.0))
        };
        is_html && !parts.any(is_zero)
    })
}
