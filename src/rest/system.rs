//! Routes about the server itself, without a credential: health, contract and unknown paths.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, StatusCode, Uri};
use sha2::{Digest as _, Sha256};
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::guard::{Kept, Refusal};
use super::route::{Operation, Routes};
use super::{Gateway, dialect, openapi, schema};
use crate::domain::error::{Error, Kind};

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn routes(descriptor: &'static [u8], others: &[Routes]) -> Routes {
    let get = |path, id, summary| Operation::new(HttpMethod::Get, path, id, summary);
    let contract = Served::new("application/protobuf", Bytes::from_static(descriptor));
    let mut routes = Routes::of(&dialect::SERVER)
        .add(
            get("/livez", "isAlive", "Reports that the process runs.").answering_as(
                200,
                TEXT,
                schema::word("ok\n"),
            ),
            async || "ok\n",
        )
        .add(
            get("/readyz", "isReady", "Reports whether the server accepts requests.")
                .answering_as(200, TEXT, schema::word("ready\n"))
                .answering_as(503, TEXT, schema::word("not ready\n")),
            readyz,
        )
        .add(
            get("/descriptor.binpb", "getDescriptor", "Returns the gRPC contract.")
                .saying("An encoded `google.protobuf.FileDescriptorSet` with comments.")
                .answering_as(
                    200,
                    "application/protobuf",
                    ObjectBuilder::new().schema_type(Type::String),
                ),
            async move |headers: HeaderMap| contract.answer(&headers),
        );
    let itself = get("/openapi.json", "getOpenApi", "Returns this document.").answering_as(
        200,
        "application/json",
        ObjectBuilder::new().schema_type(Type::Object),
    );
    let document = openapi::document(others.iter().chain([&routes]), &itself);
    let document = Served::new("application/json", document.into());
    routes = routes.add(itself, async move |headers: HeaderMap| document.answer(&headers));
    routes.router = routes.router.fallback(unknown);
    routes
}

/// Does not query the database. If it did, a balancer without any ready server would respond itself
/// while the database is down, and omit `Retry-After`.
async fn readyz(State(gateway): State<Gateway>) -> Response {
    if (gateway.ready)() {
        "ready\n".into_response()
    } else {
        let after = Kind::Unavailable.retry_after().map(|seconds| [(RETRY_AFTER, seconds)]);
        (StatusCode::SERVICE_UNAVAILABLE, after, "not ready\n").into_response()
    }
}

/// A document that is served from memory. Clients may cache it if they revalidate it.
#[derive(Clone)]
struct Served {
    media_type: &'static str,
    body: Bytes,
    tag: String,
}

impl Served {
    fn new(media_type: &'static str, body: Bytes) -> Self {
        // The tag is a digest of the content, so that a cache outlives restarts but not upgrades.
        let tag = format!("\"{}\"", BASE64URL_NOPAD.encode(&Sha256::digest(&body)));
        Self { media_type, body, tag }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let caching = [(ETAG, self.tag.as_str()), (CACHE_CONTROL, "no-cache")];
        let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
        if known.any(|known| known == "*" || known.trim_start_matches("W/") == self.tag) {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        let body = Body::from(self.body.clone());
        let mut response = (caching, [(CONTENT_TYPE, self.media_type)], body).into_response();
        response.extensions_mut().insert(Kept);
        response
    }
}

async fn unknown(State(gateway): State<Gateway>, uri: Uri) -> Refusal {
    let error = if (gateway.is_rpc_path)(uri.path()) {
        Error::new(
            Kind::UnsupportedMediaType,
            "This is the path of an RPC. Send POST with application/json, application/proto or \
             application/grpc.",
        )
    } else {
        Error::new(Kind::NotFound, "This path does not exist.")
    };
    error.into()
}
