//! Request bodies: their codings and limits, and the memory that the process may spend on all of
//! them at the same time.
//!
//! # Invariants
//!
//! - Bytes are charged as they arrive and before they are stored. They are released when the last
//!   owner of a request's [`Tab`] drops it, after the call, because the call uses data made from
//!   them.
//! - A share (usually a tenant) takes at most half of the budget, so that the others always find
//!   room.
//! - A charge never waits. If the budget is exhausted, the request is refused with a retry hint.
//! - Limits apply to unpacked bytes, and unpacking stops at them.

pub mod coding;
pub mod envelope;
pub mod json;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body::{Body, Frame, SizeHint};

use crate::budget::{Budget, Charge, Share};
use crate::domain::error::{Error, Kind, Result, Violation};
use coding::{Coding, Unknown, Unpacking};

/// The share of callers without a credential.
pub const STRANGERS: &str = "";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The memory of requests that the process is receiving. Clones share one count.
#[derive(Clone, Debug)]
pub struct Receiver(Budget);

impl Receiver {
    /// Creates a budget of `max_bytes`, of which one share may take half.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self(Budget::halved(max_bytes))
    }

    /// Creates a budget for the operator's requests, which only their deadlines and sizes limit.
    #[must_use]
    pub fn unbounded() -> Self {
        Self(Budget::new(usize::MAX))
    }

    /// Opens the tab of a request of this share.
    #[must_use]
    pub fn open(&self, share: &str) -> Tab {
        Tab(Arc::new(self.0.open(Share::of(share))))
    }

    /// Returns how many bytes are charged.
    #[must_use]
    pub fn charged_bytes(&self) -> usize {
        self.0.charged_bytes()
    }
}

/// The charge of one request. Clones share it, and the last of them releases its bytes.
#[derive(Clone, Debug)]
pub struct Tab(Arc<Charge>);

impl Tab {
    /// Raises the charge to at least `bytes`.
    pub fn cover(&self, bytes: usize) -> Result<()> {
        if self.0.try_cover(bytes) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Unavailable,
            "The server has no memory left for more request bodies. Try again later.",
        ))
    }

    /// Opens another tab of the same share and charges `bytes` to it.
    pub fn beside(&self, bytes: usize) -> Result<Self> {
        let tab = Self(Arc::new(self.0.beside()));
        tab.cover(bytes)?;
        Ok(tab)
    }

    /// Returns the share of the request.
    #[must_use]
    pub fn share(&self) -> Share {
        self.0.share()
    }
}

/// The limits of a call whose credential was accepted.
#[derive(Debug)]
pub struct Terms {
    /// The largest accepted message.
    pub message_max_bytes: usize,
    /// The share to which its bytes and its work count.
    pub share: String,
    /// The tab of its bytes.
    pub tab: Tab,
}

/// Returns the refusal of a message or body that is too large.
#[must_use]
pub fn too_large(max_bytes: usize) -> Error {
    Error::new(Kind::PayloadTooLarge, format!("At most {max_bytes} bytes."))
}

/// Reads a body to its end, or up to the limit. A body that announces a greater length is refused
/// before the client sends it.
pub async fn read<B>(body: B, max_bytes: usize, tab: &Tab) -> Result<Bytes>
where
    B: Body<Data = Bytes>,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max_bytes {
        return Err(too_large(max_bytes));
    }
    let mut body = pin!(body);
    let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
    let mut received_bytes = 0;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let broken = |_| Error::invalid_field("body", "The body ended early.");
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        received_bytes += data.len();
        if received_bytes > max_bytes {
            return Err(too_large(max_bytes));
        }
        tab.cover(received_bytes)?;
        if received_bytes == data.len() {
            // Most bodies arrive in one piece and need no copy.
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(announced.max(received_bytes));
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// Returns the refusal of an unsupported coding. It names the header or parameter, which
/// distinguishes it from the refusal of a media type.
#[must_use]
pub fn unknown_coding(Unknown(field): Unknown) -> Error {
    let violation = Violation::new(field, "Must be gzip or identity.");
    Error::about(Kind::UnsupportedMediaType, vec![violation])
}

/// Returns whether an error is an [`unknown_coding`].
#[must_use]
pub fn is_unknown_coding(error: &Error) -> bool {
    error.kind() == Kind::UnsupportedMediaType && !error.violations().is_empty()
}

/// Reads the body of a request in the coding that its headers name.
pub async fn read_coded<B>(
    headers: &HeaderMap,
    body: B,
    max_bytes: usize,
    tab: &Tab,
) -> Result<Bytes>
where
    B: Body<Data = Bytes>,
{
    let coding = Coding::of(headers, CONTENT_ENCODING.as_str()).map_err(unknown_coding)?;
    let bytes = read(body, coding.packed_max_bytes(max_bytes), tab).await?;
    unpack(coding, bytes, max_bytes, tab).await
}

/// Unpacks a message or a body, up to the limit, and charges the result as it grows.
pub async fn unpack(coding: Coding, packed: Bytes, max_bytes: usize, tab: &Tab) -> Result<Bytes> {
    // Some clients send an empty message without packing it.
    if coding == Coding::Identity || packed.is_empty() {
        return Ok(packed);
    }
    let packed_bytes = packed.len();
    let (mut unpacking, mut whole) = (Unpacking::new(packed), Vec::new());
    let damaged = |_| Error::invalid_field("body", "Must be valid gzip.");
    while unpacking.next_into(&mut whole).await.map_err(damaged)? {
        if whole.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        tab.cover(packed_bytes + whole.capacity())?;
    }
    Ok(whole.into())
}

/// A body whose bytes are charged as they arrive, for a reader that stores one message at a time.
#[derive(Debug)]
pub struct Received<B> {
    body: B,
    seen_bytes: usize,
    /// The most bytes that the reader stores at the same time.
    held_max_bytes: usize,
    tab: Tab,
}

impl<B> Received<B> {
    /// Wraps a body of messages that have at most `message_max_bytes` each.
    pub fn new(body: B, message_max_bytes: usize, tab: Tab) -> Self {
        Self { body, seen_bytes: 0, held_max_bytes: message_max_bytes, tab }
    }
}

impl<B> Body for Received<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Into::into)?;
        if let Some(data) = frame.data_ref() {
            self.seen_bytes = self.seen_bytes.saturating_add(data.len());
            self.tab.cover(self.seen_bytes.min(self.held_max_bytes))?;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;

    fn pieces(pieces: &[&'static str]) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let frames: Vec<_> = pieces.iter().map(|it| Ok(Frame::data(Bytes::from(*it)))).collect();
        StreamBody::new(stream::iter(frames))
    }

    fn kind<T>(result: Result<T>) -> Option<Kind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn a_share_takes_half_and_bytes_return_with_the_last_owner() {
        let receiver = Receiver::new(100);
        let one = receiver.open("one");
        one.cover(30).expect("it fits");
        one.cover(20).expect("it is covered");
        let more = one.beside(20).expect("it is half");
        assert_eq!(kind(one.cover(31)), Some(Kind::Unavailable), "more than half");
        let other = receiver.open("other");
        other.cover(50).expect("the other half is free");
        assert_eq!(kind(receiver.open("third").cover(1)), Some(Kind::Unavailable));
        drop(more);
        let clone = one.clone();
        drop(one);
        assert_eq!(receiver.charged_bytes(), 80);
        drop(clone);
        assert_eq!(receiver.charged_bytes(), 50);
        receiver.open("one").cover(50).expect("the share is free again");
        drop(other);
        assert_eq!(receiver.charged_bytes(), 0);
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_its_limit_and_charged() {
        let receiver = Receiver::new(20);
        for (body, max_bytes, expected) in [
            (&[][..], 4, Ok("")),
            (&["1234"][..], 4, Ok("1234")),
            (&["12", "", "34"][..], 4, Ok("1234")),
            (&["12", "345"][..], 4, Err(Kind::PayloadTooLarge)),
            (&["1234567890", "1"][..], 11, Err(Kind::Unavailable)),
        ] {
            let tab = receiver.open("one");
            let read = read(pieces(body), max_bytes, &tab).await;
            if let Ok(bytes) = &read {
                assert_eq!(receiver.charged_bytes(), bytes.len());
            }
            let expected = expected.map(Bytes::from);
            assert_eq!(read.map_err(|error| error.kind()), expected, "{body:?}");
        }
        let announced = Full::new(Bytes::from("12345"));
        assert_eq!(
            kind(read(announced, 4, &receiver.open("one")).await),
            Some(Kind::PayloadTooLarge)
        );
        assert_eq!(receiver.charged_bytes(), 0);
    }

    #[tokio::test]
    async fn a_stream_is_charged_what_its_reader_holds() {
        let receiver = Receiver::new(20);
        let mut body = Received::new(pieces(&["1234", "5678", "9"]), 6, receiver.open("one"));
        for expected in [4, 6, 6] {
            body.frame().await.expect("a frame").expect("there is room");
            assert_eq!(receiver.charged_bytes(), expected);
        }
        assert!(body.frame().await.is_none());
        drop(body);
        assert_eq!(receiver.charged_bytes(), 0);
        let mut large = Received::new(pieces(&["12345678901"]), 11, receiver.open("one"));
        let refused = large.frame().await.expect("a frame").expect_err("it does not fit");
        let refused = refused.downcast::<Error>().expect("our error");
        assert_eq!(refused.kind(), Kind::Unavailable);
    }
}
