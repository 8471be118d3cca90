//! gzip of requests and responses, on every transport.

mod limits;

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use prost::Message as _;
use screenerd::client as pb;
use serde_json::{Value, json};

use crate::support::{RESPONDENT, SPOT, Server};

const LIST: &str = "/screener.v1.ScreenerSessionService/ListScreenerSessions";
const GET: &str = "/screener.v1.ScreenerSessionService/GetScreenerSession";
const EXPORT: &str = "/screener.v1.ScreenerResponseService/ExportScreenerResponses";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const REJECT: &str = "/v1/projects/proj_123/screener-responses/scses_789/reject";

type Headers<'a> = &'a [(&'a str, &'a str)];

/// The two transports with the same framing.
const FRAMED: [&str; 2] = ["application/grpc", "application/grpc-web+proto"];

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(plain).expect("memory does not fail");
    packer.finish().expect("memory does not fail")
}

fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(packed).read_to_end(&mut plain).expect("it is gzip");
    plain
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

/// Returns the messages of a body with their flags, decompressed, and whether any was compressed.
fn messages(mut body: &[u8]) -> (Vec<(u8, Vec<u8>)>, bool) {
    let (mut messages, mut is_packed) = (Vec::new(), false);
    while let [flag, a, b, c, d, rest @ ..] = body {
        let (message, rest) = rest.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        let packed = flag & 1 == 1;
        is_packed |= packed;
        messages.push((flag & !1, if packed { gunzip(message) } else { message.to_vec() }));
        body = rest;
    }
    (messages, is_packed)
}

struct Reply {
    status: u16,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a text"))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Returns the last envelope of a Connect stream.
    fn end(&self) -> Value {
        let (messages, _) = messages(&self.body);
        let (flag, end) = messages.last().expect("an envelope");
        assert_eq!(*flag, 2);
        serde_json::from_slice(end).expect("JSON")
    }
}

/// Sends bytes over HTTP/2.
async fn post(
    server: &Server,
    path: &str,
    content_type: &str,
    headers: Headers<'_>,
    body: Vec<u8>,
) -> Reply {
    let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
    let request = client.post(server.url(path)).header("content-type", content_type).body(body);
    answered(request, headers).await
}

async fn answered(mut request: reqwest::RequestBuilder, headers: Headers<'_>) -> Reply {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = request.send().await.expect("it answers");
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    Reply { status, headers, body: reply.bytes().await.expect("it arrives") }
}

/// Returns a request long enough to be worth compressing: it names one session many times.
fn long_list() -> pb::ListScreenerSessionsRequest {
    let values = vec!["scses_789".to_owned(); 400];
    let id = pb::IdFilter { r#in: Some(pb::IdList { values }), ..pb::IdFilter::default() };
    let filter = pb::ScreenerSessionFilter { id: Some(id), ..pb::ScreenerSessionFilter::default() };
    pb::ListScreenerSessionsRequest {
        filter: Some(filter),
        ..pb::ListScreenerSessionsRequest::default()
    }
}

#[tokio::test]
async fn a_packed_call_is_answered_as_a_plain_one_over_grpc_and_grpc_web() {
    let server = Server::demo().await;
    let packing: Headers = &[("grpc-encoding", "gzip")];
    for content_type in FRAMED {
        let call = async |path, headers: Headers<'_>, body| {
            let headers = [SPOT, headers].concat();
            let reply = post(&server, path, content_type, &headers, body).await;
            assert_eq!(reply.header("grpc-status").unwrap_or("0"), "0", "{content_type}");
            let (messages, is_packed) = messages(&reply.body);
            let coding = reply.header("grpc-encoding").map(str::to_owned);
            (messages[0].1.clone(), is_packed, coding)
        };
        let (plain, is_packed, coding) = call(LIST, &[], framed(0, b"")).await;
        assert_eq!((is_packed, coding), (false, None));
        assert!(plain.len() > 1024, "it is worth packing");
        let gzip_named = Some("gzip".to_owned());
        for (headers, body, expected) in [
            // Empty messages may be compressed or not: an empty gzip file, and no bytes at all.
            (packing, framed(1, &gzip(b"")), (true, gzip_named.clone())),
            (packing, framed(1, b""), (true, gzip_named.clone())),
            // The client may send single messages uncompressed.
            (packing, framed(0, b""), (true, gzip_named.clone())),
            (
                &[packing[0], ("grpc-accept-encoding", "identity, gzip")],
                framed(0, b""),
                (true, gzip_named),
            ),
            (&[packing[0], ("grpc-accept-encoding", "identity")], framed(0, b""), (false, None)),
            // The server compresses only for clients that send gzip themselves.
            (&[("grpc-accept-encoding", "identity, deflate, gzip")], framed(0, b""), (false, None)),
            (&[("grpc-encoding", "identity")], framed(0, b""), (false, None)),
        ] {
            let (message, is_packed, coding) = call(LIST, headers, body).await;
            assert_eq!(message, plain, "{content_type} {headers:?}");
            assert_eq!((is_packed, coding), expected, "{content_type} {headers:?}");
        }
        let long = long_list().encode_to_vec();
        let (one, ..) = call(LIST, &[], framed(0, &long)).await;
        let (again, ..) = call(LIST, packing, framed(1, &gzip(&long))).await;
        assert_eq!(one, again);
        let one = pb::ListScreenerSessionsResponse::decode(&one[..]).expect("a message");
        assert_eq!(one.items.len(), 1, "the message was read");
        // Short responses are not compressed.
        assert!(!call(HEALTH, packing, framed(1, &gzip(b""))).await.1);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_packed_stream_has_the_rows_of_a_plain_one() {
    let server = Server::demo().await;
    for (content_type, coding, empty) in [
        (FRAMED[0], "grpc-encoding", &b""[..]),
        (FRAMED[1], "grpc-encoding", b""),
        ("application/connect+json", "connect-content-encoding", b"{}"),
        ("application/connect+proto", "connect-content-encoding", b""),
    ] {
        let plain = post(&server, EXPORT, content_type, SPOT, framed(0, empty)).await;
        assert_eq!(plain.header(coding), None);
        let headers = [SPOT, &[(coding, "gzip")]].concat();
        let body = framed(1, &gzip(empty));
        let packed = post(&server, EXPORT, content_type, &headers, body).await;
        assert_eq!(packed.header(coding), Some("gzip"), "{content_type}");
        let ((rows, is_packed), (again, is_packed_again)) =
            (messages(&plain.body), messages(&packed.body));
        assert_eq!(rows, again, "{content_type}");
        assert!(!is_packed && is_packed_again, "{content_type}");
        assert!(rows[0].1.len() > 1024, "it is worth packing");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_packed_call_is_answered_as_a_plain_one_over_connect() {
    let server = Server::demo().await;
    let packing = ("content-encoding", "gzip");
    let long = long_list();
    let long_json = json!({"filter": {"id": {"in": {"values": vec!["scses_789"; 400]}}}});
    for (content_type, empty, long) in [
        ("application/json", &b"{}"[..], serde_json::to_vec(&long_json).expect("JSON")),
        ("application/proto", b"", long.encode_to_vec()),
    ] {
        let plain = post(&server, LIST, content_type, SPOT, empty.to_vec()).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
        for (headers, expected) in [
            (&[packing][..], Some("gzip")),
            (&[packing, ("accept-encoding", "br, gzip;q=0.5")], Some("gzip")),
            (&[packing, ("accept-encoding", "identity")], None),
            (&[packing, ("accept-encoding", "gzip;q=0")], None),
        ] {
            let headers = [SPOT, headers].concat();
            let packed = post(&server, LIST, content_type, &headers, gzip(empty)).await;
            assert_eq!((packed.status, packed.header("content-encoding")), (200, expected));
            let body = if expected.is_some() { gunzip(&packed.body) } else { packed.body.to_vec() };
            assert_eq!(body, plain.body, "{headers:?}");
        }
        let headers = [SPOT, &[("accept-encoding", "gzip")]].concat();
        let offered = post(&server, LIST, content_type, &headers, empty.to_vec()).await;
        assert_eq!((offered.status, offered.header("content-encoding")), (200, None));
        let headers = [SPOT, &[packing]].concat();
        let one = post(&server, LIST, content_type, SPOT, long.clone()).await;
        let again = post(&server, LIST, content_type, &headers, gzip(&long)).await;
        assert_eq!((one.status, &one.body), (again.status, &again.body));
        // A compressed body may be empty.
        let nothing = post(&server, LIST, "application/proto", &headers, Vec::new()).await;
        assert_eq!(nothing.status, 200);
    }
    let message = BASE64URL_NOPAD.encode(&gzip(br#"{"id": "scses_789"}"#));
    let query = format!("?connect=v1&encoding=json&base64=1&compression=gzip&message={message}");
    let reply = server.send("GET", &format!("{GET}{query}"), SPOT).await;
    assert_eq!((reply.status, &reply.json()["screenerSession"]["id"]), (200, &json!("scses_789")));
    server.stop().await;
}

#[tokio::test]
async fn a_packed_body_is_read_over_rest_and_from_a_form() {
    let server = Server::demo().await;
    let packed = |body: &[u8], coding: &str| {
        let request = server.http.patch(server.url(REJECT)).body(body.to_vec());
        request.header("content-type", "application/json").header("content-encoding", coding)
    };
    let body = br#"{"message": "Too fast."}"#;
    let reply = answered(packed(&gzip(body), "gzip"), RESPONDENT).await;
    assert_eq!((reply.status, &reply.json()["rejection"]["message"]), (200, &json!("Too fast.")));
    let reply = answered(packed(body, "identity"), RESPONDENT).await;
    assert_eq!(reply.status, 200);
    // REST responses are never compressed.
    assert_eq!(reply.header("content-encoding"), None);

    let page = "/s/onboarding-001-sam";
    let form = server.http.post(server.url(page)).body(gzip(b"q_unknown=1"));
    let form = form
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-encoding", "gzip");
    let reply = answered(form, &[]).await;
    let plain = server.http.post(server.url(page)).body("q_unknown=1");
    let plain = plain.header("content-type", "application/x-www-form-urlencoded");
    let plain = answered(plain, &[]).await;
    assert_eq!(reply.status, plain.status);
    server.stop().await;
}

#[tokio::test]
async fn an_export_over_rest_is_packed_for_those_who_would_rather_have_it_so() {
    let server = Server::demo().await;
    let file = async |accept: &str, accepted: Option<&str>| {
        let mut headers = [SPOT, &[("accept", accept)]].concat();
        headers.extend(accepted.map(|accepted| ("accept-encoding", accepted)));
        let request = server.http.get(server.url("/screener-responses"));
        let reply = answered(request, &headers).await;
        assert_eq!(reply.status, 200);
        reply
    };
    for form in ["text/csv", "application/x-ndjson"] {
        let plain = file(form, None).await;
        assert_eq!(plain.header("content-encoding"), None);
        for (accepted, is_packed) in [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1, gzip;q=0.2", true),
            ("gzip;q=0", false),
            ("identity, gzip;q=0.5", false),
            ("br", false),
        ] {
            let reply = file(form, Some(accepted)).await;
            let coding = is_packed.then_some("gzip");
            assert_eq!(reply.header("content-encoding"), coding, "{form} {accepted}");
            let body = if is_packed { gunzip(&reply.body) } else { reply.body.to_vec() };
            assert_eq!(body, plain.body, "{form} {accepted}");
            assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"));
        }
    }
    for form in ["application/json", "application/vnd.apache.parquet"] {
        let reply = file(form, Some("gzip")).await;
        assert_eq!(reply.header("content-encoding"), None, "{form}");
    }
    server.stop().await;
}
