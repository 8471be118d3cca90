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
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::error::{Error, Result};
use crate::meter::{Format, Unit, count};
use crate::net::{Dispatch, Drained, Limits, Tls};
use crate::receive::Receiver;
use crate::{grpc, net};

/// How long the database may take to respond until the server counts as not ready.
const DATABASE_MAX: Duration = Duration::from_secs(2);

/// The state of the handlers.
#[derive(Clone)]
struct Operations {
    app: Arc<App>,
    ready: watch::Receiver<bool>,
}

/// Serves the address until `shutdown`. Returns the task, and the address.
pub(super) fn serve(
    listener: TcpListener,
    app: &Arc<App>,
    ready: &watch::Receiver<bool>,
    shutdown: &CancellationToken,
) -> Result<(JoinHandle<Drained>, SocketAddr)> {
    let address = listener.local_addr().map_err(Error::internal)?;
    let health = grpc::operations_service(Arc::clone(app), ready.clone(), shutdown.clone());
    let rest = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .with_state(Operations { app: Arc::clone(app), ready: ready.clone() });
    let service = Dispatch::new(health, rest.clone(), rest);
    let serving = net::serve(Limits::default(), listener, service, shutdown.clone());
    tracing::info!(net.address = %address, "serving operations");
    Ok((tokio::spawn(serving), address))
}

/// Adds the gauges whose values exist elsewhere.
pub(super) fn register_gauges(app: &Arc<App>, receiver: &Receiver, tls: Option<Arc<Tls>>) {
    let bodies = receiver.clone();
    app.meter().read(
        "screenerd_receive_budget_used",
        "Memory of request bodies that are being received",
        Some(Unit::Bytes),
        move || Some(count(bodies.charged_bytes())),
    );
    app.meter().read(
        "screenerd_tls_not_after",
        "When the certificate of the public port expires, in seconds since 1970",
        Some(Unit::Seconds),
        move || u32::try_from(tls.as_ref()?.not_after().as_second()).ok().map(f64::from),
    );
    app.register_gauges();
}

async fn metrics(State(operations): State<Operations>, headers: HeaderMap) -> Response {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let mut media = accepted.flat_map(|accept| accept.split(','));
    let is_open = media.any(|media| media.trim().starts_with("application/openmetrics-text"));
    let format = if is_open { Format::OpenMetrics } else { Format::Prometheus };
    let Ok(printed) = operations.app.meter().print(format) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let media_type = HeaderValue::from_static(format.media_type());
    ([(CONTENT_TYPE, media_type)], printed).into_response()
}

/// Responds 200 if the server serves and its database responds. With `verbose`, each check has a
/// line.
async fn readyz(State(operations): State<Operations>, RawQuery(query): RawQuery) -> Response {
    let Operations { app, ready } = operations;
    let serves = *ready.borrow();
    let database = tokio::time::timeout(DATABASE_MAX, app.check_database()).await;
    let responds = matches!(database, Ok(Ok(())));
    let is_ready = serves && responds;
    let mut text = String::new();
    let is_verbose =
        query.is_some_and(|query| query.split('&').any(|it| it.starts_with("verbose")));
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
