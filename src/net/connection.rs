//! The life of a connection, from its first byte to its last.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, TryFutureExt as _};
use http::header::{CONNECTION, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either as Secured;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt as _};

use super::address::Client;
use super::answer::{Answer, Stalls};
use super::dispatch::Transport;
use super::forwarded::Forwarded;
use super::http1;
use super::in_flight::{Counted, InFlight, held_bytes};
use super::limits::{self, Limits};
use super::places::Origin;
use super::progress::Watched;
use super::socket::{Opened, Socket};
use super::tls::{Begun, Tls};

/// Runs HTTP/2 streams as tasks. Ends those whose peer takes nothing, and tracks when the last one
/// has ended.
#[derive(Clone)]
pub(super) struct Streams(pub(super) TaskTracker);

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn(Watched::new(stream));
    }
}

/// Returns the settings of both protocols. [`limits`] gives their reasons.
fn builder(streams: Streams) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(streams);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits::HTTP1_HEAD_DEADLINE_MS))
        .max_buf_size(limits::HTTP1_BUFFER_MAX_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::HTTP2_CONCURRENT_STREAMS_MAX)
        .max_header_list_size(limits::HTTP2_HEADER_LIST_MAX_BYTES)
        .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(limits::HTTP2_SEND_BUFFER_MAX_BYTES)
        .keep_alive_interval(Duration::from_millis(limits::HTTP2_PING_INTERVAL_MS))
        .keep_alive_timeout(Duration::from_millis(limits::HTTP2_PING_DEADLINE_MS));
    builder
}

/// Serves a connection until it ends, misses its opening deadline, or has drained after `shutdown`.
///
/// A connection that has not opened when `shutdown` fires is dropped at once. Nothing is in flight
/// on it, and hyper would delay a graceful shutdown until the peer has finished the handshake.
pub(super) async fn run<I, S, B>(io: I, service: S, terms: Arc<Terms>, arrival: Arrival)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let opened_by = Instant::now() + terms.limits.opening_deadline;
    let Some(io) = secured(io, &terms, (opened_by, &arrival.shutdown)).await else { return };
    let Arrival { origin, opened, shutdown } = arrival;
    let io = TokioIo::new(Socket::new(io, opened.clone(), terms.limits.answer_stall_max));
    let (builder, meter) = (terms.builder.clone(), terms.limits.meter.clone());
    let mut deadline = pin!(sleep_until(opened_by));
    let mut idle = pin!(idled(opened.clone(), Arc::clone(&terms), origin));
    let service = {
        let opened = opened.clone();
        service_fn(move |request: Request<Incoming>| {
            opened.set();
            if let Some(flaw) = http1::flaw(&request) {
                terms.limits.meter.refused("malformed");
                return Either::Left(ready(Ok(Answer::flawed(flaw))));
            }
            let Ok(counted) = terms.admit(&request, origin, &opened) else {
                terms.limits.meter.refused("client_limit");
                return Either::Left(ready(Ok(Answer::refusal(Transport::of(&request)))));
            };
            let is_http2 = request.version() == Version::HTTP_2;
            let terms = Arc::clone(&terms);
            let answer = service.clone().oneshot(request);
            Either::Right(
                answer.map_ok(move |response| terms.answer(response, is_http2, origin, counted)),
            )
        })
    };
    let mut connection = pin!(builder.serve_connection(io, service));
    let (mut opening, mut draining) = (true, false);
    // Each of these events happens once, so the loop runs a few times at most.
    loop {
        tokio::select! {
            ended = in_turns(connection.as_mut(), &opened) => {
                if let Err(error) = ended {
                    tracing::debug!(error, "connection ended with an error");
                }
                return;
            }
            () = deadline.as_mut(), if opening => {
                if !opened.is_set() {
                    meter.ended("opening_deadline");
                    tracing::debug!("connection closed because it did not open in time");
                    return;
                }
                opening = false;
            }
            () = idle.as_mut(), if !opening && !draining => {
                meter.ended("idle");
                connection.as_mut().graceful_shutdown();
                draining = true;
            }
            () = shutdown.cancelled(), if !draining => {
                if !opened.is_set() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                draining = true;
            }
        }
    }
}

/// Performs the handshake of TLS, if the listener has a certificate. Returns `None` if it fails, or
/// takes too long.
async fn secured<I>(
    io: I,
    terms: &Terms,
    (opened_by, shutdown): (Instant, &CancellationToken),
) -> Option<Secured<I, TlsStream<Begun<Socket<I>>>>>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let Some(tls) = &terms.tls else { return Some(Secured::Left(io)) };
    // Below TLS, which buffers what the peer does not take, only this socket sees a stall.
    let io = Socket::new(io, Opened::default(), terms.limits.answer_stall_max);
    let handshake = timeout_at(opened_by, tls.accept(io));
    let ended = tokio::select! {
        ended = handshake => ended,
        () = shutdown.cancelled() => return None,
    };
    match ended {
        Ok(Ok(stream)) => return Some(Secured::Right(stream)),
        Ok(Err(error)) if is_departure(&error) => {}
        Ok(Err(error)) => {
            let is_plain = error.kind() == io::ErrorKind::Unsupported;
            terms.limits.meter.ended(if is_plain { "plain_http" } else { "handshake" });
            tracing::debug!(%error, "connection closed because its TLS handshake failed");
        }
        Err(_) => {
            terms.limits.meter.ended("opening_deadline");
            tracing::debug!("connection closed because its TLS handshake took too long");
        }
    }
    None
}

/// Returns whether a client has hung up, such as the probe of a balancer.
fn is_departure(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

/// Waits until a direct HTTP/2 connection was idle for too long while connections are scarce.
async fn idled(opened: Opened, terms: Arc<Terms>, origin: Origin) {
    if !matches!(origin, Origin::Direct(_)) {
        return std::future::pending().await;
    }
    let mut begun = opened.begun();
    loop {
        tokio::time::sleep(terms.limits.http2_idle_max_when_scarce).await;
        if opened.is_http2() && terms.is_scarce() && opened.is_idle_since(begun) {
            tracing::debug!("connection closed because it idled while connections were scarce");
            return;
        }
        begun = opened.begun();
    }
}

/// The state that all connections of a listener share.
pub(super) struct Terms {
    limits: Limits,
    tls: Option<Arc<Tls>>,
    builder: auto::Builder<Streams>,
    in_flight: InFlight,
    /// Whether half of the connections are taken.
    pub(super) is_scarce: AtomicBool,
}

/// An accepted connection.
pub(super) struct Arrival {
    pub(super) origin: Origin,
    pub(super) opened: Opened,
    /// Shuts this connection down gracefully.
    pub(super) shutdown: CancellationToken,
}

/// The client of a request has reached its limit of requests in flight.
struct Refused;

impl Terms {
    /// Creates the state for these limits. `streams` runs the streams of HTTP/2.
    pub(super) fn new(limits: Limits, tls: Option<Arc<Tls>>, streams: Streams) -> Self {
        let (in_flight, is_scarce) = (InFlight::default(), AtomicBool::new(false));
        Self { limits, tls, builder: builder(streams), in_flight, is_scarce }
    }

    fn is_scarce(&self) -> bool {
        self.is_scarce.load(Ordering::Relaxed)
    }

    /// Counts a request to its client until it ends, or refuses it. Requests from this machine are
    /// not counted.
    fn admit<B>(
        &self,
        request: &Request<B>,
        origin: Origin,
        connection: &Opened,
    ) -> Result<Option<Counted>, Refused> {
        let (client, requests_max) = match origin {
            Origin::Local => return Ok(None),
            // The connections of a direct client are counted instead.
            Origin::Direct(client) => (client, usize::MAX),
            Origin::Proxy(proxy) => {
                let client = match Forwarded::read(request.headers(), &self.limits.trusted_proxies)
                {
                    Forwarded::By(address) => Client::of(address),
                    // Hidden clients share the count of their proxy, so that hiding gains nothing.
                    Forwarded::Obscure => proxy,
                };
                let max_when_scarce = self.limits.connections_per_client_max_when_scarce;
                (client, if self.is_scarce() { max_when_scarce } else { usize::MAX })
            }
        };
        let counted = self.in_flight.enter(client, held_bytes(request), requests_max, connection);
        counted.map(Some).ok_or(Refused)
    }

    /// Wraps a response for its connection.
    fn answer<B>(
        &self,
        mut response: Response<B>,
        is_http2: bool,
        origin: Origin,
        counted: Option<Counted>,
    ) -> Response<Answer<B>> {
        if !is_http2 && matches!(origin, Origin::Direct(_)) && self.is_scarce() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.tls.is_some() && !is_grpc(response.headers()) {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS);
        }
        let Limits { http2_answer_stall_max: ordinary_max, answer_stall_max: large_max, .. } =
            self.limits;
        let stalls = Stalls { ordinary_max, large_max };
        Answer::new(response, is_http2.then_some(stalls), counted)
    }
}

/// Has browsers use TLS for this host from now on.
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Returns whether a response is one of gRPC, which no browser reads.
fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"))
}

/// Polls a connection to its end. An HTTP/2 connection is polled after the tasks that are ready.
///
/// A stream with a response wakes its connection, which the runtime would poll next. Each response
/// would then be a write of its own, and a write costs more than most calls. Behind the other
/// streams, the connection writes all their responses at once. On an idle server it does not wait.
async fn in_turns<C: Future>(mut connection: Pin<&mut C>, opened: &Opened) -> C::Output {
    loop {
        if opened.is_http2() {
            behind_others().await;
        }
        let polled = poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return output;
        }
        woken().await;
    }
}

/// Moves to the end of the queue of ready tasks, from which any worker may take this task. The
/// runtime's `yield_now` would reserve the task for the current, busy worker.
async fn behind_others() {
    let mut is_behind = false;
    poll_fn(|cx| {
        if is_behind {
            return Poll::Ready(());
        }
        is_behind = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits for the next poll of the task, which another waker triggers.
async fn woken() {
    let mut waiting = false;
    poll_fn(|_| {
        waiting = !waiting;
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}
