//! The body of a response on its way to the connection.
//!
//! hyper receives the body in slices, so that the rest stays with the body until the peer takes it.
//! A slice keeps the whole memory alive that it shares, and thus the charge of the response, until
//! the last slice is dropped. On HTTP/2 the end of a response is delayed until the connection has
//! taken all bytes before it. Otherwise hyper would end the stream's task, and a peer that never
//! opens its window could keep the queued bytes forever. On HTTP/1.1 there is one response at a
//! time, and the connection itself judges its progress.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::budget::{Charge, LARGE_ANSWER_BYTES};

use super::dispatch::Transport;
use super::http1::Flaw;
use super::in_flight::Counted;
use super::progress::{self, Taken};
use super::{limits, refusal};

/// The maximum stall times of HTTP/2 streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stalls {
    pub(super) ordinary_max: Duration,
    /// For responses that are a large part of the send budget, for which other calls wait. Taking
    /// less than [`limits::LARGE_ANSWER_PACE_BYTES`] counts as a stall.
    pub(super) large_max: Duration,
}

pin_project! {
    /// The body of a response, in slices.
    pub(super) struct Answer<B> {
        #[pin]
        body: Option<B>,
        // The rest of the current frame.
        frame: Bytes,
        // The end after the data.
        end: Option<End>,
        tracking: Tracking,
        // The charge of the response, if it has one.
        charge: Option<Arc<Charge>>,
        // The request counts as in flight until this is dropped.
        counted: Option<Counted>,
    }
}

enum End {
    Bare,
    Trailers(HeaderMap),
}

/// How the progress of a response is measured.
enum Tracking {
    /// By its connection.
    Connection,
    /// As a stream. hyper may buffer the few bytes handed over so far.
    Little { handed_bytes: usize, turn: u32, stall_max: Duration, pace_bytes: u64 },
    /// As a stream, by the bytes that the connection has taken.
    Counted(Arc<Taken>),
}

impl Tracking {
    /// Records bytes to be handed over. Returns the counter for their slice to update, if any.
    fn hand(&mut self, bytes: usize) -> Option<Arc<Taken>> {
        if let Self::Little { handed_bytes, turn, stall_max, pace_bytes } = self {
            *handed_bytes += bytes;
            *turn = turn.wrapping_add(1);
            if *handed_bytes <= limits::ANSWER_UNTRACKED_MAX_BYTES {
                progress::note_untold(*turn, *stall_max);
            } else {
                let taken = Arc::new(Taken::new(*pace_bytes));
                progress::note_counted(Arc::clone(&taken), *stall_max);
                *self = Self::Counted(taken);
            }
        }
        let Self::Counted(taken) = self else { return None };
        taken.hand(bytes);
        Some(Arc::clone(taken))
    }
}

impl<B> Answer<B> {
    /// Wraps a response: over HTTP/1.1, or over an HTTP/2 stream with these stall times.
    pub(super) fn new(
        response: Response<B>,
        stalls: Option<Stalls>,
        counted: Option<Counted>,
    ) -> Response<Self> {
        let charge = response.extensions().get::<Arc<Charge>>().cloned();
        let tracking = match stalls {
            None => Tracking::Connection,
            Some(stalls) => {
                let is_large = |charge: &Arc<Charge>| charge.bytes() > LARGE_ANSWER_BYTES;
                let (stall_max, pace_bytes) = if charge.as_ref().is_some_and(is_large) {
                    (stalls.large_max, limits::LARGE_ANSWER_PACE_BYTES)
                } else {
                    (stalls.ordinary_max, 1)
                };
                Tracking::Little { handed_bytes: 0, turn: 0, stall_max, pace_bytes }
            }
        };
        let (frame, end) = (Bytes::new(), None);
        response.map(|body| Self { body: Some(body), frame, end, tracking, charge, counted })
    }

    /// Returns a refusal by the connection itself.
    pub(super) fn refusal(transport: Transport) -> Response<Self> {
        refusal::of(transport).map(Self::text)
    }

    /// Refuses an HTTP/1.1 head. Closes the connection, whose next bytes are ambiguous.
    pub(super) fn flawed((status, text): Flaw) -> Response<Self> {
        let mut response = Response::new(Self::text(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    fn text(text: &'static str) -> Self {
        Self {
            body: None,
            frame: Bytes::from_static(text.as_bytes()),
            end: None,
            tracking: Tracking::Connection,
            charge: None,
            counted: None,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for Answer<B> {
    type Data = Slice;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Slice>, B::Error>>> {
        let mut this = self.project();
        if let Tracking::Little { .. } = this.tracking {
            progress::note_asked();
        }
        loop {
            if !this.frame.is_empty() {
                let bytes = this.frame.split_to(this.frame.len().min(limits::ANSWER_SLICE_BYTES));
                let taken = this.tracking.hand(bytes.len());
                let slice = Slice { bytes, taken, _charge: this.charge.clone() };
                return Poll::Ready(Some(Ok(Frame::data(slice))));
            }
            if let Some(end) = this.end {
                if let Tracking::Counted(taken) = this.tracking {
                    ready!(taken.poll_taken(cx));
                }
                return Poll::Ready(match std::mem::replace(end, End::Bare) {
                    End::Trailers(trailers) => Some(Ok(Frame::trailers(trailers))),
                    End::Bare => None,
                });
            }
            let Some(body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
            if body.is_end_stream() {
                *this.end = Some(End::Bare);
                continue;
            }
            let Poll::Ready(polled) = body.poll_frame(cx) else {
                if let Tracking::Counted(taken) = this.tracking {
                    taken.pause();
                }
                return Poll::Pending;
            };
            match polled {
                None => *this.end = Some(End::Bare),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => *this.frame = data,
                    Err(frame) => *this.end = frame.into_trailers().ok().map(End::Trailers),
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_all_handed = self.frame.is_empty()
            && match &self.end {
                Some(end) => matches!(end, End::Bare),
                None => self.body.as_ref().is_none_or(Body::is_end_stream),
            };
        is_all_handed && !matches!(self.tracking, Tracking::Counted(_))
    }

    fn size_hint(&self) -> SizeHint {
        let left_bytes = self.frame.len() as u64;
        let of_body = match (&self.end, &self.body) {
            (None, Some(body)) => body.size_hint(),
            (Some(_), _) | (None, None) => SizeHint::with_exact(0),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + left_bytes);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + left_bytes);
        }
        hint
    }
}

/// Bytes that report when the connection takes them, with the charge of their response.
pub(super) struct Slice {
    bytes: Bytes,
    taken: Option<Arc<Taken>>,
    _charge: Option<Arc<Charge>>,
}

impl Buf for Slice {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, bytes: usize) {
        self.bytes.advance(bytes);
        if let Some(taken) = &self.taken {
            taken.take(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Waker;

    use futures_util::stream;
    use http::HeaderValue;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;
    use crate::budget::Budget;

    const MAX: Duration = Duration::from_mins(10);
    const STREAM: Stalls = Stalls { ordinary_max: MAX, large_max: MAX };

    fn answer<B>(body: B, stalls: Option<Stalls>) -> Pin<Box<Answer<B>>> {
        Box::pin(Answer::new(Response::new(body), stalls, None).into_body())
    }

    type Polled = Poll<Option<Result<Frame<Slice>, Infallible>>>;

    fn poll<B: Body<Data = Bytes, Error = Infallible>>(answer: &mut Pin<Box<Answer<B>>>) -> Polled {
        answer.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    fn slice(polled: Polled) -> Slice {
        let Poll::Ready(Some(Ok(frame))) = polled else { panic!("no frame") };
        frame.into_data().ok().expect("data")
    }

    fn full(bytes: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![b'x'; bytes]))
    }

    #[test]
    fn a_small_answer_goes_whole_and_ends_at_once() {
        for stalls in [None, Some(STREAM)] {
            let mut small = answer(full(limits::ANSWER_UNTRACKED_MAX_BYTES), stalls);
            assert_eq!(slice(poll(&mut small)).remaining(), limits::ANSWER_UNTRACKED_MAX_BYTES);
            assert!(small.is_end_stream());
            assert!(answer(full(0), stalls).is_end_stream());
        }
    }

    #[test]
    fn an_answer_goes_in_slices_and_says_how_much_is_left() {
        let bytes = 2 * limits::ANSWER_SLICE_BYTES + 1;
        for (stalls, ends) in [(None, true), (Some(STREAM), false)] {
            let mut answer = answer(full(bytes), stalls);
            let mut left_bytes = bytes;
            for expected in [limits::ANSWER_SLICE_BYTES, limits::ANSWER_SLICE_BYTES, 1] {
                assert_eq!(answer.size_hint().exact(), Some(left_bytes as u64));
                assert!(!answer.is_end_stream());
                assert_eq!(slice(poll(&mut answer)).remaining(), expected);
                left_bytes -= expected;
            }
            assert_eq!(answer.size_hint().exact(), Some(0));
            assert_eq!(answer.is_end_stream(), ends);
        }
    }

    #[test]
    fn the_end_on_http2_waits_until_all_is_taken() {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = [
            Frame::data(Bytes::from_static(b"0123")),
            Frame::data(Bytes::new()),
            Frame::data(Bytes::from(vec![b'x'; limits::ANSWER_SLICE_BYTES])),
            Frame::trailers(trailers),
        ];
        let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
        let mut answer = answer(body, Some(STREAM));
        let little = slice(poll(&mut answer));
        let mut much = slice(poll(&mut answer));
        assert!(poll(&mut answer).is_pending());
        much.advance(limits::ANSWER_SLICE_BYTES - 1);
        assert!(poll(&mut answer).is_pending());
        much.advance(1);
        let Poll::Ready(Some(Ok(frame))) = poll(&mut answer) else { panic!("no end") };
        assert!(frame.is_trailers());
        assert!(matches!(poll(&mut answer), Poll::Ready(None)));
        drop(little);
    }

    #[test]
    fn the_charge_returns_with_the_last_slice() {
        for stalls in [None, Some(STREAM)] {
            let budget = Budget::new(100);
            let mut response = Response::new(full(limits::ANSWER_SLICE_BYTES + 1));
            let charge = budget.try_charge(100).expect("it fits");
            response.extensions_mut().insert(Arc::new(charge));
            let mut answer = Box::pin(Answer::new(response, stalls, None).into_body());
            let slices = [slice(poll(&mut answer)), slice(poll(&mut answer))];
            drop(answer);
            let [first, last] = slices;
            drop(first);
            assert_eq!(budget.charged_bytes(), 100, "the last one keeps the memory of all");
            drop(last);
            assert_eq!(budget.charged_bytes(), 0);
        }
    }

    #[tokio::test]
    async fn an_answer_arrives_as_it_was() {
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let body = Answer::new(Response::new(Full::new(Bytes::from(bytes.clone()))), None, None);
        let collected = body.into_body().collect().await.expect("a whole body");
        assert_eq!(collected.to_bytes(), bytes);
    }
}
