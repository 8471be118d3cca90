//! The accept loop and its shutdown.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::connection::{self, Arrival, Streams, Terms};
use super::limits::{self, Limits};
use super::listener::Listener;
use super::places::{Origin, Places};
use super::socket::Opened;
use crate::meter::Connections;

#[cfg(test)]
mod tests;

/// The outcome of the connections that were open at the shutdown signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that ended by themselves, with every request answered, or that had not opened.
    pub finished: usize,
    /// Connections that were still open at the drain deadline and were aborted.
    pub aborted: usize,
}

/// Serves `listener` within `limits` until `shutdown` fires and the connections have drained.
pub async fn serve<L, S, B>(
    limits: Limits,
    mut listener: L,
    service: S,
    shutdown: CancellationToken,
) -> Drained
where
    L: Listener,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let streams = TaskTracker::new();
    let terms = Terms::new(limits.clone(), listener.tls(), Streams(streams.clone()));
    let terms = Arc::new(terms);
    let mut places =
        Places::new(limits.connections_max, limits.connections_per_client_max_when_scarce);
    let mut connections = JoinSet::new();
    let mut pauses = Pauses::default();
    loop {
        terms.is_scarce.store(places.is_scarce(), Ordering::Relaxed);
        // The order matters: shutdown must not wait behind a flood of connections, and a released
        // slot is counted before the next connection is accepted.
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next_with_id() => {
                limits.meter.closed();
                places.leave(ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id));
                report_panic(&ended.map(drop));
            }
            accepted = listener.accept(), if connections.len() < limits.connections_max => {
                match accepted {
                    Ok((io, peer)) => {
                        pauses.end();
                        let origin = Origin::of(peer, &limits.trusted_proxies);
                        if !places.admits(origin) {
                            limits.meter.ended("client_limit");
                            tracing::debug!("connection closed because its client has enough");
                            continue;
                        }
                        let opened = Opened::default();
                        // Each connection checks its token whenever it wakes. A shared token would
                        // make them all contend for one lock.
                        let end = shutdown.child_token();
                        let arrival =
                            Arrival { origin, opened: opened.clone(), shutdown: end.clone() };
                        let running =
                            connection::run(io, service.clone(), Arc::clone(&terms), arrival);
                        limits.meter.opened();
                        places.enter(connections.spawn(running).id(), origin, opened, end);
                    }
                    Err(error) => pauses.pause_after(&error, &shutdown).await,
                }
            }
        }
    }
    drop(listener);
    let cut = Instant::now() + limits.drain_deadline;
    let end = cut + Duration::from_millis(limits::ABORT_GRACE_MS);
    let drained = drain(connections, (cut, end), &limits.meter).await;
    // Streams end with their connection. Only a handler that blocks its thread makes this wait.
    streams.close();
    if timeout_at(end, streams.wait()).await.is_err() {
        tracing::warn!(requests = streams.len(), "requests survived being aborted");
    }
    drained
}

/// Waits for the connections until `cut`. Then aborts the rest and waits until `end`.
async fn drain(
    mut connections: JoinSet<()>,
    (cut, end): (Instant, Instant),
    meter: &Connections,
) -> Drained {
    let mut drained = Drained::default();
    let ended = timeout_at(cut, count(&mut connections, &mut drained, meter)).await;
    if ended.is_err() {
        connections.abort_all();
        let unwound = timeout_at(end, count(&mut connections, &mut drained, meter)).await;
        if unwound.is_err() {
            drained.aborted += connections.len();
        }
    }
    drained
}

/// Counts connections as they end, until none is left.
async fn count(connections: &mut JoinSet<()>, drained: &mut Drained, meter: &Connections) {
    while let Some(ended) = connections.join_next().await {
        meter.closed();
        if ended.as_ref().is_err_and(JoinError::is_cancelled) {
            drained.aborted += 1;
        } else {
            drained.finished += 1;
            report_panic(&ended);
        }
    }
}

/// Logs a panic on HTTP/1.1. A panic on HTTP/2 stays within the task of its stream. The error
/// contains the panic message, which may quote a response, so it is not logged. The panic hook logs
/// the place.
fn report_panic(ended: &Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("connection panicked");
    }
}

/// The pauses of accepting. The log reports their beginnings and ends, but rarely.
#[derive(Debug, Default)]
struct Pauses {
    untold: usize,
    told: Option<Instant>,
    /// Whether the log reported their beginning, and not yet their end.
    is_open: bool,
}

impl Pauses {
    /// Lets the accept loop survive an error. An error of the connection does not affect the next
    /// one. Any other is the process's own and takes time to go away.
    async fn pause_after(&mut self, error: &io::Error, shutdown: &CancellationToken) {
        let of_the_connection = matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
        );
        if of_the_connection {
            tracing::debug!(%error, "connection lost before it was accepted");
            return;
        }
        if let Some(pauses) = self.count(Instant::now()) {
            tracing::warn!(%error, pauses, "cannot accept connections");
        }
        let pause = Duration::from_millis(limits::ACCEPT_PAUSE_MS);
        // The caller checks the token next, so it does not matter which of the two happened.
        let _ = timeout(pause, shutdown.cancelled()).await;
    }

    /// Counts a pause. Returns the number of pauses since the last log line if another line is due.
    fn count(&mut self, now: Instant) -> Option<usize> {
        let interval = Duration::from_millis(limits::ACCEPT_PAUSES_TOLD_INTERVAL_MS);
        self.untold += 1;
        if self.told.is_some_and(|told| now < told + interval) {
            return None;
        }
        (self.told, self.is_open) = (Some(now), true);
        Some(std::mem::take(&mut self.untold))
    }

    /// Ends the pauses, because a connection was accepted.
    fn end(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let pauses = std::mem::take(&mut self.untold);
            tracing::info!(pauses, "connections are accepted again");
        }
    }
}
