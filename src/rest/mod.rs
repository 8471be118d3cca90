//! The documented REST routes, one file per noun, and the routes about the server itself.
//!
//! A handler authenticates, validates path, query and body, makes one call, and converts its
//! result. Its refusals travel as an [`Error`](crate::domain::error::Error) to one `guard`, the
//! only place where an error becomes a response. So a refusal looks the same wherever it occurs.
//!
//! # Invariants
//!
//! - Authentication precedes validation, the 404 of a row, and reading the body. Hence handlers
//!   read segments, queries and bodies themselves: an extractor would respond first.
//! - No text of the framework or of a library reaches a caller.
//! - Each noun has its own output types, with their members in the documented order.
//! - Only `dialect` knows vendors: their headers, words and codes.
//!
//! # Deliberately absent
//!
//! - Rules: they live in the layers below, so that gRPC and REST cannot differ.
//! - Bodies of requests that are not documented to have one: they are not read.

mod answering;
mod body;
mod dialect;
mod export;
mod guard;
mod json;
mod openapi;
mod panelist;
mod path;
mod problem;
mod query;
mod response;
mod route;
mod schema;
mod session;
mod submission;
mod system;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use axum::response::Response;

use crate::app::App;
use crate::receive::Receiver;
use guard::{Guard, Refusal};
use route::Routes;

/// The state of the gateway.
#[derive(Clone)]
pub struct Gateway {
    /// The use cases.
    pub app: Arc<App>,
    /// The encoded descriptor set of the contract, as served to clients.
    pub descriptor: &'static [u8],
    /// Returns whether the server accepts new requests.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Returns whether a path is that of an RPC. The refusal then explains how to call it.
    pub is_rpc_path: fn(&str) -> bool,
    /// The longest request body that is read.
    pub body_max_bytes: usize,
    /// The budget to which the bytes of request bodies are charged.
    pub receiver: Receiver,
    /// The longest duration of a request, including its body.
    pub deadline: Duration,
}

impl FromRef<Gateway> for Arc<App> {
    fn from_ref(gateway: &Gateway) -> Self {
        Self::clone(&gateway.app)
    }
}

/// Returns whether pages of other origins may call this path, if the operator allows their origin:
/// panelists' browsers call it. The other dialects have credentials that no browser should have.
#[must_use]
pub fn is_for_browsers(path: &str) -> bool {
    path.starts_with("/public/surveys/")
}

/// The result of a handler.
type Answer = Result<Response, Refusal>;

/// Returns a router with every route of the gateway. It has a fallback for every other path, so a
/// router that is merged into it must have none.
pub fn router(gateway: Gateway) -> Router {
    let dialects = [
        session::routes().and(response::routes()),
        submission::routes(),
        panelist::routes(),
        answering::routes(),
    ];
    let system = system::routes(gateway.descriptor, &dialects);
    let mut router = Router::new();
    for Routes { dialect, router: routes, .. } in dialects.into_iter().chain([system]) {
        let guard = Guard { app: gateway.app.clone(), deadline: gateway.deadline, dialect };
        router = router.merge(guard.around(routes));
    }
    router.with_state(gateway)
}
