//! gRPC calls without decoding the messages.

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::stream;
use http::uri::PathAndQuery;
use tonic::Status;
use tonic::client::GrpcService;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;

use crate::support::calls::request;

struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// The response to a call: headers, messages, and status.
pub(super) struct Answered {
    pub(super) metadata: MetadataMap,
    pub(super) messages: Vec<Bytes>,
    pub(super) status: Status,
}

/// Calls a method and reads the response to its end.
pub(super) async fn call<T>(
    service: T,
    path: &str,
    headers: &[(&str, &str)],
    sent: Vec<Bytes>,
) -> Answered
where
    T: GrpcService<tonic::body::Body>,
    T::ResponseBody: http_body::Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error: Into<tower::BoxError>,
    T::Error: std::fmt::Debug,
{
    let mut answered =
        Answered { metadata: <_>::default(), messages: Vec::new(), status: Status::ok("") };
    let mut grpc = tonic::client::Grpc::new(service);
    grpc.ready().await.map_err(drop).expect("the service is ready");
    let path = PathAndQuery::try_from(path).expect("a path");
    let request = request(stream::iter(sent), headers);
    let mut stream = match grpc.streaming(request, path, Raw).await {
        Ok(response) => {
            answered.metadata = response.metadata().clone();
            response.into_inner()
        }
        Err(status) => return Answered { status, ..answered },
    };
    loop {
        match stream.message().await {
            Ok(Some(message)) => answered.messages.push(message),
            Ok(None) => return answered,
            Err(status) => return Answered { status, ..answered },
        }
    }
}
