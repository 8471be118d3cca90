//! `grpc.health.v1.Health`: whether the server accepts calls, as a whole and per service.
//!
//! All services share one status, that of the database. tonic-health's own service is not used: it
//! returns an error where the protocol requires `SERVICE_UNKNOWN`, and its streams would delay a
//! shutdown.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, future, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_server};

use super::rpcs;
use crate::domain::error::{Error, Result};

/// The service.
#[derive(Clone)]
pub(super) struct Health {
    readiness: watch::Receiver<bool>,
    shutdown: CancellationToken,
    services: &'static [rpcs::Service],
}

impl Health {
    /// Creates the service, which knows these services, and the whole server by the empty name.
    pub(super) fn new(
        readiness: watch::Receiver<bool>,
        shutdown: CancellationToken,
        services: &'static [rpcs::Service],
    ) -> Self {
        Self { readiness, shutdown, services }
    }

    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.services.iter().any(|it| it.name() == service)
    }

    /// Returns the current status, and marks it as seen.
    fn status(&mut self) -> ServingStatus {
        if *self.readiness.borrow_and_update() && !self.shutdown.is_cancelled() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    }

    /// Waits until the status may have changed.
    async fn changed(&mut self) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            changed = self.readiness.changed() => {
                // The sender is gone. Its last report applies until shutdown.
                if changed.is_err() {
                    self.shutdown.cancelled().await;
                }
            }
        }
    }

    /// Returns the current status and each change. The last one, at shutdown, is `NOT_SERVING`.
    fn statuses(self) -> impl Stream<Item = ServingStatus> + Send {
        stream::unfold((self, None), async |(mut health, last)| {
            loop {
                let status = health.status();
                if last != Some(status) {
                    return Some((status, (health, Some(status))));
                }
                if health.shutdown.is_cancelled() {
                    return None;
                }
                health.changed().await;
            }
        })
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        if !self.knows(&service) {
            return Err(Error::not_found("service").into());
        }
        Ok(Response::new(response(self.clone().status())))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        let health = self.clone();
        if self.knows(&service) {
            return Ok(Response::new(Box::pin(
                health.statuses().map(|status| Ok(response(status))),
            )));
        }
        // The protocol requires an open stream, in case the service becomes known. None does.
        let unknown = stream::once(future::ready(Ok(response(ServingStatus::ServiceUnknown))));
        let open = stream::pending().take_until(health.shutdown.cancelled_owned());
        Ok(Response::new(Box::pin(unknown.chain(open))))
    }
}

#[cfg(test)]
mod tests {
    use super::health_server::Health as _;
    use super::*;

    const LOOKS: &str = rpcs::Service::Looks.name();

    struct Setting {
        ready: watch::Sender<bool>,
        shutdown: CancellationToken,
        health: Health,
    }

    fn setting() -> Setting {
        let (ready, readiness) = watch::channel(false);
        let shutdown = CancellationToken::new();
        let health = Health::new(readiness, shutdown.clone(), &[rpcs::Service::Looks]);
        Setting { ready, shutdown, health }
    }

    fn about(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.into() })
    }

    async fn check(health: &Health, service: &str) -> Option<ServingStatus> {
        health.check(about(service)).await.ok().map(|response| response.into_inner().status())
    }

    #[tokio::test]
    async fn known_services_serve_once_ready_and_until_shutdown() {
        let Setting { ready, shutdown, health } = setting();
        for service in ["", LOOKS] {
            ready.send_replace(false);
            assert_eq!(check(&health, service).await, Some(ServingStatus::NotServing));
            ready.send_replace(true);
            assert_eq!(check(&health, service).await, Some(ServingStatus::Serving));
        }
        let unknown = health.check(about("a.C")).await.expect_err("it is not known");
        assert_eq!(unknown.code(), tonic::Code::NotFound);
        shutdown.cancel();
        assert_eq!(check(&health, "").await, Some(ServingStatus::NotServing));
    }

    async fn next(
        stream: &mut <Health as health_server::Health>::WatchStream,
    ) -> Option<ServingStatus> {
        stream.next().await.map(|response| response.expect("no error").status())
    }

    #[tokio::test]
    async fn changes_are_pushed_and_shutdown_ends_the_stream() {
        let Setting { ready, shutdown, health } = setting();
        let mut stream = health.watch(about(LOOKS)).await.expect("a stream").into_inner();
        assert_eq!(next(&mut stream).await, Some(ServingStatus::NotServing));
        ready.send_replace(true);
        assert_eq!(next(&mut stream).await, Some(ServingStatus::Serving));
        drop(ready);
        shutdown.cancel();
        assert_eq!(next(&mut stream).await, Some(ServingStatus::NotServing));
        assert_eq!(next(&mut stream).await, None);
    }

    #[tokio::test]
    async fn the_stream_of_an_unknown_service_stays_open_until_shutdown() {
        let Setting { ready: _, shutdown, health } = setting();
        let mut stream = health.watch(about("a.C")).await.expect("a stream").into_inner();
        assert_eq!(next(&mut stream).await, Some(ServingStatus::ServiceUnknown));
        assert!(futures_util::FutureExt::now_or_never(next(&mut stream)).is_none());
        shutdown.cancel();
        assert_eq!(next(&mut stream).await, None);
    }
}
