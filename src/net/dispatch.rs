//! Which of the two transports answers a request.
//!
//! | path | content type | answered by |
//! |---|---|---|
//! | of an RPC | gRPC | gRPC |
//! | of an RPC | any other, or none | REST, with [`RpcPath`] in the request's extensions |
//! | any other | gRPC | gRPC, which has words for an unknown method that its clients understand |
//! | any other | any other, or none | REST |
//!
//! gRPC-Web counts as gRPC here, as its content types begin alike: the gRPC service must carry its
//! layer.

use std::convert::Infallible;
use std::task::{Context, Poll, ready};

use futures_util::future::{Either as EitherFuture, MapOk, TryFutureExt};
use http::{HeaderMap, Request, Response, header};
use http_body_util::Either as EitherBody;
use tower::Service;

/// Says that a request that came to the REST service has the path of an RPC,
/// `/package.Service/Method`, but not its content type, so that the fallback can say what is
/// missing instead of "not found".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcPath;

/// The gRPC service and the REST service as one.
#[derive(Clone, Debug)]
pub struct Dispatch<G, R> {
    grpc: G,
    rest: R,
}

impl<G, R> Dispatch<G, R> {
    /// Puts both services behind one.
    pub fn new(grpc: G, rest: R) -> Self {
        Self { grpc, rest }
    }
}

/// A future whose response gets its body wrapped; a function pointer, so that the type has a name
/// and needs no box.
type Wrapped<F, B, W> = MapOk<F, fn(Response<B>) -> Response<W>>;

impl<G, R, B, BG, BR> Service<Request<B>> for Dispatch<G, R>
where
    G: Service<Request<B>, Response = Response<BG>, Error = Infallible>,
    R: Service<Request<B>, Response = Response<BR>, Error = Infallible>,
{
    type Response = Response<EitherBody<BG, BR>>;
    type Error = Infallible;
    type Future = EitherFuture<
        Wrapped<G::Future, BG, EitherBody<BG, BR>>,
        Wrapped<R::Future, BR, EitherBody<BG, BR>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Which one the request is for is only known later.
        let Ok(()) = ready!(self.grpc.poll_ready(cx));
        self.rest.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if has_grpc_content(request.headers()) {
            let wrap: fn(Response<BG>) -> _ = |response| response.map(EitherBody::Left);
            return EitherFuture::Left(self.grpc.call(request).map_ok(wrap));
        }
        if is_rpc_path(request.uri().path()) {
            request.extensions_mut().insert(RpcPath);
        }
        let wrap: fn(Response<BR>) -> _ = |response| response.map(EitherBody::Right);
        EitherFuture::Right(self.rest.call(request).map_ok(wrap))
    }
}

/// Whether the content type is `application/grpc`, alone or continued by `+proto`, `-web`, or
/// parameters.
fn has_grpc_content(headers: &HeaderMap) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    value.as_bytes().split_at_checked(GRPC.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(GRPC)
            && matches!(rest.first(), None | Some(b'+' | b'-' | b';' | b' ' | b'\t'))
    })
}

/// Whether the path is `/package.Service/Method`: two segments, the first of at least
/// two names with dots between them, the second one name.
fn is_rpc_path(path: &str) -> bool {
    let Some((service, method)) = path.strip_prefix('/').and_then(|path| path.split_once('/'))
    else {
        return false;
    };
    service.contains('.') && service.split('.').all(is_name) && is_name(method)
}

/// Whether this is an identifier of protobuf.
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

    /// Sends one request through a dispatcher whose services answer with their names.
    async fn answered_by(path: &str, content_type: Option<&str>) -> String {
        let grpc = service_fn(async |request: Request<()>| {
            let marked = request.extensions().get::<RpcPath>().is_some();
            let name = if marked { "grpc, marked" } else { "grpc" };
            Ok(Response::new(Full::new(Bytes::from(name))))
        });
        let rest = service_fn(async |request: Request<()>| {
            let marked = request.extensions().get::<RpcPath>().is_some();
            let name = if marked { "rest, marked" } else { "rest" };
            Ok(Response::new(Full::new(Bytes::from(name))))
        });
        let mut request = Request::builder().uri(path);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request.body(()).expect("the request is well formed");
        let Ok(response) = Dispatch::new(grpc, rest).oneshot(request).await;
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
            (rpc, Some("application/grpc-web+proto"), "grpc"),
            (rpc, Some("application/grpc-web-text"), "grpc"),
            (rpc, Some("application/json"), "rest, marked"),
            (rpc, Some("application/grpcish"), "rest, marked"),
            (rpc, Some("application/grp"), "rest, marked"),
            (rpc, Some("text/plain, application/grpc"), "rest, marked"),
            (rpc, None, "rest, marked"),
            (rest, Some("application/grpc"), "grpc"),
            (rest, Some("application/json"), "rest"),
            (rest, None, "rest"),
        ] {
            let actual = answered_by(path, content_type).await;
            assert_eq!(actual, expected, "{path} with {content_type:?}");
        }
    }

    #[tokio::test]
    async fn only_two_segments_of_names_are_the_path_of_an_rpc() {
        for (path, expected) in [
            ("/a.B/C", "rest, marked"),
            ("/a.b_1.C/D_2?query=x.y/z", "rest, marked"),
            ("/grpc.health.v1.Health/Check", "rest, marked"),
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
            let actual = answered_by(path, None).await;
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
        let mut grpc_busy = Dispatch::new(busy.clone(), ready);
        assert!(grpc_busy.poll_ready(&mut context).is_pending());
        let mut rest_busy = Dispatch::new(ready, busy);
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
