//! Authentication precedes the body: the server rejects each call on its headers, while the body is
//! still unfinished.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Version;
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Opens, ROUTES, RPCS};
use crate::support::{SERVICE, Server};

/// The bytes of each body that are sent: less than the 256 KiB window of a stream.
const START_BYTES: usize = 64 * 1024;

/// Returns a body that starts like a large gRPC message and never ends.
fn endless() -> reqwest::Body {
    let mut start = vec![b' '; START_BYTES];
    start[..5].copy_from_slice(&[0, 0, 0x20, 0, 0]);
    let start = stream::iter([Ok::<_, std::io::Error>(Frame::data(Bytes::from(start)))]);
    reqwest::Body::wrap(StreamBody::new(start.chain(stream::pending())))
}

/// Returns a client with one HTTP/2 connection for all calls, or one HTTP/1.1 connection per call.
fn client(version: Version) -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = if version == Version::HTTP_2 { client.http2_prior_knowledge() } else { client };
    client.build().expect("a client")
}

/// Sends the head of a request and a body that never ends.
async fn send(
    client: &reqwest::Client,
    server: &Server,
    method: &str,
    path: &str,
    content_type: &str,
) -> reqwest::Response {
    let method = method.parse::<reqwest::Method>().expect("a method");
    let request = client.request(method, server.url(path)).header("content-type", content_type);
    request.body(endless()).send().await.expect("it answers while the body goes on")
}

/// Returns the gRPC status number of the expected refusal.
fn expected(opens: Opens) -> &'static str {
    match opens {
        Opens::Nobody => "12",
        Opens::Spot
        | Opens::Respondent
        | Opens::Panel
        | Opens::Panelist
        | Opens::Service
        | Opens::Everybody => "16",
    }
}

#[tokio::test]
async fn every_rpc_is_refused_over_grpc_and_grpc_web_while_its_body_never_ends() {
    let server = Server::demo().await;
    // The bodies exceed the window of this one connection: the server must release unread data.
    let calls = client(Version::HTTP_2);
    let web = client(Version::HTTP_11);
    for (path, opens) in RPCS.iter().copied() {
        let path = format!("/{path}");
        let reply = send(&calls, &server, "POST", &path, "application/grpc").await;
        assert_eq!(reply.headers()["grpc-status"], expected(opens), "{path}");
        let reply = send(&web, &server, "POST", &path, "application/grpc-web+proto").await;
        assert_eq!(reply.headers()["grpc-status"], expected(opens), "{path}");
    }
    // The connection still accepts a body that is larger than its window.
    let mut message = vec![0; 2 * 1024 * 1024];
    message[..5].copy_from_slice(&[0, 0, 0x1f, 0xff, 0xfb]);
    let path = server.url("/screener.v1.ScreenerService/UpdateDraft");
    let request = calls.post(path).header("content-type", "application/grpc");
    let reply = request.header(SERVICE[0].0, SERVICE[0].1).body(message).send().await;
    assert_eq!(reply.expect("it answers").headers()["grpc-status"], "3");
    server.stop().await;
}

#[tokio::test]
async fn every_rpc_is_refused_over_connect_while_its_body_never_ends() {
    let server = Server::demo().await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let client = client(version);
        for (path, opens) in RPCS.iter().copied() {
            let path = format!("/{path}");
            let (unauthenticated, unary) = if opens == Opens::Nobody {
                ("unimplemented", 404)
            } else {
                ("unauthenticated", 401)
            };
            let reply = send(&client, &server, "POST", &path, "application/json").await;
            if reply.status().as_u16() != 415 {
                assert_eq!(reply.status().as_u16(), unary, "{path}");
                let body: Value = reply.json().await.expect("JSON");
                assert_eq!(body["code"], unauthenticated, "{path}");
                continue;
            }
            let reply = send(&client, &server, "POST", &path, "application/connect+json").await;
            if path.ends_with("AdminService/Import") {
                assert_eq!(reply.status().as_u16(), 404);
                continue;
            }
            assert_eq!(reply.status().as_u16(), 200, "{path}");
            let body = reply.bytes().await.expect("it ends");
            assert_eq!(body[0], 2, "the last envelope is the first");
            let end: Value = serde_json::from_slice(&body[5..]).expect("JSON");
            assert_eq!(end["error"]["code"], unauthenticated, "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn every_route_is_refused_while_its_body_never_ends() {
    let server = Server::demo().await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let client = client(version);
        for (method, path, opens) in ROUTES {
            let is_page = *opens == Opens::Everybody && *method == "POST";
            if *opens == Opens::Everybody && !is_page {
                continue;
            }
            let form = "application/x-www-form-urlencoded";
            let content_type = if is_page { form } else { "application/json" };
            let reply = send(&client, &server, method, path, content_type).await;
            // The link is the credential of a page, and this one is unknown.
            let status = if is_page { 404 } else { 401 };
            assert_eq!(reply.status().as_u16(), status, "{method} {path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn over_http_1_1_the_connection_closes_behind_an_answer_that_came_before_the_body() {
    let server = Server::demo().await;
    for path in [
        "/screener.v1.ScreenerService/UpdateDraft",
        "/public/surveys/",
        "/s/nobody",
        "/v1/projects/nothing/screener-responses/nobody/reject",
    ] {
        let method = if path.ends_with("/reject") { "PATCH" } else { "POST" };
        let content_type = if path == "/s/nobody" {
            "application/x-www-form-urlencoded"
        } else {
            "application/json"
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {content_type}\r\n\
             content-length: 100000\r\n\r\n"
        );
        let mut stream = TcpStream::connect(server.running.address()).await.expect("it accepts");
        stream.write_all(head.as_bytes()).await.expect("it is sent");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.expect("it answers and closes");
        let status = if path == "/s/nobody" { "HTTP/1.1 404" } else { "HTTP/1.1 401" };
        assert!(reply.starts_with(status.as_bytes()), "{}", String::from_utf8_lossy(&reply));
    }
    server.stop().await;
}
