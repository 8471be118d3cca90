//! The refusal of a client with too many requests in flight, in the formats of the transports' own
//! refusals. The request id is empty, because the log does not contain the request. The texts are
//! files, which the tests of the transports compare with their own.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::dispatch::Transport;
use super::limits;

/// The reason, as a sentence.
const DETAIL: &str = include_str!("refusal/detail.txt");

/// For REST: problem details.
pub(super) const PROBLEM: &str = include_str!("refusal/problem.json");

/// For gRPC and gRPC-Web: a google.rpc.Status with its details, in base64.
const STATUS_DETAILS: &str = include_str!("refusal/details.b64");

/// For Connect.
const CONNECT: &str = include_str!("refusal/connect.json");

/// Returns the refusal in the format of a transport.
pub(super) fn of(transport: Transport) -> Response<&'static str> {
    let mut response = Response::new("");
    match transport {
        Transport::Grpc => grpc(&mut response, "application/grpc"),
        Transport::GrpcWeb => grpc(&mut response, "application/grpc-web+proto"),
        Transport::Connect => http(&mut response, "application/json", CONNECT),
        Transport::Rest => http(&mut response, "application/problem+json", PROBLEM),
    }
    response
}

fn grpc(response: &mut Response<&'static str>, content_type: &'static str) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("grpc-status", HeaderValue::from_static("14"));
    headers.insert("grpc-message", HeaderValue::from_static(DETAIL));
    headers.insert("grpc-status-details-bin", HeaderValue::from_static(STATUS_DETAILS));
}

fn http(response: &mut Response<&'static str>, content_type: &'static str, body: &'static str) {
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    *response.body_mut() = body;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER_SECONDS));
}
