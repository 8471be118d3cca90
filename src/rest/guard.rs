//! The guard around every handler: it enforces the deadline, catches panics, and is the only place
//! where an error is logged and becomes a response.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderValue, StatusCode};

use super::dialect::Dialect;
use super::{Gateway, problem};
use crate::app::{App, Place};
use crate::domain::error::{Error, Kind};
use crate::meter::Call;

/// The error type of handlers; `?` converts any [`Error`] into it.
pub(super) struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The error inside a response, on its way from the handler to the guard.
#[derive(Clone)]
struct Refused(Arc<Error>);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Refused(Arc::new(self.0)));
        response
    }
}

/// The guard of one dialect's routes.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) app: Arc<App>,
    pub(super) deadline: Duration,
    pub(super) dialect: &'static Dialect,
}

impl Guard {
    /// Wraps routes in the guard, including the fallbacks for unknown methods and paths.
    pub(super) fn around(self, routes: Router<Gateway>) -> Router<Gateway> {
        routes.method_not_allowed_fallback(wrong_method).layer(from_fn_with_state(self, watch))
    }
}

async fn wrong_method() -> Refusal {
    Error::new(
        Kind::MethodNotAllowed,
        "This path does not support this method. The Allow header lists those that it supports.",
    )
    .into()
}

/// Marks a response whose bytes are in memory anyway, so that it is not charged.
#[derive(Clone, Copy)]
pub(super) struct Kept;

async fn watch(
    State(guard): State<Guard>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    if let (Some(call), Some(route)) = (Call::of(request.extensions()), &route) {
        call.set_route(route.as_str());
    }
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = match tokio::time::timeout(guard.deadline, work).await {
        Ok(Ok(response)) => response,
        // The panic hook has received the message, which may contain secrets.
        Ok(Err(_)) => Refusal(Error::internal("a handler panicked")).into_response(),
        Err(_) => {
            let detail = "The request took longer than the server allows.";
            Refusal(Error::new(Kind::DeadlineExceeded, detail)).into_response()
        }
    };
    let mut response = guard.finish(response, route.as_ref());
    // Keeps browsers from guessing another content type.
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

impl Guard {
    /// Charges a response for its bytes, or replaces it with the refusal that it contains.
    fn finish(&self, mut response: Response, route: Option<&MatchedPath>) -> Response {
        let error = match response.extensions_mut().remove() {
            Some(Refused(error)) => error,
            None if response.extensions_mut().remove::<Kept>().is_some() => return response,
            None if self.app.sending().try_charge_response(&mut response) => return response,
            None => {
                response = Response::default();
                Arc::new(Error::sending())
            }
        };
        let route = route.map_or("none", MatchedPath::as_str);
        let id = self.app.report(&error, Place::Request(route));
        let mut answer = problem::response(&error, self.dialect, &id);
        for (name, value) in response.headers() {
            answer.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        answer
    }
}
