//! Cross-origin access to a service from a browser (CORS).
//!
//! Closed unless the operator names origins. Callers present credentials in headers of their own,
//! never in cookies, so `Access-Control-Allow-Credentials` is never sent, and no wildcard allows an
//! origin. A page of another origin gets a response like any other caller. Its browser withholds
//! the response.

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

/// The headers that pages may read: the status of a gRPC-Web call, and the coding of its messages.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin, grpc-encoding");

/// All methods of the open paths.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");

/// How long a browser may cache a preflight response: the maximum of the common browsers.
const REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// A service that pages of some other origins may call.
#[derive(Clone, Debug)]
pub struct Cors<S> {
    service: S,
    origins: Arc<[HeaderValue]>,
    is_open: fn(&str) -> bool,
}

impl<S> Cors<S> {
    /// Opens the paths for which `is_open` to these origins. Ignores invalid origins.
    pub fn new(service: S, origins: &[String], is_open: fn(&str) -> bool) -> Self {
        let origins = origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok());
        Self { service, origins: origins.collect(), is_open }
    }

    /// Returns the origin of a request if it is allowed.
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
            // Caches must store a response for each origin, and for requests without one.
            headers.append(VARY, HeaderValue::from_static("Origin"));
            response
        });
        Either::Right(answer.boxed())
    }
}

/// Returns the response to a preflight request. A page may send any header that it names: the call
/// itself validates headers.
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
