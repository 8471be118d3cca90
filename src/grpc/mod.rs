//! The gRPC transport: authenticate, parse, call one use case, convert.
//!
//! # The path of a call
//!
//! `front` rejects requests that are not gRPC, finds the row of the method in `rpcs`, has `gate`
//! check the credential from the headers, and adds a deadline and a panic guard. `route` finds the
//! service, and the file of the noun handles the method. `refusal` converts every refusal to one
//! shape on the way out.
//!
//! # Invariants
//!
//! - No byte of a message is read before its credential is accepted, and a handler queries the
//!   store only after every field is validated.
//! - Every refusal has `ErrorInfo` and `RequestInfo` of google.rpc, all violations that fit, and
//!   the code from the table of kinds. The only exception is an unknown method, for which clients
//!   expect UNIMPLEMENTED.
//! - Request ids are minted for refusals only.
//! - An incoming message is destructured as a whole, so that a new field does not compile until the
//!   code handles it.
//!
//! # Deliberately absent
//!
//! - Compression of responses to clients that do not compress: many offer it with every call, and a
//!   page would take twice as long.
//! - gRPC-Web and Connect: `connect` translates them to calls of this module.

mod admin;
mod auth;
mod change;
pub(crate) mod codec;
mod convert;
mod deadline;
mod error;
mod export;
mod front;
mod funnel;
mod gate;
mod health;
mod look;
mod messages;
mod panelist;
mod panelist_session;
mod participant;
mod project;
mod question;
mod questionnaire;
mod reflection;
mod refusal;
mod response;
mod route;
mod rpcs;
mod screener;
mod session;
mod submission;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::error::Error;
use crate::receive::Receiver;
use front::Front;
use refusal::Refusals;
use route::{Local, Operations, Public};

pub use admin::Importer;
pub use deadline::Bounded;
pub use export::Exporter;
pub use gate::Gate;

/// The largest message that any RPC accepts.
pub const MESSAGE_MAX_BYTES: usize = rpcs::LARGE_MESSAGE_MAX_BYTES;

/// Returns the services of the public port. Health reports `NOT_SERVING` until `readiness` is true
/// and after `shutdown`, which also ends the streams of health and reflection. `deadline_max` is
/// the longest duration of a call until its response begins.
#[must_use]
pub fn service(
    app: Arc<App>,
    gate: Gate,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
    deadline_max: Duration,
) -> Front<Arc<Public>> {
    let services = Arc::new(route::public(&app, readiness, shutdown));
    Front::new(services, gate, Refusals(app), Some(deadline_max))
}

/// Returns the health service of the operator's address.
#[must_use]
pub fn operations_service(
    app: Arc<App>,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> Front<Operations> {
    let gate = Gate::new(Arc::clone(&app), Receiver::unbounded());
    Front::new(Operations::new(readiness, shutdown), gate, Refusals(app), None)
}

/// Returns a function that converts an error of a call to the common shape of refusals, for
/// transports in front of the service.
pub fn refusals(app: Arc<App>) -> impl Fn(&Error, &Uri) -> tonic::Status {
    let refusals = Refusals(app);
    move |error, uri| refusals.status(error, rpcs::find(uri.path()))
}

/// The encoders and decoders of files.
#[derive(Clone)]
pub struct Files {
    /// Loads an import file.
    pub importer: Importer,
    /// Encodes the file of an export.
    pub exporter: Exporter,
    /// The folder of the temporary file for an import.
    pub spool: PathBuf,
}

/// The services of the local socket, cloned for every connection.
pub type AdminHttp = Front<Local>;

/// Returns the services of the local socket, administration and health, for any body. Commands that
/// find no server call them in their own process.
///
/// An import is spooled into a temporary file and then loaded. There is no server deadline: a large
/// import takes long, and a caller that can open the socket could do worse than occupy it.
#[must_use]
pub fn admin_service(
    app: Arc<App>,
    files: Files,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> AdminHttp {
    let services = Local::new(Arc::clone(&app), files, readiness, shutdown);
    // An import is written to a file as it arrives, and few callers can open the socket.
    let gate = Gate::new(Arc::clone(&app), Receiver::unbounded());
    Front::new(services, gate, Refusals(app), None)
}
