//! Refusals in the format of Connect.

use data_encoding::BASE64_NOPAD;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Answer, Called, Shared};
use crate::domain::error::{Error, Kind};
use crate::receive::coding::{self, Unknown};
use crate::receive::{is_unknown_coding, unknown_coding};

/// The reason of a refusal.
pub(super) enum Refusal {
    /// Refused before it reached gRPC. The protocol may require a code other than that of the kind.
    Here(Error, Option<Code>),
    /// Refused by the gRPC service.
    Grpc(Status),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Here(error, None)
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Grpc(status)
    }
}

impl Refusal {
    /// Returns the refusal of an unknown method, with the message that gRPC uses.
    pub(super) fn unknown() -> Self {
        let error = Error::new(Kind::NotFound, "Unknown method.");
        Self::Here(error, Some(Code::Unimplemented))
    }

    /// Refuses an unsupported coding, for which the protocol requires `unimplemented`.
    pub(super) fn coding(unknown: Unknown) -> Self {
        Self::Here(unknown_coding(unknown), Some(Code::Unimplemented))
    }

    /// Refuses a request stream that does not consist of exactly one message.
    pub(super) fn cardinality() -> Self {
        let error = Error::new(Kind::InvalidArgument, "Must send exactly one message.");
        Self::Here(error, Some(Code::Unimplemented))
    }

    /// Refuses a message with the compressed flag in a stream that names no coding.
    pub(super) fn packed() -> Self {
        let detail =
            "connect-content-encoding: Required for a message whose compressed flag is set.";
        Self::Here(Error::new(Kind::InvalidArgument, detail), Some(Code::Internal))
    }

    /// Returns the header with the supported codings, if the refusal concerns a coding.
    pub(super) fn accepted(&self) -> Option<HeaderValue> {
        let Self::Here(error, _) = self else { return None };
        is_unknown_coding(error).then(|| HeaderValue::from_static(coding::READ))
    }
}

impl Shared {
    /// Returns the status of a refusal, with the details of our errors.
    pub(super) fn status(&self, refusal: &Refusal, called: &Called) -> Status {
        let status = match refusal {
            Refusal::Grpc(status) => status.clone(),
            Refusal::Here(error, code) => {
                let status = (self.settings.refuse)(error, &called.uri);
                let code = code.unwrap_or(status.code());
                Status::with_details(code, status.message(), status.details().to_vec().into())
            }
        };
        called.ends_with(&status);
        status
    }

    /// Returns the response to a refused unary call.
    pub(super) fn refusal(&self, refusal: &Refusal, called: &Called) -> Answer {
        let status = self.status(refusal, called);
        // Texts always have a JSON form.
        let body = serde_json::to_vec(&Body::of(&self.schema.pool, &status)).unwrap_or_default();
        let mut response = Response::new(tonic::body::Body::new(Full::from(body)));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        let retry = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
        if let Some(after) = retry {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        let mut http = http_status(status.code());
        if let Some(accepted) = refusal.accepted() {
            response.headers_mut().insert(ACCEPT_ENCODING, accepted);
        } else if let Refusal::Here(error, _) = refusal {
            // These kinds concern HTTP itself, not the call.
            if [Kind::MethodNotAllowed, Kind::UnsupportedMediaType, Kind::NotFound]
                .contains(&error.kind())
            {
                http = error.kind().mapping().http;
            }
            if error.kind() == Kind::MethodNotAllowed {
                let method = self.schema.method(called.uri.path());
                let is_safe = method.is_some_and(|method| method.is_safe);
                let allowed = if is_safe { "GET, POST" } else { "POST" };
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            }
        }
        *response.status_mut() =
            StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
    }
}

/// A refusal in JSON.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
}

#[derive(Serialize)]
struct Detail {
    #[serde(rename = "type")]
    name: String,
    value: String,
    /// The readable form of `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<DynamicMessage>,
}

impl<'a> Body<'a> {
    pub(super) fn of(pool: &DescriptorPool, status: &'a Status) -> Self {
        // The details of a status are encoded as another status message.
        let details = tonic_types::Status::decode(status.details()).unwrap_or_default().details;
        let details = details.into_iter().map(|detail| Detail::of(pool, &detail)).collect();
        Self { code: name(status.code()), message: status.message(), details }
    }
}

impl Detail {
    fn of(pool: &DescriptorPool, detail: &prost_types::Any) -> Self {
        let name = detail.type_url.rsplit('/').next().unwrap_or_default();
        let debug = pool
            .get_message_by_name(name)
            .and_then(|known| DynamicMessage::decode(known, detail.value.as_slice()).ok());
        Self { name: name.to_owned(), value: BASE64_NOPAD.encode(&detail.value), debug }
    }
}

fn name(code: Code) -> &'static str {
    match code {
        // A status `Ok` here means a refusal without a reason.
        Code::Ok | Code::Unknown => "unknown",
        Code::Cancelled => "canceled",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// Returns the HTTP status of a code, as the protocol defines it. REST uses other statuses.
fn http_status(code: Code) -> u16 {
    match code {
        Code::Cancelled => 499,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::DeadlineExceeded => 504,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::PermissionDenied => 403,
        Code::ResourceExhausted => 429,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::Unauthenticated => 401,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::schema::Schema;

    #[test]
    fn the_refusal_of_a_connection_has_the_same_shape() {
        let details = data_encoding::BASE64_NOPAD
            .decode(include_str!("../net/refusal/details.b64").as_bytes());
        let details = details.expect("base64").into();
        let status = Status::with_details(
            Code::Unavailable,
            include_str!("../net/refusal/detail.txt"),
            details,
        );
        let body = serde_json::to_string(&Body::of(&Schema::contract().pool, &status));
        assert_eq!(body.expect("JSON"), include_str!("../net/refusal/connect.json"));
    }
}
