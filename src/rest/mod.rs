//! The documented REST routes, one file per noun, and what the server says about itself.
//!
//! A handler authenticates, checks the path, the query and the body, makes one call, and converts.
//! Whatever it refuses travels as an [`Error`](crate::domain::error::Error) to one `guard`, the
//! only place where an error becomes an answer; so a refusal looks the same wherever it happens.
//!
//! # Invariants
//!
//! - Authentication comes before validation, before the 404 of a row and before a byte of the body.
//!   Hence handlers read segments, queries and bodies themselves: an extractor would answer first.
//! - No text of the framework or of a library reaches a caller.
//! - Each noun has output types of its own, whose members stand in the documented order.
//! - Only `dialect` knows vendors: their headers, words and codes.
//!
//! # Deliberately absent
//!
//! - Rules: they live below, so that gRPC and REST cannot differ.
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

/// What the gateway works with.
#[derive(Clone)]
pub struct Gateway {
    /// The use cases.
    pub app: Arc<App>,
    /// The encoded descriptor set of the contract, as it is served.
    pub descriptor: &'static [u8],
    /// Whether new requests are welcome.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Whether a path is that of an RPC, so that a caller can be told how to call it.
    pub is_rpc_path: fn(&str) -> bool,
    /// The longest body of a request that is read.
    pub body_max_bytes: usize,
    /// What the bytes of bodies are charged to.
    pub receiver: Receiver,
    /// The longest a request may take, its body included.
    pub deadline: Duration,
}

impl FromRef<Gateway> for Arc<App> {
    fn from_ref(gateway: &Gateway) -> Self {
        Self::clone(&gateway.app)
    }
}

/// Whether pages of other origins may call this path, if the operator allows their origin: what
/// panelists' browsers call. The other dialects carry credentials that no browser should hold.
#[must_use]
pub fn is_for_browsers(path: &str) -> bool {
    path.starts_with("/public/surveys/")
}

/// What a handler returns.
type Answer = Result<Response, Refusal>;

/// Every route of the gateway, and the answer to every other path. It has a fallback, so what is
/// merged into it must have none.
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
