//! Server reflection: the contract as the server has it, for tools without the proto files.
//!
//! Version 1 and its predecessor v1alpha, which older tools still speak, answer alike. Only public
//! services are listed; messages and services of the rest of the contract can be looked up by name.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use http_body_util::{BodyStream, StreamBody};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::StdError;
use tonic_reflection::pb;
pub(super) use tonic_reflection::pb::v1::server_reflection_server::{
    ServerReflection, ServerReflectionServer as Server,
};
pub(super) use tonic_reflection::pb::v1alpha::server_reflection_server::{
    ServerReflection as ServerReflectionAlpha, ServerReflectionServer as ServerAlpha,
};
use tonic_reflection::server::Builder;

use super::rpcs;
use crate::pb::DESCRIPTOR;

/// What can only fail if the program was put together wrongly; a test finds out.
const COMPILED_IN: &str = "the descriptor sets are compiled in";

fn builder(services: &[rpcs::Service]) -> Builder<'static> {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(pb::v1alpha::FILE_DESCRIPTOR_SET);
    services.iter().fold(builder, |builder, service| builder.with_service_name(service.name()))
}

/// Version 1, listing these services.
pub(super) fn v1(services: &[rpcs::Service]) -> Server<impl ServerReflection> {
    let server = builder(services).build_v1().expect(COMPILED_IN);
    server.max_decoding_message_size(rpcs::OPEN_MESSAGE_MAX_BYTES)
}

/// Version v1alpha, listing these services.
pub(super) fn v1alpha(services: &[rpcs::Service]) -> ServerAlpha<impl ServerReflectionAlpha> {
    let server = builder(services).build_v1alpha().expect(COMPILED_IN);
    server.max_decoding_message_size(rpcs::OPEN_MESSAGE_MAX_BYTES)
}

/// Ends a request's stream at shutdown. Reflection then ends its own, as if the tool had no more
/// questions, and an idle tool does not hold up the drain.
pub(super) fn until_shutdown<B>(request: Request<B>, shutdown: &CancellationToken) -> Request<Body>
where
    B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Send + 'static,
{
    let shutdown = shutdown.clone().cancelled_owned();
    request.map(|body| Body::new(StreamBody::new(BodyStream::new(body).take_until(shutdown))))
}
