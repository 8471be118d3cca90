//! The messages of a request on their way to their service: their number and compression.
//!
//! The framework does not decompress messages here, and would accept the first of several where the
//! RPC has one. So the heads of messages are inspected as they pass, and only the messages of a
//! client that compresses are collected and decompressed. The codes are those of gRPC's table of
//! statuses.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, BodyStream, Either, StreamBody};
use tonic::codegen::StdError;
use tonic::{Code, Status};

use super::deadline::Encoded;
use super::rpcs::Rpc;
use crate::domain::error::{Error, Kind};
use crate::receive::coding::{self, Coding, Unknown};
use crate::receive::envelope::{self, HEAD_BYTES, PACKED};
use crate::receive::{Received, Tab, too_large, unknown_coding, unpack};

/// The header with the compression of messages.
pub(super) const CODING: &str = "grpc-encoding";
/// The header with the compressions that a peer accepts.
pub(super) const ACCEPTED: &str = "grpc-accept-encoding";

/// The body of a request as services read it.
pub(super) type Messages<B> = Either<Checked<Received<B>>, UnsyncBoxBody<Bytes, StdError>>;

/// Returns the messages of a call, decompressed.
pub(super) fn of<B>(coding: Coding, rpc: &Rpc, body: B, tab: &Tab) -> Messages<B>
where
    B: Body<Data = Bytes, Error: Into<StdError>> + Unpin + Send + 'static,
{
    let packed_max_bytes = coding.packed_max_bytes(rpc.message_max_bytes);
    let body = Received::new(body, packed_max_bytes, tab.clone());
    let heads = Heads {
        is_packed: coding == Coding::Gzip,
        is_one: !rpc.is_client_streaming(),
        ..Heads::default()
    };
    let checked = Checked { body, heads };
    match coding {
        Coding::Identity => Either::Left(checked),
        Coding::Gzip => {
            let messages = unpacked(checked, rpc.message_max_bytes, tab.clone());
            Either::Right(StreamBody::new(messages).boxed_unsync())
        }
    }
}

/// Refuses a call with an unknown compression, and lists the accepted ones.
pub(super) fn refusal(unknown: Unknown) -> Response<tonic::body::Body> {
    let status = with_code(Code::Unimplemented, unknown_coding(unknown));
    let mut response = status.into_http();
    response.headers_mut().insert(ACCEPTED, HeaderValue::from_static("gzip,identity"));
    response
}

/// Returns a refusal with a code that differs from that of its kind.
fn with_code(code: Code, error: Error) -> Status {
    let mut status = Status::new(code, error.detail());
    status.set_source(Arc::new(error));
    status
}

/// A body that inspects messages as they pass.
pub(super) struct Checked<B> {
    body: B,
    heads: Heads,
}

impl<B> Body for Checked<B>
where
    B: Body<Data = Bytes, Error: Into<StdError>> + Unpin,
{
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let this = &mut *self;
        let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)) else {
            return Poll::Ready(this.heads.end().err().map(|status| Err(status.into())));
        };
        let frame = frame.map_err(|error| match error.into().downcast::<Error>() {
            Ok(error) => Status::from(*error).into(),
            Err(error) => error,
        })?;
        if let Some(data) = frame.data_ref() {
            this.heads.pass(data)?;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        // A body that is known to be empty is not polled, and so would not be refused.
        self.heads.end().is_ok() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The state of the messages that have passed.
#[derive(Debug, Default)]
struct Heads {
    /// Whether messages may be compressed.
    is_packed: bool,
    /// Whether the RPC has one message.
    is_one: bool,
    /// The number of messages that have begun.
    begun: usize,
    /// The bytes of the current head that have passed.
    head_bytes: usize,
    /// The bytes of the message that have not passed, once its head has.
    left_bytes: usize,
}

impl Heads {
    fn pass(&mut self, mut data: &[u8]) -> Result<(), Status> {
        while let Some(first) = data.first() {
            if self.head_bytes == 0 {
                self.begin(*first)?;
            }
            if self.head_bytes < HEAD_BYTES {
                let missing = (HEAD_BYTES - self.head_bytes).min(data.len());
                for (index, byte) in (self.head_bytes..).zip(&data[..missing]) {
                    if index > 0 {
                        self.left_bytes = self.left_bytes << 8 | usize::from(*byte);
                    }
                }
                self.head_bytes += missing;
                data = &data[missing..];
            }
            if self.head_bytes == HEAD_BYTES {
                let passing = self.left_bytes.min(data.len());
                self.left_bytes -= passing;
                data = &data[passing..];
                if self.left_bytes == 0 {
                    self.head_bytes = 0;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, flag: u8) -> Result<(), Status> {
        self.begun += 1;
        if self.is_one && self.begun > 1 {
            return Err(cardinality());
        }
        if flag == PACKED && !self.is_packed {
            let detail = "grpc-encoding: Required for a message whose compressed flag is set.";
            let error = Error::new(Kind::InvalidArgument, detail);
            return Err(with_code(Code::Internal, error));
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Status> {
        if self.is_one && self.begun == 0 { Err(cardinality()) } else { Ok(()) }
    }
}

fn cardinality() -> Status {
    let error = Error::new(Kind::InvalidArgument, "Must send exactly one message.");
    with_code(Code::Unimplemented, error)
}

type Unpacked = Result<Frame<Bytes>, StdError>;

/// Collects messages and decompresses them.
fn unpacked<B>(body: Checked<B>, max_bytes: usize, tab: Tab) -> impl Stream<Item = Unpacked> + Send
where
    B: Body<Data = Bytes, Error: Into<StdError>> + Unpin + Send,
{
    let collecting = Collecting { frames: BodyStream::new(body), buffer: BytesMut::new() };
    stream::try_unfold((collecting, tab), move |(mut collecting, tab)| async move {
        let Some(frame) = collecting.next(max_bytes, &tab).await? else { return Ok(None) };
        Ok(Some((frame, (collecting, tab))))
    })
}

struct Collecting<B> {
    frames: BodyStream<Checked<B>>,
    buffer: BytesMut,
}

impl<B> Collecting<B>
where
    B: Body<Data = Bytes, Error: Into<StdError>> + Unpin,
{
    /// Returns the next message, decompressed, or the data after the last one.
    async fn next(
        &mut self,
        max_bytes: usize,
        tab: &Tab,
    ) -> Result<Option<Frame<Bytes>>, StdError> {
        loop {
            let length = envelope::length(&self.buffer).unwrap_or_default();
            if length > Coding::Gzip.packed_max_bytes(max_bytes) {
                return Err(Status::from(too_large(max_bytes)).into());
            }
            if let Some((flag, message)) = envelope::cut(&mut self.buffer) {
                let coding = if flag == PACKED { Coding::Gzip } else { Coding::Identity };
                let message = unpack(coding, message, max_bytes, tab).await.map_err(undone)?;
                return Ok(Some(Frame::data(envelope::framed(flag & !PACKED, &message))));
            }
            let Some(frame) = self.frames.next().await.transpose()? else {
                // The framework reports an incomplete message.
                let rest = self.buffer.split().freeze();
                return Ok((!rest.is_empty()).then(|| Frame::data(rest)));
            };
            match frame.into_data() {
                Ok(data) => self.buffer.extend_from_slice(&data),
                Err(trailers) => return Ok(Some(trailers)),
            }
        }
    }
}

/// Refuses a message that cannot be decompressed, with gRPC's code for invalid gzip.
fn undone(error: Error) -> Status {
    if error.kind() == Kind::InvalidArgument {
        with_code(Code::Internal, error)
    } else {
        error.into()
    }
}

/// Compresses the messages of a response, of which the first was encoded before.
pub(super) async fn pack(
    response: Response<tonic::body::Body>,
    first: Option<Encoded>,
) -> (Response<tonic::body::Body>, Option<Encoded>) {
    // A refusal has no message.
    if response.headers().contains_key("grpc-status") {
        return (response, first);
    }
    let first = match first {
        Some(frame) => Some(packed(frame).await),
        None => None,
    };
    let mut response = response.map(|body| {
        let frames = BodyStream::new(body).then(packed);
        tonic::body::Body::new(StreamBody::new(frames))
    });
    response.headers_mut().insert(CODING, HeaderValue::from_static(coding::GZIP));
    (response, first)
}

/// Compresses the messages of a frame, which contains whole messages.
async fn packed(frame: Encoded) -> Encoded {
    let data = match frame?.into_data() {
        Ok(data) => data,
        Err(trailers) => return Ok(trailers),
    };
    let mut plain = BytesMut::from(data);
    let mut written = BytesMut::new();
    while let Some((flag, message)) = envelope::cut(&mut plain) {
        match Coding::Gzip.pack(&message).await {
            Some(packed) => envelope::put(&mut written, flag | PACKED, &packed),
            None => envelope::put(&mut written, flag, &message),
        }
    }
    written.unsplit(plain);
    Ok(Frame::data(written.freeze()))
}
