//! Dispatch of RPCs to services.
//!
//! A plain match instead of a router: the services are known, and a router would slow each call.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, StdError};
use tonic_health::pb::health_server::HealthServer;
use tower::Service as _;

use super::Files;
use super::admin::Admin;
use super::change::Histories;
use super::funnel::Funnels;
use super::health::Health;
use super::look::Looks;
use super::panelist::Panelists;
use super::panelist_session::PanelistSessions;
use super::participant::Participants;
use super::project::Projects;
use super::reflection;
use super::refusal::Refusals;
use super::response::Responses;
use super::rpcs::{self, Rpc, Service};
use super::screener::Screeners;
use super::session::Sessions;
use super::submission::Submissions;
use crate::app::App;
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

/// The future response to a call.
pub(super) type Answering = BoxFuture<Response<Body>, Infallible>;

/// The services of one listener, behind one front.
pub trait Services<B>: Clone + Send + Sync + 'static {
    /// The services that are served.
    const SERVED: &'static [Service];

    /// Calls an RPC of one of the services.
    fn call(&self, rpc: &'static Rpc, request: Request<B>) -> Answering;
}

/// The services of the public port.
pub struct Public {
    sessions: ScreenerSessionServiceServer<Sessions>,
    responses: ScreenerResponseServiceServer<Responses>,
    submissions: SubmissionServiceServer<Submissions>,
    panelists: PanelistServiceServer<Panelists>,
    panelist_sessions: PanelistSessionServiceServer<PanelistSessions>,
    projects: ProjectServiceServer<Projects>,
    screeners: ScreenerServiceServer<Screeners>,
    participants: ParticipantServiceServer<Participants>,
    funnels: FunnelServiceServer<Funnels>,
    looks: LookServiceServer<Looks>,
    histories: HistoryServiceServer<Histories>,
    health: HealthServer<Health>,
    reflection: reflection::Server,
    shutdown: CancellationToken,
}

/// Creates the services of the public port.
pub(super) fn public(
    app: &Arc<App>,
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
) -> Public {
    let app = || Arc::clone(app);
    Public {
        sessions: ScreenerSessionServiceServer::new(Sessions(app())),
        responses: ScreenerResponseServiceServer::new(Responses(app())),
        submissions: SubmissionServiceServer::new(Submissions(app())),
        panelists: PanelistServiceServer::new(Panelists(app())),
        panelist_sessions: PanelistSessionServiceServer::new(PanelistSessions(app())),
        projects: ProjectServiceServer::new(Projects(app())),
        screeners: ScreenerServiceServer::new(Screeners(app())),
        participants: ParticipantServiceServer::new(Participants(app())),
        funnels: FunnelServiceServer::new(Funnels(app())),
        looks: LookServiceServer::new(Looks(app())),
        histories: HistoryServiceServer::new(Histories(app())),
        health: HealthServer::new(Health::new(readiness, shutdown.clone(), rpcs::PUBLIC)),
        reflection: reflection::server(rpcs::PUBLIC, Refusals(app())),
        shutdown,
    }
}

/// Calls a clone of a generated service, which shares its state, with the message limit in the row
/// of the RPC.
macro_rules! call {
    ($server:expr, $rpc:ident, $request:ident) => {
        $server.clone().max_decoding_message_size($rpc.message_max_bytes).call($request)
    };
}

impl<B> Services<B> for Arc<Public>
where
    B: http_body::Body<Data = Bytes, Error: Into<StdError> + Send + 'static> + Send + 'static,
{
    const SERVED: &'static [Service] = rpcs::PUBLIC;

    fn call(&self, rpc: &'static Rpc, request: Request<B>) -> Answering {
        let services = &**self;
        match rpc.service {
            Service::Sessions => call!(services.sessions, rpc, request),
            Service::Responses => call!(services.responses, rpc, request),
            Service::Submissions => call!(services.submissions, rpc, request),
            Service::Panelists => call!(services.panelists, rpc, request),
            Service::PanelistSessions => call!(services.panelist_sessions, rpc, request),
            Service::Projects => call!(services.projects, rpc, request),
            Service::Screeners => call!(services.screeners, rpc, request),
            Service::Participants => call!(services.participants, rpc, request),
            Service::Funnels => call!(services.funnels, rpc, request),
            Service::Looks => call!(services.looks, rpc, request),
            Service::Histories => call!(services.histories, rpc, request),
            Service::Health => call!(services.health, rpc, request),
            Service::Reflection | Service::ReflectionAlpha => {
                let request = reflection::until_shutdown(request, &services.shutdown);
                let request = reflection::as_v1(request);
                call!(services.reflection, rpc, request)
            }
            // The front rejects them all.
            Service::Admin => Box::pin(future::ready(Ok(Status::unimplemented("").into_http()))),
        }
    }
}

/// The services of the local socket.
#[derive(Clone)]
pub struct Local {
    admin: AdminServiceServer<Admin>,
    health: HealthServer<Health>,
}

impl Local {
    pub(super) fn new(
        app: Arc<App>,
        files: Files,
        readiness: watch::Receiver<bool>,
        shutdown: CancellationToken,
    ) -> Self {
        let Files { importer, exporter, spool } = files;
        let admin = Admin { app, importer, exporter, spool };
        let health = Health::new(readiness, shutdown, rpcs::LOCAL);
        Self { admin: AdminServiceServer::new(admin), health: HealthServer::new(health) }
    }
}

impl<B> Services<B> for Local
where
    B: http_body::Body<Data = Bytes, Error: Into<StdError> + Send + 'static> + Send + 'static,
{
    const SERVED: &'static [Service] = rpcs::LOCAL;

    fn call(&self, rpc: &'static Rpc, request: Request<B>) -> Answering {
        // The front rejects all others.
        if rpc.service == Service::Admin {
            call!(self.admin, rpc, request)
        } else {
            call!(self.health, rpc, request)
        }
    }
}

/// The service of the operator's address.
#[derive(Clone)]
pub struct Operations(HealthServer<Health>);

impl Operations {
    pub(super) fn new(readiness: watch::Receiver<bool>, shutdown: CancellationToken) -> Self {
        Self(HealthServer::new(Health::new(readiness, shutdown, rpcs::PUBLIC)))
    }
}

impl<B> Services<B> for Operations
where
    B: http_body::Body<Data = Bytes, Error: Into<StdError> + Send + 'static> + Send + 'static,
{
    const SERVED: &'static [Service] = rpcs::OPERATIONS;

    fn call(&self, rpc: &'static Rpc, request: Request<B>) -> Answering {
        // The front rejects all others.
        call!(self.0, rpc, request)
    }
}
