//! Deadlines: the client's `grpc-timeout`, and the server's own for the head of a response.
//!
//! No deadline is passed to the layers below. When it expires, the handler's future is dropped, and
//! the store notices that no caller waits: a queued write never begins, and one that has begun is
//! completed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::refusal::{Called, Refusals};
use crate::domain::error::{Error, Result};
use crate::meter::Call;

/// The name of the header, and the field of its violation.
const TIMEOUT_HEADER: &str = "grpc-timeout";

/// The most digits that the gRPC protocol allows, which cannot overflow the arithmetic below.
const TIMEOUT_MAX_DIGITS: usize = 8;

/// The deadline of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// For the head of the response: the client's or the server's, whichever is earlier.
    head: Option<Instant>,
    /// For the whole response: only the client's, because a stream may be long-lived.
    pub(super) whole: Option<Instant>,
}

impl Deadline {
    /// Reads the client's deadline, and bounds it by the server's, which counts from the arrival of
    /// the request. Refuses a deadline that has expired, so that no work begins for a caller that
    /// has left.
    pub(super) fn read(
        headers: &HeaderMap,
        longest: Option<Duration>,
        begun: Instant,
    ) -> Result<Self> {
        let timeout = headers.get(TIMEOUT_HEADER).map(|value| parse(value.as_bytes())).transpose();
        let timeout = timeout.map_err(|reason| Error::invalid_field(TIMEOUT_HEADER, reason))?;
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Error::exceeded());
        }
        // A timeout beyond the range of the clock counts as none.
        let whole = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let server = longest.and_then(|longest| begun.checked_add(longest));
        let head = whole.into_iter().chain(server).min();
        Ok(Self { head, whole })
    }

    /// Waits for the head of a response, up to the deadline.
    pub(super) async fn bound<T>(self, answer: impl Future<Output = Result<T>>) -> Result<T> {
        match self.head {
            // The timer counts in milliseconds. Alone, it would let a call begin whose deadline
            // expired less than a millisecond ago.
            Some(deadline) if deadline <= Instant::now() => Err(Error::exceeded()),
            Some(deadline) => {
                timeout_at(deadline, answer).await.unwrap_or_else(|_| Err(Error::exceeded()))
            }
            None => answer.await,
        }
    }
}

/// Reads the value of `grpc-timeout`: up to eight digits and a unit.
fn parse(value: &[u8]) -> Result<Duration, &'static str> {
    let malformed = "Must be 1 to 8 digits and one of the units H, M, S, m, u, n.";
    let (unit, digits) = value.split_last().ok_or(malformed)?;
    if !(1..=TIMEOUT_MAX_DIGITS).contains(&digits.len()) {
        return Err(malformed);
    }
    let count = digits.iter().try_fold(0_u64, |count, digit| match digit {
        b'0'..=b'9' => Ok(count * 10 + u64::from(digit - b'0')),
        _ => Err(malformed),
    })?;
    match unit {
        b'H' => Ok(Duration::from_hours(count)),
        b'M' => Ok(Duration::from_mins(count)),
        b'S' => Ok(Duration::from_secs(count)),
        b'm' => Ok(Duration::from_millis(count)),
        b'u' => Ok(Duration::from_micros(count)),
        b'n' => Ok(Duration::from_nanos(count)),
        _ => Err(malformed),
    }
}

/// A response body with a deadline. If it expires, the body ends with the status of that error.
///
/// A body that is ready at once, like that of a unary call, never starts a timer.
pub struct Bounded {
    /// The message that was encoded before the peer reads it.
    first: Option<Encoded>,
    body: Body,
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    refusals: Option<(Refusals, Called)>,
    /// The call, which learns its code from the trailers.
    call: Option<Arc<Call>>,
}

/// An encoded message, or the status of the failure.
pub(super) type Encoded = Result<Frame<Bytes>, Status>;

impl Bounded {
    /// Returns a small body without a deadline.
    pub(super) fn unbounded(body: Body) -> Self {
        Self { first: None, body, deadline: None, timer: None, refusals: None, call: None }
    }

    /// Returns the body of a call, preceded by its encoded first message. It ends when the deadline
    /// expires.
    pub(super) fn of(
        first: Option<Encoded>,
        body: Body,
        deadline: Option<Instant>,
        refusals: (Refusals, Called),
        call: Option<Arc<Call>>,
    ) -> Self {
        Self { first, body, deadline, timer: None, refusals: Some(refusals), call }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if self.timer.is_none()
            && let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx)
        {
            return Poll::Ready(frame);
        }
        let Some(deadline) = self.deadline else { return Poll::Pending };
        // Poll the timer first from now on: a stream that is always ready must end, too.
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.as_mut().poll(cx).is_ready() {
            return self.end(&Error::exceeded());
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    /// Ends the body with the status of an error.
    fn end(&mut self, error: &Error) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        // Dropping the body notifies the producer of the stream that it has ended.
        self.body = Body::empty();
        (self.deadline, self.timer) = (None, None);
        let Some((refusals, rpc)) = self.refusals.take() else { return Poll::Ready(None) };
        let mut trailers = HeaderMap::new();
        let status = refusals.status(error, rpc).add_header(&mut trailers);
        Poll::Ready(Some(status.map(|()| Frame::trailers(trailers))))
    }
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(self.next(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
            && let Some(call) = self.call.take()
        {
            call.set_code_of(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.first.is_some() { SizeHint::new() } else { self.body.size_hint() }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;
    use crate::domain::error::Kind;

    #[test]
    fn a_timeout_is_up_to_8_digits_and_a_unit() {
        for (value, expected) in [
            ("1H", Duration::from_hours(1)),
            ("2M", Duration::from_mins(2)),
            ("3S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("6n", Duration::from_nanos(6)),
            ("00000000n", Duration::ZERO),
            ("99999999H", Duration::from_hours(99_999_999)),
        ] {
            assert_eq!(parse(value.as_bytes()), Ok(expected), "{value}");
        }
        for value in ["", "S", "1", "1s", "-1S", "+1S", "1.5S", "100000000n", " 1S", "1S ", "１S"]
        {
            assert!(parse(value.as_bytes()).is_err(), "{value}");
        }
    }

    #[test]
    fn the_head_takes_the_earlier_deadline_and_the_body_the_clients() {
        let read = |value: &'static str, longest| {
            let value = http::HeaderValue::from_static(value);
            Deadline::read(
                &HeaderMap::from_iter([(http::HeaderName::from_static("grpc-timeout"), value)]),
                longest,
                Instant::now(),
            )
        };
        let day = Duration::from_hours(24);
        let longer = read("48H", Some(day)).expect("a deadline");
        assert!(longer.head < longer.whole);
        let shorter = read("1H", Some(day)).expect("a deadline");
        assert_eq!(shorter.head, shorter.whole);
        let none =
            Deadline::read(&HeaderMap::new(), Some(day), Instant::now()).expect("a deadline");
        assert!(none.head.is_some() && none.whole.is_none());
        let begun = Instant::now() + day;
        let later = Deadline::read(&HeaderMap::new(), Some(day), begun).expect("a deadline");
        assert_eq!(later.head, Some(begun + day), "it counts from when the request arrived");
        let kind = |result: Result<Deadline>| result.map_err(|error| error.kind()).err();
        assert_eq!(kind(read("0m", None)), Some(Kind::DeadlineExceeded));
        let malformed = read("soon", None).expect_err("a refusal");
        assert_eq!(malformed.violations()[0].field, "grpc-timeout");
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_is_given_up() {
        let longest = Some(Duration::from_millis(1));
        let deadline = Deadline::read(&HeaderMap::new(), longest, Instant::now());
        let never = std::future::pending::<Result<()>>();
        let refused = deadline.expect("a deadline").bound(never).await.expect_err("a refusal");
        assert_eq!(refused.kind(), Kind::DeadlineExceeded);
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_status_when_the_deadline_passes() {
        let one = stream::iter([Ok::<_, Status>(Frame::data(Bytes::from_static(b"one")))]);
        let stream = stream::StreamExt::chain(one, stream::pending());
        let soon = Instant::now() + Duration::from_millis(1);
        let setting = crate::grpc::tests::setting().await;
        let refusals = (Refusals(setting.app), None);
        let body = Body::new(StreamBody::new(stream));
        let mut body = Bounded::of(None, body, Some(soon), refusals, None);
        let first = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(first.into_data().expect("data"), "one");
        let last = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(last.into_trailers().expect("trailers")["grpc-status"], "4");
        assert!(body.frame().await.is_none());
    }
}
