//! Which pages of other origins may call a service from a browser (CORS).
//!
//! Closed unless origins are named. Callers present credentials in headers of their own, never in
//! cookies, so `Access-Control-Allow-Credentials` is never sent, and no origin is allowed by a
//! wildcard. A page that may not call is answered like any other caller: its browser is what keeps
//! the answer from it.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, Either, FutureExt as _, TryFutureExt as _, ready};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tower::Service;

/// What pages read beside the body: how a call of gRPC-Web ended, and how its messages are packed.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin, grpc-encoding");

/// The methods that any of the open paths takes.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");

/// How long a browser may remember that it may call: the longest that the common ones do.
const REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// A service that pages of some other origins may call.
#[derive(Clone, Debug)]
pub struct Cors<S> {
    service: S,
    origins: Arc<[HeaderValue]>,
    is_open: fn(&str) -> bool,
}

impl<S> Cors<S> {
    /// Opens the paths for which `is_open` to these origins. What cannot be an origin is none.
    pub fn new(service: S, origins: &[String], is_open: fn(&str) -> bool) -> Self {
        let origins = origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok());
        Self { service, origins: origins.collect(), is_open }
    }

    /// The origin of a page that may call an open path.
    fn allowed<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        let origin = request.headers().get(ORIGIN)?;
        self.origins.contains(origin).then(|| origin.clone())
    }
}

impl<S, B, R> Service<Request<B>> for Cors<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    S::Future: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<R>, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.origins.is_empty() || !(self.is_open)(request.uri().path()) {
            return Either::Left(self.service.call(request));
        }
        let origin = self.allowed(&request);
        let headers = request.headers();
        if let Some(origin) = &origin
            && request.method() == Method::OPTIONS
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            return Either::Right(ready(Ok(preflight(origin.clone(), headers))).boxed());
        }
        let answer = self.service.call(request).map_ok(|mut response| {
            let headers = response.headers_mut();
            if let Some(origin) = origin {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            }
            // A cache keeps the answers for different origins apart, also those without one.
            headers.append(VARY, HeaderValue::from_static("Origin"));
            response
        });
        Either::Right(answer.boxed())
    }
}

/// The answer to a browser that asks before it calls. It may send any header that it names: what
/// they mean is checked with the call.
fn preflight<R: Default>(origin: HeaderValue, asked: &HeaderMap) -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS);
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    let varies = "Origin, Access-Control-Request-Headers";
    headers.insert(VARY, HeaderValue::from_static(varies));
    response
}
