//! Requirements of browsers: gRPC-Web, and access from pages of another origin.

use data_encoding::BASE64;
use prost::Message as _;
use screenerd::client as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{EXPORT, GET_SESSION, LIST_SESSIONS, framed, frames, post, post_json};
use crate::support::{Reply, SPOT, Server, config};

const WEB: &str = "application/grpc-web+proto";
const OWN: &str = "https://app.example";

#[tokio::test]
async fn a_list_is_answered_over_grpc_web_with_its_trailers_in_the_body() {
    let server = Server::demo().await;
    let message = pb::ListScreenerSessionsRequest::default().encode_to_vec();
    for content_type in [WEB, "application/grpc-web"] {
        let reply = post(&server, LIST_SESSIONS, content_type, SPOT, framed(0, &message)).await;
        assert_eq!(reply.status().as_u16(), 200);
        assert_eq!(reply.headers()["content-type"], WEB);
        let body = reply.bytes().await.expect("a body");
        let [(0, list), (0x80, trailers)] = frames(&body)[..] else { panic!("{body:?}") };
        let list = pb::ListScreenerSessionsResponse::decode(list).expect("it decodes");
        assert_eq!(i32::try_from(list.items.len()).ok(), list.total);
        let trailers = std::str::from_utf8(trailers).expect("a text");
        assert!(trailers.lines().any(|line| line == "grpc-status: 0"), "{trailers}");
    }
    // gRPC-Web over HTTP/1.1.
    let web = [SPOT, &[("content-type", WEB)]].concat();
    let empty = "\0\0\0\0\0";
    let reply = server.send_body("POST", LIST_SESSIONS, &web, Some(empty)).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text.contains("grpc-status: 0"));
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_over_grpc_web_carries_its_details() {
    let server = Server::demo().await;
    let pagination = pb::Pagination { limit: Some(0), offset: Some(-1) };
    let message = pb::ListScreenerSessionsRequest { pagination: Some(pagination), filter: None };
    let body = framed(0, &message.encode_to_vec());
    let reply = post(&server, LIST_SESSIONS, WEB, SPOT, body.clone()).await;
    assert_eq!(reply.status().as_u16(), 200);
    let status = Status::from_header_map(reply.headers()).expect("it is refused");
    let details = status.get_error_details();
    assert_eq!(details.error_info().map(|it| it.reason.as_str()), Some("INVALID_ARGUMENT"));
    let violations = &details.bad_request().expect("violations").field_violations;
    let fields: Vec<_> = violations.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["pagination.limit", "pagination.offset"]);
    let other = post(&server, LIST_SESSIONS, "application/grpc-web+json", SPOT, body).await;
    assert_eq!(other.status().as_u16(), 415);
    server.stop().await;
}

/// Decodes base64 that was written in pieces with padding of their own.
fn read_text(text: &[u8]) -> Vec<u8> {
    text.chunks(4).flat_map(|group| BASE64.decode(group).expect("base64")).collect()
}

#[tokio::test]
async fn the_text_form_is_the_binary_one_in_base64() {
    let server = Server::demo().await;
    let (text, web) = ("application/grpc-web-text", "application/grpc-web-text+proto");
    let one = framed(0, b"");
    let in_two = [BASE64.encode(&one[..2]), BASE64.encode(&one[2..])].concat();
    for path in [LIST_SESSIONS, EXPORT] {
        let binary = post(&server, path, WEB, SPOT, one.clone()).await;
        let binary = binary.bytes().await.expect("it arrives");
        for body in [BASE64.encode(&one), in_two.clone()] {
            for content_type in [text, web] {
                let reply = post(&server, path, content_type, SPOT, body.clone().into()).await;
                assert_eq!(
                    (reply.status().as_u16(), &reply.headers()["content-type"]),
                    (200, &web.parse().expect("a value"))
                );
                let reply = reply.bytes().await.expect("it arrives");
                assert_eq!(read_text(&reply), binary, "{path}");
            }
        }
    }
    for (body, code) in [
        ("AAAAA", Code::InvalidArgument),
        ("no base64", Code::InvalidArgument),
        ("", Code::Unimplemented),
    ] {
        let refused = post(&server, LIST_SESSIONS, text, SPOT, body.into()).await;
        let status = Status::from_header_map(refused.headers()).expect("it is refused");
        assert_eq!(
            (status.code(), refused.headers()["content-type"].to_str().ok()),
            (code, Some(web)),
            "{body}"
        );
        assert!(status.get_error_details().error_info().is_some(), "{body}");
    }
    server.stop().await;
}

async fn open_to(origins: &[&str]) -> Server {
    let mut config = config(None, true);
    config.cors_origins = origins.iter().map(ToString::to_string).collect();
    Server::start(&config).await
}

async fn ask(server: &Server, path: &str, origin: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-grpc-web"),
    ];
    server.send("OPTIONS", path, &headers).await
}

#[tokio::test]
async fn pages_of_the_allowed_origins_may_call_and_others_may_not() {
    let server = open_to(&["https://other.example", OWN]).await;
    for (path, origin, is_allowed) in [
        (LIST_SESSIONS, OWN, true),
        (LIST_SESSIONS, "https://other.example", true),
        ("/public/surveys/", OWN, true),
        ("/public/surveys/dismiss/", OWN, true),
        (LIST_SESSIONS, "https://app.example.evil", false),
        (LIST_SESSIONS, "null", false),
        ("/public/surveys/", "https://evil.example", false),
        ("/screener-sessions", OWN, false),
        ("/tenant/surveys/survey-123/panelists/customer-456", OWN, false),
        ("/nowhere", OWN, false),
    ] {
        let reply = ask(&server, path, origin).await;
        let allowed = reply.header("access-control-allow-origin");
        assert_eq!(allowed, is_allowed.then_some(origin), "{path} from {origin}");
        assert_eq!(reply.status == 204, is_allowed, "{path} from {origin}");
        assert!(reply.header("access-control-allow-credentials").is_none());
        if is_allowed {
            assert_eq!(reply.header("access-control-allow-methods"), Some("GET, POST"));
            let names = reply.header("access-control-allow-headers");
            assert_eq!(names, Some("authorization,content-type,x-grpc-web"));
            assert!(reply.header("vary").is_some_and(|vary| vary.contains("Origin")));
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn an_answer_can_be_read_by_the_pages_of_an_allowed_origin_only() {
    let server = open_to(&[OWN]).await;
    for (origin, allowed) in [(OWN, Some(OWN)), ("https://evil.example", None)] {
        let headers = [SPOT, &[("origin", origin)]].concat();
        for id in ["scses_789", "scses_nobody"] {
            let body = format!(r#"{{"id": "{id}"}}"#);
            let reply = post_json(&server, GET_SESSION, &headers, &body).await;
            assert_eq!(reply.header("access-control-allow-origin"), allowed);
            let exposed = reply.header("access-control-expose-headers");
            let expected = "grpc-status, grpc-message, grpc-status-details-bin, grpc-encoding";
            assert_eq!(exposed, allowed.map(|_| expected));
        }
        let web = post(&server, LIST_SESSIONS, WEB, &headers, framed(0, b"")).await;
        let seen = web.headers().get("access-control-allow-origin");
        assert_eq!(seen.and_then(|value| value.to_str().ok()), allowed);
        // A participant's browser can read the reason of a refusal.
        let refused = server.send("GET", "/public/surveys/", &[("origin", origin)]).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("access-control-allow-origin"), allowed);
        // Keeps caches from serving the response to another origin.
        assert_eq!(refused.header("vary"), Some("Origin"), "{origin}");
        let listed = server.send("GET", "/screener-sessions", &headers).await;
        assert_eq!(listed.header("vary"), None);
        assert_eq!(listed.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
        assert_eq!((listed.status, listed.header("access-control-allow-origin")), (200, None));
    }
    server.stop().await;
}

#[tokio::test]
async fn no_other_origin_is_allowed_unless_one_is_named() {
    let server = Server::demo().await;
    let reply = ask(&server, LIST_SESSIONS, OWN).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, None));
    let reply = ask(&server, "/public/surveys/", OWN).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, None));
    server.stop().await;
}
