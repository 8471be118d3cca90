//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use super::limits;

/// What an HTTP/2 client says first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The preface and the head of the SETTINGS frame that must follow it. The frame head is waited for
/// because hyper takes the preface alone for a finished handshake.
const HTTP2_OPENING_BYTES: usize = PREFACE.len() + 9;

/// Runs HTTP/2 streams as tasks, and knows when the last of them has ended.
#[derive(Clone)]
pub(super) struct Streams(pub(super) TaskTracker);

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}

/// The settings of both protocols; see [`limits`] for their reasons.
pub(super) fn builder(streams: Streams) -> auto::Builder<Streams> {
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

/// Serves one connection until it ends, or has not opened in time, or has drained after `shutdown`.
///
/// A connection that has not opened when `shutdown` fires is dropped at once: nothing is in flight
/// on it, and hyper would put its graceful end off until the peer has finished the handshake.
pub(super) async fn run<I, S, B>(
    io: I,
    service: S,
    builder: Arc<auto::Builder<Streams>>,
    opening_deadline: Duration,
    shutdown: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let opened = Opened::default();
    let io = TokioIo::new(Watched::new(io, opened.clone()));
    let service = {
        let opened = opened.clone();
        service_fn(move |request| {
            opened.set();
            service.clone().oneshot(request)
        })
    };
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut deadline = pin!(tokio::time::sleep(opening_deadline));
    let mut opening = true;
    let mut draining = false;
    // Each of the two events happens once, so this loop goes around three times at most.
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
                    tracing::debug!("connection closed because it did not open in time");
                    return;
                }
                opening = false;
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

/// Polls a connection to its end, one of HTTP/2 always after the tasks that are ready.
///
/// Whenever a stream has an answer it wakes its connection, which the runtime would poll next: each
/// answer would be a write of its own, and a write costs more than most calls. Behind the other
/// streams the connection writes all of their answers at once. On an idle server nobody is before it.
async fn in_turns<C: Future>(mut connection: Pin<&mut C>, opened: &Opened) -> C::Output {
    loop {
        if opened.is_http2() {
            tokio::task::yield_now().await;
        }
        let polled = poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return output;
        }
        woken().await;
    }
}

/// Waits for the next time that the task is polled, which somebody else brings about.
async fn woken() {
    let mut waiting = false;
    poll_fn(|_| {
        waiting = !waiting;
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

/// Whether a connection has shown what it is for: a first request, or the opening of HTTP/2. An
/// HTTP/2 peer may then stay silent, since clients connect ahead of their first call, and pings
/// find out whether it is alive.
#[derive(Clone, Default)]
struct Opened(Arc<Signs>);

#[derive(Default)]
struct Signs {
    opened: AtomicBool,
    http2: AtomicBool,
}

impl Opened {
    fn set(&self) {
        self.0.opened.store(true, Ordering::Relaxed);
    }

    fn set_http2(&self) {
        self.0.http2.store(true, Ordering::Relaxed);
        self.set();
    }

    fn is_set(&self) -> bool {
        self.0.opened.load(Ordering::Relaxed)
    }

    fn is_http2(&self) -> bool {
        self.0.http2.load(Ordering::Relaxed)
    }
}

/// A socket whose first bytes are watched for the opening of HTTP/2. HTTP/1.1 is left to the
/// request head, which hyper reports by calling the service.
struct Watched<I> {
    io: I,
    opened: Opened,
    /// How many bytes have come in, as long as they can still become the opening of HTTP/2.
    matched: Option<usize>,
}

impl<I> Watched<I> {
    fn new(io: I, opened: Opened) -> Self {
        Self { io, opened, matched: Some(0) }
    }

    fn watch(&mut self, matched: usize, incoming: &[u8]) {
        let expected = &PREFACE[matched.min(PREFACE.len())..];
        let compared = expected.len().min(incoming.len());
        let matched = matched + incoming.len();
        if incoming[..compared] != expected[..compared] {
            self.matched = None;
        } else if matched >= HTTP2_OPENING_BYTES {
            self.opened.set_http2();
            self.matched = None;
        } else {
            self.matched = Some(matched);
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
        if let Some(matched) = this.matched {
            this.watch(matched, &buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
