//! The socket of a connection: recognizes HTTP/2 by the first bytes, and detects stalled writes.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits;

/// The first bytes of an HTTP/2 client.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The preface and the head of the SETTINGS frame that must follow it. The socket waits for the
/// frame head because hyper considers the handshake finished after the preface alone.
const HTTP2_OPENING_BYTES: usize = PREFACE.len() + 9;

/// The duration of [`limits::HALF_CLOSED_GRACE_MS`].
const HALF_CLOSED_GRACE: Duration = Duration::from_millis(limits::HALF_CLOSED_GRACE_MS);

/// Whether a connection has shown its purpose: a first request, or the opening of HTTP/2. An HTTP/2
/// peer may then stay silent, because clients connect ahead of their first call, and pings detect
/// dead peers.
#[derive(Clone, Default)]
pub(super) struct Opened(Arc<Signs>);

#[derive(Default)]
struct Signs {
    opened: AtomicBool,
    http2: AtomicBool,
    /// The number of requests so far, and of those that are in flight.
    begun: AtomicUsize,
    in_flight: AtomicUsize,
}

impl Opened {
    pub(super) fn set(&self) {
        self.0.opened.store(true, Ordering::Relaxed);
    }

    fn set_http2(&self) {
        self.0.http2.store(true, Ordering::Relaxed);
        self.set();
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.opened.load(Ordering::Relaxed)
    }

    pub(super) fn is_http2(&self) -> bool {
        self.0.http2.load(Ordering::Relaxed)
    }

    pub(super) fn begin_request(&self) {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        self.0.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end_request(&self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns the number of requests so far.
    pub(super) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Returns whether an HTTP/1.1 request is in flight.
    fn awaits_answer(&self) -> bool {
        self.is_http1() && self.0.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Returns whether nothing is in flight and no request has come since there were `begun`.
    pub(super) fn is_idle_since(&self, begun: usize) -> bool {
        self.begun() == begun && self.0.in_flight.load(Ordering::Relaxed) == 0
    }

    /// Returns whether a request has come over HTTP/1.1.
    pub(super) fn is_http1(&self) -> bool {
        self.is_set() && !self.is_http2()
    }
}

/// A socket that watches its first bytes for the opening of HTTP/2, and fails when a write stalls
/// for too long. HTTP/1.1 opens with a request head, which hyper reports by calling the service.
pub(super) struct Socket<I> {
    io: I,
    opened: Opened,
    /// The number of bytes read, as long as they can still become the opening of HTTP/2.
    matched: Option<usize>,
    /// The longest stall of a write.
    stall_max: Duration,
    /// Whether bytes wait: from a pending write until the next write that succeeds.
    is_stalled: bool,
    /// Created by the first write that has to wait. Most connections never have one.
    timer: Option<Pin<Box<Sleep>>>,
    /// Runs since the peer closed its sending side, or since the last write after that.
    farewell: Option<Pin<Box<Sleep>>>,
}

impl<I> Socket<I> {
    pub(super) fn new(io: I, opened: Opened, stall_max: Duration) -> Self {
        let (timer, farewell) = (None, None);
        Self { io, opened, matched: Some(0), stall_max, is_stalled: false, timer, farewell }
    }

    /// Hides the end of the peer's stream from hyper while the peer may wait for a response.
    /// Otherwise hyper would end the call.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.opened.awaits_answer() {
            return Poll::Ready(());
        }
        let end = Instant::now() + HALF_CLOSED_GRACE;
        let farewell = self.farewell.get_or_insert_with(|| Box::pin(sleep_until(end)));
        farewell.as_mut().poll(cx)
    }

    /// Turns a write that has waited for too long into an error.
    fn judge(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.is_stalled = false;
            if let Some(farewell) = &mut self.farewell {
                farewell.as_mut().reset(Instant::now() + HALF_CLOSED_GRACE);
            }
            return written;
        }
        let end = || Instant::now() + self.stall_max;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end())));
        if !self.is_stalled {
            timer.as_mut().reset(end());
            self.is_stalled = true;
        }
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer reads nothing")))
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

impl<I: AsyncRead + Unpin> AsyncRead for Socket<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
        if buffer.filled().len() == before && buffer.remaining() > 0 {
            return this.poll_farewell(cx).map(Ok);
        }
        if let Some(matched) = this.matched {
            this.watch(matched, &buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Socket<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.judge(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.judge(written, cx)
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
