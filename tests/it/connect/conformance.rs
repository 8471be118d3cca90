//! The cases of Connect's conformance suite that need no service of the suite, by their names in
//! `testsuites/data` of <https://github.com/connectrpc/conformance>. Where the suite leaves a
//! choice to the server, a test checks this server's choice.

use http::Method;
use tonic::Code;

use super::{EXPORT, GET_SESSION, Headers, LIST_SESSIONS, framed, frames, path_of, refused};
use crate::support::{SPOT, Server};
use serde_json::{Value, json};

const UNKNOWN: &str = "/screener.v1.UnknownService/UnknownMethod";
/// A method, and the limit in bytes of its message.
const LIMITED: (&str, usize) = (GET_SESSION, 64 * 1024);

/// The outcome of a case: the HTTP status, and the code of the call if there is one.
#[derive(Debug, PartialEq)]
struct Answered(u16, Option<Code>);

struct Case {
    name: &'static str,
    method: Method,
    path: &'static str,
    content_type: &'static str,
    headers: Headers<'static>,
    body: Vec<u8>,
    expected: Answered,
}

impl Case {
    fn new(name: &'static str, path: &'static str, content_type: &'static str) -> Self {
        let (method, headers, body) = (Method::POST, &[][..], Vec::new());
        let expected = Answered(200, None);
        Self { name, method, path, content_type, headers, body, expected }
    }

    fn of(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    fn with(self, headers: Headers<'static>) -> Self {
        Self { headers, ..self }
    }

    fn is(self, status: u16, code: impl Into<Option<Code>>) -> Self {
        Self { expected: Answered(status, code.into()), ..self }
    }

    async fn run(self, server: &Server) {
        let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
        let mut request = client.request(self.method, server.url(self.path)).body(self.body);
        for (name, value) in [SPOT, self.headers].concat() {
            request = request.header(name, value);
        }
        let reply = request.header("content-type", self.content_type).send().await;
        let reply = reply.expect("it answers");
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body = reply.bytes().await.expect("it arrives");
        let code = code_of(&headers, &body);
        assert_eq!(
            Answered(status, code),
            self.expected,
            "{} over {}",
            self.name,
            self.content_type
        );
    }
}

/// Returns the code from the head, from a JSON body, or from the end of a stream.
fn code_of(headers: &http::HeaderMap, body: &[u8]) -> Option<Code> {
    if let Some(code) = headers.get("grpc-status") {
        return Some(Code::from_bytes(code.as_bytes()));
    }
    let named = |error: &Value| {
        let name = error["code"].as_str()?.to_owned();
        let codes = (1..=16).map(Code::from_i32);
        codes.into_iter().find(|code| connect_name(*code) == name)
    };
    match headers.get("content-type")?.to_str().expect("a text") {
        "application/json" => named(&serde_json::from_slice(body).expect("JSON")),
        "application/connect+json" | "application/connect+proto" => {
            let (2, end) = *frames(body).last()? else { panic!("a stream without an end") };
            named(&serde_json::from_slice::<Value>(end).expect("JSON")["error"])
        }
        _ => None,
    }
}

/// Returns the Connect name of a code.
fn connect_name(code: Code) -> String {
    let name = format!("{code:?}");
    let snake = name.chars().enumerate().flat_map(|(index, letter)| {
        let gap = (index > 0 && letter.is_uppercase()).then_some('_');
        gap.into_iter().chain(letter.to_lowercase())
    });
    snake.collect::<String>().replace("cancelled", "canceled")
}

async fn run(cases: Vec<Case>) {
    let server = Server::demo().await;
    for case in cases {
        case.run(&server).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn unexpected_requests_over_connect() {
    let (proto, stream) = ("application/proto", "application/connect+proto");
    let version: Headers = &[("connect-protocol-version", "1")];
    let one = || framed(0, b"");
    let unimplemented = Code::Unimplemented;
    run(vec![
        Case::new("unexpected-content-type", GET_SESSION, "image/jpeg")
            .of(b"12345678".into())
            .is(415, None),
        Case::new("server-stream/no-request", EXPORT, stream).with(version).is(200, unimplemented),
        Case::new("server-stream/multiple-requests", EXPORT, stream)
            .with(version)
            .of([one(), one()].concat())
            .is(200, unimplemented),
        Case {
            method: Method::DELETE,
            ..Case::new("unexpected-verb", GET_SESSION, proto).with(version).is(405, unimplemented)
        },
        Case::new("unexpected-uri", UNKNOWN, proto).with(version).is(404, unimplemented),
        Case::new("unexpected-codec", GET_SESSION, "application/foo").with(version).is(415, None),
        Case::new("unexpected-compression", GET_SESSION, proto)
            .with(&[("connect-protocol-version", "1"), ("content-encoding", "foo")])
            .is(501, unimplemented),
        Case::new("unexpected-compressed-message", EXPORT, stream)
            .with(&[("connect-protocol-version", "1"), ("connect-content-encoding", "identity")])
            .of(framed(1, b""))
            .is(200, Code::Internal),
    ])
    .await;
}

#[tokio::test]
async fn unexpected_requests_over_grpc_and_grpc_web() {
    let mut cases = Vec::new();
    let one = || framed(0, b"");
    let unimplemented = Code::Unimplemented;
    for (bare, full, other) in [
        ("application/grpc", "application/grpc+proto", "application/grpc+foo"),
        ("application/grpc-web", "application/grpc-web+proto", "application/grpc-web+foo"),
    ] {
        for (kind, path) in [("unary", LIST_SESSIONS), ("server-stream", EXPORT)] {
            let none = ["unary/no-request", "server-stream/no-request"];
            let two = ["unary/multiple-requests", "server-stream/multiple-requests"];
            let index = usize::from(kind != "unary");
            cases.push(Case::new(none[index], path, full).is(200, unimplemented));
            let both = Case::new(two[index], path, full).of([one(), one()].concat());
            cases.push(both.is(200, unimplemented));
        }
        cases.extend([
            Case {
                method: Method::DELETE,
                ..Case::new("unexpected-verb", LIST_SESSIONS, bare).of(one()).is(405, None)
            },
            Case::new("unexpected-uri", UNKNOWN, bare).of(one()).is(200, unimplemented),
            Case::new("unexpected-codec", LIST_SESSIONS, other).of(one()).is(415, None),
            Case::new("unexpected-compression", LIST_SESSIONS, bare)
                .with(&[("grpc-encoding", "foo")])
                .of(one())
                .is(200, unimplemented),
            Case::new("unexpected-compressed-message", LIST_SESSIONS, full)
                .with(&[("grpc-encoding", "identity")])
                .of(framed(1, b""))
                .is(200, Code::Internal),
            Case::new("with-proto-sub-format", LIST_SESSIONS, full).of(one()),
            Case::new("without-proto-sub-format", LIST_SESSIONS, bare).of(one()),
        ]);
    }
    run(cases).await;
}

#[tokio::test]
async fn empty_requests_and_those_at_the_limit_of_the_server() {
    let (path, limit) = LIMITED;
    // A field that the message lacks pads it to the required length.
    let sized = |bytes: usize| {
        let head = |text: usize| [&[0xfa, 0x01][..], &varint(text)].concat();
        let text = (0..bytes).rev().find(|text| head(*text).len() + text <= bytes).unwrap_or(0);
        let mut message = [head(text), vec![b'x'; text]].concat();
        // A varint may be longer than necessary.
        while message.len() < bytes {
            let end = head(text).len() - 1;
            message[end] |= 0x80;
            message.insert(end + 1, 0);
        }
        message
    };
    let mut cases = Vec::new();
    for (content_type, is_framed) in [
        ("application/grpc+proto", true),
        ("application/grpc-web+proto", true),
        ("application/proto", false),
    ] {
        let write = |message: &[u8]| if is_framed { framed(0, message) } else { message.to_vec() };
        let refusal = |code: Code, http: u16| (if is_framed { 200 } else { http }, code);
        cases.push(Case::new("unary/empty-request", LIST_SESSIONS, content_type).of(write(b"")));
        // The message is accepted by size, so the error is the missing id.
        let (status, code) = refusal(Code::InvalidArgument, 400);
        cases.push(
            Case::new("unary/request-equal-to-server-limit", path, content_type)
                .of(write(&sized(limit)))
                .is(status, code),
        );
        let (status, code) = refusal(Code::ResourceExhausted, 429);
        cases.push(
            Case::new("unary/request-exceeds-server-limit", path, content_type)
                .of(write(&sized(limit + 10)))
                .is(status, code),
        );
    }
    for content_type in ["application/grpc", "application/grpc-web", "application/connect+proto"] {
        let empty = Case::new("server-stream/empty-request", EXPORT, content_type);
        cases.push(empty.of(framed(0, b"")));
    }
    run(cases).await;
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

/// The suite's service delays a response. Here an endless stream reaches its deadline.
#[tokio::test]
async fn timeouts() {
    let watch = super::WATCH;
    let (connect, grpc) = (&[("connect-timeout-ms", "200")][..], &[("grpc-timeout", "200m")][..]);
    let server = Server::demo().await;
    for (content_type, headers) in
        [("application/connect+proto", connect), ("application/grpc-web", grpc)]
    {
        let body = framed(0, b"");
        let reply = super::post(&server, watch, content_type, headers, body).await;
        let reply = reply.bytes().await.expect("it ends");
        let frames = frames(&reply);
        let (flag, end) = frames.last().expect("an end");
        let end = String::from_utf8_lossy(end);
        let is_exceeded = end.contains("deadline_exceeded") || end.contains("grpc-status: 4\r\n");
        assert!(flag & 0x82 != 0 && is_exceeded, "{content_type}: {end}");
    }
    // A unary call whose deadline has already passed.
    let passed: Headers = &[("connect-timeout-ms", "0"), ("grpc-timeout", "0m")];
    for (content_type, status, body) in [
        ("application/json", 504, b"{}".to_vec()),
        ("application/proto", 504, Vec::new()),
        ("application/grpc", 200, framed(0, b"")),
        ("application/grpc-web", 200, framed(0, b"")),
    ] {
        let case = Case::new("unary", LIST_SESSIONS, content_type).with(passed).of(body);
        case.is(status, Code::DeadlineExceeded).run(&server).await;
    }
    server.stop().await;
}

/// Errors keep their code, their message and their details on every protocol.
#[tokio::test]
async fn errors() {
    let server = Server::demo().await;
    for (id, code, status) in
        [("", Code::InvalidArgument, 400), ("scses_nobody", Code::NotFound, 404)]
    {
        let json = serde_json::to_vec(&json!({ "id": id })).expect("JSON");
        let reply = super::post(&server, GET_SESSION, "application/json", SPOT, json).await;
        assert_eq!(reply.status().as_u16(), status);
        let told: Value = reply.json().await.expect("JSON");
        assert_eq!(told["code"], connect_name(code));
        let (reason, fields) = refused(&told);
        let message =
            [&[0x0a_u8, u8::try_from(id.len()).expect("short")][..], id.as_bytes()].concat();
        for content_type in ["application/grpc", "application/grpc-web"] {
            let body = framed(0, &message);
            let reply = super::post(&server, GET_SESSION, content_type, SPOT, body).await;
            let status = tonic::Status::from_header_map(reply.headers()).expect("a refusal");
            assert_eq!(
                (status.code(), status.message()),
                (code, told["message"].as_str().expect("a text"))
            );
            let details = tonic_types::StatusExt::get_error_details(&status);
            assert_eq!(details.error_info().map(|info| info.reason.clone()), Some(reason.clone()));
            let named =
                details.bad_request().map(|it| it.field_violations.clone()).unwrap_or_default();
            let named: Vec<_> = named.into_iter().map(|violation| violation.field).collect();
            assert_eq!(named, fields, "{content_type}");
        }
    }
    server.stop().await;
}

/// GET calls exactly the methods without side effects.
#[tokio::test]
async fn connect_with_get() {
    let server = Server::demo().await;
    let get =
        async |path: &str, query: &str| server.send("GET", &format!("{path}?{query}"), SPOT).await;
    for query in [
        "connect=v1&encoding=json&message=%7B%22id%22%3A%22scses_789%22%7D",
        "message=eyJpZCI6InNjc2VzXzc4OSJ9&base64=1&encoding=json&connect=v1",
        "base64=1&compression=identity&connect=v1&encoding=json&message=eyJpZCI6InNjc2VzXzc4OSJ9",
    ] {
        let reply = get(GET_SESSION, query).await;
        assert_eq!(
            (reply.status, &reply.json()["screenerSession"]["id"]),
            (200, &json!("scses_789"))
        );
    }
    let mut changing = 0;
    for method in super::contract().services().flat_map(|it| it.methods().collect::<Vec<_>>()) {
        let path = path_of(&method);
        let is_public = !path.contains("AdminService") && !method.is_server_streaming();
        if is_public && method.options().to_string().contains("NO_SIDE_EFFECTS") {
            assert_ne!(get(&path, "encoding=json&message=%7B%7D").await.status, 405, "{path}");
        } else if is_public {
            assert_eq!(get(&path, "encoding=json&message=%7B%7D").await.status, 405, "{path}");
            changing += 1;
        }
    }
    assert!(changing > 10, "{changing}");
    server.stop().await;
}
