//! What is left of a small body after an early answer, on HTTP/1.1.
//!
//! A call that is refused by its headers is answered before its body is read. On HTTP/2 its stream
//! ends, and others go on. An HTTP/1.1 connection with unread bytes must be closed, and a client that
//! is still sending them would often lose the answer. So a body that is not known to be
//! large is received and discarded before the answer leaves, for a moment at most, and the connection can be
//! used again. Nothing of it is held. A client that waits for `100 Continue` sends nothing, and is not
//! told to send what is not wanted.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use http::header::EXPECT;
use http::{Request, Version};
use http_body::{Body, Frame, SizeHint};
use tower::Service;

use super::limits;

/// A service whose callers over HTTP/1.1 have sent all of a small body when they are answered.
#[derive(Clone, Debug)]
pub struct Leftovers<S>(S);

impl<S> Leftovers<S> {
    /// Around a service.
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

/// The body of a request, which is put aside if it is dropped before its end.
#[derive(Debug)]
pub struct Sent<B> {
    body: Option<B>,
    aside: Option<Aside<B>>,
    /// Whether its client sends it: hyper tells one that waits for that once the body is polled.
    is_wanted: bool,
}

type Aside<B> = Arc<Mutex<Option<B>>>;

impl<B: Body> Sent<B> {
    fn of(request: Request<B>) -> (Request<Self>, Option<Aside<B>>) {
        // A chunked body announces no length: it may be small.
        let is_small = request.body().size_hint().lower() <= limits::LEFTOVER_MAX_BYTES;
        let may_be_left = is_small && !request.body().is_end_stream();
        let aside = (request.version() < Version::HTTP_2 && may_be_left).then(Aside::default);
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

impl<B> Drop for Sent<B> {
    fn drop(&mut self) {
        if let Some(aside) = self.aside.as_ref().filter(|_| self.is_wanted) {
            *aside.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
        }
    }
}

/// Receives the rest of a body that was put aside.
async fn discard<B: Body<Data = Bytes> + Unpin>(aside: Aside<B>) {
    let Some(mut body) = aside.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return;
    };
    let rest = async {
        let mut received_bytes = 0;
        while !body.is_end_stream() && received_bytes <= limits::LEFTOVER_MAX_BYTES {
            match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                Some(Ok(frame)) => {
                    received_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Some(Err(_)) | None => return,
            }
        }
    };
    // What did not arrive in time closes the connection, as a large body does.
    let _ = tokio::time::timeout(Duration::from_millis(limits::LEFTOVER_WAIT_MAX_MS), rest).await;
}

impl<S, B> Service<Request<B>> for Leftovers<S>
where
    S: Service<Request<Sent<B>>, Error = Infallible>,
    S::Response: Send,
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
            let answer = answer.await;
            discard(aside).await;
            answer
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use http::Response;
    use http_body_util::{BodyExt as _, Full, StreamBody};
    use tower::{ServiceExt as _, service_fn};

    /// A body of an announced length whose frames are counted as they are taken.
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

    /// How many bytes of a body are received when a service answers without looking at it.
    async fn received(version: Version, length: u64) -> u64 {
        let taken = Arc::new(Mutex::new(0));
        let body = Counted { left: length, taken: Arc::clone(&taken) };
        let request = Request::builder().version(version).body(body).expect("a request");
        let early = service_fn(async |_: Request<Sent<Counted>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let Ok(_) = Leftovers::new(early).oneshot(request).await;
        Arc::into_inner(taken).map_or(0, |taken| taken.into_inner().expect("no panic"))
    }

    #[tokio::test]
    async fn a_small_body_on_http1_is_received_before_an_early_answer_leaves() {
        assert_eq!(received(Version::HTTP_11, 5).await, 5);
        assert_eq!(received(Version::HTTP_2, 5).await, 0);
        assert_eq!(received(Version::HTTP_11, limits::LEFTOVER_MAX_BYTES + 1).await, 0);
    }

    #[tokio::test]
    async fn a_small_body_that_never_comes_delays_the_answer_for_a_moment_only() {
        let never =
            StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let aside = Arc::new(Mutex::new(Some(never.boxed_unsync())));
        discard(Arc::clone(&aside)).await;
        assert!(aside.lock().expect("no panic").is_none());
    }
}
