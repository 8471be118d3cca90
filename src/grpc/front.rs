//! The path of every call to and from its handler. The front rejects requests that are not gRPC,
//! authenticates the caller from the headers, adds a deadline and a panic guard, and converts every
//! refusal to one shape. No byte of the body is read before the handler has it.
//!
//! These are functions in one future, because each layer of a stack would cost every call an
//! allocation.

use std::convert::Infallible;
use std::future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::StdError;
use tower::Service;

use super::auth::Access;
use super::codec::Reading;
use super::deadline::{Bounded, Deadline, Encoded};
use super::gate::{Admission, Gate};
use super::messages::{self, Messages};
use super::refusal::{Refusals, refuse_http};
use super::route::Services;
use super::rpcs::{self, Rpc};
use crate::budget::{Share, Turn};
use crate::domain::error::{Error, Result};
use crate::meter::Call;
use crate::receive::coding::{Coding, Unknown};

/// The services of one listener, behind the front that they share.
#[derive(Clone)]
pub struct Front<S> {
    services: S,
    shared: Arc<Shared>,
}

struct Shared {
    gate: Gate,
    refusals: Refusals,
    deadline_max: Option<Duration>,
}

impl<S> Front<S> {
    /// Creates the front. Without `deadline_max`, only the clients' own deadlines apply.
    pub(super) fn new(
        services: S,
        gate: Gate,
        refusals: Refusals,
        deadline_max: Option<Duration>,
    ) -> Self {
        Self { services, shared: Arc::new(Shared { gate, refusals, deadline_max }) }
    }

    /// Admits a call and returns its response.
    async fn handle<B>(
        self,
        rpc: Option<&'static Rpc>,
        admission: Option<Admission>,
        request: Request<B>,
        coding: Result<Coding, Unknown>,
        begun: Instant,
    ) -> Result<(Response<Body>, Share)>
    where
        S: Services<Messages<B>>,
        B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Unpin + Send + 'static,
    {
        // The framework's response for a method that a service does not have.
        let Some(rpc) = rpc else {
            return Ok((Status::unimplemented("").into_http(), Share::STRANGERS));
        };
        let (mut parts, body) = request.into_parts();
        let admission = match admission {
            Some(admission) => admission,
            None => self.shared.gate.judge(rpc, &parts.headers, begun).await?,
        };
        // The tab stays open until the handler responds: its data is no smaller than the bytes.
        let tab = admission.pass_on(&mut parts.extensions);
        let coding = match coding {
            Ok(coding) => coding,
            Err(unknown) => return Ok((messages::refusal(unknown), tab.share())),
        };
        parts.headers.remove(messages::CODING);
        let body = messages::of(coding, rpc, body, &tab);
        let call = self.services.call(rpc, Request::from_parts(parts, body));
        let Ok(response) = match Reading::of(rpc, &tab) {
            Some(reading) => reading.within(call).await,
            None => call.await,
        };
        Ok((response, tab.share()))
    }

    async fn answer<B>(self, mut request: Request<B>) -> Response<Bounded>
    where
        S: Services<Messages<B>>,
        B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Unpin + Send + 'static,
    {
        let rpc = rpcs::find(request.uri().path());
        let rpc = rpc.filter(|rpc| S::SERVED.contains(&rpc.service));
        let admission = request.extensions_mut().remove::<Admission>();
        let call = Call::of(request.extensions());
        if let Some(call) = &call {
            call.set_rpc(rpc.map(|rpc| rpc.name));
        }
        let begun = admission.as_ref().map_or_else(Instant::now, |admission| admission.begun);
        let headers = request.headers();
        let coding = Coding::of(headers, messages::CODING);
        let packing = coding
            .as_ref()
            .map_or(Coding::Identity, |coding| coding.of_answer(headers, messages::ACCEPTED));
        let shared = Arc::clone(&self.shared);
        let (answer, until) = match Deadline::read(request.headers(), shared.deadline_max, begun) {
            Ok(deadline) => {
                // Boxed, because each enclosing future would be twice as large.
                let handled =
                    guarded(Box::pin(self.handle(rpc, admission, request, coding, begun)));
                (deadline.bound(handled).await, deadline.whole)
            }
            Err(error) => (Err(error), None),
        };
        let (response, share) =
            answer.unwrap_or_else(|error| (Status::from(error).into_http(), Share::STRANGERS));
        let mut response = shared.refusals.shape(response, rpc);
        let mut first = encoded(&mut response);
        // The operator's responses are bounded by their size, and an export may pause indefinitely.
        let is_operators = rpc.is_some_and(|rpc| matches!(rpc.access, Access::Socket));
        if let Some(Ok(message)) = first.as_ref().filter(|_| !is_operators)
            && let Some(bytes) = message.data_ref().map(Bytes::len)
            && !shared.refusals.sending().try_charge_answer(share, response.extensions_mut(), bytes)
        {
            first = None;
            response = shared.refusals.status(&Error::sending(), rpc).into_http();
        }
        if packing == Coding::Gzip {
            (response, first) = Box::pin(messages::pack(response, first)).await;
        }
        if let Some(call) = &call {
            call.set_code_of(response.headers());
        }
        let refusals = shared.refusals.clone();
        response.map(|body| Bounded::of(first, body, until, (refusals, rpc), call))
    }
}

/// Encodes the message of a response before its peer reads it, a large one during its turn. A
/// stream may have no message yet; its messages are small.
fn encoded(response: &mut Response<Body>) -> Option<Encoded> {
    let turn = response.extensions_mut().remove::<Turn>();
    let first = response.body_mut().frame().now_or_never().flatten();
    drop(turn);
    first
}

impl<S, B> Service<Request<B>> for Front<S>
where
    S: Services<Messages<B>>,
    B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Unpin + Send + 'static,
{
    type Response = Response<Bounded>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Generated services are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(refused) = refuse_http(&request) {
            return Box::pin(future::ready(Ok(refused.map(Bounded::unbounded))));
        }
        Box::pin(self.clone().answer(request).map(Ok))
    }
}

/// Turns a panic into an error of its call alone.
///
/// The handler and all that it owned are dropped. Calls share only the store, whose changes are
/// atomic, so no later call sees a partial change. The panic hook has the message of the panic,
/// which may quote the request.
async fn guarded<T>(handler: impl Future<Output = Result<T>>) -> Result<T> {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(answer) => answer,
        Err(_) => Err(Error::internal("a handler panicked")),
    }
}
