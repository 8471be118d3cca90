//! Conversion of a domain [`Error`] to a gRPC status.
//!
//! It takes two steps. A handler's `?` makes a bare status with the error as its source. At the end
//! of the call, [`detailed`] adds the details, such as the request id. So handlers mint no ids and
//! log nothing, and no error is detailed or logged twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::domain::error::{Error, Kind, Violation};

/// The `domain` of every google.rpc.ErrorInfo.
const DOMAIN: &str = "screenerd";

/// The most bytes of the listed violations. Common clients refuse metadata of more than 8 KiB.
/// Base64 adds a third, and the message travels twice in addition to the violations.
const VIOLATIONS_MAX_BYTES: usize = 3 * 1024;

/// The bytes of a violation in addition to its text: protobuf's tags and lengths.
const VIOLATION_OVERHEAD_BYTES: usize = 12;

/// The most bytes of a message. Long ones name a part of an import file or quote a decoder.
/// Percent-encoding may triple them on the wire.
const MESSAGE_MAX_BYTES: usize = 512;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut status = Self::new(code_of(error.kind()), error.detail());
        status.set_source(Arc::new(error));
        status
    }
}

/// Returns the gRPC code of a kind, from the table of kinds.
pub(super) fn code_of(kind: Kind) -> Code {
    Code::from_i32(kind.mapping().grpc)
}

/// Returns the domain error behind a handler's status; `None` if the framework made the status.
pub(super) fn cause_of(status: &Status) -> Option<&Error> {
    std::error::Error::source(status).and_then(|source| source.downcast_ref())
}

/// Returns the status as the caller receives it.
pub(super) fn detailed(code: Code, error: &Error, request_id: &str) -> Status {
    let reason = error.kind().mapping().code.to_ascii_uppercase();
    let max_rows = error.max_rows().map(|rows| ("max_rows".to_owned(), rows.to_string()));
    let metadata: HashMap<_, _> = max_rows.into_iter().collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    details.set_request_info(request_id, "");
    if let Some(seconds) = error.kind().retry_after() {
        details.set_retry_info(Some(Duration::from_secs(seconds)));
    }
    let listed = listed(error.violations());
    for violation in listed {
        details.add_bad_request_violation(&violation.field, &violation.reason);
    }
    let message = cut(error.detail(), MESSAGE_MAX_BYTES);
    if listed.len() < error.violations().len() {
        let message = format!("{message} The details name the first {}.", listed.len());
        return Status::with_error_details(code, message, details);
    }
    Status::with_error_details(code, message, details)
}

/// Returns the status of one item within a response. It has no request id, because the call as a
/// whole was not refused, and nothing was logged.
pub(super) fn item_status(error: &Error) -> tonic_types::Status {
    let info = tonic_types::pb::ErrorInfo {
        reason: error.kind().mapping().code.to_ascii_uppercase(),
        domain: DOMAIN.to_owned(),
        metadata: HashMap::new(),
    };
    let info = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
        value: info.encode_to_vec(),
    };
    tonic_types::Status {
        code: error.kind().mapping().grpc,
        message: cut(error.detail(), MESSAGE_MAX_BYTES).to_owned(),
        details: vec![info],
    }
}

/// Returns the leading violations that fit into the details.
fn listed(violations: &[Violation]) -> &[Violation] {
    let mut bytes = 0;
    let fits = violations.iter().take_while(|violation| {
        bytes += violation.field.len() + violation.reason.len() + VIOLATION_OVERHEAD_BYTES;
        bytes <= VIOLATIONS_MAX_BYTES
    });
    &violations[..fits.count()]
}

/// Returns the longest prefix that has at most this many bytes and ends between characters.
fn cut(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::screener::v1::ErrorReason;

    #[test]
    fn the_refusal_of_a_connection_has_the_same_details() {
        let error = Error::new(Kind::Unavailable, include_str!("../net/refusal/detail.txt"));
        let response = detailed(Code::Unavailable, &error, "").into_http::<()>();
        assert_eq!(
            response.headers()["grpc-status-details-bin"],
            include_str!("../net/refusal/details.b64")
        );
    }

    #[test]
    fn every_kind_has_its_code_and_its_status() {
        let rows: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| {
                let status = detailed(code_of(*kind), &Error::new(*kind, "Detail."), "req_1");
                let info = status.get_details_error_info().expect("an ErrorInfo");
                assert_eq!(info.domain, "screenerd");
                let request = status.get_details_request_info().expect("a RequestInfo");
                assert_eq!(request.request_id, "req_1");
                let retry = status.get_details_retry_info().is_some();
                assert_eq!(retry, *kind == Kind::Unavailable);
                let name = format!("ERROR_REASON_{}", info.reason);
                assert!(ErrorReason::from_str_name(&name).is_some(), "{name} is in the contract");
                format!("{:?} {} {}", status.code(), kind.mapping().http, info.reason)
            })
            .collect();
        assert_eq!(
            rows,
            [
                "InvalidArgument 400 INVALID_ARGUMENT",
                "InvalidArgument 400 UNSUPPORTED_API_VERSION",
                "Unauthenticated 401 UNAUTHORIZED",
                "PermissionDenied 403 FORBIDDEN",
                "NotFound 404 NOT_FOUND",
                "NotFound 404 SURVEY_NOT_FOUND",
                "AlreadyExists 409 ALREADY_EXISTS",
                "FailedPrecondition 409 INVALID_STATUS_TRANSITION",
                "FailedPrecondition 409 NOT_VISIBLE",
                "FailedPrecondition 409 NOT_OPEN",
                "FailedPrecondition 409 EXHAUSTED",
                "Aborted 409 CONFLICT",
                "Unimplemented 405 METHOD_NOT_ALLOWED",
                "NotFound 410 GONE",
                "ResourceExhausted 413 PAYLOAD_TOO_LARGE",
                "ResourceExhausted 413 PAGE_TOO_LARGE",
                "InvalidArgument 415 UNSUPPORTED_MEDIA_TYPE",
                "InvalidArgument 406 NOT_ACCEPTABLE",
                "ResourceExhausted 429 RATE_LIMITED",
                "Unavailable 503 UNAVAILABLE",
                "DeadlineExceeded 504 DEADLINE_EXCEEDED",
                "Internal 500 INTERNAL",
            ]
        );
    }

    #[test]
    fn all_violations_are_listed_in_order() {
        let error =
            Error::invalid(vec![Violation::new("id", "Too long."), Violation::new("b", "Empty.")]);
        let status = detailed(Code::InvalidArgument, &error, "req_1");
        let listed = status.get_details_bad_request().expect("a BadRequest").field_violations;
        let listed: Vec<_> =
            listed.iter().map(|it| (it.field.as_str(), it.description.as_str())).collect();
        assert_eq!(listed, [("id", "Too long."), ("b", "Empty.")]);
    }

    #[test]
    fn the_details_of_any_error_stay_below_8_kib_on_the_wire() {
        let many = vec![Violation::new("filter.screener_id.nin", "Required."); 5_000];
        let long = vec![Violation::new("ü".repeat(5_000), "ü".repeat(5_000))];
        for (violations, listed) in [(many, true), (long, false)] {
            let status = detailed(Code::InvalidArgument, &Error::invalid(violations), "req_1");
            let headers = status.clone().into_http::<()>().into_parts().0.headers;
            let bytes: usize =
                headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
            assert!(bytes < 8 * 1024, "{bytes}");
            assert_eq!(status.get_details_bad_request().is_some(), listed);
            assert!(status.message().contains("The details name the first "));
        }
    }

    #[test]
    fn an_internal_text_is_not_answered() {
        let status = detailed(Code::Internal, &Error::internal("the secret cause"), "req_1");
        assert!(!format!("{status:?}").contains("secret"));
    }
}
