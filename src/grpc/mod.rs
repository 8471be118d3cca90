//! The gRPC transport: authenticate, parse, call one use case, convert.
//!
//! # The way of a call
//!
//! `front` turns away what is not gRPC, finds the row of the method in `rpcs`, has `gate` judge the
//! credential from the headers, and puts deadline and panic guard around the handler; `route` finds
//! the service; the file of the noun handles the method; `refusal` shapes every refusal on the way
//! out.
//!
//! # Invariants
//!
//! - Not a byte of a message is read before the credential was accepted, and a handler looks anything
//!   up only after every field was checked.
//! - Every refusal carries `ErrorInfo` and `RequestInfo` of google.rpc, all violations that fit, and the
//!   code of the one table of kinds. The only exception is an unknown method: UNIMPLEMENTED is the
//!   word that clients know for it.
//! - Request ids are minted for refusals only.
//! - An incoming message is destructured as a whole, so that a new field does not compile until
//!   somebody decides what it means.
//!
//! # Deliberately absent
//!
//! - Compression of answers to callers that do not compress: many offer it with every call, and a page
//!   would take twice as long.
//! - gRPC-Web and Connect: `connect` stands in front and calls what is here.

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
use route::{Local, Public};

pub use admin::Importer;
pub use deadline::Bounded;
pub use export::Exporter;
pub use gate::Gate;

/// The largest message that any RPC takes.
pub const MESSAGE_MAX_BYTES: usize = rpcs::LARGE_MESSAGE_MAX_BYTES;

/// The services of the public port. Health says `NOT_SERVING` until `readiness` is true and once
/// `shutdown` is asked for, which also ends the streams of health and reflection. `deadline_max` is
/// the longest that a call may take until its response begins.
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

/// What gives an error of a call the shape of every other refusal, for those who stand in front of
/// the service.
pub fn refusals(app: Arc<App>) -> impl Fn(&Error, &Uri) -> tonic::Status {
    let refusals = Refusals(app);
    move |error, uri| refusals.status(error, rpcs::find(uri.path()))
}

/// What makes data of files and files of data.
#[derive(Clone)]
pub struct Files {
    /// Loads an import file.
    pub importer: Importer,
    /// Makes a file of an export.
    pub exporter: Exporter,
    /// The folder in which an import file is kept while it is received.
    pub spool: PathBuf,
}

/// The services of the local socket, cloned for every connection.
pub type AdminHttp = Front<Local>;

/// The services of the local socket, administration and health, for any body: commands that find no
/// server call them in their own process.
///
/// An import is spooled into a file, which is gone once the import is, and then loaded. There is no
/// longest deadline, because a large import takes as long as it takes, and whoever may open the socket
/// may do worse than to occupy it.
#[must_use]
pub fn admin_service(
    app: Arc<App>,
    files: Files,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> AdminHttp {
    let services = Local::new(Arc::clone(&app), files, readiness, shutdown);
    // An import goes to a file as it arrives, and few callers can open the socket.
    let gate = Gate::new(Arc::clone(&app), Receiver::unbounded());
    Front::new(services, gate, Refusals(app), None)
}
