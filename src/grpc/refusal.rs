//! The one shape of all refusals.
//!
//! Handlers refuse with a domain error. The framework itself refuses requests that it cannot route
//! or decode, with its own texts. Both get the same details here, and only here a fault is logged:
//! never with a panelist's id, an answer or a secret.

use std::sync::Arc;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use http::{Method, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use tonic::body::Body;
use tonic::{Code, Status};

use super::error::{cause_of, code_of, detailed};
use super::rpcs::{self, Rpc};
use crate::app::{App, Place};
use crate::budget::Budget;
use crate::domain::error::{Error, Kind, Result};
use crate::receive;

/// The RPC that is called; `None` if it does not exist.
pub(super) type Called = Option<&'static Rpc>;

/// Converts refusals to one shape, and logs internal errors.
#[derive(Clone)]
pub(super) struct Refusals(pub(super) Arc<App>);

impl Refusals {
    /// Returns the budget of large responses.
    pub(super) fn sending(&self) -> &Budget {
        self.0.sending()
    }

    /// Adds the details to a refusal that has none, and returns any other response unchanged.
    pub(super) fn shape(&self, mut response: Response<Body>, rpc: Called) -> Response<Body> {
        let headers = response.headers();
        let Some(code) = headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()))
        else {
            return response;
        };
        if code == Code::Ok || headers.contains_key("grpc-status-details-bin") {
            return response;
        }
        // The framework leaves its status in the extensions, except for unknown methods.
        let status = response.extensions_mut().remove::<Status>();
        let shaped = self.shaped(&status.unwrap_or_else(|| Status::new(code, "")), rpc);
        let mut refused = shaped.into_http::<Body>();
        // With an unknown compression, the framework lists the accepted ones.
        if let Some(accepted) = response.headers_mut().remove("grpc-accept-encoding") {
            refused.headers_mut().insert("grpc-accept-encoding", accepted);
        }
        refused
    }

    /// Adds the details to a status of the framework or of a handler.
    pub(super) fn shaped(&self, status: &Status, rpc: Called) -> Status {
        if let Some(error) = cause_of(status) {
            return self.coded(status.code(), error, rpc);
        }
        let (code, error) = translate(status.code(), status.message(), rpc);
        self.coded(code, &error, rpc)
    }

    /// Returns a stream of messages whose error, if any, gets the shape of all refusals.
    pub(super) fn end<T>(
        self,
        messages: impl Stream<Item = Result<T>> + Send + 'static,
        rpc: Called,
    ) -> BoxStream<'static, Result<T, Status>> {
        messages.map_err(move |error| self.status(&error, rpc)).boxed()
    }

    /// Returns the status of an error that ends a call.
    pub(super) fn status(&self, error: &Error, rpc: Called) -> Status {
        self.coded(code_of(error.kind()), error, rpc)
    }

    fn coded(&self, code: Code, error: &Error, rpc: Called) -> Status {
        let (service, method) = rpc.map_or(("", ""), |rpc| (rpc.service.name(), rpc.method));
        let request_id = self.0.report(error, Place::Call { service, method });
        detailed(code, error, &request_id)
    }
}

/// Interprets a status of the framework. Handlers fail only with domain errors, so any other
/// failure is one of the request: an unknown method, or a message that cannot be decoded.
fn translate(code: Code, message: &str, rpc: Called) -> (Code, Error) {
    if code == Code::Unimplemented && message.is_empty() {
        // A method is missing, not a resource, so the code stays the framework's.
        return (code, Error::new(Kind::NotFound, "Unknown method."));
    }
    let error = if code == Code::OutOfRange || code == Code::ResourceExhausted {
        receive::too_large(rpc.map_or(rpcs::LARGE_MESSAGE_MAX_BYTES, |rpc| rpc.message_max_bytes))
    } else {
        let field = undecoded(message).unwrap_or_else(|| "message".to_owned());
        Error::invalid_field(field, "Must be a message of the contract: decoding it failed.")
    };
    (code_of(error.kind()), error)
}

/// Returns the field that the decoder could not read. It names each message on the path with its
/// field, as in `Outer.inner: Inner.field: …`.
fn undecoded(message: &str) -> Option<String> {
    let words = message.strip_prefix("failed to decode Protobuf message: ")?;
    let is_name = |it: &str| it.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let field = |step| {
        let (message, field) = str::split_once(step, '.')?;
        (is_name(message) && is_name(field)).then_some(field)
    };
    let fields: Vec<_> = words.split(": ").map_while(field).collect();
    (!fields.is_empty()).then(|| fields.join("."))
}

/// Refuses requests that are not gRPC over HTTP/2, as plain HTTP: their clients do not read gRPC's
/// trailers.
pub(super) fn refuse_http<B>(request: &Request<B>) -> Option<Response<Body>> {
    if request.version() < Version::HTTP_2 {
        return Some(plain(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC needs HTTP/2.\n"));
    }
    if request.method() != Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "gRPC needs POST.\n");
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        return Some(response);
    }
    let content_type = request.headers().get(header::CONTENT_TYPE);
    if !content_type.is_some_and(|value| is_grpc_proto(value.as_bytes())) {
        let text = "content-type: Must be application/grpc or application/grpc+proto.\n";
        return Some(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    None
}

/// Returns whether a content type is `application/grpc` or `application/grpc+proto`, with or
/// without parameters.
fn is_grpc_proto(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    [&b"application/grpc"[..], b"application/grpc+proto"]
        .iter()
        .any(|known| essence.trim_ascii_end().eq_ignore_ascii_case(known))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::from(text)));
    *response.status_mut() = status;
    let content_type = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_framework_says_becomes_what_it_means() {
        for (code, message, expected) in [
            (Code::Unimplemented, "", (Code::Unimplemented, Kind::NotFound)),
            (Code::Unimplemented, "gzip", (Code::InvalidArgument, Kind::InvalidArgument)),
            (Code::OutOfRange, "too large", (Code::ResourceExhausted, Kind::PayloadTooLarge)),
            (Code::Internal, "wire type", (Code::InvalidArgument, Kind::InvalidArgument)),
            (Code::Unknown, "reset", (Code::InvalidArgument, Kind::InvalidArgument)),
        ] {
            let (code, error) = translate(code, message, None);
            assert_eq!((code, error.kind()), expected, "{message}");
        }
    }

    #[test]
    fn only_grpc_over_http_2_comes_in() {
        let status = |version, method: &str, content_type: Option<&str>| {
            let mut request = Request::builder().version(version).method(method);
            if let Some(content_type) = content_type {
                request = request.header(header::CONTENT_TYPE, content_type);
            }
            let request = request.body(()).expect("the request is well formed");
            refuse_http(&request).map(|refusal| refusal.status().as_u16())
        };
        let grpc = Some("application/grpc");
        for (version, method, content_type, expected) in [
            (Version::HTTP_2, "POST", grpc, None),
            (Version::HTTP_2, "POST", Some("Application/gRPC+proto"), None),
            (Version::HTTP_2, "POST", Some("application/grpc ; charset=utf-8"), None),
            (Version::HTTP_11, "POST", grpc, Some(505)),
            (Version::HTTP_2, "GET", grpc, Some(405)),
            (Version::HTTP_2, "POST", Some("application/grpc-web+proto"), Some(415)),
            (Version::HTTP_2, "POST", Some("application/grpc+json"), Some(415)),
            (Version::HTTP_2, "POST", None, Some(415)),
        ] {
            assert_eq!(
                status(version, method, content_type),
                expected,
                "{method} {content_type:?}"
            );
        }
    }
}
