//! The duration and the outcome of every call, whatever its protocol.
//!
//! [`Metered`] is the outermost service. It begins a [`Call`], which travels in the extensions of
//! the request; the layers that learn the method or the route, and the code, note them there. The
//! call is recorded when its response has been handed over to its last byte, or was given up.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;
use tower::Service;

/// The upper bounds of the buckets, in seconds: those of the conventions, which begin at 5 ms, and
/// five below, where most calls are.
const BUCKETS_SECONDS: [f64; 19] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The protocol of an RPC.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum System {
    /// gRPC and gRPC-Web.
    Grpc,
    /// Connect.
    Connect,
}

impl System {
    fn word(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Connect => "connectrpc",
        }
    }
}

/// The method or the route of a call.
#[derive(Clone, Copy, Debug)]
enum Target {
    Rpc(System, &'static str),
    Route(&'static str, &'static str),
}

/// A target and a code. The texts of a target are never freed, so their addresses stand for them.
type Key = (usize, usize, u16);

/// A histogram for each combination of three labels.
type Durations = Family<[(&'static str, Cow<'static, str>); 3], Histogram, fn() -> Histogram>;

/// The meter of calls.
#[derive(Debug)]
pub struct Calls {
    rpcs: Durations,
    routes: Durations,
    /// Handles of the series that exist.
    series: RwLock<HashMap<Key, Histogram>>,
    /// The templates of the routes that were called.
    templates: RwLock<HashSet<&'static str>>,
}

/// The words of the codes of gRPC, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

fn code_word(code: u16) -> &'static str {
    CODES.get(usize::from(code)).copied().unwrap_or("UNKNOWN")
}

/// The code of a call whose caller left before its end.
const CANCELLED: u8 = 1;

/// The code that stands for one that gRPC does not have.
const UNKNOWN: u8 = 2;

/// The status that stands for a request whose caller left before its response began.
const CLIENT_CLOSED: u16 = 499;

/// The word for a method that does not exist, which its caller has invented.
const OTHER: &str = "_OTHER";

fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => OTHER,
    }
}

impl Calls {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let durations: fn() -> Histogram = || Histogram::new(BUCKETS_SECONDS);
        let calls = Self {
            rpcs: Family::new_with_constructor(durations),
            routes: Family::new_with_constructor(durations),
            series: RwLock::default(),
            templates: RwLock::default(),
        };
        registry.register_with_unit(
            "rpc_server_call_duration",
            "Duration of calls of RPCs, to the end of their response",
            Unit::Seconds,
            calls.rpcs.clone(),
        );
        registry.register_with_unit(
            "http_server_request_duration",
            "Duration of requests that are no calls of RPCs, to the end of their response",
            Unit::Seconds,
            calls.routes.clone(),
        );
        calls
    }

    /// Returns the one copy of a route's template.
    fn template(&self, route: &str) -> &'static str {
        let known = self.templates.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(route) {
            return known;
        }
        drop(known);
        let mut templates = self.templates.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = templates.get(route) {
            return known;
        }
        // The routers have few templates, and a process has few servers.
        let template: &'static str = Box::leak(route.into());
        templates.insert(template);
        template
    }

    fn record(&self, target: Target, code: u16, seconds: f64) {
        let (first, second) = match target {
            Target::Rpc(system, method) => (system.word(), method),
            Target::Route(verb, route) => (verb, route),
        };
        let key = (first.as_ptr().addr(), second.as_ptr().addr(), code);
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) = series.get(&key) {
            histogram.observe(seconds);
            return;
        }
        drop(series);
        let histogram = match target {
            Target::Rpc(system, method) => self.rpcs.get_or_create_owned(&[
                ("rpc_system_name", system.word().into()),
                ("rpc_method", method.into()),
                ("rpc_status_code", code_word(code).into()),
            ]),
            Target::Route(verb, route) => self.routes.get_or_create_owned(&[
                ("http_request_method", verb.into()),
                ("http_route", route.into()),
                ("http_response_status_code", code.to_string().into()),
            ]),
        };
        histogram.observe(seconds);
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        series.insert(key, histogram);
    }
}

/// A call in progress, in the extensions of its request. Those who learn what it is note it here.
#[derive(Debug)]
pub struct Call {
    calls: Arc<Calls>,
    begun: Instant,
    verb: &'static str,
    rpc: OnceLock<&'static str>,
    route: OnceLock<&'static str>,
    system: AtomicU8,
    code: AtomicU8,
    status: AtomicU16,
}

impl Call {
    fn begin(calls: &Arc<Calls>, method: &Method) -> Self {
        Self {
            calls: Arc::clone(calls),
            begun: Instant::now(),
            verb: method_word(method),
            rpc: OnceLock::new(),
            route: OnceLock::new(),
            system: AtomicU8::new(System::Grpc as u8),
            code: AtomicU8::new(CANCELLED),
            status: AtomicU16::new(CLIENT_CLOSED),
        }
    }

    /// Returns the call of a request, unless calls are not metered.
    #[must_use]
    pub fn of(extensions: &http::Extensions) -> Option<Arc<Self>> {
        extensions.get::<Arc<Self>>().cloned()
    }

    /// Notes the method of an RPC, as `package.Service/Method`, or that there is none of this name.
    /// The first one counts.
    pub fn set_rpc(&self, name: Option<&'static str>) {
        let _ = self.rpc.set(name.unwrap_or(OTHER));
    }

    /// Notes the path of an RPC that exists, or that it does not exist.
    pub fn set_rpc_path(&self, path: Option<&str>) {
        let name = path.map(|path| self.calls.template(path.trim_start_matches('/')));
        self.set_rpc(name);
    }

    /// Notes that the call arrived as Connect.
    pub fn set_connect(&self) {
        self.system.store(System::Connect as u8, Ordering::Relaxed);
    }

    /// Notes the code of gRPC with which the call ends. The last one counts.
    pub fn set_code(&self, code: i32) {
        self.code.store(u8::try_from(code).unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Notes the code in the headers or trailers of a gRPC response, if they have one.
    pub fn set_code_of(&self, headers: &HeaderMap) {
        let code = headers.get("grpc-status").and_then(|code| code.to_str().ok());
        if let Some(code) = code.and_then(|code| code.parse().ok()) {
            self.set_code(code);
        }
    }

    /// Notes the template of the route.
    pub fn set_route(&self, route: &str) {
        let _ = self.route.set(self.calls.template(route));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (target, code) = if let Some(rpc) = self.rpc.get() {
            let is_connect = self.system.load(Ordering::Relaxed) == System::Connect as u8;
            let system = if is_connect { System::Connect } else { System::Grpc };
            (Target::Rpc(system, rpc), u16::from(self.code.load(Ordering::Relaxed)))
        } else {
            let route = self.route.get().copied().unwrap_or_default();
            (Target::Route(self.verb, route), self.status.load(Ordering::Relaxed))
        };
        self.calls.record(target, code, self.begun.elapsed().as_secs_f64());
    }
}

/// A service whose calls are recorded, unless there is no meter.
#[derive(Clone, Debug)]
pub struct Metered<S> {
    service: S,
    calls: Option<Arc<Calls>>,
}

impl<S> Metered<S> {
    /// Wraps a service.
    pub fn new(service: S, calls: Option<Arc<Calls>>) -> Self {
        Self { service, calls }
    }
}

pin_project! {
    /// The future of a response.
    pub struct Recording<F> {
        #[pin]
        response: F,
        call: Option<Arc<Call>>,
    }
}

pin_project! {
    /// The body of a response, which holds its call until it has ended.
    pub struct Recorded<B> {
        #[pin]
        body: B,
        call: Option<Arc<Call>>,
    }
}

impl<S, A, B> Service<Request<A>> for Metered<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
{
    type Response = Response<Recorded<B>>;
    type Error = Infallible;
    type Future = Recording<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let begin = |calls| Arc::new(Call::begin(calls, request.method()));
        let call = self.calls.as_ref().map(begin);
        if let Some(call) = &call {
            request.extensions_mut().insert(Arc::clone(call));
        }
        Recording { response: self.service.call(request), call }
    }
}

impl<F, B> Future for Recording<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Recorded<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(response) = ready!(this.response.poll(cx));
        let call = this.call.take();
        if let Some(call) = &call {
            let status = StatusCode::as_u16(&response.status());
            call.status.store(status, Ordering::Relaxed);
        }
        Poll::Ready(Ok(response.map(|body| Recorded { body, call })))
    }
}

impl<B: Body<Data = Bytes>> Body for Recorded<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
