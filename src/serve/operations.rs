//! The address of the operator's tools: metrics, liveness, readiness and gRPC health. It has no
//! credentials, so it belongs on loopback or a private network.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::error::{Error, Result};
use crate::meter::{Format, Unit, count};
use crate::net::limits::OPERATIONS_CONNECTIONS_MAX;
use crate::net::{Dispatch, Drained, Limits, Tls};
use crate::receive::Receiver;
use crate::{grpc, net};

/// How long the database may take to respond until the server counts as not ready.
const DATABASE_MAX: Duration = Duration::from_secs(2);

/// The state of the handlers.
#[derive(Clone)]
struct Shared {
    app: Arc<App>,
    ready: watch::Receiver<bool>,
    /// The permit to print the metrics, which takes milliseconds.
    scrapes: Arc<Semaphore>,
}

/// The running address.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) address: SocketAddr,
    serving: JoinHandle<Drained>,
    shutdown: CancellationToken,
}

/// Serves the address, also while the public port drains, until it is stopped.
pub(super) fn serve(
    listener: TcpListener,
    app: &Arc<App>,
    ready: &watch::Receiver<bool>,
) -> Result<Operations> {
    let address = listener.local_addr().map_err(Error::internal)?;
    let shutdown = CancellationToken::new();
    let health = grpc::operations_service(Arc::clone(app), ready.clone(), shutdown.clone());
    let scrapes = Arc::new(Semaphore::new(1));
    let rest = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .with_state(Shared { app: Arc::clone(app), ready: ready.clone(), scrapes });
    let service = Dispatch::new(health, rest.clone(), rest);
    let limits = Limits { connections_max: OPERATIONS_CONNECTIONS_MAX, ..Limits::default() };
    let serving = tokio::spawn(net::serve(limits, listener, service, shutdown.clone()));
    tracing::info!(net.address = %address, "serving operations");
    Ok(Operations { address, serving, shutdown })
}

impl Operations {
    /// Stops it, after the requests in flight.
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        // It panics only if the server itself has a bug.
        let _ = self.serving.await;
    }
}

/// Adds the gauges whose values exist elsewhere.
pub(super) fn register_gauges(app: &Arc<App>, receiver: &Receiver, tls: Option<Arc<Tls>>) {
    let bodies = receiver.clone();
    app.meter().add_gauge(
        "screenerd_receive_budget_used",
        "Memory of request bodies that are being received",
        Some(Unit::Bytes),
        move || Some(count(bodies.charged_bytes())),
    );
    app.meter().add_gauge(
        "screenerd_tls_not_after",
        "When the certificate of the public port expires, in seconds since 1970",
        Some(Unit::Seconds),
        move || tls.as_ref().map(|tls| tls.not_after().as_duration().as_secs_f64()),
    );
    app.register_gauges();
}

async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let mut media = accepted.flat_map(|accept| accept.split(','));
    let is_open = media.any(|media| media.trim().starts_with("application/openmetrics-text"));
    let format = if is_open { Format::OpenMetrics } else { Format::Prometheus };
    let _permit = shared.scrapes.acquire().await;
    let printed = spawn_blocking(move || shared.app.meter().print(format)).await;
    let Ok(Ok(printed)) = printed else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let media_type = HeaderValue::from_static(format.media_type());
    ([(CONTENT_TYPE, media_type)], printed).into_response()
}

/// Responds 200 if the server serves and its database responds. With `verbose`, each check has a
/// line.
async fn readyz(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let Shared { app, ready, scrapes: _ } = shared;
    let serves = *ready.borrow();
    let database = tokio::time::timeout(DATABASE_MAX, app.check_database()).await;
    let responds = matches!(database, Ok(Ok(())));
    let is_ready = serves && responds;
    let mut text = String::new();
    let is_verbose = query
        .is_some_and(|query| query.split('&').any(|it| it.split('=').next() == Some("verbose")));
    if is_verbose {
        for (check, passes) in [("serving", serves), ("database", responds)] {
            let mark = if passes { "[+]" } else { "[-]" };
            let word = if passes { "ok" } else { "failed" };
            let _ = writeln!(text, "{mark}{check} {word}");
        }
    }
    text.push_str(if is_ready { "ready\n" } else { "not ready\n" });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}
