//! gRPC-Web: gRPC for browsers, which cannot read trailers. Messages are framed as in gRPC, over
//! any version of HTTP, and a last frame contains the trailers. The text form encodes the same in
//! base64, for clients that read a body as text while it arrives.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, Bytes, BytesMut};
use data_encoding::BASE64;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt as _, Either};
use tower::BoxError;

use super::headers::essence;
use super::{Answer, Body};
use crate::domain::error::Error;
use crate::receive::envelope;

/// The flag of the frame with the trailers.
const TRAILERS: u8 = 0x80;

/// The encoding of a gRPC-Web body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Binary,
    Text,
}

impl Form {
    fn of(headers: &HeaderMap) -> Option<Self> {
        match essence(headers).as_str() {
            "application/grpc-web" | "application/grpc-web+proto" => Some(Self::Binary),
            "application/grpc-web-text" | "application/grpc-web-text+proto" => Some(Self::Text),
            _ => None,
        }
    }

    /// Returns the content type of a response.
    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Binary => "application/grpc-web+proto",
            Self::Text => "application/grpc-web-text+proto",
        })
    }

    fn write(self, data: Bytes) -> Bytes {
        match self {
            Self::Binary => data,
            Self::Text => BASE64.encode(&data).into(),
        }
    }
}

/// Returns whether the content type is gRPC-Web, including its unknown variants.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    essence(headers).starts_with("application/grpc-web")
}

/// Translates a request for gRPC, which rejects invalid requests. Returns its form, too.
pub(super) fn request<B>(mut request: Request<B>) -> (Request<Body<B>>, Form) {
    *request.version_mut() = Version::HTTP_2;
    let form = Form::of(request.headers());
    if form.is_some() {
        let grpc = HeaderValue::from_static("application/grpc");
        request.headers_mut().insert(CONTENT_TYPE, grpc);
    }
    if form != Some(Form::Text) {
        return (super::native(request), Form::Binary);
    }
    request.headers_mut().remove(CONTENT_LENGTH);
    (request.map(|body| Either::Right(Either::Left(Text::new(body)))), Form::Text)
}

/// Moves the trailers of a response into its body. A refusal without a body has its status in the
/// headers, which browsers can read.
pub(super) fn response<R>(response: Response<R>, form: Form) -> Answer
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut response = response.map(|body| {
        tonic::body::Body::new(body.map_frame(move |frame| {
            let frame = match frame.into_trailers() {
                Ok(trailers) => Frame::data(framed(&trailers)),
                Err(frame) => frame,
            };
            frame.map_data(|data| form.write(data))
        }))
    });
    let headers = response.headers_mut();
    if essence(headers) == "application/grpc" {
        headers.insert(CONTENT_TYPE, form.name());
    }
    response
}

/// Encodes trailers as a frame: a header block of HTTP/1.1 with names in lower case.
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

/// A body that is decoded from base64. The client may have encoded it in pieces with padding each.
#[derive(Debug)]
pub struct Text<B> {
    body: B,
    /// The start of an incomplete group of four characters.
    rest: BytesMut,
}

impl<B> Text<B> {
    fn new(body: B) -> Self {
        Self { body, rest: BytesMut::new() }
    }

    /// Decodes the complete groups received so far, and stores the rest.
    fn read(&mut self, data: &[u8]) -> Result<Bytes, Error> {
        self.rest.extend_from_slice(data);
        let whole = self.rest.len() - self.rest.len() % 4;
        let bytes = BASE64.decode(&self.rest.split_to(whole)).map_err(|_| unreadable())?;
        Ok(bytes.into())
    }
}

fn unreadable() -> Error {
    Error::invalid_field("body", "Must be base64.")
}

impl<B> http_body::Body for Text<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)) else {
            let is_cut = !std::mem::take(&mut this.rest).is_empty();
            return Poll::Ready(is_cut.then(|| Err(unreadable().into())));
        };
        Poll::Ready(Some(match frame.map_err(Into::into)?.into_data() {
            Ok(data) => Ok(Frame::data(this.read(&data)?)),
            Err(trailers) => Ok(trailers),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_whatever_pieces_it_comes() {
        for (pieces, expected) in [
            (&["aGVsbG8="][..], Some("hello")),
            (&["aG", "Vsb", "G8="], Some("hello")),
            (&["aGVs", "", "bG8="], Some("hello")),
            // Two encoded pieces, each with its padding.
            (&["aGU=bGxv"], Some("hello")),
            (&["aGU", "=bG", "xv"], Some("hello")),
            (&["a b="], None),
            (&["a==="], None),
        ] {
            let mut text = Text::new(());
            let read: Result<Vec<Bytes>, _> =
                pieces.iter().map(|piece| text.read(piece.as_bytes())).collect();
            assert_eq!(read.ok().map(|read| read.concat()), expected.map(Vec::from), "{pieces:?}");
        }
    }
}
