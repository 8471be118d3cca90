//! Connect and gRPC-Web: every RPC responds as it does over gRPC.

mod browsers;
mod conformance;

use bytes::Bytes;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use screenerd::domain::error::VIOLATIONS_MAX;
use screenerd::grpc::MESSAGE_MAX_BYTES;
use screenerd::pb::DESCRIPTOR;
use serde_json::{Value, json};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::support::{PANEL, RESPONDENT, Reply, SERVICE, SPOT, Server};

type Headers<'a> = &'a [(&'a str, &'a str)];

const GET_SESSION: &str = "/screener.v1.ScreenerSessionService/GetScreenerSession";
const LIST_SESSIONS: &str = "/screener.v1.ScreenerSessionService/ListScreenerSessions";
const REMOVE_SESSION: &str = "/screener.v1.ScreenerSessionService/RemoveScreenerSession";
const EXPORT: &str = "/screener.v1.ScreenerResponseService/ExportScreenerResponses";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

fn contract() -> DescriptorPool {
    DescriptorPool::decode(DESCRIPTOR).expect("it decodes")
}

fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Sends bytes over HTTP/2.
async fn post(
    server: &Server,
    path: &str,
    content_type: &str,
    headers: Headers<'_>,
    body: Vec<u8>,
) -> reqwest::Response {
    let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
    let mut request = client.post(server.url(path)).header("content-type", content_type);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).send().await.expect("it answers")
}

/// Sends JSON over HTTP/1.1, as curl and fetch do.
async fn post_json(server: &Server, path: &str, headers: Headers<'_>, body: &str) -> Reply {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/json"));
    server.send_body("POST", path, &headers, Some(body)).await
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

/// Returns the frames of a body.
fn frames(mut body: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        frames.push((*flag, &rest[..length]));
        body = &rest[length..];
    }
    frames
}

/// Returns the reason and the field names in the details of a refusal.
fn refused(body: &Value) -> (String, Vec<String>) {
    let (mut reason, mut fields) = ("", Vec::new());
    for detail in body["details"].as_array().expect("details") {
        let debug = &detail["debug"];
        match detail["type"].as_str().expect("a type") {
            "google.rpc.ErrorInfo" => {
                reason = debug["reason"].as_str().expect("a reason");
                assert_eq!(debug["domain"], "screenerd");
            }
            "google.rpc.BadRequest" => {
                let violations = debug["fieldViolations"].as_array().expect("violations");
                fields.extend(violations.iter().map(|it| it["field"].as_str().unwrap_or_default()));
            }
            "google.rpc.RequestInfo" => {
                assert!(debug["requestId"].as_str().is_some_and(|id| id.starts_with("req_")));
            }
            other => panic!("{other}"),
        }
    }
    (reason.to_owned(), owned(&fields))
}

/// Calls without a credential and returns the refusal, for a streaming method from its last frame.
async fn refusal_without_credential(server: &Server, method: &MethodDescriptor) -> Value {
    let path = path_of(method);
    if method.is_server_streaming() {
        let json = "application/connect+json";
        let reply = post(server, &path, json, &[], framed(0, b"{}")).await;
        let reply = reply.bytes().await.expect("it ends");
        let [(2, end)] = frames(&reply)[..] else { panic!("{path}: {reply:?}") };
        let end: Value = serde_json::from_slice(end).expect("JSON");
        return end["error"].clone();
    }
    let reply = post_json(server, &path, &[], "{}").await;
    assert_eq!(reply.header("content-type"), Some("application/json"), "{path}");
    let body = reply.json();
    let status = if body["code"] == "unimplemented" { 404 } else { 401 };
    assert_eq!(reply.status, status, "{path}");
    body
}

#[tokio::test]
async fn every_rpc_is_reached_as_json_and_wants_its_credential() {
    let server = Server::demo().await;
    let mut reached = 0;
    for method in contract().services().flat_map(|it| it.methods().collect::<Vec<_>>()) {
        let path = path_of(&method);
        let body = refusal_without_credential(&server, &method).await;
        if path.contains("AdminService") {
            assert_eq!(body["code"], "unimplemented", "{path}");
            assert_eq!(refused(&body).0, "NOT_FOUND", "{path}");
            continue;
        }
        assert_eq!(body["code"], "unauthenticated", "{path}");
        assert_eq!(refused(&body).0, "UNAUTHORIZED", "{path}");
        reached += 1;
    }
    assert!(reached > 50, "{reached}");
    server.stop().await;
}

/// Returns calls of the documented surface, some of which are refused.
fn calls() -> Vec<(&'static str, Headers<'static>, Value)> {
    let session = json!({"id": "scses_789"});
    let submission = json!({"projectId": "proj_123", "id": "scses_789"});
    vec![
        (GET_SESSION, SPOT, session.clone()),
        (GET_SESSION, SPOT, json!({"id": "scses_nobody"})),
        (GET_SESSION, PANEL, session.clone()),
        (LIST_SESSIONS, SERVICE, json!({})),
        (
            LIST_SESSIONS,
            SPOT,
            json!({"filter": {"screenerId": {"in": {"values": ["scr_123", "scr_124"]}}},
                "pagination": {"limit": 2, "offset": 1}}),
        ),
        (LIST_SESSIONS, SPOT, json!({"pagination": {"limit": 0, "offset": -1}})),
        (
            "/screener.v1.ScreenerResponseService/ListScreenerResponses",
            SPOT,
            json!({"filter": {"screener_session_id": {"eq": "scses_789"}}}),
        ),
        ("/screener.v1.SubmissionService/GetSubmission", RESPONDENT, submission.clone()),
        ("/screener.v1.SubmissionService/ExplainSubmission", SERVICE, submission.clone()),
        ("/screener.v1.SubmissionService/RejectSubmission", RESPONDENT, submission),
        (
            "/screener.v1.PanelistService/GetPanelistAccess",
            PANEL,
            json!({"surveyId": "survey-123", "panelistId": "customer-456"}),
        ),
        ("/screener.v1.FunnelService/GetFunnel", SERVICE, json!({"screenerId": "scr_123"})),
        ("/screener.v1.ScreenerService/GetScreener", SERVICE, json!({"id": "scr_123"})),
        ("/screener.v1.ProjectService/ListProjects", SERVICE, json!({})),
        ("/screener.v1.ParticipantService/ListParticipants", SERVICE, json!({})),
        ("/screener.v1.HistoryService/ListChanges", SERVICE, json!({"pagination": {"limit": 1}})),
        (REMOVE_SESSION, SPOT, session),
        ("/screener.v1.SubmissionService/HideSubmission", SERVICE, json!({"id": ""})),
    ]
}

/// Returns the path and query of this call as a GET.
fn get_path(path: &str, encoding: &str, message: &[u8]) -> String {
    let message = BASE64URL_NOPAD.encode(message);
    format!("{path}?connect=v1&encoding={encoding}&base64=1&message={message}")
}

/// Asserts that a refusal over Connect equals the one over gRPC.
fn assert_same_refusal(reply: &Reply, status: &Status, call: &str) {
    let body = reply.json();
    let name = format!("{:?}", status.code());
    assert_eq!(body["code"].as_str().map(|it| it.replace('_', "")), Some(name.to_lowercase()));
    assert_eq!(body["message"], status.message(), "{call}");
    let details = status.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .into_iter()
        .flat_map(|it| &it.field_violations)
        .map(|it| it.field.clone())
        .collect();
    let reason = details.error_info().expect("a reason").reason.clone();
    assert_eq!(refused(&body), (reason, fields), "{call}");
    for detail in body["details"].as_array().expect("details") {
        let value = BASE64_NOPAD.decode(detail["value"].as_str().expect("a text").as_bytes());
        let known = contract().get_message_by_name(detail["type"].as_str().expect("a name"));
        let message = DynamicMessage::decode(known.expect("it is known"), &*value.expect("base64"));
        assert_eq!(json!(message.expect("it decodes")), detail["debug"], "{call}");
    }
}

#[tokio::test]
async fn calls_are_answered_the_same_over_grpc_and_connect() {
    let server = Server::demo().await;
    for (path, credential, message) in calls() {
        let call = format!("{path} {message}");
        let pool = contract();
        let (service, method) = path[1..].split_once('/').expect("a path");
        let service = pool.get_service_by_name(service).expect("a service");
        let method = service.methods().find(|it| it.name() == method).expect("a method");
        let text = message.to_string();
        let proto = DynamicMessage::deserialize(method.input(), message).expect("a message");
        let proto = proto.encode_to_vec();

        let grpc = post(&server, path, "application/grpc", credential, framed(0, &proto)).await;
        let status = Status::from_header_map(grpc.headers());
        let grpc = grpc.bytes().await.expect("an answer");
        let as_json = post_json(&server, path, credential, &text).await;
        let as_proto = post(&server, path, "application/proto", credential, proto.clone()).await;
        let changes = method.method_descriptor_proto().options.as_ref().is_none_or(|options| {
            options.idempotency_level()
                != prost_types::method_options::IdempotencyLevel::NoSideEffects
        });
        let got = server.send("GET", &get_path(path, "json", text.as_bytes()), credential).await;
        if changes {
            assert_eq!(got.status, 405, "{call}");
            assert_eq!(got.header("allow"), Some("POST"), "{call}");
        }
        if let Some(status) = status {
            assert_same_refusal(&as_json, &status, &call);
            assert_eq!(as_proto.headers()["content-type"], "application/json", "{call}");
            assert_eq!(as_proto.status().as_u16(), as_json.status, "{call}");
            if !changes {
                assert_eq!(got.status, as_json.status, "{call}");
                assert_same_refusal(&got, &status, &call);
            }
            continue;
        }
        let [(0, answer)] = frames(&grpc)[..] else { panic!("{call}: {grpc:?}") };
        assert_eq!(
            (as_json.status, as_json.header("content-type")),
            (200, Some("application/json"))
        );
        assert_eq!(as_proto.headers()["content-type"], "application/proto", "{call}");
        assert_eq!(as_proto.bytes().await.expect("a body"), answer, "{call}");
        let read = DynamicMessage::decode(method.output(), answer).expect("it decodes");
        assert_eq!(as_json.json(), json!(read), "{call}");
        if !changes {
            assert_eq!(got.text, as_json.text, "{call}");
            let path = get_path(path, "proto", &proto);
            let got = server.http.get(server.url(&path)).headers(reqwest_headers(credential));
            let got = got.send().await.expect("it answers").bytes().await.expect("a body");
            assert_eq!(got, answer, "{call}");
        }
    }
    server.stop().await;
}

fn reqwest_headers(headers: Headers<'_>) -> reqwest::header::HeaderMap {
    let mut map = reqwest::header::HeaderMap::new();
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().expect("a name");
        map.append(name, value.parse().expect("a value"));
    }
    map
}

#[tokio::test]
async fn the_version_of_the_session_dialect_is_told_as_over_grpc() {
    let server = Server::demo().await;
    let reply = post_json(&server, GET_SESSION, SPOT, r#"{"id": "scses_789"}"#).await;
    assert_eq!(reply.header("x-spot-api-version"), Some("1.0.0"));
    assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("grpc-")));
    let headers = [SPOT, &[("x-spot-api-version", "9.9.9")]].concat();
    let reply = post_json(&server, GET_SESSION, &headers, r#"{"id": "scses_789"}"#).await;
    assert_eq!((reply.status, refused(&reply.json()).0), (400, "UNSUPPORTED_API_VERSION".into()));
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let server = Server::demo().await;
    for (body, fields) in [
        (r#"{"id": "scses_789", "status": 1, "x": {}}"#, &["status", "x"][..]),
        (r#"{"id": 5}"#, &["id"]),
        ("{", &["message"]),
        ("", &["message"]),
        ("[]", &["message"]),
    ] {
        let reply = post_json(&server, GET_SESSION, SPOT, body).await;
        let read = reply.json();
        assert_eq!((reply.status, &read["code"]), (400, &json!("invalid_argument")), "{body}");
        let (reason, named) = refused(&read);
        assert_eq!((reason.as_str(), named.as_slice()), ("INVALID_ARGUMENT", &*owned(fields)));
    }
    // Two bytes that are not the start of any message.
    let reply = post(&server, GET_SESSION, "application/proto", SPOT, vec![0xff, 0xff]).await;
    assert_eq!(reply.status().as_u16(), 400);
    let reply = server.send("GET", &format!("{GET_SESSION}?base64=2&limit=1"), SPOT).await;
    assert_eq!(reply.status, 400);
    assert_eq!(refused(&reply.json()).1, ["base64", "message", "encoding"]);
    let xml = format!("{GET_SESSION}?encoding=xml&message=%7B%7D");
    assert_eq!(server.send("GET", &xml, SPOT).await.status, 415);
    let id = "%7B%22id%22%3A%22scses_789%22%7D";
    let query = format!("encoding=json&message={id}&utm_source=x&connect=v1&&base64=&=");
    let reply = server.send("GET", &format!("{GET_SESSION}?{query}"), SPOT).await;
    assert_eq!((reply.status, &reply.json()["screenerSession"]["id"]), (200, &json!("scses_789")));
    server.stop().await;
}

fn owned(fields: &[&str]) -> Vec<String> {
    fields.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_headers_of_the_protocol_are_checked_and_a_timeout_counts() {
    let server = Server::demo().await;
    for (headers, status, reason, fields) in [
        (&[("connect-timeout-ms", "0")][..], 504, "DEADLINE_EXCEEDED", &[][..]),
        (&[("connect-timeout-ms", "20000"), ("connect-protocol-version", "1")], 200, "", &[]),
        (
            &[("connect-timeout-ms", "1s"), ("connect-protocol-version", "2")],
            400,
            "INVALID_ARGUMENT",
            &["connect-protocol-version", "connect-timeout-ms"],
        ),
        (&[("content-encoding", "br")], 501, "UNSUPPORTED_MEDIA_TYPE", &["content-encoding"]),
        // Connect ignores the headers of gRPC.
        (&[("grpc-timeout", "nonsense"), ("grpc-encoding", "gzip")], 200, "", &[]),
    ] {
        let sent = [SPOT, headers].concat();
        let reply = post_json(&server, GET_SESSION, &sent, r#"{"id": "scses_789"}"#).await;
        assert_eq!(reply.status, status, "{headers:?}");
        if status != 200 {
            assert_eq!(refused(&reply.json()), (reason.to_owned(), owned(fields)));
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_never_ends_meets_the_deadline() {
    let server = Server::demo().await;
    let endless = stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
    let request = server
        .http
        .post(server.url(GET_SESSION))
        .headers(reqwest_headers(SPOT))
        .header("content-type", "application/json")
        .header("connect-timeout-ms", "50")
        .body(reqwest::Body::wrap(StreamBody::new(endless)));
    let reply = request.send().await.expect("it answers");
    assert_eq!(reply.status().as_u16(), 504);
    server.stop().await;
}

#[tokio::test]
async fn what_is_too_large_or_of_another_type_or_method_is_refused() {
    let server = Server::demo().await;
    let large = vec![b' '; MESSAGE_MAX_BYTES + 1];
    let reply = post(&server, GET_SESSION, "application/json", SPOT, large).await;
    assert_eq!(reply.status().as_u16(), 429);
    let body: Value = reply.json().await.expect("JSON");
    assert_eq!(refused(&body).0, "PAYLOAD_TOO_LARGE");
    for (path, content_type) in [
        (GET_SESSION, "application/connect+json"),
        (GET_SESSION, "text/plain"),
        (WATCH, "application/json"),
    ] {
        let reply = post(&server, path, content_type, SPOT, b"{}".to_vec()).await;
        assert_eq!(reply.status().as_u16(), 415, "{path} {content_type}");
    }
    let json = [SPOT, &[("content-type", "application/json")]].concat();
    let reply = server.send("PUT", GET_SESSION, &json).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST")));
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    for path in ["/screener.v1.ScreenerSessionService/Nothing", reflection] {
        let reply = post_json(&server, path, SPOT, "{}").await;
        assert_eq!((reply.status, &reply.json()["code"]), (404, &json!("unimplemented")));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_large_message_is_read_and_one_with_too_many_values_is_not() {
    let server = Server::demo().await;
    let list =
        |items: &str| format!(r#"{{"filter": {{"id": {{"in": {{"values": [{items}]}}}}}}}}"#);
    let ids = vec![r#""scses_789""#; 500].join(&format!(",{}", " ".repeat(200)));
    assert!(ids.len() > 64 * 1024, "it is transcoded apart");
    let reply = post_json(&server, LIST_SESSIONS, SPOT, &list(&ids)).await;
    assert_eq!((reply.status, &reply.json()["total"]), (200, &json!(1)));
    let zeros = |count: usize| list(&vec!["0"; count].join(","));
    let reply = post_json(&server, LIST_SESSIONS, SPOT, &zeros(5_000)).await;
    let (reason, fields) = refused(&reply.json());
    assert_eq!((reply.status, reason.as_str()), (400, "INVALID_ARGUMENT"));
    assert_eq!(fields[0], "filter.id.in.values[0]");
    assert!(fields.len() < VIOLATIONS_MAX);
    let reply = post_json(&server, LIST_SESSIONS, SPOT, &zeros(100_000)).await;
    assert_eq!((reply.status, refused(&reply.json()).0.as_str()), (429, "PAYLOAD_TOO_LARGE"));
    assert_eq!(reply.json()["message"], "At most 65536 JSON values in this message.");
    // The server checks the credential before the message.
    for unreadable in ["{", &zeros(100_000)] {
        let reply = post_json(&server, LIST_SESSIONS, &[], unreadable).await;
        assert_eq!((reply.status, refused(&reply.json()).0.as_str()), (401, "UNAUTHORIZED"));
    }
    server.stop().await;
}

/// Returns the next envelope of a stream.
async fn next(reply: &mut reqwest::Response) -> (u8, Vec<u8>) {
    let chunk = reply.chunk().await.expect("it arrives").expect("there is more");
    let [(flag, message)] = frames(&chunk)[..] else { panic!("{chunk:?}") };
    (flag, message.to_vec())
}

#[tokio::test]
async fn a_stream_is_relayed_and_says_how_it_ended() {
    let server = Server::demo().await;
    let json = "application/connect+json";
    let mut watched = post(&server, WATCH, json, &[], framed(0, b"{}")).await;
    assert_eq!(watched.status().as_u16(), 200);
    assert_eq!(watched.headers()["content-type"], json);
    assert_eq!(next(&mut watched).await, (0, br#"{"status":"SERVING"}"#.to_vec()));
    let proto = "application/connect+proto";
    let mut binary = post(&server, WATCH, proto, &[], framed(0, b"")).await;
    assert_eq!(next(&mut binary).await, (0, vec![8, 1]));

    let timeout = [("connect-timeout-ms", "50")];
    let timed = post(&server, WATCH, json, &timeout, framed(0, b"{}")).await;
    let timed = timed.bytes().await.expect("it ends");
    let [(0, _), (2, end)] = frames(&timed)[..] else { panic!("{timed:?}") };
    let end: Value = serde_json::from_slice(end).expect("JSON");
    assert_eq!(end["error"]["code"], "deadline_exceeded");

    for (body, reason, fields) in [
        (framed(0, br#"{"servise": "a"}"#), "INVALID_ARGUMENT", &["servise"][..]),
        (framed(1, b"{}"), "INVALID_ARGUMENT", &[]),
        (b"{}".to_vec(), "INVALID_ARGUMENT", &["body"]),
        ([framed(0, b"{}"), framed(0, b"{}")].concat(), "INVALID_ARGUMENT", &[]),
    ] {
        let reply = post(&server, WATCH, json, &[], body).await;
        assert_eq!(reply.status().as_u16(), 200);
        let reply = reply.bytes().await.expect("it ends");
        let [(2, end)] = frames(&reply)[..] else { panic!("{reply:?}") };
        let end: Value = serde_json::from_slice(end).expect("JSON");
        assert_eq!(refused(&end["error"]), (reason.to_owned(), owned(fields)));
    }

    let stopping = tokio::spawn(server.stop());
    assert_eq!(next(&mut watched).await, (0, br#"{"status":"NOT_SERVING"}"#.to_vec()));
    assert_eq!(next(&mut watched).await, (2, b"{}".to_vec()));
    drop((watched, binary));
    stopping.await.expect("it stops");
}
