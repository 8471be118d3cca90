//! The refusal of a client that has too many requests in flight, in the shapes that the transports'
//! own refusals have. Only the request id is empty: the log knows nothing of it.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::dispatch::Transport;
use super::limits;

/// What is wrong, as a sentence.
pub(crate) const DETAIL: &str = "Too many requests of this address are in flight. Try again later.";

/// Over REST: problem details.
pub(crate) const PROBLEM: &str = r#"{"type":"urn:screenerd:problem:unavailable","title":"Unavailable","status":503,"detail":"Too many requests of this address are in flight. Try again later.","error":"unavailable","requestId":""}"#;

/// Over gRPC and gRPC-Web: a google.rpc.Status with its details, in base64.
pub(crate) const STATUS_DETAILS: &str = "CA4SQVRvbyBtYW55IHJlcXVlc3RzIG9mIHRoaXMgYWRkcmVzcyBhcmUgaW4gZmxpZ2h0LiBUcnkgYWdhaW4gbGF0ZXIuGjAKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8SBAoCCAEaRAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxIYCgtVTkFWQUlMQUJMRRIJc2NyZWVuZXJkGiwKKnR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXF1ZXN0SW5mbw";

/// Over Connect.
pub(crate) const CONNECT: &str = r#"{"code":"unavailable","message":"Too many requests of this address are in flight. Try again later.","details":[{"type":"google.rpc.RetryInfo","value":"CgIIAQ","debug":{"retryDelay":"1s"}},{"type":"google.rpc.ErrorInfo","value":"CgtVTkFWQUlMQUJMRRIJc2NyZWVuZXJk","debug":{"reason":"UNAVAILABLE","domain":"screenerd"}},{"type":"google.rpc.RequestInfo","value":"","debug":{}}]}"#;

/// The refusal in the words of a transport.
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
