//! The one report of a fault: the id under which a refusal is answered, and the line of the log that
//! has the same id.

use super::App;
use crate::domain::error::{Error, Kind};
use crate::domain::id::mint;

/// Where a caller was refused, as the log names it: by the template of a route, never by a path, which
/// may hold a panelist's id or open a link.
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
    /// A file that is on its way: once its head is out, a fault can only break it off.
    Download,
}

impl App {
    /// Returns the id of a refused request, and logs the refusal if it is a fault of the server.
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
            // Without a cause it is a limit that callers reached, and they could fill the log.
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
