//! Calls with a single response.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Either, Full};
use tonic::{Code, Status};
use tower::{BoxError, ServiceExt as _};

use super::call::{Call, write};
use super::headers::{Encoding, metadata, to_grpc};
use super::refusal::Refusal;
use super::{Answer, Grpc, Sent, Shared};
use crate::budget::Charge;
use crate::domain::error::Error;
use crate::receive::coding;
use crate::receive::envelope::{self, HEAD_BYTES};

impl Shared {
    /// Calls a method with a received message.
    pub(super) async fn unary<S, B, R>(
        &self,
        grpc: S,
        call: Call<'_>,
        sent: Sent,
    ) -> Result<Answer, Refusal>
    where
        S: Grpc<B, R>,
        R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let Sent { encoding, coding, message } = sent;
        let message = call.unpack(coding, message).await?;
        let message = self.read(&call, encoding, message).await?;
        let packing = coding.of_answer(&call.parts.headers, ACCEPT_ENCODING);
        let response = make(grpc, call.parts.clone(), &message, call.left()).await;
        // The charge of the message lasts until the client has received the response.
        let charge = response.extensions().get::<Arc<Charge>>().cloned();
        let (head, message, trailers) = answer(response).await?;
        let output = &call.method.output;
        let written = write(&self.settings.lane, &call.terms.share, encoding, output, message);
        let written = call.within(written).await?;
        let packed = packing.pack(&written).await;
        let is_packed = packed.is_some();
        let written = packed.unwrap_or(written);
        let bytes = written.len();
        let mut response = Response::new(tonic::body::Body::new(Full::from(written)));
        if let Some(charge) = charge {
            response.extensions_mut().insert(charge);
        }
        let share = call.terms.tab.share();
        if !self.settings.sending.try_charge_answer(share, response.extensions_mut(), bytes) {
            return Err(Error::sending().into());
        }
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(match encoding {
                Encoding::Json => "application/json",
                Encoding::Proto => "application/proto",
            }),
        );
        if is_packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding::GZIP));
        }
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
}

/// Calls the gRPC service with one message.
pub(super) async fn make<S, B, R>(
    grpc: S,
    mut parts: Parts,
    message: &[u8],
    timeout: Option<Duration>,
) -> Response<R>
where
    S: Grpc<B, R>,
{
    to_grpc(&mut parts, timeout);
    let body = Either::Right(Either::Right(Full::from(envelope::framed(0, message))));
    let Ok(response) = grpc.oneshot(Request::from_parts(parts, body)).await;
    response
}

/// Returns the status in the headers or trailers of a gRPC response, if it is a refusal.
pub(super) fn refused(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

/// Returns the headers, the message and the trailers of a response.
async fn answer<R>(response: Response<R>) -> Result<(HeaderMap, Bytes, HeaderMap), Refusal>
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
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
    if message.len() < HEAD_BYTES {
        return Err(Error::internal("an answer without a message").into());
    }
    message.advance(HEAD_BYTES);
    Ok((head.headers, message, trailers))
}
