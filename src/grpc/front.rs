//! The way of every call around its handler: what is not gRPC is turned away, a deadline and a
//! guard against panics are put around the handler, and whatever is refused gets our shape.
//!
//! These are functions in one future rather than a stack of layers, because each layer would cost
//! every call an allocation.

use std::convert::Infallible;
use std::future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::deadline::{Bounded, Deadline};
use super::refusal::{Refusals, Rpc, refuse_http};
use crate::budget::Charge;
use crate::domain::error::{Error, Result};

/// The services of one listener behind everything they share.
#[derive(Clone)]
pub(super) struct Front<S> {
    services: S,
    refusals: Refusals,
    deadline_max: Option<Duration>,
}

impl<S> Front<S> {
    /// Without a longest deadline, only clients' own deadlines count.
    pub(super) fn new(services: S, refusals: Refusals, deadline_max: Option<Duration>) -> Self {
        Self { services, refusals, deadline_max }
    }
}

impl<S, B> Service<Request<B>> for Front<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Bounded>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.services.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(refused) = refuse_http(&request) {
            return Box::pin(future::ready(Ok(refused.map(Bounded::unbounded))));
        }
        let rpc = Rpc::of(request.uri());
        let refusals = self.refusals.clone();
        let call = Deadline::read(request.headers(), self.deadline_max)
            .map(|deadline| (deadline, self.services.call(request)));
        Box::pin(async move {
            let (answer, until) = match call {
                Ok((deadline, handler)) => (deadline.bound(guarded(handler)).await, deadline.whole),
                Err(error) => (Err(error), None),
            };
            let response = answer.unwrap_or_else(|error| Status::from(error).into_http());
            let response = refusals.shape(response, &rpc);
            let charge = response.extensions().get::<Arc<Charge>>().cloned();
            Ok(response.map(|body| Bounded::of(body, until, charge, (refusals, rpc))))
        })
    }
}

/// Turns a panic into an error of its call alone.
///
/// The handler and all that it owned are gone then, and what calls share is the store, whose
/// changes are atomic: nothing half done is seen afterwards. The text of the panic is left to the
/// panic hook, because it may quote what was being worked on.
async fn guarded<T>(handler: impl Future<Output = Result<T, Infallible>>) -> Result<T> {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(Ok(answer)) => Ok(answer),
        Err(_) => Err(Error::internal("a handler panicked")),
    }
}
