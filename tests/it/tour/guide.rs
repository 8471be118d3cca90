//! Makes each call of a chapter on two servers with the same clock and random numbers, and records
//! the response.
//!
//! RPCs go to one server over Connect and to the other over gRPC, so that each server makes a
//! change once. REST, pages and imports go to both, which must respond alike and thus be in the
//! same state.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use prost::Message as _;
use prost::encoding::{DecodeContext, decode_key, skip_field};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use screenerd::app::{Environment, Location};
use screenerd::config::Serve;
use screenerd::pb::DESCRIPTOR;
use screenerd::serve;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tonic::body::Body;
use tonic_types::StatusExt as _;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt as _};

use super::raw::{self, Answered};
use crate::support::random::Random;
use crate::support::{Clock, Server, config, panelist, written};

/// Headers that the framework sets, and whose values are independent of the response.
const FRAMING: &[&str] = &["connection", "content-length", "date", "transfer-encoding"];

/// 64 bytes in base64.
const PANELIST_KEY: &str =
    "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==";

/// The headers with a caller's credential.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// Credentials by their names in the recording. Any other name is the link or the key of a
/// participant.
const CREDENTIALS: &[(&str, Headers<'static>)] = &[
    ("nobody", &[]),
    ("spot", &[("x-spot-api-key", "acct_123"), ("x-spot-api-secret", "sk_live_abcd")]),
    (
        "readonly",
        &[("x-spot-api-key", "acct_123_readonly"), ("x-spot-api-secret", "sk_live_readonly")],
    ),
    ("wrong spot", &[("x-spot-api-key", "acct_123"), ("x-spot-api-secret", "sk_live_wrong")]),
    ("respondent", &[("x-api-key", "respondent_123"), ("x-api-secret", "respondent_secret_123")]),
    ("panel", &[("x-api-key", "vtt_your_api_key")]),
    ("scopeless panel", &[("x-api-key", "vtt_no_panel_scope")]),
    ("service", &[("authorization", "Bearer sdk_demo_acct_123")]),
    ("scopeless", &[("authorization", "Bearer sdk_none")]),
    ("stranger", &[("authorization", "Bearer sdk_demo_acct_999")]),
    ("wrong service", &[("authorization", "Bearer sdk_wrong")]),
];

/// A service token without a scope, which the example data lacks.
const SCOPELESS: &str = r#"{"type": "credential", "tenant": "acct_123", "id": "key_none", "kind":
    "service", "secret": "sdk_none", "scopes": [], "createdAt": "2024-05-01T12:00:00Z"}"#;

fn presented(who: &str) -> Vec<(String, String)> {
    match CREDENTIALS.iter().find(|(name, _)| *name == who) {
        Some((_, headers)) => {
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
        }
        None => vec![("authorization".into(), who.into())],
    }
}

/// A response over HTTP.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn location(&self) -> Option<&str> {
        self.headers.get("location").map(String::as_str)
    }
}

/// A server, and the generator of its random numbers.
struct Stop {
    server: Server,
    dice: Arc<Mutex<Random>>,
}

impl Stop {
    async fn open() -> Self {
        let clock = Clock::new();
        let dice = Arc::new(Mutex::new(Random(1)));
        let thrown = Arc::clone(&dice);
        let random = Arc::new(move || thrown.lock().expect("a roll does not panic").bytes());
        let environment = Environment { random, ..clock.environment() };
        let config = Serve { panelist_key: Some(PANELIST_KEY.into()), ..config(None, true) };
        let mut server = Server::start_in(&config, environment, clock).await;
        server.kept = Some(server.channel().await);
        panelist::add_life(&server, true).await;
        let scopeless = serde_json::from_str(SCOPELESS).expect("JSON");
        let head = serde_json::json!({ "format": "screenerd-import", "version": 1 });
        panelist::import(&server, &[head, scopeless]).await;
        Self { server, dice }
    }

    async fn send(&self, method: &str, path: &str, headers: Headers<'_>, body: Vec<u8>) -> Reply {
        let method = method.parse::<reqwest::Method>().expect("a method");
        let mut request = self.server.http.request(method, self.server.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().await.expect("the server answers");
        let headers = response.headers().iter();
        let headers = headers.filter(|(name, _)| !FRAMING.contains(&name.as_str()));
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
        Reply {
            status: response.status().as_u16(),
            headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: response.bytes().await.expect("the answer arrives whole"),
        }
    }
}

/// A chapter of the tour.
pub(super) struct Tour {
    name: &'static str,
    stops: [Stop; 2],
    pool: DescriptorPool,
    record: String,
    /// The number of times that each call was made.
    made: HashMap<String, u64>,
}

impl Tour {
    pub(super) async fn begin(name: &'static str) -> Self {
        let stops = [Stop::open().await, Stop::open().await];
        let pool = DescriptorPool::decode(DESCRIPTOR).expect("it decodes");
        Self { name, stops, pool, record: String::new(), made: HashMap::new() }
    }

    /// Returns every method of the contract, with its service.
    pub(super) fn methods(&self) -> Vec<String> {
        let methods = self.pool.services().flat_map(|it| it.methods().collect::<Vec<_>>());
        methods.map(|it| format!("{}/{}", it.parent_service().name(), it.name())).collect()
    }

    fn method(&self, rpc: &str) -> MethodDescriptor {
        let (service, method) = rpc.split_once('/').expect("a service and a method");
        let service = self.pool.services().find(|it| it.name() == service);
        let service = service.unwrap_or_else(|| panic!("{rpc}: no such service"));
        let found = service.methods().find(|it| it.name() == method);
        found.unwrap_or_else(|| panic!("{rpc}: no such method"))
    }

    /// Records a call and seeds the random numbers with it. The seed depends on the call alone, so
    /// that a new call in a chapter does not change later responses.
    fn title(&mut self, title: &str) {
        let times = self.made.entry(title.to_owned()).or_default();
        *times += 1;
        let digest = Sha256::digest(format!("{times} {title}"));
        let seed = u64::from_be_bytes(digest[..8].try_into().expect("eight bytes"));
        for stop in &self.stops {
            *stop.dice.lock().expect("a roll does not panic") = Random(seed);
        }
        writeln!(self.record, "\n=== {title}").expect("a text");
    }

    fn write(&mut self, line: impl AsRef<str>) {
        self.record.push_str(line.as_ref());
        self.record.push('\n');
    }

    /// Advances the clock.
    pub(super) fn wait(&mut self, seconds: i64) {
        for stop in &self.stops {
            stop.server.clock.advance_seconds(seconds);
        }
        self.write(format!("\n=== {seconds} seconds pass"));
    }

    /// Calls an RPC over Connect and over gRPC. Returns the JSON of the response.
    pub(super) async fn call(&mut self, rpc: &str, who: &str, message: Value) -> Value {
        self.call_with(rpc, who, &[], &message.to_string()).await
    }

    /// Calls an RPC with each message.
    pub(super) async fn calls(&mut self, rpc: &str, who: &str, messages: Vec<Value>) {
        for message in messages {
            self.call(rpc, who, message).await;
        }
    }

    /// Calls an RPC with additional headers and any text as the message. If the text is not a
    /// message of the RPC, it is sent over Connect only.
    pub(super) async fn call_with(
        &mut self,
        rpc: &str,
        who: &str,
        more: Headers<'_>,
        message: &str,
    ) -> Value {
        let method = self.method(rpc);
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let credential = presented(who);
        let mut headers: Vec<_> =
            credential.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.extend(more);
        let extra = listed(more);
        self.title(&format!("{rpc} as {who}{extra}\n{message}"));
        let answer = self.over_connect(&method, &path, &headers, message).await;
        let mut json = serde_json::Deserializer::from_str(message);
        if let Ok(message) = DynamicMessage::deserialize(method.input(), &mut json) {
            let channel = self.stops[1].server.channel().await;
            let sent = vec![Bytes::from(message.encode_to_vec())];
            let mut answered = raw::call(channel, &path, &headers, sent).await;
            if has_map(&method.output()) {
                answered.messages.iter_mut().for_each(|it| *it = ordered(it).into());
            }
            self.write_grpc(&answered);
        }
        answer
    }

    async fn over_connect(
        &mut self,
        method: &MethodDescriptor,
        path: &str,
        headers: Headers<'_>,
        message: &str,
    ) -> Value {
        let is_stream = method.is_server_streaming() || method.is_client_streaming();
        let kind = if is_stream { "application/connect+json" } else { "application/json" };
        let headers = [headers, &[("content-type", kind)]].concat();
        let body = if is_stream { framed(message.as_bytes()) } else { message.into() };
        let mut reply = self.stops[0].send("POST", path, &headers, body).await;
        if has_map(&method.output()) {
            reply.body = reply.json().to_string().into();
        }
        if reply.headers.get("content-type").is_some_and(|it| it == "application/connect+json") {
            let Reply { status, headers, body } = &reply;
            self.write(format!("connect {status} {headers:?}"));
            for (flag, frame) in frames(body) {
                self.write(format!("frame {flag} {}", String::from_utf8_lossy(frame)));
            }
            return Value::Null;
        }
        self.write_http("connect", &reply);
        reply.json()
    }

    fn write_http(&mut self, transport: &str, reply: &Reply) {
        let Reply { status, headers, body } = reply;
        self.write(format!("{transport} {status}"));
        for (name, value) in headers {
            self.write(format!("{name}: {value}"));
        }
        match std::str::from_utf8(body) {
            Ok("") => {}
            Ok(page) if let Some((before, style, after)) = without_style(page) => {
                let style = digest(style.as_bytes());
                self.write(format!("{before}<style>{style}</style>{after}"));
            }
            Ok(text) if text.len() < 20_000 => self.write(text),
            Ok(_) | Err(_) => self.write(digest(body)),
        }
    }

    fn write_grpc(&mut self, answered: &Answered) {
        let Answered { metadata, messages, status } = answered;
        let names: BTreeMap<_, _> = metadata
            .clone()
            .into_headers()
            .drain()
            .filter_map(|(name, value)| Some((name?.to_string(), value)))
            .filter(|(name, _)| !FRAMING.contains(&name.as_str()))
            .collect();
        for message in messages {
            self.write(format!("grpc {}", digest(message)));
        }
        self.write(format!("grpc {:?} {names:?}", status.code()));
        if status.code() == tonic::Code::Ok {
            return;
        }
        let details = status.get_error_details();
        self.write(format!("message {}", status.message()));
        if let Some(info) = details.error_info() {
            let metadata: BTreeMap<_, _> = info.metadata.iter().collect();
            self.write(format!("reason {} {} {metadata:?}", info.domain, info.reason));
        }
        for violation in details.bad_request().into_iter().flat_map(|it| &it.field_violations) {
            self.write(format!("field {}: {}", violation.field, violation.description));
        }
        if let Some(info) = details.request_info() {
            self.write(format!("request {}", info.request_id));
        }
        if let Some(delay) = details.retry_info().and_then(|it| it.retry_delay) {
            self.write(format!("retry after {delay:?}"));
        }
    }

    /// Sends a request over HTTP.
    pub(super) async fn http(
        &mut self,
        call: &str,
        who: &str,
        more: Headers<'_>,
        body: &str,
    ) -> Reply {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let credential = presented(who);
        let mut headers: Vec<_> =
            credential.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.extend(more);
        let extra = listed(more);
        self.title(&format!("{call} as {who}{extra}\n{body}"));
        let reply = self.stops[0].send(method, path, &headers, body.into()).await;
        let other = self.stops[1].send(method, path, &headers, body.into()).await;
        assert_eq!(reply, other, "{call}: Connect and gRPC led to different states");
        self.write_http("http", &reply);
        reply
    }

    /// Sends a request with a JSON body, if it has one. Returns the JSON of the response.
    pub(super) async fn rest(&mut self, call: &str, who: &str, body: Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let kind: Headers<'_> = &[("content-type", "application/json")];
        let headers = if body.is_empty() { &[] } else { kind };
        self.http(call, who, headers, &body).await.json()
    }

    /// Calls the admin service in process, because it has no public address.
    pub(super) async fn admin(&mut self, rpc: &str, messages: &[Value]) -> Vec<Value> {
        let method = self.method(rpc);
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let text: Vec<_> = messages.iter().map(ToString::to_string).collect();
        self.title(&format!("{rpc} as operator\n{}", text.join("\n")));
        let mut both = Vec::new();
        for stop in &self.stops {
            let folder = tempfile::tempdir().expect("a folder");
            let app = Arc::clone(stop.server.running.app());
            let location = Location::Sqlite(folder.path().join("admin.db"));
            let service = serve::admin_in_process(app, &location)
                .map_response(|response| response.map(Body::new))
                .map_err(|never| -> BoxError { match never {} });
            let service = BoxCloneSyncService::new(service);
            let sent = messages.iter().map(|message| {
                let message = DynamicMessage::deserialize(method.input(), message.clone());
                message.expect("a message").encode_to_vec().into()
            });
            both.push(raw::call(service, &path, &[], sent.collect()).await);
        }
        assert_eq!(both[0].messages, both[1].messages, "{rpc}");
        let mut answers = Vec::new();
        for message in &both[0].messages {
            let message = DynamicMessage::decode(method.output(), message.clone());
            let json = serde_json::to_value(message.expect("it decodes")).expect("JSON");
            self.write(json.to_string());
            answers.push(json);
        }
        self.write_grpc(&both[0]);
        answers
    }

    /// Ends the chapter and compares it with its recording.
    pub(super) async fn end(self) {
        let Self { name, stops, record, .. } = self;
        for stop in stops {
            stop.server.stop().await;
        }
        written::compare(&format!("tests/it/tour/{name}.txt"), record.trim_start());
    }
}

/// Formats headers for a title.
fn listed(headers: Headers<'_>) -> String {
    let texts: Vec<_> = headers.iter().map(|(name, value)| format!(", {name}: {value}")).collect();
    texts.concat()
}

/// Whether a message has a map, whose entries have another order each time.
fn has_map(message: &MessageDescriptor) -> bool {
    message.fields().any(|field| field.is_map())
}

/// Returns a message with its fields sorted by their bytes.
fn ordered(message: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let begin = rest;
        let (tag, wire) = decode_key(&mut rest).expect("a field begins");
        skip_field(wire, tag, &mut rest, DecodeContext::default()).expect("a field ends");
        fields.push(&begin[..begin.len() - rest.len()]);
    }
    fields.sort_unstable();
    fields.concat()
}

/// Splits a page at the style that every page has.
fn without_style(html: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = html.split_once("<style>")?;
    let (style, after) = rest.split_once("</style>")?;
    Some((before, style, after))
}

fn digest(bytes: &[u8]) -> String {
    format!("{} bytes, sha256 {}", bytes.len(), HEXLOWER.encode(&Sha256::digest(bytes)[..16]))
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0][..], &length.to_be_bytes(), message].concat()
}

fn frames(mut body: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        frames.push((*flag, &rest[..length]));
        body = &rest[length..];
    }
    frames
}
