//! Calls with a streamed response. Refusals are part of the stream: its last envelope contains the
//! outcome of the call.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use prost_reflect::{DescriptorPool, MessageDescriptor};
use serde::Serialize;
use tonic::Status;
use tower::BoxError;

use super::call::write;
use super::headers::{Encoding, STREAM_ACCEPTED, STREAM_CODING, metadata};
use super::refusal::{self, Refusal};
use super::schema::Method;
use super::unary::{make, refused};
use super::{Answer, Called, Grpc, Shared};
use crate::domain::error::Error;
use crate::receive::coding::{self, Coding, Unknown};
use crate::receive::envelope::{self, HEAD_BYTES};

/// The flag of the last envelope.
const END: u8 = 0x02;

impl Shared {
    pub(super) async fn stream<S, B, R>(
        self: &Arc<Self>,
        grpc: S,
        method: &Method,
        encoding: Encoding,
        parts: Parts,
        body: B,
    ) -> Answer
    where
        S: Grpc<B, R>,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
        R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let called = Called::of(&parts);
        let coding = Coding::of(&parts.headers, STREAM_CODING.as_str()).unwrap_or(Coding::Identity);
        let packing = coding.of_answer(&parts.headers, STREAM_ACCEPTED);
        let opened = self.open(grpc, method, encoding, parts, body).await;
        let opened = opened.and_then(|(response, share)| match refused(response.headers()) {
            Some(status) => Err(status.into()),
            None => Ok((response, share)),
        });
        let mut response = match opened {
            Ok((response, share)) => {
                let mut response = response.map(|body| {
                    let relay = Relay {
                        shared: Arc::clone(self),
                        called,
                        body: tonic::body::Body::new(body),
                        buffer: BytesMut::new(),
                        encoding,
                        packing,
                        output: method.output.clone(),
                        share,
                        is_over: false,
                    };
                    tonic::body::Body::new(StreamBody::new(stream::unfold(relay, Relay::next)))
                });
                if packing == Coding::Gzip {
                    let gzip = HeaderValue::from_static(coding::GZIP);
                    response.headers_mut().insert(STREAM_CODING, gzip);
                }
                response
            }
            Err(refusal) => self.ended(&refusal, &called),
        };
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(match encoding {
                Encoding::Json => "application/connect+json",
                Encoding::Proto => "application/connect+proto",
            }),
        );
        response
    }

    /// Returns a stream that consists of a refusal only.
    fn ended(&self, refusal: &Refusal, called: &Called) -> Answer {
        let status = self.status(refusal, called);
        let end = end(&self.schema.pool, Some(&status), &HeaderMap::new());
        let mut response = Response::new(tonic::body::Body::new(Full::from(end)));
        if let Some(accepted) = refusal.accepted() {
            response.headers_mut().insert(STREAM_ACCEPTED, accepted);
        }
        response
    }

    /// Calls the gRPC service. Returns its response, and the share to which the call counts.
    async fn open<S, B, R>(
        &self,
        grpc: S,
        method: &Method,
        encoding: Encoding,
        parts: Parts,
        body: B,
    ) -> Result<(Response<R>, String), Refusal>
    where
        S: Grpc<B, R>,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let call = self.admit(method, parts).await?;
        let coding = coding_of(&call.parts.headers)?;
        let max_bytes = HEAD_BYTES + call.packed_max_bytes(coding);
        let mut body = BytesMut::from(call.receive(body, max_bytes).await?);
        let message = match envelope::cut(&mut body) {
            Some((envelope::PACKED, _)) if coding == Coding::Identity => {
                return Err(Refusal::packed());
            }
            Some((envelope::PACKED, message)) if body.is_empty() => {
                call.unpack(coding, message).await?
            }
            Some((0, message)) if body.is_empty() => message,
            Some((0 | envelope::PACKED, _)) => return Err(Refusal::cardinality()),
            None if body.is_empty() => return Err(Refusal::cardinality()),
            Some(_) | None => {
                let reason = "Must be one message in an envelope.";
                return Err(Error::invalid_field("body", reason).into());
            }
        };
        let message = self.read(&call, encoding, message).await?;
        let left = call.left();
        Ok((make(grpc, call.parts, &message, left).await, call.terms.share))
    }
}

/// Returns the coding of a stream's messages. The body as a whole must have none.
fn coding_of(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let whole = Coding::of(headers, CONTENT_ENCODING.as_str()).map_err(Refusal::coding)?;
    if whole != Coding::Identity {
        return Err(Refusal::coding(Unknown(CONTENT_ENCODING.to_string())));
    }
    Coding::of(headers, STREAM_CODING.as_str()).map_err(Refusal::coding)
}

/// The content of the last envelope.
#[derive(Serialize)]
struct End<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<refusal::Body<'a>>,
    /// The trailers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Returns the last envelope: the refusal, if any, and the trailers.
fn end(pool: &DescriptorPool, status: Option<&Status>, trailers: &HeaderMap) -> Bytes {
    let mut told: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, value) in metadata(trailers) {
        told.entry(name.as_str()).or_default().extend(value.to_str());
    }
    let error = status.map(|status| refusal::Body::of(pool, status));
    // Texts always have a JSON form.
    let end = serde_json::to_vec(&End { error, metadata: told }).unwrap_or_default();
    envelope::framed(END, &end)
}

/// Forwards the messages of a gRPC response, one at a time.
struct Relay {
    shared: Arc<Shared>,
    called: Called,
    body: tonic::body::Body,
    buffer: BytesMut,
    encoding: Encoding,
    packing: Coding,
    output: MessageDescriptor,
    share: String,
    is_over: bool,
}

impl Relay {
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, Infallible>, Self)> {
        if self.is_over {
            return None;
        }
        let envelope = self.envelope().await;
        Some((Ok(Frame::data(envelope)), self))
    }

    async fn envelope(&mut self) -> Bytes {
        loop {
            if let Some((_, message)) = envelope::cut(&mut self.buffer) {
                let (lane, output) = (&self.shared.settings.lane, &self.output);
                return match write(lane, &self.share, self.encoding, output, message).await {
                    Ok(message) => match self.packing.pack(&message).await {
                        Some(packed) => envelope::framed(envelope::PACKED, &packed),
                        None => envelope::framed(0, &message),
                    },
                    Err(error) => self.broken(&error),
                };
            }
            let frame = match self.body.frame().await {
                Some(Ok(frame)) => frame,
                Some(Err(status)) => return self.broken(&Error::internal(status)),
                None => return self.broken(&Error::internal("a stream without trailers")),
            };
            match frame.into_data() {
                Ok(data) => self.buffer.extend_from_slice(&data),
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    return self.last(refused(&trailers).as_ref(), &trailers);
                }
            }
        }
    }

    fn broken(&mut self, error: &Error) -> Bytes {
        let status = (self.shared.settings.refuse)(error, &self.called.uri);
        self.called.ends_with(&status);
        self.last(Some(&status), &HeaderMap::new())
    }

    fn last(&mut self, status: Option<&Status>, trailers: &HeaderMap) -> Bytes {
        self.is_over = true;
        end(&self.shared.schema.pool, status, trailers)
    }
}
