//! Selects the transport of a request.
//!
//! | path | request | transport |
//! |---|---|---|
//! | any | a content type of gRPC | gRPC, also for unknown methods, as its clients expect |
//! | any | a content type of gRPC-Web | Connect |
//! | of an RPC | a content type of Connect, or GET, or OPTIONS | Connect |
//! | any | any other | REST |

use std::convert::Infallible;
use std::task::{Context, Poll, ready};

use futures_util::future::{BoxFuture, FutureExt as _, TryFutureExt as _};
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::Either;
use tower::Service;

/// The services of all transports as one.
#[derive(Clone, Debug)]
pub struct Dispatch<G, C, R> {
    grpc: G,
    connect: C,
    rest: R,
}

impl<G, C, R> Dispatch<G, C, R> {
    /// Combines the services.
    pub fn new(grpc: G, connect: C, rest: R) -> Self {
        Self { grpc, connect, rest }
    }
}

/// The body of a response of any of the services.
type AnyBody<G, C, R> = Either<G, Either<C, R>>;

impl<G, C, R, B, BG, BC, BR> Service<Request<B>> for Dispatch<G, C, R>
where
    G: Service<Request<B>, Response = Response<BG>, Error = Infallible>,
    C: Service<Request<B>, Response = Response<BC>, Error = Infallible>,
    R: Service<Request<B>, Response = Response<BR>, Error = Infallible>,
    G::Future: Send + 'static,
    C::Future: Send + 'static,
    R::Future: Send + 'static,
{
    type Response = Response<AnyBody<BG, BC, BR>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The service is only known once the request has arrived.
        let Ok(()) = ready!(self.grpc.poll_ready(cx));
        let Ok(()) = ready!(self.connect.poll_ready(cx));
        self.rest.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match Transport::of(&request) {
            Transport::Grpc => {
                let answer = self.grpc.call(request);
                answer.map_ok(|answer| answer.map(Either::Left)).boxed()
            }
            Transport::GrpcWeb | Transport::Connect => {
                let answer = self.connect.call(request);
                answer.map_ok(|answer| answer.map(|it| Either::Right(Either::Left(it)))).boxed()
            }
            Transport::Rest => {
                let answer = self.rest.call(request);
                answer.map_ok(|answer| answer.map(|it| Either::Right(Either::Right(it)))).boxed()
            }
        }
    }
}

/// The protocol of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Grpc,
    GrpcWeb,
    Connect,
    Rest,
}

impl Transport {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.map_or(&b""[..], HeaderValue::as_bytes);
        if starts(content_type, b"application/grpc", b"+; \t") {
            return Self::Grpc;
        }
        if starts(content_type, b"application/grpc-web", b"+-; \t") {
            return Self::GrpcWeb;
        }
        let is_rpc_path = is_rpc_path(request.uri().path());
        let has_no_body = [Method::GET, Method::OPTIONS].contains(request.method());
        if is_rpc_path && (has_no_body || is_connect(content_type)) {
            return Self::Connect;
        }
        Self::Rest
    }
}

/// Returns whether a content type equals `name`, or continues with one of these bytes.
fn starts(content_type: &[u8], name: &[u8], continued: &[u8]) -> bool {
    content_type.split_at_checked(name.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(name)
            && rest.first().is_none_or(|after| continued.contains(after))
    })
}

/// Returns whether a content type belongs to the Connect protocol.
fn is_connect(content_type: &[u8]) -> bool {
    [
        &b"application/json"[..],
        b"application/proto",
        b"application/connect+json",
        b"application/connect+proto",
    ]
    .iter()
    .any(|name| starts(content_type, name, b"; \t"))
}

/// Returns whether the path is `/package.Service/Method`: two segments, the first of at least two
/// names with dots between them, the second a name.
#[must_use]
pub fn is_rpc_path(path: &str) -> bool {
    let Some((service, method)) = path.strip_prefix('/').and_then(|path| path.split_once('/'))
    else {
        return false;
    };
    service.contains('.') && service.split('.').all(is_name) && is_name(method)
}

/// Returns whether this is an identifier of protobuf.
fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::{BodyExt, Empty, Full};
    use tower::{ServiceExt, service_fn};

    /// A service that responds with its name.
    macro_rules! named {
        ($name:literal) => {
            service_fn(async |_: Request<()>| Ok(Response::new(Full::new(Bytes::from($name)))))
        };
    }

    /// Returns the name of the service that a dispatcher selects for a request.
    async fn answered_by(method: Method, path: &str, content_type: Option<&str>) -> String {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request.body(()).expect("the request is well formed");
        let dispatch = Dispatch::new(named!("grpc"), named!("connect"), named!("rest"));
        let Ok(response) = dispatch.oneshot(request).await;
        let body = response.into_body().collect().await.expect("a whole body");
        String::from_utf8(body.to_bytes().to_vec()).expect("a name")
    }

    #[tokio::test]
    async fn path_and_content_type_choose_the_transport() {
        let rpc = "/screener.v1.SessionService/GetSession";
        let rest = "/v1/sessions/abc";
        for (path, content_type, expected) in [
            (rpc, Some("application/grpc"), "grpc"),
            (rpc, Some("application/grpc+proto"), "grpc"),
            (rpc, Some("Application/gRPC; charset=utf-8"), "grpc"),
            (rpc, Some("application/grpc-web"), "connect"),
            (rpc, Some("application/grpc-web+proto"), "connect"),
            (rpc, Some("application/grpc-web-text"), "connect"),
            (rpc, Some("application/json"), "connect"),
            (rpc, Some("Application/JSON; charset=utf-8"), "connect"),
            (rpc, Some("application/proto"), "connect"),
            (rpc, Some("application/connect+json"), "connect"),
            (rpc, Some("application/connect+proto"), "connect"),
            (rpc, Some("application/jsonish"), "rest"),
            (rpc, Some("application/grpcish"), "rest"),
            (rpc, Some("application/grp"), "rest"),
            (rpc, Some("text/plain, application/grpc"), "rest"),
            (rpc, None, "rest"),
            (rest, Some("application/grpc"), "grpc"),
            (rest, Some("application/grpc-web"), "connect"),
            (rest, Some("application/json"), "rest"),
            (rest, None, "rest"),
        ] {
            let actual = answered_by(Method::POST, path, content_type).await;
            assert_eq!(actual, expected, "{path} with {content_type:?}");
        }
        for (method, path, expected) in [
            (Method::GET, rpc, "connect"),
            (Method::OPTIONS, rpc, "connect"),
            (Method::DELETE, rpc, "rest"),
            (Method::GET, rest, "rest"),
            (Method::OPTIONS, rest, "rest"),
        ] {
            assert_eq!(answered_by(method.clone(), path, None).await, expected, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn only_two_segments_of_names_are_the_path_of_an_rpc() {
        for (path, expected) in [
            ("/a.B/C", "connect"),
            ("/a.b_1.C/D_2?query=x.y/z", "connect"),
            ("/grpc.health.v1.Health/Check", "connect"),
            ("/Unqualified/Method", "rest"),
            ("/a.B/", "rest"),
            ("/a.B", "rest"),
            ("/a.B/C/", "rest"),
            ("/a.B/C/D", "rest"),
            ("//a.B/C", "rest"),
            ("/a..B/C", "rest"),
            ("/.a.B/C", "rest"),
            ("/a.B./C", "rest"),
            ("/a.B/C.D", "rest"),
            ("/a.B/1C", "rest"),
            ("/v1.0/sessions", "rest"),
            ("/a-b.C/D", "rest"),
            ("/.well-known/security.txt", "rest"),
            ("/a.B/%43", "rest"),
            ("/", "rest"),
        ] {
            let actual = answered_by(Method::GET, path, None).await;
            assert_eq!(actual, expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_service_that_is_not_ready_holds_requests_back() {
        let ready = service_fn(async |_: Request<()>| {
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        });
        let busy = Busy(ready);
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut grpc_busy = Dispatch::new(busy.clone(), ready, ready);
        assert!(grpc_busy.poll_ready(&mut context).is_pending());
        let mut connect_busy = Dispatch::new(ready, busy.clone(), ready);
        assert!(connect_busy.poll_ready(&mut context).is_pending());
        let mut rest_busy = Dispatch::new(ready, ready, busy);
        assert!(rest_busy.poll_ready(&mut context).is_pending());
    }

    /// A service that never becomes ready.
    #[derive(Clone)]
    struct Busy<S>(S);

    impl<S: Service<Request<()>>> Service<Request<()>> for Busy<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            Poll::Pending
        }

        fn call(&mut self, request: Request<()>) -> S::Future {
            self.0.call(request)
        }
    }
}
