//! Which service answers a path.
//!
//! A plain match instead of a router: the services are known, and each call would pay for more.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, StdError};
use tonic_health::pb::health_server::{self, HealthServer};
use tower::Service;

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
use super::refusal::Rpc;
use super::response::Responses;
use super::screener::Screeners;
use super::session::Sessions;
use super::submission::Submissions;
use crate::pb::screener::v1::admin_service_server::{self as admin, AdminServiceServer};
use crate::pb::screener::v1::funnel_service_server::{self as funnel, FunnelServiceServer};
use crate::pb::screener::v1::history_service_server::{self as history, HistoryServiceServer};
use crate::pb::screener::v1::look_service_server::{self as look, LookServiceServer};
use crate::pb::screener::v1::panelist_service_server::{self as panelist, PanelistServiceServer};
use crate::pb::screener::v1::panelist_session_service_server::{
    self as panelist_session, PanelistSessionServiceServer,
};
use crate::pb::screener::v1::participant_service_server::{
    self as participant, ParticipantServiceServer,
};
use crate::pb::screener::v1::project_service_server::{self as project, ProjectServiceServer};
use crate::pb::screener::v1::screener_response_service_server::{
    self as response, ScreenerResponseServiceServer,
};
use crate::pb::screener::v1::screener_service_server::{self as screener, ScreenerServiceServer};
use crate::pb::screener::v1::screener_session_service_server::{
    self as session, ScreenerSessionServiceServer,
};
use crate::pb::screener::v1::submission_service_server::{
    self as submission, SubmissionServiceServer,
};

/// The services of the public port: what reflection lists and what health answers for.
pub(super) const PUBLIC: &[&str] = &[
    session::SERVICE_NAME,
    response::SERVICE_NAME,
    submission::SERVICE_NAME,
    panelist::SERVICE_NAME,
    panelist_session::SERVICE_NAME,
    project::SERVICE_NAME,
    screener::SERVICE_NAME,
    participant::SERVICE_NAME,
    funnel::SERVICE_NAME,
    look::SERVICE_NAME,
    history::SERVICE_NAME,
    health_server::SERVICE_NAME,
    reflection::V1,
    reflection::V1ALPHA,
];

/// The services of the local socket.
pub(super) const LOCAL: &[&str] = &[admin::SERVICE_NAME, health_server::SERVICE_NAME];

type Answering = BoxFuture<Response<Body>, Infallible>;

/// What the framework answers for a method that a service does not have.
fn unknown() -> Answering {
    Box::pin(future::ready(Ok(Status::unimplemented("").into_http())))
}

/// The public port. Each request has a copy of it, and so it is only a handle.
pub(super) struct Public<R, A>(pub(super) Arc<Services<R, A>>);

impl<R, A> Clone for Public<R, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The services of the public port.
pub(super) struct Services<R, A> {
    pub(super) sessions: ScreenerSessionServiceServer<Sessions>,
    pub(super) responses: ScreenerResponseServiceServer<Responses>,
    pub(super) submissions: SubmissionServiceServer<Submissions>,
    pub(super) panelists: PanelistServiceServer<Panelists>,
    pub(super) panelist_sessions: PanelistSessionServiceServer<PanelistSessions>,
    pub(super) projects: ProjectServiceServer<Projects>,
    pub(super) screeners: ScreenerServiceServer<Screeners>,
    pub(super) participants: ParticipantServiceServer<Participants>,
    pub(super) funnels: FunnelServiceServer<Funnels>,
    pub(super) looks: LookServiceServer<Looks>,
    pub(super) histories: HistoryServiceServer<Histories>,
    pub(super) health: HealthServer<Health>,
    pub(super) reflection: R,
    pub(super) reflection_alpha: A,
    pub(super) shutdown: CancellationToken,
}

impl<B, R, A> Service<Request<B>> for Public<R, A>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
    R: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answering>,
    R: Clone,
    A: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answering>,
    A: Clone,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Generated services are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        // The call of a generated service takes `&mut self` and shares what is in it.
        let services = &*self.0;
        match Rpc::of(request.uri()).names().0 {
            session::SERVICE_NAME => services.sessions.clone().call(request),
            response::SERVICE_NAME => services.responses.clone().call(request),
            submission::SERVICE_NAME => services.submissions.clone().call(request),
            panelist::SERVICE_NAME => services.panelists.clone().call(request),
            panelist_session::SERVICE_NAME => services.panelist_sessions.clone().call(request),
            project::SERVICE_NAME => services.projects.clone().call(request),
            screener::SERVICE_NAME => services.screeners.clone().call(request),
            participant::SERVICE_NAME => services.participants.clone().call(request),
            funnel::SERVICE_NAME => services.funnels.clone().call(request),
            look::SERVICE_NAME => services.looks.clone().call(request),
            history::SERVICE_NAME => services.histories.clone().call(request),
            health_server::SERVICE_NAME => services.health.clone().call(request),
            reflection::V1 => services
                .reflection
                .clone()
                .call(reflection::until_shutdown(request, &services.shutdown)),
            reflection::V1ALPHA => services
                .reflection_alpha
                .clone()
                .call(reflection::until_shutdown(request, &services.shutdown)),
            _ => unknown(),
        }
    }
}

/// The local socket.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) admin: AdminServiceServer<Admin>,
    pub(super) health: HealthServer<Health>,
}

impl<B> Service<Request<B>> for Local
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        match Rpc::of(request.uri()).names().0 {
            admin::SERVICE_NAME => self.admin.call(request),
            health_server::SERVICE_NAME => self.health.call(request),
            _ => unknown(),
        }
    }
}
