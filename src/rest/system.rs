//! What the server says about itself, to anybody: health, its contract, and unknown paths.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::BASE64URL_NOPAD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, StatusCode, Uri};
use sha2::{Digest as _, Sha256};

use super::guard::{Dialect, Refusal};
use super::{Gateway, path};
use crate::domain::error::{Error, Kind};

pub(super) const DIALECT: Dialect = Dialect::PLAIN;

pub(super) fn routes(descriptor: &'static [u8]) -> Router<Gateway> {
    // The content decides the tag, so that a cache outlives restarts but not upgrades.
    let tag = format!("\"{}\"", BASE64URL_NOPAD.encode(&Sha256::digest(descriptor)));
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route(
            "/descriptor.binpb",
            get(async move |headers: HeaderMap| contract(descriptor, &tag, &headers)),
        )
        .fallback(unknown)
}

/// Does not ask the database: while that is away, a balancer that found no server at all would answer
/// in its own words, without a hint when to come back.
async fn readyz(State(gateway): State<Gateway>) -> Response {
    if (gateway.ready)() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "not ready\n").into_response()
    }
}

fn contract(descriptor: &'static [u8], tag: &str, headers: &HeaderMap) -> Response {
    let caching = [(ETAG, tag), (CACHE_CONTROL, "no-cache")];
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    if known.any(|known| known == "*" || known.trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let body = Body::from(Bytes::from_static(descriptor));
    (caching, [(CONTENT_TYPE, "application/protobuf")], body).into_response()
}

async fn unknown(uri: Uri) -> Refusal {
    let error = if path::is_rpc(uri.path()) {
        Error::new(
            Kind::UnsupportedMediaType,
            "This is a gRPC path: it takes a Content-Type that starts with application/grpc.",
        )
    } else {
        Error::new(Kind::NotFound, "There is nothing at this path.")
    };
    error.into()
}
