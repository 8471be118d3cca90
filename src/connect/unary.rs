//! Calls with one answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use tower::{BoxError, Service, ServiceExt as _};

use super::headers::{Encoding, metadata, timeout, to_grpc};
use super::refusal::Refusal;
use super::schema::Method;
use super::{Answer, Body, Shared};
use crate::budget::{Charge, ChargedBody};
use crate::domain::error::{Error, Kind};

/// What stands before each message: a flag and a length of four bytes.
pub(super) const FRAME_HEAD_BYTES: usize = 5;

impl Shared {
    /// Calls a method whose message is in a body, or was somewhere else.
    pub(super) async fn unary<S, B, R>(
        &self,
        grpc: S,
        method: &Method,
        encoding: Encoding,
        parts: Parts,
        message: Either<B, Bytes>,
    ) -> Result<Answer, Refusal>
    where
        S: Service<Request<Body<B>>, Response = Response<R>, Error = Infallible> + Send,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
        R: http_body::Body<Data = Bytes> + Send,
        R::Error: Into<BoxError>,
    {
        let begun = Instant::now();
        let timeout = timeout(&parts.headers)?;
        let message = match message {
            Either::Left(body) => {
                self.read(body, begun, timeout, self.limits.message_max_bytes).await?
            }
            Either::Right(message) => message,
        };
        let message = encoding.read(method, message)?;
        let response = call(grpc, parts, &message, left(begun, timeout)).await;
        // What is charged for the message is held until the answer that is made of it was taken.
        let mut charge = response.extensions().get::<Arc<Charge>>().cloned();
        let (head, message, trailers) = answer(response).await?;
        let written = encoding.write(method, message)?;
        if !self.sending.try_cover_answer(&mut charge, written.len()) {
            return Err(Error::sending().into());
        }
        let body = Full::from(written);
        let mut response = Response::new(match charge {
            Some(charge) => tonic::body::Body::new(ChargedBody::new(body, charge)),
            None => tonic::body::Body::new(body),
        });
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(match encoding {
                Encoding::Json => "application/json",
                Encoding::Proto => "application/proto",
            }),
        );
        for (name, value) in metadata(&head) {
            headers.append(name, value.clone());
        }
        for (name, value) in metadata(&trailers) {
            if let Ok(name) = HeaderName::try_from(format!("trailer-{name}")) {
                headers.append(name, value.clone());
            }
        }
        Ok(response)
    }

    /// Reads a body to its end, within the deadline and up to the limit.
    pub(super) async fn read<B>(
        &self,
        body: B,
        begun: Instant,
        timeout: Option<Duration>,
        max_bytes: usize,
    ) -> Result<Bytes, Error>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let longest = self.limits.deadline_max;
        let deadline = begun + timeout.unwrap_or(longest).min(longest);
        let Ok(read) = timeout_at(deadline, Limited::new(body, max_bytes).collect()).await else {
            let detail = "The deadline passed before the call was answered.";
            return Err(Error::new(Kind::DeadlineExceeded, detail));
        };
        read.map(http_body_util::Collected::to_bytes).map_err(|error| {
            if error.is::<LengthLimitError>() {
                let detail = "A message is larger than the server accepts.";
                Error::new(Kind::PayloadTooLarge, detail)
            } else {
                Error::invalid_field("body", "The body did not arrive as a whole.")
            }
        })
    }
}

/// How much of the client's timeout is left.
pub(super) fn left(begun: Instant, timeout: Option<Duration>) -> Option<Duration> {
    timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()))
}

/// Calls the gRPC service with one message.
pub(super) async fn call<S, B, R>(
    grpc: S,
    mut parts: Parts,
    message: &[u8],
    timeout: Option<Duration>,
) -> Response<R>
where
    S: Service<Request<Body<B>>, Response = Response<R>, Error = Infallible> + Send,
    S::Future: Send,
{
    to_grpc(&mut parts, timeout);
    let body = Either::Right(Full::from(framed(0, message)));
    let Ok(response) = grpc.oneshot(Request::from_parts(parts, body)).await;
    response
}

/// A message behind its flag and its length.
pub(super) fn framed(flag: u8, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(FRAME_HEAD_BYTES + message.len());
    frame.put_u8(flag);
    // Messages are bounded far below 4 GiB.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// The status of a gRPC answer in its head or trailers, if it is a refusal.
pub(super) fn refused(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

/// Head, message and trailers of an answer.
async fn answer<R>(response: Response<R>) -> Result<(HeaderMap, Bytes, HeaderMap), Refusal>
where
    R: http_body::Body<Data = Bytes> + Send,
    R::Error: Into<BoxError>,
{
    let (head, body) = response.into_parts();
    if let Some(status) = refused(&head.headers) {
        return Err(status.into());
    }
    let broken = |error: R::Error| Error::internal(error);
    let collected = body.collect().await.map_err(broken)?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    if let Some(status) = refused(&trailers) {
        return Err(status.into());
    }
    let mut message = collected.to_bytes();
    if message.len() < FRAME_HEAD_BYTES {
        return Err(Error::internal("an answer without a message").into());
    }
    message.advance(FRAME_HEAD_BYTES);
    Ok((head.headers, message, trailers))
}
