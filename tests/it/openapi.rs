//! The OpenAPI document: `docs/` has the current one, its examples are responses of the server, and
//! its routes are those of the server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use screenerd::app::Environment;
use screenerd::config::Serve;
use screenerd::net::limits::HTTP1_BUFFER_MAX_BYTES;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Clock, PANEL, RESPONDENT, Reply, SERVICE, SPOT, Server, config, written};

const DOCUMENT: &str = "docs/openapi.json";
const EXAMPLES: &str = "src/rest/examples.json";

/// A participant with a link that the example data marks as trusted.
const PANELIST: &[(&str, &str)] = &[("authorization", "/s/onboarding-001-alex")];

/// The operations that must precede an operation.
const BEFORE: &[(&str, &[&str])] = &[
    ("cancelSubmissionInvite", &["inviteSubmission"]),
    ("scheduleSubmission", &["inviteSubmission"]),
    ("cancelSubmissionBooking", &["inviteSubmission", "scheduleSubmission"]),
    ("reinviteSubmission", &["inviteSubmission", "scheduleSubmission"]),
    ("cancelSubmissionBookingByParticipant", &["inviteSubmission", "scheduleSubmission"]),
    ("markSubmissionPaid", &["inviteSubmission", "markSubmissionAttended"]),
    ("markSubmissionAttended", &["inviteSubmission"]),
    ("markSubmissionNoShow", &["inviteSubmission", "scheduleSubmission"]),
    ("unhideSubmission", &["hideSubmission"]),
];

/// An operation of the document.
struct Operation<'a> {
    method: String,
    path: &'a str,
    object: &'a Map<String, Value>,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        self.object["operationId"].as_str().expect("an id")
    }

    fn credential(&self) -> Option<&'static [(&'static str, &'static str)]> {
        match self.object["tags"][0].as_str().expect("a tag") {
            "sessions" => Some(SPOT),
            "submissions" => Some(RESPONDENT),
            "panelists" => Some(PANEL),
            "answering" => Some(PANELIST),
            "server" => None,
            tag => panic!("nobody knows the credential of {tag}"),
        }
    }

    /// Returns the address of its examples.
    fn address(&self) -> String {
        let mut path = self.path.to_owned();
        let mut separator = '?';
        for parameter in
            self.object.get("parameters").and_then(Value::as_array).into_iter().flatten()
        {
            let name = parameter["name"].as_str().expect("a name");
            let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
            let Some(example) = parameter.get("example") else { continue };
            if parameter["in"] == "path" {
                path = path.replace(&format!("{{{name}}}"), &text(example));
            } else if parameter["in"] == "query" {
                let one = [example.clone()];
                for value in example.as_array().map_or(&one[..], Vec::as_slice) {
                    write!(path, "{separator}{name}={}", text(value)).expect("a text");
                    separator = '&';
                }
            }
        }
        path
    }

    fn body(&self) -> Option<String> {
        let body = self.object.get("requestBody")?;
        Some(body["content"]["application/json"].get("example")?.to_string())
    }

    async fn call(&self, server: &Server, headers: &[(&str, &str)], more: &str) -> Reply {
        let address = self.address();
        let separator = if address.contains('?') || more.is_empty() { '&' } else { '?' };
        let address = if more.is_empty() { address } else { format!("{address}{separator}{more}") };
        let body = self.body();
        server.send_body(&self.method, &address, headers, body.as_deref()).await
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, object) in item.as_object().expect("methods") {
            let object = object.as_object().expect("an operation");
            operations.push(Operation { method: method.to_uppercase(), path, object });
        }
    }
    operations
}

/// Starts a server on the example data with a constant clock, random numbers and keys.
async fn demo() -> Server {
    let clock = Clock::new();
    let environment = Environment { random: Arc::new(|| [7; 32]), ..clock.environment() };
    let key =
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==";
    let config = Serve { panelist_key: Some(key.into()), ..config(None, true) };
    Server::start_in(&config, environment, clock).await
}

/// Collects every value of an `error` member in the document.
fn errors<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            let of_error = members.get("error").into_iter().flat_map(|error| {
                let words = error["enum"].as_array().into_iter().flatten();
                words.chain([error]).filter_map(Value::as_str)
            });
            found.extend(of_error);
            members.values().for_each(|value| errors(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| errors(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_error_of_the_document_stands_among_the_documented_errors() {
    let document: Value = serde_json::from_str(include_str!("../../docs/openapi.json"))
        .expect("the document is JSON");
    let mut found = BTreeSet::new();
    errors(&document, &mut found);
    assert!(found.contains("invalid_response") && found.contains("Unauthorized"), "{found:?}");
    let documented = include_str!("../../docs/errors.md");
    found.retain(|code| !documented.contains(&format!("`{code}`")));
    assert_eq!(found, BTreeSet::new());
}

async fn document() -> (Server, Value) {
    let server = demo().await;
    let reply = server.send("GET", "/openapi.json", &[]).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let document = reply.json();
    (server, document)
}

#[tokio::test]
async fn the_document_is_the_one_in_docs_and_may_be_kept() {
    let server = demo().await;
    let reply = server.send("GET", "/openapi.json", &[]).await;
    written::compare(DOCUMENT, &reply.text);
    let tag = reply.header("etag").expect("a tag");
    let again = server.send("GET", "/openapi.json", &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    server.stop().await;
}

/// Calls an operation validly, with an unknown parameter, and without a credential.
async fn answers(operation: &Operation<'_>, all: &[Operation<'_>]) -> BTreeMap<String, Value> {
    let server = demo().await;
    let before = BEFORE.iter().find(|(id, _)| *id == operation.id());
    let credential = operation.credential();
    let mut answers = BTreeMap::new();
    if let Some(credential) = credential {
        for id in before.map_or(&[][..], |(_, before)| before) {
            let step = all.iter().find(|it| it.id() == *id).expect("a step");
            assert_eq!(step.call(&server, credential, "").await.status, 200, "{id}");
        }
        let refused = operation.call(&server, &[], "").await;
        answers.insert("401".to_owned(), refused.json());
        let refused = operation.call(&server, credential, "unknown=1").await;
        assert_eq!(refused.status, 400, "{}", operation.id());
        answers.insert("400".to_owned(), refused.json());
    }
    let done = operation.call(&server, credential.unwrap_or_default(), "").await;
    assert_eq!(done.status, 200, "{}: {}", operation.id(), done.text);
    let body = if credential.is_some() { done.json() } else { json!(done.text) };
    answers.insert("200".to_owned(), body);
    server.stop().await;
    answers
}

#[tokio::test]
async fn every_example_is_what_the_server_answers() {
    let (server, document) = document().await;
    server.stop().await;
    let operations = operations(&document);
    let mut examples = BTreeMap::new();
    for operation in &operations {
        // Both responses are too long for an example.
        if !["getDescriptor", "getOpenApi"].contains(&operation.id()) {
            examples.insert(operation.id(), answers(operation, &operations).await);
        }
    }
    let text = serde_json::to_string_pretty(&examples).expect("JSON");
    written::compare(EXAMPLES, &format!("{text}\n"));
}

#[tokio::test]
async fn what_is_not_in_the_document_is_not_served() {
    let (server, document) = document().await;
    let operations = operations(&document);
    for path in document["paths"].as_object().expect("paths").keys() {
        let described: Vec<&Operation<'_>> =
            operations.iter().filter(|operation| operation.path == path).collect();
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let reply = server.send(method, &described[0].address(), &[]).await;
            let is_described = described.iter().any(|operation| operation.method == method);
            assert_eq!(reply.status != 405, is_described, "{method} {path}: {}", reply.status);
            if reply.status == 405 {
                let allowed = reply.header("allow").expect("the Allow header");
                let allowed: Vec<&str> = allowed.split(',').filter(|it| *it != "HEAD").collect();
                let methods: Vec<_> = described.iter().map(|it| it.method.as_str()).collect();
                assert_eq!(allowed.len(), methods.len(), "{path}: {allowed:?}");
                assert!(methods.iter().all(|it| allowed.contains(it)), "{path}: {allowed:?}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_the_document_says_of_a_route_holds() {
    let (server, document) = document().await;
    let bearer = SERVICE;
    for operation in operations(&document) {
        let schemes = operation.object["security"].as_array().expect("its schemes");
        assert_eq!(schemes.is_empty(), operation.credential().is_none(), "{}", operation.id());
        let takes_bearer = schemes.contains(&json!({"bearer": []}));
        let let_in = operation.call(&server, bearer, "unknown=1").await.status != 401;
        assert_eq!(let_in, takes_bearer || schemes.is_empty(), "{}", operation.id());
        for parameter in
            operation.object.get("parameters").and_then(Value::as_array).into_iter().flatten()
        {
            assert!(parameter["description"].is_string(), "{}: {parameter}", operation.id());
        }
        for (status, response) in operation.object["responses"].as_object().expect("responses") {
            let Some(content) = response["content"].as_object() else {
                assert!(["414", "431"].contains(&status.as_str()), "{} {status}", operation.id());
                continue;
            };
            let is_problem = content.contains_key("application/problem+json");
            let is_text = operation.id() == "isReady" && status == "503";
            assert_eq!(is_problem, status != "200" && !is_text, "{} {status}", operation.id());
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_has_no_body_as_the_document_says() {
    let (server, document) = document().await;
    let list = &document["paths"]["/screener-sessions"]["get"]["responses"];
    // The status depends on the chunks in which the server receives the head.
    for (statuses, query, header) in
        [(&["414", "431"][..], HTTP1_BUFFER_MAX_BYTES, 0), (&["431"], 10, HTTP1_BUFFER_MAX_BYTES)]
    {
        let [query, header] = [query, header].map(|length| "x".repeat(length));
        let head =
            format!("GET /screener-sessions?{query} HTTP/1.1\r\nhost: a\r\nx: {header}\r\n\r\n");
        let stream = TcpStream::connect(server.running.address()).await.expect("it connects");
        let (mut reader, mut writer) = stream.into_split();
        // The server closes the connection early and may not read the rest.
        let sending = tokio::spawn(async move { writer.write_all(head.as_bytes()).await });
        let mut reply = Vec::new();
        while !reply.windows(4).any(|end| end == b"\r\n\r\n") {
            assert_ne!(reader.read_buf(&mut reply).await.expect("it answers"), 0);
        }
        let reply = String::from_utf8(reply).expect("text");
        let status = reply.split(' ').nth(1).expect("a status");
        assert!(statuses.contains(&status), "{reply}");
        assert!(reply.contains("content-length: 0\r\n"), "{reply}");
        let named = list[status]["$ref"].as_str().expect("a reference");
        let described = document.pointer(named.trim_start_matches('#')).expect("a response");
        assert!(described["content"].is_null(), "{described}");
        drop(sending.await);
    }
    server.stop().await;
}
