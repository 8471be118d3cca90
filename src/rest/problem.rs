//! Errors as RFC 9457 problem details, with a stable code, every violation, and the request id that
//! identifies the request in the log.

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::dialect::Dialect;
use crate::domain::error::{Error, Kind, Violation};
use crate::receive::coding;
use crate::receive::is_unknown_coding;

/// Why a request was refused, as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem<'a> {
    /// A URN that ends in the stable code.
    #[serde(rename = "type")]
    uri: String,
    /// The meaning of the code, in short.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// The cause of this error, as a sentence.
    detail: &'a str,
    /// The stable code. Branch on it.
    error: &'static str,
    /// Every rule that the request breaks. Absent if there is none.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<BrokenRule<'a>>,
    /// How many rows fit on the page, with `page_too_large`.
    #[schema(required = false, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_rows: Option<u32>,
    /// The id of the request in the server's log.
    request_id: &'a str,
}

/// A broken rule.
#[derive(Serialize, ToSchema)]
#[schema(as = Violation)]
pub(super) struct BrokenRule<'a> {
    /// The parameter or member, as the caller wrote it.
    field: &'a str,
    /// The rule, as a sentence.
    reason: &'a str,
}

impl<'a> From<&'a Violation> for BrokenRule<'a> {
    fn from(violation: &'a Violation) -> Self {
        let Violation { field, reason } = violation;
        Self { field, reason }
    }
}

/// Converts an error into a response.
pub(super) fn response(error: &Error, dialect: &Dialect, request_id: &str) -> Response {
    let kind = error.kind();
    let (mapping, status) = (kind.mapping(), (dialect.status)(kind));
    let code = (dialect.code)(kind);
    let problem = Problem {
        // Some dialects spell two codes in another case; the types stay the same.
        uri: format!("urn:screenerd:problem:{}", code.to_ascii_lowercase()),
        title: mapping.title,
        status,
        detail: error.detail(),
        error: code,
        violations: error.violations().iter().map(BrokenRule::from).collect(),
        max_rows: error.max_rows(),
        request_id,
    };
    // Strings and numbers always have a JSON form.
    let mut body = serde_json::to_vec(&problem).unwrap_or_default();
    body.push(b'\n');
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if kind == Kind::Unauthorized {
        if let Some(challenge) = dialect.credential_headers.and_then(own_challenge) {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
        if dialect.takes_bearer {
            let bearer = HeaderValue::from_static(r#"Bearer realm="screenerd""#);
            headers.append(WWW_AUTHENTICATE, bearer);
        }
    }
    if is_unknown_coding(error) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(coding::READ));
    }
    if let Some(seconds) = kind.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn own_challenge(names: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!(r#"ApiKey realm="screenerd", headers="{names}""#)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::dialect;

    const PLAIN: Dialect =
        Dialect { credential_headers: Some("X-Key, X-Secret"), ..dialect::SERVER };

    async fn members(response: Response) -> serde_json::Value {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    #[tokio::test]
    async fn every_kind_is_a_problem_with_its_status_and_code() {
        for kind in Kind::ALL {
            let response = response(&Error::new(kind, "A sentence."), &PLAIN, "req_1");
            let mapping = kind.mapping();
            assert_eq!(response.status(), mapping.http);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(
                response.headers().contains_key(WWW_AUTHENTICATE),
                kind == Kind::Unauthorized
            );
            assert_eq!(response.headers().contains_key(RETRY_AFTER), kind == Kind::Unavailable);
            let expected = serde_json::json!({
                "type": format!("urn:screenerd:problem:{}", mapping.code),
                "title": mapping.title,
                "status": mapping.http,
                "detail": "A sentence.",
                "error": mapping.code,
                "requestId": "req_1",
            });
            assert_eq!(members(response).await, expected);
        }
    }

    #[tokio::test]
    async fn the_refusal_of_a_connection_has_the_same_shape() {
        let error = Error::new(Kind::Unavailable, include_str!("../net/refusal/detail.txt"));
        let body = response(&error, &PLAIN, "").into_body();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        assert_eq!(body, include_str!("../net/refusal/problem.json"));
    }

    #[tokio::test]
    async fn the_panel_dialect_has_two_words_of_its_own() {
        for kind in Kind::ALL {
            let response = response(&Error::new(kind, "…"), &dialect::PANELISTS, "req_1");
            let expected = match kind.mapping().code {
                "unauthorized" => "Unauthorized",
                "forbidden" => "Forbidden",
                code => code,
            };
            let told = members(response).await;
            assert_eq!(told["error"], expected);
            assert_eq!(told["type"], format!("urn:screenerd:problem:{}", kind.mapping().code));
        }
    }

    #[tokio::test]
    async fn a_type_is_the_code_that_the_dialect_tells() {
        for kind in Kind::ALL {
            let response = response(&Error::new(kind, "…"), &dialect::ANSWERING, "req_1");
            let told = members(response).await;
            let code = told["error"].as_str().expect("a code").to_ascii_lowercase();
            assert_eq!(told["type"], format!("urn:screenerd:problem:{code}"));
            assert_eq!(code == "invalid_response", kind == Kind::InvalidArgument);
        }
    }

    #[tokio::test]
    async fn violations_are_listed_and_internal_texts_are_not() {
        let error = Error::invalid(vec![Violation::new("a", "One."), Violation::new("b", "Two.")]);
        let listed = members(response(&error, &PLAIN, "req_1")).await;
        let expected = serde_json::json!([
            {"field": "a", "reason": "One."}, {"field": "b", "reason": "Two."}
        ]);
        assert_eq!(listed["violations"], expected);
        let fault = response(&Error::internal("sqlite: disk I/O error"), &PLAIN, "req_1");
        assert!(!members(fault).await.to_string().contains("sqlite"));
    }

    #[test]
    fn a_401_lists_the_headers_of_its_dialect_and_the_bearer_token() {
        let response = response(&Error::new(Kind::Unauthorized, "…"), &PLAIN, "req_1");
        let challenges: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
        assert_eq!(
            challenges,
            [
                r#"ApiKey realm="screenerd", headers="X-Key, X-Secret""#,
                r#"Bearer realm="screenerd""#
            ]
        );
    }
}
