//! The gRPC transport: authenticate, parse, call one use case, convert.
//!
//! # The way of a call
//!
//! `front` turns away what is not gRPC, finds the row of the method in `rpcs`, has `auth` judge the
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
//! - Compression: answers are small, and an attacker's messages stay as large as they look.
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
mod health;
mod look;
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

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::codegen::StdError;
use tonic_health::pb::health_server::HealthServer;
use tower::Service;

use crate::app::App;
use crate::domain::error::Error;
use crate::pb::screener::v1::admin_service_server::AdminServiceServer;
use crate::pb::screener::v1::funnel_service_server::FunnelServiceServer;
use crate::pb::screener::v1::history_service_server::HistoryServiceServer;
use crate::pb::screener::v1::look_service_server::LookServiceServer;
use crate::pb::screener::v1::panelist_service_server::PanelistServiceServer;
use crate::pb::screener::v1::panelist_session_service_server::PanelistSessionServiceServer;
use crate::pb::screener::v1::participant_service_server::ParticipantServiceServer;
use crate::pb::screener::v1::project_service_server::ProjectServiceServer;
use crate::pb::screener::v1::screener_response_service_server::ScreenerResponseServiceServer;
use crate::pb::screener::v1::screener_service_server::ScreenerServiceServer;
use crate::pb::screener::v1::screener_session_service_server::ScreenerSessionServiceServer;
use crate::pb::screener::v1::submission_service_server::SubmissionServiceServer;
use crate::receive::Receiver;

use admin::Admin;
use change::Histories;
use front::Front;
use funnel::Funnels;
use health::Health;
use look::Looks;
use panelist::Panelists;
use panelist_session::PanelistSessions;
use participant::Participants;
use project::Projects;
use refusal::Refusals;
use response::Responses;
use route::{Local, Public, PublicServices};
use rpcs::{LOCAL, PUBLIC};
use screener::Screeners;
use session::Sessions;
use submission::Submissions;

pub use admin::Importer;
pub use auth::Gate;
pub use deadline::Bounded;
pub use export::Exporter;

/// The largest message that any RPC takes.
pub const MESSAGE_MAX_BYTES: usize = rpcs::LARGE_MESSAGE_MAX_BYTES;

/// The services of the public port. Health says `NOT_SERVING` until `readiness` is true and once
/// `shutdown` is asked for, which also ends the streams of health and reflection. `deadline_max` is
/// the longest that a call may take until its response begins.
#[must_use]
pub fn service<B>(
    app: Arc<App>,
    gate: Gate,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
    deadline_max: Duration,
) -> impl Service<Request<B>, Response = Response<Bounded>, Error = Infallible, Future: Send + 'static>
+ Clone
+ Send
+ 'static
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    public(app, gate, readiness, shutdown, deadline_max)
}

/// What gives an error of a call the shape of every other refusal, for those who stand in front of
/// the service.
pub fn refusals(app: Arc<App>) -> impl Fn(&Error, &Uri) -> tonic::Status {
    let refusals = Refusals::new(app);
    move |error, uri| refusals.status(error, rpcs::find(uri.path()))
}

/// The same, by its name.
fn public(
    app: Arc<App>,
    gate: Gate,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
    deadline_max: Duration,
) -> Front<Public<impl reflection::Served, impl reflection::Served>> {
    let services = PublicServices {
        sessions: ScreenerSessionServiceServer::new(Sessions(Arc::clone(&app))),
        responses: ScreenerResponseServiceServer::new(Responses(Arc::clone(&app))),
        submissions: SubmissionServiceServer::new(Submissions(Arc::clone(&app))),
        panelists: PanelistServiceServer::new(Panelists(Arc::clone(&app))),
        panelist_sessions: PanelistSessionServiceServer::new(PanelistSessions(Arc::clone(&app))),
        projects: ProjectServiceServer::new(Projects(Arc::clone(&app))),
        screeners: ScreenerServiceServer::new(Screeners(Arc::clone(&app))),
        participants: ParticipantServiceServer::new(Participants(Arc::clone(&app))),
        funnels: FunnelServiceServer::new(Funnels(Arc::clone(&app))),
        looks: LookServiceServer::new(Looks(Arc::clone(&app))),
        histories: HistoryServiceServer::new(Histories(Arc::clone(&app))),
        health: HealthServer::new(Health::new(readiness, shutdown.clone(), PUBLIC)),
        reflection: reflection::v1(PUBLIC),
        reflection_alpha: reflection::v1alpha(PUBLIC),
        shutdown,
    };
    Front::new(Public(Arc::new(services)), gate, Refusals::new(app), Some(deadline_max))
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

/// The services of the local socket, administration and health, for any body: commands that find no
/// server call them in their own process.
///
/// An import is spooled into a file, which is gone once the import is, and then loaded. There is no longest deadline, because a large import takes as long as
/// it takes, and whoever may open the socket may do worse than to occupy it.
pub fn admin_service<B>(
    app: Arc<App>,
    files: Files,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> impl Service<Request<B>, Response = Response<Bounded>, Error = Infallible, Future: Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    local(app, files, readiness, shutdown)
}

fn local(
    app: Arc<App>,
    files: Files,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> Front<Local> {
    let Files { importer, exporter, spool } = files;
    let services = Local {
        admin: AdminServiceServer::new(Admin { app: Arc::clone(&app), importer, exporter, spool }),
        health: HealthServer::new(Health::new(readiness, shutdown, LOCAL)),
    };
    // An import goes to a file as it arrives, and few callers can open the socket.
    let gate = Gate::new(Arc::clone(&app), Receiver::unbounded());
    Front::new(services, gate, Refusals::new(app), None)
}
