//! Server reflection: the server's contract, for tools without the proto files.
//!
//! Version 1 and its predecessor v1alpha, which older tools use, have the same messages, so one
//! service serves both. Only public services are listed; all other names of the contract can be
//! looked up. A failed look-up is a response, and the stream continues.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::{Request, Uri};
use http_body_util::{BodyStream, StreamBody};
use prost_reflect::{DescriptorPool, EnumDescriptor, FileDescriptor, MessageDescriptor};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::StdError;
use tonic::{Code, Response, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::server_reflection_server::{
    ServerReflection, ServerReflectionServer,
};
use tonic_reflection::pb::v1::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse,
    ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
};

use super::refusal::Refusals;
use super::rpcs;
use crate::pb::POOL;

/// The path of version 1.
const PATH: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// The generated server of the service.
pub(super) type Server = ServerReflectionServer<Reflection>;

/// Responds to queries about the contract.
pub(super) struct Reflection {
    contract: Arc<Contract>,
    refusals: Refusals,
}

/// The contract, and the file of each of its names.
struct Contract {
    pool: DescriptorPool,
    services: &'static [rpcs::Service],
    symbols: HashMap<String, FileDescriptor>,
}

/// Creates the service, which lists these services.
pub(super) fn server(services: &'static [rpcs::Service], refusals: Refusals) -> Server {
    let contract = Arc::new(Contract::new(services));
    Server::new(Reflection { contract, refusals })
}

#[tonic::async_trait]
impl ServerReflection for Reflection {
    type ServerReflectionInfoStream = BoxStream<'static, Result<ServerReflectionResponse, Status>>;

    async fn server_reflection_info(
        &self,
        request: tonic::Request<Streaming<ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let (contract, refusals) = (Arc::clone(&self.contract), self.refusals.clone());
        let answers = request.into_inner().map(move |question| match question {
            Ok(question) => Ok(contract.answer(question)),
            Err(status) => Err(refusals.shaped(&status, rpcs::find(PATH))),
        });
        Ok(Response::new(answers.boxed()))
    }
}

impl Contract {
    fn new(services: &'static [rpcs::Service]) -> Self {
        let pool = POOL.clone();
        let mut contract = Self { services, symbols: HashMap::new(), pool: pool.clone() };
        for file in pool.files() {
            contract.add_file(&file);
        }
        contract
    }

    fn add_file(&mut self, file: &FileDescriptor) {
        let mut add = |name: &str| {
            self.symbols.insert(name.to_owned(), file.clone());
        };
        for service in file.services() {
            add(service.full_name());
            service.methods().for_each(|method| add(method.full_name()));
        }
        file.extensions().for_each(|extension| add(extension.full_name()));
        file.enums().for_each(|it| enum_names(&it, &mut add));
        file.messages().for_each(|it| message_names(&it, &mut add));
    }

    fn answer(&self, question: ServerReflectionRequest) -> ServerReflectionResponse {
        let message_response = question.message_request.as_ref().map_or_else(
            || refused(Code::InvalidArgument, "message_request: Required."),
            |asked| self.look_up(asked),
        );
        ServerReflectionResponse {
            valid_host: question.host.clone(),
            original_request: Some(question),
            message_response: Some(message_response),
        }
    }

    fn look_up(&self, asked: &MessageRequest) -> MessageResponse {
        let file = match asked {
            MessageRequest::FileByFilename(name) => self.pool.get_file_by_name(name),
            MessageRequest::FileContainingSymbol(name) => self.symbols.get(name).cloned(),
            MessageRequest::FileContainingExtension(asked) => {
                let message = self.pool.get_message_by_name(&asked.containing_type);
                let number = u32::try_from(asked.extension_number).ok();
                let extension = message.zip(number);
                extension
                    .and_then(|(message, number)| message.get_extension(number))
                    .map(|extension| extension.parent_file())
            }
            MessageRequest::AllExtensionNumbersOfType(name) => return self.extensions_of(name),
            MessageRequest::ListServices(_) => {
                let names = self.services.iter().map(|it| it.name().to_owned());
                let service = names.map(|name| ServiceResponse { name }).collect();
                return MessageResponse::ListServicesResponse(ListServiceResponse { service });
            }
        };
        file.map_or_else(not_found, |file| {
            let file_descriptor_proto = vec![file.encode_to_vec()];
            MessageResponse::FileDescriptorResponse(FileDescriptorResponse {
                file_descriptor_proto,
            })
        })
    }

    fn extensions_of(&self, name: &str) -> MessageResponse {
        self.pool.get_message_by_name(name).map_or_else(not_found, |message| {
            let numbers = message.extensions().filter_map(|it| i32::try_from(it.number()).ok());
            MessageResponse::AllExtensionNumbersResponse(ExtensionNumberResponse {
                base_type_name: name.to_owned(),
                extension_number: numbers.collect(),
            })
        })
    }
}

fn not_found() -> MessageResponse {
    refused(Code::NotFound, "Unknown name: the contract does not have it.")
}

/// Returns the response to a query that fails.
fn refused(code: Code, message: &str) -> MessageResponse {
    MessageResponse::ErrorResponse(ErrorResponse {
        error_code: code.into(),
        error_message: message.to_owned(),
    })
}

fn message_names(message: &MessageDescriptor, add: &mut impl FnMut(&str)) {
    add(message.full_name());
    message.fields().for_each(|field| add(field.full_name()));
    message.oneofs().for_each(|oneof| add(oneof.full_name()));
    message.child_extensions().for_each(|extension| add(extension.full_name()));
    message.child_enums().for_each(|it| enum_names(&it, add));
    message.child_messages().for_each(|it| message_names(&it, add));
}

/// Adds the values of an enum as its siblings, as in C++, and as its children, for some tools.
fn enum_names(descriptor: &EnumDescriptor, add: &mut impl FnMut(&str)) {
    add(descriptor.full_name());
    for value in descriptor.values() {
        add(value.full_name());
        add(&format!("{}.{}", descriptor.full_name(), value.name()));
    }
}

/// Converts a request of v1alpha to version 1.
pub(super) fn as_v1<B>(mut request: Request<B>) -> Request<B> {
    *request.uri_mut() = Uri::from_static(PATH);
    request
}

/// Ends a request's stream at shutdown. Reflection then ends its own stream as if the client had no
/// more queries, so that an idle tool does not delay the drain.
pub(super) fn until_shutdown<B>(request: Request<B>, shutdown: &CancellationToken) -> Request<Body>
where
    B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Send + 'static,
{
    let shutdown = shutdown.clone().cancelled_owned();
    request.map(|body| Body::new(StreamBody::new(BodyStream::new(body).take_until(shutdown))))
}
