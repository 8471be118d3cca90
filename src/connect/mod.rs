//! Connect and gRPC-Web: every RPC for curl, fetch and browsers.
//!
//! Nothing here knows an RPC: the contract's descriptors transcode messages. The gRPC service of
//! this process serves the calls with its own credentials, limits, deadlines and refusals. It
//! checks the credential from the headers before the message is read. The forms of a call:
//!
//! | | content type | module |
//! |---|---|---|
//! | POST of a unary RPC | `application/json`, `application/proto` | `unary` |
//! | GET of a unary RPC without side effects | –, the message is in the query | `unary`, `query` |
//! | POST of a streaming RPC | `application/connect+json`, `application/connect+proto` | `stream` |
//! | POST of any RPC | `application/grpc-web` or `application/grpc-web-text`, with `+proto` or without | `grpc_web` |
//!
//! # Invariants
//!
//! - An unreadable message is refused in the shape of gRPC's refusals. No text of a library and no
//!   value reaches a caller.
//! - A body is read after the credential was accepted, within the deadline of its call and the
//!   limit of its method.
//! - Large messages are transcoded on the threads for long work, at low priority.
//!
//! # Deliberately absent
//!
//! - Compressed responses to callers that do not compress, as with gRPC.
//! - Streams from the client, such as reflection: only gRPC supports them.

mod call;
mod grpc_web;
mod headers;
mod json;
mod query;
mod refusal;
mod schema;
mod stream;
mod unary;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::CONTENT_ENCODING;
use http::request::Parts;
use http::{Method as Verb, Request, Response, Uri};
use http_body_util::{Either, Full};
use tower::{BoxError, Service, ServiceExt as _};

use crate::budget::Budget;
use crate::domain::error::{Error, Kind};
use crate::lane::Lane;
use crate::meter;
use crate::receive::Terms;
use crate::receive::coding::Coding;
use grpc_web::Text;
use headers::{Encoding, Protocol};
use refusal::Refusal;
use schema::{Method, Schema};

/// The body of a request to the gRPC service: from a connection, as it is or decoded from text, or
/// made here.
pub type Body<B> = Either<B, Either<Text<B>, Full<Bytes>>>;

/// Converts an error of a call to this address into a status with a request id, as gRPC does.
pub type Refuse = Arc<dyn Fn(&Error, &Uri) -> tonic::Status + Send + Sync>;

type Answer = Response<tonic::body::Body>;

/// Has the gRPC service check the credential of a call from its headers, and returns the limits of
/// the call, or `None` if its method does not exist. The returned head marks the call as admitted
/// for the service.
pub type Admit =
    Arc<dyn Fn(Parts) -> BoxFuture<'static, Result<(Parts, Option<Terms>), Error>> + Send + Sync>;

/// The dependencies of calls.
#[derive(Clone)]
pub struct Settings {
    /// Converts errors into statuses.
    pub refuse: Refuse,
    /// Checks credentials.
    pub admit: Admit,
    /// Threads for large messages.
    pub lane: Arc<Lane>,
    /// The budget of large responses.
    pub sending: Budget,
    /// The maximum time from the start of a call to its response, the request's body included.
    pub deadline_max: Duration,
}

/// The gRPC service `S`, for clients that speak Connect or gRPC-Web.
#[derive(Clone)]
pub struct Connect<S> {
    grpc: S,
    shared: Arc<Shared>,
}

struct Shared {
    schema: Schema,
    settings: Settings,
}

impl<S> Connect<S> {
    /// Wraps a service of the contract.
    pub fn new(grpc: S, settings: Settings) -> Self {
        Self { grpc, shared: Arc::new(Shared { schema: Schema::contract(), settings }) }
    }
}

/// The gRPC service, with the bounds that calls from here require.
trait Grpc<B, R>:
    Service<Request<Body<B>>, Response = Response<R>, Error = Infallible, Future: Send> + Send
{
}

impl<S, B, R> Grpc<B, R> for S where
    S: Service<Request<Body<B>>, Response = Response<R>, Error = Infallible, Future: Send> + Send
{
}

/// The address of a call and its meter, for its refusal.
struct Called {
    uri: Uri,
    call: Option<Arc<meter::Call>>,
}

impl Called {
    fn of(parts: &Parts) -> Self {
        Self { uri: parts.uri.clone(), call: meter::Call::of(&parts.extensions) }
    }

    fn ends_with(&self, status: &tonic::Status) {
        if let Some(call) = &self.call {
            call.set_code(status.code().into());
        }
    }
}

/// A message as its client sent it.
#[derive(Debug, PartialEq)]
struct Sent {
    encoding: Encoding,
    coding: Coding,
    message: Bytes,
}

/// Wraps a request of a gRPC client.
pub fn native<B>(request: Request<B>) -> Request<Body<B>> {
    request.map(Either::Left)
}

impl<S, B, R> Service<Request<B>> for Connect<S>
where
    S: Service<Request<Body<B>>, Response = Response<R>, Error = Infallible, Future: Send>,
    S: Clone + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Waits for the service later, when it calls it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { grpc, shared } = self.clone();
        if grpc_web::is_meant(request.headers()) {
            return Box::pin(async move {
                let (request, form) = grpc_web::request(request);
                let Ok(response) = grpc.oneshot(request).await;
                Ok(grpc_web::response(response, form))
            });
        }
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let called = Called::of(&parts);
            if let Some(call) = &called.call {
                call.set_connect();
            }
            let answer = shared.answer(grpc, parts, body).await;
            Ok(answer.unwrap_or_else(|refusal| shared.refusal(&refusal, &called)))
        })
    }
}

impl Shared {
    async fn answer<S, B, R>(
        self: &Arc<Self>,
        grpc: S,
        parts: Parts,
        body: B,
    ) -> Result<Answer, Refusal>
    where
        S: Grpc<B, R>,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
        R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let method = self.schema.method(parts.uri.path());
        if let Some(call) = meter::Call::of(&parts.extensions) {
            call.set_rpc_path(method.map(|_| parts.uri.path()));
        }
        let method = method.ok_or_else(Refusal::unknown)?;
        match protocol(&parts, method)? {
            Protocol::Get => {
                let call = self.admit(method, parts).await?;
                let sent = query::read(call.parts.uri.query())?;
                self.unary(grpc, call, sent).await
            }
            Protocol::Unary(encoding) => {
                let call = self.admit(method, parts).await?;
                let coding = Coding::of(&call.parts.headers, CONTENT_ENCODING.as_str());
                let coding = coding.map_err(Refusal::coding)?;
                let message = call.receive(body, call.packed_max_bytes(coding)).await?;
                self.unary(grpc, call, Sent { encoding, coding, message }).await
            }
            Protocol::Stream(encoding) => {
                Ok(self.stream(grpc, method, encoding, parts, body).await)
            }
        }
    }
}

/// Returns the protocol of a call. Fails if the method does not support it.
fn protocol(parts: &Parts, method: &Method) -> Result<Protocol, Refusal> {
    let protocol = if parts.method == Verb::GET {
        if !method.is_safe {
            let detail = "This RPC writes. Send it as POST.";
            return Err(Error::new(Kind::MethodNotAllowed, detail).into());
        }
        Protocol::Get
    } else if parts.method == Verb::POST {
        Protocol::of(&parts.headers)?
    } else {
        let detail = "Send an RPC as POST, or as GET if it only reads.";
        return Err(Error::new(Kind::MethodNotAllowed, detail).into());
    };
    if method.is_streaming == matches!(protocol, Protocol::Stream(_)) {
        return Ok(protocol);
    }
    let detail = if method.is_streaming {
        "content-type: Must be application/connect+json or \
         application/connect+proto."
    } else {
        "content-type: Must be application/json or application/proto."
    };
    Err(Error::new(Kind::UnsupportedMediaType, detail).into())
}
