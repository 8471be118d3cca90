//! The dialects of the vendors. No other file of this layer knows vendors.
//!
//! A dialect comprises what the routes of one document share: the headers of their credential,
//! their error codes and statuses, and their heading in the OpenAPI document.

use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use super::Answer;
use crate::app::{App, Caller, Permission};
use crate::domain::error::{Kind, Result};
use crate::domain::version::{API_VERSION, check_api_version};
use crate::header::text_once;

/// The refusals of one dialect, and the heading of its routes in the OpenAPI document.
pub(super) struct Dialect {
    /// The heading of its routes in the OpenAPI document.
    pub(super) tag: &'static str,
    /// The description below that heading.
    pub(super) about: &'static str,
    /// The headers that carry its own credential, as `WWW-Authenticate` lists them.
    pub(super) credential_headers: Option<&'static str>,
    /// Whether it accepts a bearer token, too.
    pub(super) takes_bearer: bool,
    /// Returns its code for a kind of error.
    pub(super) code: fn(Kind) -> &'static str,
    /// Returns its HTTP status for a kind of error.
    pub(super) status: fn(Kind) -> u16,
}

impl Dialect {
    /// Returns the headers that carry its own credential.
    pub(super) fn headers(&self) -> impl Iterator<Item = &'static str> {
        self.credential_headers.into_iter().flat_map(|names| names.split(", "))
    }
}

/// The routes about the server itself. Codes and statuses are those of the table of kinds, as in
/// every dialect that does not override them.
pub(super) const SERVER: Dialect = Dialect {
    tag: "server",
    about: "The state and the description of the server. No credential required.",
    credential_headers: None,
    takes_bearer: true,
    code: |kind| kind.mapping().code,
    status: |kind| kind.mapping().http,
};

/// Sessions and their responses.
pub(super) const SESSIONS: Dialect = Dialect {
    tag: "sessions",
    about: "Sessions and their responses.",
    credential_headers: Some("X-Spot-Api-Key, X-Spot-Api-Secret"),
    ..SERVER
};

/// Submissions and their review.
pub(super) const SUBMISSIONS: Dialect = Dialect {
    tag: "submissions",
    about: "Submissions and their review. A submission is called a screener response here.",
    credential_headers: Some("x-api-key, x-api-secret"),
    ..SERVER
};

/// Panelist access.
pub(super) const PANELISTS: Dialect = Dialect {
    tag: "panelists",
    about: "Panelist access.",
    credential_headers: Some("X-API-Key"),
    code: panelist_code,
    ..SERVER
};

/// The routes that panelists call.
pub(super) const ANSWERING: Dialect = Dialect {
    tag: "answering",
    about: "Calls of panelists. The whole header is their key or the link of a session.",
    credential_headers: Some("Authorization"),
    takes_bearer: false,
    code: answering_code,
    status: answering_status,
};

/// Returns the code of a kind. This dialect documents two codes in another spelling.
fn panelist_code(kind: Kind) -> &'static str {
    if kind == Kind::Unauthorized {
        "Unauthorized"
    } else if kind == Kind::Forbidden {
        "Forbidden"
    } else {
        kind.mapping().code
    }
}

/// Returns the code of a kind, as this dialect documents it.
fn answering_code(kind: Kind) -> &'static str {
    if kind == Kind::InvalidArgument { "invalid_response" } else { panelist_code(kind) }
}

/// Returns the status of a kind: 403 for every panelist who may not answer, whatever the reason.
fn answering_status(kind: Kind) -> u16 {
    if matches!(kind, Kind::NotOpen | Kind::Exhausted | Kind::Gone) {
        Kind::Forbidden.mapping().http
    } else {
        kind.mapping().http
    }
}

/// The version header, in the documented spelling.
pub(super) const VERSION_HEADER_NAME: &str = "X-Spot-Api-Version";
const VERSION_HEADER: HeaderName = HeaderName::from_static("x-spot-api-version");

/// Authenticates the caller, then checks the version, in which every response is written.
pub(super) async fn admit<P: Permission>(app: &App, parts: &Parts) -> Result<Caller<P>> {
    let caller = app.authenticate::<P>(&parts.headers).await?;
    check_api_version(text_once(&parts.headers, VERSION_HEADER))?;
    Ok(caller)
}

/// Adds the version header to a response, including a refusal.
pub(super) fn versioned(answer: Answer) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(API_VERSION));
    response
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn one_version_header_is_read_and_two_are_refused() {
        for (values, is_good) in [
            (&[][..], true),
            (&["1.0.0"][..], true),
            (&["2024-11-15"][..], true),
            (&["9.9.9"][..], false),
            (&["\u{fc}"][..], false),
            (&["1.0.0", "1.0.0"][..], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
                headers.append(VERSION_HEADER, value);
            }
            let checked = check_api_version(text_once(&headers, VERSION_HEADER));
            assert_eq!(checked.is_ok(), is_good, "{values:?}");
        }
    }
}
