//! Tests of whole calls, from the generated clients to a real store, without a connection.

mod encoded;

use std::convert::Infallible;
use std::io::Read as _;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use bytes::Bytes;
use futures_util::{FutureExt as _, future, stream};
use http::{Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1 as pb_reflection;
use tonic_types::StatusExt as _;
use tower::{Service, ServiceExt as _};

use super::rpcs::PUBLIC;
use super::*;
use crate::app::{Environment, Location, Settings, Summary};
use crate::domain::error::Error;
use crate::domain::time::Timestamp;
use crate::pb::screener::v1 as proto;
use crate::pb::screener::v1::admin_service_client::AdminServiceClient;
use crate::pb::screener::v1::import_request::Part;
use crate::pb::screener::v1::panelist_service_client::PanelistServiceClient;
use crate::pb::screener::v1::screener_session_service_client::ScreenerSessionServiceClient;
use crate::pb::screener::v1::submission_service_client::SubmissionServiceClient;

const DEADLINE_MAX: Duration = Duration::from_secs(10);

/// The budget of all requests. One tenant's half of it is smaller than the largest message.
const RECEIVE_BYTES: usize = 2 * 1024 * 1024;

/// An application over an empty store in its own folder.
pub(super) struct Setting {
    pub(super) app: Arc<App>,
    folder: tempfile::TempDir,
    receiver: Receiver,
    ready: watch::Sender<bool>,
    shutdown: CancellationToken,
}

pub(super) async fn setting() -> Setting {
    let folder = tempfile::tempdir().expect("a folder");
    let counter = AtomicU8::new(0);
    let environment = Environment {
        now: Arc::new(|| Timestamp::from_micros(1_714_576_101_000_000)),
        random: Arc::new(move || [counter.fetch_add(1, Ordering::Relaxed); 32]),
    };
    let location = Location::Sqlite(folder.path().join("test.db"));
    let app = App::open(Settings::new(location, environment)).await.expect("a store");
    let (ready, _) = watch::channel(true);
    let (receiver, shutdown) = (Receiver::new(RECEIVE_BYTES), CancellationToken::new());
    Setting { app: Arc::new(app), folder, receiver, ready, shutdown }
}

/// A service that the generated clients accept.
trait Served:
    Service<Request<Body>, Response = Response<Bounded>, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + 'static
{
}

impl<S> Served for S where
    S: Service<
            Request<Body>,
            Response = Response<Bounded>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + 'static
{
}

impl Setting {
    fn public(&self) -> impl Served {
        let (ready, shutdown) = (self.ready.subscribe(), self.shutdown.clone());
        service(Arc::clone(&self.app), self.gate(), ready, shutdown, DEADLINE_MAX)
    }

    fn gate(&self) -> Gate {
        Gate::new(Arc::clone(&self.app), self.receiver.clone())
    }

    fn local(&self, importer: Importer) -> impl Served {
        let spool = self.folder.path().to_owned();
        let ready = self.ready.subscribe();
        let exporter: Exporter = Arc::new(|_, _| Box::pin(stream::empty()));
        let files = Files { importer, exporter, spool };
        admin_service(Arc::clone(&self.app), files, ready, self.shutdown.clone())
    }

    fn admin(&self) -> AdminServiceClient<impl Served> {
        AdminServiceClient::new(
            self.local(Arc::new(|_, _| future::ready(Ok(Summary::default())).boxed())),
        )
    }

    /// Creates a tenant, and returns a service token of it.
    async fn token(&self) -> String {
        let mut admin = self.admin();
        let tenant = proto::CreateTenantRequest { id: Some("acct_1".into()), name: "One".into() };
        admin.create_tenant(tenant).await.expect("a tenant");
        let key = proto::CreateKeyRequest {
            tenant_id: "acct_1".into(),
            kind: proto::CredentialKind::Service.into(),
            ..proto::CreateKeyRequest::default()
        };
        admin.create_key(key).await.expect("a key").into_inner().secret
    }
}

fn reason(status: &Status) -> String {
    let request = status.get_details_request_info().expect("a RequestInfo");
    assert!(request.request_id.starts_with("req_"), "{}", request.request_id);
    status.get_details_error_info().expect("an ErrorInfo").reason
}

fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().expect("a BadRequest").field_violations;
    violations.into_iter().map(|violation| violation.field).collect()
}

fn with<M>(message: M, metadata: &[(&'static str, &str)]) -> tonic::Request<M> {
    let mut request = tonic::Request::new(message);
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, value.parse().expect("a metadata value"));
    }
    request
}

/// Calls a path with a body, and returns the refusal.
async fn refused(service: impl Served, path: &str, bearer: Option<&str>, body: Body) -> Status {
    let mut request = Request::post(path)
        .version(http::Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc");
    if let Some(bearer) = bearer {
        request = request.header(header::AUTHORIZATION, bearer);
    }
    let request = request.body(body).expect("the request is well formed");
    let Ok(response) = service.oneshot(request).await;
    assert_eq!(response.status(), http::StatusCode::OK);
    Status::from_header_map(response.headers()).expect("a status in the head")
}

/// Returns a body that starts but never ends.
fn endless(start: &'static [u8]) -> Body {
    let start = stream::once(future::ready(Ok::<_, Status>(Frame::data(start.into()))));
    Body::new(StreamBody::new(futures_util::StreamExt::chain(start, stream::pending())))
}

#[tokio::test]
async fn the_framework_refuses_in_our_shape() {
    let setting = setting().await;
    let bearer = format!("Bearer {}", setting.token().await);
    let get = "/screener.v1.ScreenerSessionService/GetScreenerSession";
    for (path, frame, code, expected) in [
        ("/screener.v1.Unknown/Get", &b""[..], Code::Unimplemented, "NOT_FOUND"),
        ("/screener.v1.ScreenerSessionService/Get", b"", Code::Unimplemented, "NOT_FOUND"),
        ("/screener.v1.AdminService/ListTenants", b"", Code::Unimplemented, "NOT_FOUND"),
        (get, b"", Code::Unimplemented, "INVALID_ARGUMENT"),
        (get, b"\0\0\0\0\x02\xff\xff", Code::InvalidArgument, "INVALID_ARGUMENT"),
        (get, b"\x01\0\0\0\x02\0\0", Code::Internal, "INVALID_ARGUMENT"),
        (get, b"\0\0\0\0\x09\0", Code::InvalidArgument, "INVALID_ARGUMENT"),
    ] {
        let body = Body::new(Full::new(Bytes::from_static(frame)));
        let status = refused(setting.public(), path, Some(&bearer), body).await;
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{path} {frame:?}");
    }
}

#[tokio::test]
async fn a_message_is_refused_by_the_length_that_it_announces() {
    let setting = setting().await;
    let bearer = format!("Bearer {}", setting.token().await);
    for (path, max_bytes) in [
        ("/grpc.health.v1.Health/Check", 4 * 1024_u32),
        ("/screener.v1.ScreenerSessionService/GetScreenerSession", 64 * 1024),
        ("/screener.v1.ScreenerSessionService/ListScreenerSessions", 1024 * 1024),
        ("/screener.v1.ScreenerService/UpdateDraft", 4 * 1024 * 1024),
    ] {
        let head = [&[0][..], &(max_bytes + 1).to_be_bytes()].concat().leak();
        let status = refused(setting.public(), path, Some(&bearer), endless(head)).await;
        assert_eq!(reason(&status), "PAYLOAD_TOO_LARGE", "{path}");
        assert_eq!(status.message(), format!("At most {max_bytes} bytes."));
    }
}

#[tokio::test]
async fn a_credential_is_judged_before_a_byte_of_the_body() {
    let setting = setting().await;
    let never = || {
        let frames = stream::poll_fn(|_| -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            panic!("the body is read");
        });
        Body::new(StreamBody::new(frames))
    };
    for (service, method) in [
        (rpcs::Service::Sessions, "GetScreenerSession"),
        (rpcs::Service::PanelistSessions, "SubmitAnswers"),
        (rpcs::Service::Screeners, "UpdateDraft"),
    ] {
        let path = format!("/{}/{method}", service.name());
        for bearer in [None, Some("Bearer sdk_wrong")] {
            let status = refused(setting.public(), &path, bearer, never()).await;
            assert_eq!(reason(&status), "UNAUTHORIZED", "{path}");
        }
    }
}

#[tokio::test]
async fn a_tenant_s_bytes_have_a_budget_that_calls_give_back() {
    let setting = setting().await;
    let bearer = format!("Bearer {}", setting.token().await);
    let path = "/screener.v1.ScreenerService/UpdateDraft";
    // A message of 2 MiB, of which 1 MiB has arrived: one tenant's whole share.
    let head: &'static [u8] = &[0, 0, 0x20, 0, 0];
    let start: &'static [u8] = [head, &vec![0; RECEIVE_BYTES / 2 - 5]].concat().leak();
    let mut first = Box::pin(refused(setting.public(), path, Some(&bearer), endless(start)));
    assert!(first.as_mut().now_or_never().is_none(), "it waits for the rest");
    assert_eq!(setting.receiver.charged_bytes(), RECEIVE_BYTES / 2);
    let second = refused(setting.public(), path, Some(&bearer), endless(head)).await;
    assert_eq!((second.code(), reason(&second).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    let retry = second.get_details_retry_info().and_then(|info| info.retry_delay);
    assert_eq!(retry, Some(Duration::from_secs(1)));
    let mut health = HealthClient::new(setting.public());
    health.check(HealthCheckRequest::default()).await.expect("others have room");
    drop(first);
    assert_eq!(setting.receiver.charged_bytes(), 0);
    let get = "/screener.v1.ScreenerSessionService/GetScreenerSession";
    let body = Body::new(Full::new(Bytes::from_static(b"\0\0\0\0\0")));
    let status = refused(setting.public(), get, Some(&bearer), body).await;
    assert_eq!(fields(&status), ["id"], "there is room again");
    assert_eq!(setting.receiver.charged_bytes(), 0);
}

#[tokio::test]
async fn the_credential_comes_before_the_fields_and_the_fields_before_the_store() {
    let setting = setting().await;
    let bearer = format!("Bearer {}", setting.token().await);
    let mut sessions = ScreenerSessionServiceClient::new(setting.public());
    let get = |id: &str| proto::GetScreenerSessionRequest { id: id.into() };

    let status = sessions.get_screener_session(get("")).await.expect_err("no credential");
    assert_eq!(reason(&status), "UNAUTHORIZED");
    let call = with(get(""), &[("authorization", &bearer)]);
    let status = sessions.get_screener_session(call).await.expect_err("no id");
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["id".into()]));
    let call = with(get("scses_1"), &[("authorization", &bearer)]);
    let status = sessions.get_screener_session(call).await.expect_err("no such session");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "NOT_FOUND"));

    let mut submissions = SubmissionServiceClient::new(setting.public());
    let call = with(proto::GetSubmissionRequest::default(), &[("authorization", &bearer)]);
    let status = submissions.get_submission(call).await.expect_err("no ids");
    assert_eq!(fields(&status), ["project_id", "id"]);
    let mut panelists = PanelistServiceClient::new(setting.public());
    let message =
        proto::GetPanelistAccessRequest { survey_id: "scr_1".into(), panelist_id: "p".into() };
    let call = with(message, &[("authorization", &bearer)]);
    let status = panelists.get_panelist_access(call).await.expect_err("no such survey");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "SURVEY_NOT_FOUND"));
}

#[tokio::test]
async fn a_list_says_zero_and_the_version_that_was_served() {
    let setting = setting().await;
    let bearer = format!("Bearer {}", setting.token().await);
    let mut sessions = ScreenerSessionServiceClient::new(setting.public());
    let list = proto::ListScreenerSessionsRequest::default;

    let call = with(list(), &[("authorization", &bearer), ("x-spot-api-version", "2024-11-15")]);
    let response = sessions.list_screener_sessions(call).await.expect("a page");
    assert_eq!(response.metadata().get("x-spot-api-version").expect("a version"), "1.0.0");
    let page = response.into_inner();
    assert_eq!((page.total, page.limit, page.offset), (Some(0), 100, Some(0)));

    let call = with(list(), &[("authorization", &bearer), ("x-spot-api-version", "9.9.9")]);
    let status = sessions.list_screener_sessions(call).await.expect_err("no such version");
    assert_eq!(reason(&status), "UNSUPPORTED_API_VERSION");
    let call = with(list(), &[("x-spot-api-version", "9.9.9")]);
    let status = sessions.list_screener_sessions(call).await.expect_err("no credential");
    assert_eq!(reason(&status), "UNAUTHORIZED");
}

#[tokio::test]
async fn a_timeout_is_read_before_anything_begins() {
    let setting = setting().await;
    let mut health = HealthClient::new(setting.public());
    for (timeout, expected) in [("0S", "DEADLINE_EXCEEDED"), ("soon", "INVALID_ARGUMENT")] {
        let call = with(HealthCheckRequest::default(), &[("grpc-timeout", timeout)]);
        let status = health.check(call).await.expect_err("a refusal");
        assert_eq!(reason(&status), expected);
    }
    let call = with(HealthCheckRequest::default(), &[("grpc-timeout", "1M")]);
    let status = health.check(call).await.expect("an answer").into_inner().status();
    assert_eq!(status, ServingStatus::Serving);
}

#[tokio::test]
async fn a_timeout_ends_a_stream_with_our_details() {
    let setting = setting().await;
    let mut health = HealthClient::new(setting.public());
    let call = with(HealthCheckRequest::default(), &[("grpc-timeout", "1S")]);
    let mut stream = health.watch(call).await.expect("a stream").into_inner();
    assert!(stream.message().await.expect("no error yet").is_some());
    let status = stream.message().await.expect_err("the deadline passed");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let setting = setting().await;
    let front = Front::new(Panics, setting.gate(), Refusals(Arc::clone(&setting.app)), None);
    for _ in 0..2 {
        let body = Body::empty();
        let status = refused(front.clone(), "/grpc.health.v1.Health/Check", None, body).await;
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
    }
}

/// Services with a bug.
#[derive(Clone)]
struct Panics;

impl<B> route::Services<B> for Panics {
    const SERVED: &'static [rpcs::Service] = PUBLIC;

    fn call(&self, _: &'static rpcs::Rpc, _: Request<B>) -> route::Answering {
        Box::pin(async {
            assert!(std::hint::black_box(false), "a bug");
            Ok(Response::new(Body::empty()))
        })
    }
}

/// Sends one query to reflection, and returns the response.
async fn reflect(
    service: impl Served,
    question: pb_reflection::server_reflection_request::MessageRequest,
) -> Option<pb_reflection::server_reflection_response::MessageResponse> {
    use pb_reflection::server_reflection_client::ServerReflectionClient;
    let request = pb_reflection::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    };
    // The stream of queries stays open, as with an interactive tool.
    let questions =
        futures_util::StreamExt::chain(stream::once(future::ready(request)), stream::pending());
    let mut client = ServerReflectionClient::new(service);
    let answers = client.server_reflection_info(questions).await.expect("a stream");
    let answer = answers.into_inner().message().await.ok().flatten();
    answer.and_then(|answer| answer.message_response)
}

#[tokio::test]
async fn reflection_lists_public_services_and_knows_error_details() {
    use pb_reflection::server_reflection_request::MessageRequest;
    use pb_reflection::server_reflection_response::MessageResponse;
    let setting = setting().await;
    let listed = reflect(setting.public(), MessageRequest::ListServices(String::new())).await;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed else {
        panic!("a list is expected");
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    assert_eq!(names, PUBLIC.iter().map(|it| it.name()).collect::<Vec<_>>());
    for symbol in names.iter().map(String::as_str).chain(["google.rpc.ErrorInfo"]) {
        let question = MessageRequest::FileContainingSymbol(symbol.into());
        let found = reflect(setting.public(), question).await;
        assert!(matches!(found, Some(MessageResponse::FileDescriptorResponse(_))), "{symbol}");
    }
}

#[tokio::test]
async fn shutdown_ends_an_idle_reflection() {
    let setting = setting().await;
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let idle = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Status>>());
    let request = Request::post(path)
        .version(http::Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc")
        .body(Body::new(idle))
        .expect("the request is well formed");
    let Ok(response) = setting.public().oneshot(request).await;
    setting.shutdown.cancel();
    let body = response.into_body().collect().await.expect("the stream ends");
    assert_eq!(body.trailers().expect("trailers")["grpc-status"], "0");
}

#[tokio::test]
async fn tenants_and_keys_are_managed() {
    let setting = setting().await;
    let token = setting.token().await;
    let bearer = format!("Bearer {token}");
    let mut admin = setting.admin();
    let keys = proto::ListKeysRequest { tenant_id: "acct_1".into() };
    let keys = admin.list_keys(keys).await.expect("keys").into_inner().credentials;
    let [key] = keys.as_slice() else { panic!("one key is expected") };
    assert_eq!(key.scopes.len(), 12);

    let mut sessions = ScreenerSessionServiceClient::new(setting.public());
    let mut list = async || {
        let message = proto::ListScreenerSessionsRequest::default();
        let call = with(message, &[("authorization", &bearer)]);
        sessions.list_screener_sessions(call).await.err().map(|status| reason(&status))
    };
    assert_eq!(list().await, None);
    for (disabled, expected) in [(true, Some("FORBIDDEN")), (false, None)] {
        let disable =
            proto::SetTenantDisabledRequest { id: "acct_1".into(), disabled: Some(disabled) };
        let tenant = admin.set_tenant_disabled(disable).await.expect("a tenant").into_inner();
        assert_eq!(tenant.tenant.expect("a tenant").disabled_at.is_some(), disabled);
        assert_eq!(list().await.as_deref(), expected);
    }
    let revoked = admin.revoke_key(proto::RevokeKeyRequest { id: key.id.clone() }).await;
    let revoked = revoked.expect("a key").into_inner().credential.expect("a key");
    assert!(revoked.revoked_at.is_some());
    assert_eq!(list().await.as_deref(), Some("UNAUTHORIZED"));
    let tenants = admin.list_tenants(proto::ListTenantsRequest {}).await.expect("tenants");
    assert_eq!(tenants.into_inner().tenants.len(), 1);
}

#[tokio::test]
async fn an_import_is_its_options_and_then_its_chunks() {
    let setting = setting().await;
    // Returns the size of the file as the number of records.
    let importer: Importer = Arc::new(|mut file, trust_links| {
        let mut text = String::new();
        let read = file.read_to_string(&mut text).map_err(Error::internal);
        let summary = read.map(|_| Summary {
            read: text.len() as u64,
            written: u64::from(trust_links),
            unchanged: u64::from(text == "one two"),
        });
        future::ready(summary).boxed()
    });
    let import = async |parts: Vec<Option<Part>>| {
        let mut admin = AdminServiceClient::new(setting.local(importer.clone()));
        let parts = parts.into_iter().map(|part| proto::ImportRequest { part });
        admin.import(stream::iter(parts.collect::<Vec<_>>())).await
    };
    let options = |trust, size| {
        Some(Part::Options(proto::ImportOptions { trust_links: trust, size_bytes: size }))
    };
    let chunk = |text: &str| Some(Part::Chunk(text.into()));

    let whole = vec![options(Some(true), Some(7)), chunk("one"), chunk(""), chunk(" two")];
    let counts = import(whole).await.expect("a summary").into_inner();
    assert_eq!(counts.records_read, Some(7));
    assert_eq!((counts.records_written, counts.records_unchanged), (Some(1), Some(1)));
    let counts = import(vec![options(None, Some(0))]).await.expect("a summary").into_inner();
    assert_eq!((counts.records_read, counts.records_written), (Some(0), Some(0)));
    for (parts, field) in [
        (vec![], "options"),
        (vec![chunk("one"), options(None, Some(3))], "options"),
        (vec![options(None, Some(0)), options(None, Some(0))], "options"),
        (vec![options(None, Some(0)), None], "part"),
        (vec![options(None, None), chunk("one")], "options.size_bytes"),
        (vec![options(None, Some(4)), chunk("one")], "options.size_bytes"),
    ] {
        let status = import(parts).await.expect_err("a refusal");
        assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec![field.into()]));
    }
}
