//! Reports of faults: a request id for the caller, and a log line with the same id.

use super::App;
use crate::domain::error::{Error, Kind};
use crate::domain::id::mint;

/// The place of a refusal for the log: the template of a route, never a path, which can contain a
/// panelist's id or a link.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A call of an RPC.
    Call {
        /// The service, with its package.
        service: &'a str,
        /// The method.
        method: &'a str,
    },
    /// A request on a documented route.
    Request(&'a str),
    /// A page behind a link.
    Page(&'a str),
    /// A file download. After its head is sent, a fault can only abort it.
    Download,
}

impl App {
    /// Returns the request id of a refused request, and logs the refusal if it is a server fault.
    #[must_use]
    pub fn report(&self, error: &Error, place: Place<'_>) -> String {
        let id = mint("req", self.now(), self.entropy());
        let (noun, service, method, route) = match place {
            Place::Call { service, method } => ("call", Some(service), Some(method), None),
            Place::Request(route) => ("request", None, None, Some(route)),
            Place::Page(route) => ("page", None, None, Some(route)),
            Place::Download => ("download", None, None, None),
        };
        let internal = error.internal_text();
        if error.kind() == Kind::Internal {
            tracing::error!(
                request.id = %id,
                rpc.service = service,
                rpc.method = method,
                http.route = route,
                error.internal = internal.as_deref().unwrap_or(error.detail()),
                "a {noun} failed"
            );
        } else if let (Kind::Unavailable, Some(internal)) = (error.kind(), internal) {
            // Without a cause it is a limit. Callers could fill the log with those.
            tracing::warn!(
                request.id = %id,
                rpc.service = service,
                rpc.method = method,
                http.route = route,
                error.internal = internal,
                "a {noun} could not be served"
            );
        }
        id
    }
}
