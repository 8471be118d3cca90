//! The unread rest of a body after an early response, on HTTP/1.1.
//!
//! A call that is refused by its headers is answered before its body is read. On HTTP/2 its stream
//! ends, and the others continue. An HTTP/1.1 connection with unread bytes must be closed, and a
//! client that is still sending them would often lose the response. So, unless a body is known to
//! be large, it is received and discarded for a moment before the response is sent, and the
//! connection stays usable. Nothing of it is stored. A client that waits for `100 Continue` sends
//! nothing, and is not told to send an unwanted body. If the rest is not received, the response
//! announces that the connection closes.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use tower::Service;

use super::limits;

/// A service that receives the rest of a small HTTP/1.1 body before it responds.
#[derive(Clone, Debug)]
pub struct Leftovers<S>(S);

impl<S> Leftovers<S> {
    /// Wraps a service.
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

/// The body of a request, which is set aside if it is dropped before its end.
#[derive(Debug)]
pub struct Sent<B: Body> {
    body: Option<B>,
    aside: Option<Aside<B>>,
    /// Whether the client sends the body. hyper sends `100 Continue` at the first poll.
    is_wanted: bool,
}

/// The rest of a body, or nothing if it was read to its end.
type Aside<B> = Arc<Mutex<Option<Left<B>>>>;

#[derive(Debug)]
enum Left<B> {
    /// The rest may be received.
    Small(B),
    /// The client waits for `100 Continue`, or the body is large.
    Unread,
}

impl<B: Body> Sent<B> {
    fn of(request: Request<B>) -> (Request<Self>, Option<Aside<B>>) {
        let may_be_left = request.version() < Version::HTTP_2 && !request.body().is_end_stream();
        let aside = may_be_left.then(Aside::default);
        let shared = aside.clone();
        let is_wanted = !request.headers().contains_key(EXPECT);
        (request.map(|body| Self { body: Some(body), aside: shared, is_wanted }), aside)
    }
}

impl<B: Body + Unpin> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.is_wanted = true;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B: Body> Drop for Sent<B> {
    fn drop(&mut self) {
        let Some(aside) = &self.aside else { return };
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        // A chunked body announces no length, so it may be small.
        let is_small = body.size_hint().lower() <= limits::LEFTOVER_MAX_BYTES;
        let left = if is_small && self.is_wanted { Left::Small(body) } else { Left::Unread };
        *aside.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
    }
}

/// Receives the rest of a body that was set aside. Returns `false` if it is incomplete.
async fn discard<B: Body<Data = Bytes> + Unpin>(aside: Aside<B>) -> bool {
    let left = aside.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut body = match left {
        None => return true,
        Some(Left::Small(body)) => body,
        Some(Left::Unread) => return false,
    };
    let rest = async {
        let mut received_bytes = 0;
        while !body.is_end_stream() {
            match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                Some(Ok(frame)) => {
                    received_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Some(Err(_)) => return false,
                None => return true,
            }
            if received_bytes > limits::LEFTOVER_MAX_BYTES {
                return false;
            }
        }
        true
    };
    let wait_max = Duration::from_millis(limits::LEFTOVER_WAIT_MAX_MS);
    tokio::time::timeout(wait_max, rest).await.unwrap_or(false)
}

impl<S, B, R> Service<Request<B>> for Leftovers<S>
where
    S: Service<Request<Sent<B>>, Response = Response<R>, Error = Infallible>,
    R: Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<S::Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (request, aside) = Sent::of(request);
        let answer = self.0.call(request);
        let Some(aside) = aside else { return Either::Left(answer) };
        Either::Right(Box::pin(async move {
            let Ok(mut answer) = answer.await;
            if !discard(aside).await {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use http_body_util::{BodyExt as _, Full, StreamBody};
    use tower::{ServiceExt as _, service_fn};

    /// A body of an announced length that counts its polled frames.
    struct Counted {
        left: u64,
        taken: Arc<Mutex<u64>>,
    }

    impl Body for Counted {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            self.left -= 1;
            *self.taken.lock().expect("no panic") += 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }

        fn is_end_stream(&self) -> bool {
            self.left == 0
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.left)
        }
    }

    /// Returns how many bytes of a body are received when a service responds without reading it,
    /// and whether the connection stays open.
    async fn received(version: Version, length: u64, is_awaited: bool) -> (u64, bool) {
        let taken = Arc::new(Mutex::new(0));
        let body = Counted { left: length, taken: Arc::clone(&taken) };
        let mut request = Request::builder().version(version).body(body).expect("a request");
        if is_awaited {
            request.headers_mut().insert(EXPECT, HeaderValue::from_static("100-continue"));
        }
        let early = service_fn(async |_: Request<Sent<Counted>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let Ok(answer) = Leftovers::new(early).oneshot(request).await;
        let taken = Arc::into_inner(taken).map_or(0, |taken| taken.into_inner().expect("no panic"));
        (taken, answer.headers().get(CONNECTION).is_none())
    }

    #[tokio::test]
    async fn a_small_body_on_http1_is_received_before_an_early_answer_leaves() {
        let large = limits::LEFTOVER_MAX_BYTES + 1;
        for (version, length, is_awaited, expected) in [
            (Version::HTTP_11, 5, false, (5, true)),
            (Version::HTTP_11, 0, false, (0, true)),
            (Version::HTTP_2, 5, false, (0, true)),
            (Version::HTTP_2, large, false, (0, true)),
            (Version::HTTP_11, large, false, (0, false)),
            (Version::HTTP_11, 5, true, (0, false)),
        ] {
            let found = received(version, length, is_awaited).await;
            assert_eq!(found, expected, "{version:?} {length} {is_awaited}");
        }
    }

    #[tokio::test]
    async fn a_small_body_that_never_comes_delays_the_answer_for_a_moment_only() {
        let never =
            StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let aside = Arc::new(Mutex::new(Some(Left::Small(never.boxed_unsync()))));
        assert!(!discard(Arc::clone(&aside)).await, "not all of it came");
        assert!(aside.lock().expect("no panic").is_none());
    }
}
