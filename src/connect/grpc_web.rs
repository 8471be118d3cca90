//! gRPC-Web: gRPC for browsers, which cannot read trailers. Messages are framed as in gRPC, over any
//! version of HTTP, and the trailers are one more frame.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::Frame;
use http_body_util::BodyExt as _;
use tower::BoxError;

use super::Answer;
use super::headers::essence;
use crate::receive::envelope;

/// The flag of the frame that holds the trailers.
const TRAILERS: u8 = 0x80;

/// Whether a request is gRPC-Web, or means to be.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    essence(headers).starts_with("application/grpc-web")
}

/// The request as gRPC has it. What is wrong with it is left for gRPC to refuse.
pub(super) fn request<B>(mut request: Request<B>) -> Request<B> {
    *request.version_mut() = Version::HTTP_2;
    let is_binary = ["application/grpc-web", "application/grpc-web+proto"]
        .contains(&essence(request.headers()).as_str());
    if is_binary {
        let grpc = HeaderValue::from_static("application/grpc");
        request.headers_mut().insert(CONTENT_TYPE, grpc);
    }
    request
}

/// The answer with its trailers in the body. A refusal without a body has them in its head, which
/// browsers can read.
pub(super) fn response<R>(response: Response<R>) -> Answer
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut response = response.map(|body| {
        tonic::body::Body::new(body.map_frame(|frame| match frame.into_trailers() {
            Ok(trailers) => Frame::data(framed(&trailers)),
            Err(frame) => frame,
        }))
    });
    let headers = response.headers_mut();
    if essence(headers) == "application/grpc" {
        let web = HeaderValue::from_static("application/grpc-web+proto");
        headers.insert(CONTENT_TYPE, web);
    }
    response
}

/// Trailers as a frame: a header block of HTTP/1.1 with names in lower case.
fn framed(trailers: &HeaderMap) -> Bytes {
    let mut block = BytesMut::new();
    for (name, value) in trailers {
        block.put_slice(name.as_str().as_bytes());
        block.put_slice(b": ");
        block.put_slice(value.as_bytes());
        block.put_slice(b"\r\n");
    }
    envelope::framed(TRAILERS, &block)
}
