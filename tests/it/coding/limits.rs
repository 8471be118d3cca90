//! Refused compressed messages: unknown codings, invalid gzip, and too many bytes decompressed.

use super::{
    EXPORT, FRAMED, GET, HEALTH, Headers, LIST, REJECT, answered, framed, gzip, messages, post,
};
use crate::support::{RESPONDENT, SPOT, Server};
use serde_json::json;

/// Returns a few KiB that decompress to more than any message may have.
fn bomb() -> Vec<u8> {
    gzip(&vec![0; 64 << 20])
}

#[tokio::test]
async fn grpc_and_grpc_web_refuse_in_the_words_of_their_table() {
    let server = Server::demo().await;
    let gzip_named = ("grpc-encoding", "gzip");
    for content_type in FRAMED {
        let one = framed(0, b"");
        for (name, headers, body, status) in [
            ("another coding", &[("grpc-encoding", "br")][..], framed(0, b""), "12"),
            ("another coding", &[("grpc-encoding", "deflate")], framed(1, b"x"), "12"),
            ("a flag without a coding", &[], framed(1, &gzip(b"")), "13"),
            ("a flag without a coding", &[("grpc-encoding", "identity")], framed(1, b""), "13"),
            ("no gzip", &[gzip_named], framed(1, b"no gzip"), "13"),
            ("cut", &[gzip_named], framed(1, &gzip(b"0123456789")[..12]), "13"),
            ("too large unpacked", &[gzip_named], framed(1, &bomb()), "8"),
            ("too large", &[gzip_named], framed(0, &vec![0; 5 << 20]), "8"),
            ("no message", &[], Vec::new(), "12"),
            ("no message", &[gzip_named], Vec::new(), "12"),
            ("two messages", &[], [one.clone(), one.clone()].concat(), "12"),
            ("two messages", &[gzip_named], [one.clone(), one].concat(), "12"),
            ("half a message", &[], framed(0, b"\x0a\x00")[..6].to_vec(), "3"),
            ("half a message", &[gzip_named], framed(1, &gzip(b""))[..9].to_vec(), "3"),
        ] {
            let headers = [SPOT, headers].concat();
            let reply = post(&server, LIST, content_type, &headers, body).await;
            assert_eq!(reply.header("grpc-status"), Some(status), "{content_type}: {name}");
            assert!(reply.header("grpc-status-details-bin").is_some(), "{name}");
            let accepted = (name == "another coding").then_some("gzip,identity");
            assert_eq!(reply.header("grpc-accept-encoding"), accepted, "{content_type}: {name}");
        }
        // The server checks the credential before the message.
        let reply = post(&server, LIST, content_type, &[gzip_named], framed(1, &bomb())).await;
        assert_eq!(reply.header("grpc-status"), Some("16"));
    }
    server.stop().await;
}

#[tokio::test]
async fn connect_refuses_in_its_own_words() {
    let server = Server::demo().await;
    for (coding, body, status, code) in [
        ("br", b"{}".to_vec(), 501, "unimplemented"),
        ("gzip, gzip", gzip(&gzip(b"{}")), 501, "unimplemented"),
        ("gzip", b"{}".to_vec(), 400, "invalid_argument"),
        ("gzip", gzip(b"{}")[..12].to_vec(), 400, "invalid_argument"),
        ("gzip", [gzip(b"{}"), b"more".to_vec()].concat(), 400, "invalid_argument"),
        ("gzip", bomb(), 429, "resource_exhausted"),
    ] {
        let headers = [SPOT, &[("content-encoding", coding)]].concat();
        let reply = post(&server, GET, "application/json", &headers, body).await;
        assert_eq!((reply.status, &reply.json()["code"]), (status, &json!(code)), "{coding}");
        let accepted = (status == 501).then_some("gzip, identity");
        assert_eq!(reply.header("accept-encoding"), accepted);
    }
    let query = "?encoding=json&message=%7B%7D&compression=br";
    let reply = server.send("GET", &format!("{GET}{query}"), SPOT).await;
    assert_eq!((reply.status, reply.header("accept-encoding")), (501, Some("gzip, identity")));

    let stream = "application/connect+json";
    let coding = "connect-content-encoding";
    let one = framed(0, b"{}");
    for (headers, body, code) in [
        (&[(coding, "br")][..], one.clone(), "unimplemented"),
        (&[("content-encoding", "gzip")], gzip(&one), "unimplemented"),
        (&[(coding, "identity")], framed(1, &gzip(b"{}")), "internal"),
        (&[], framed(1, &gzip(b"{}")), "internal"),
        (&[(coding, "gzip")], framed(1, b"{}"), "invalid_argument"),
        (&[(coding, "gzip")], framed(1, &bomb()), "resource_exhausted"),
        (&[(coding, "gzip")], [one.clone(), one.clone()].concat(), "unimplemented"),
        (&[], [one.clone(), one].concat(), "unimplemented"),
        (&[], Vec::new(), "unimplemented"),
        (&[], b"{}".to_vec(), "invalid_argument"),
    ] {
        let headers = [SPOT, headers].concat();
        let reply = post(&server, EXPORT, stream, &headers, body).await;
        assert_eq!(
            (reply.status, &reply.end()["error"]["code"]),
            (200, &json!(code)),
            "{headers:?}"
        );
        let is_about_coding = headers.last().is_some_and(|(name, value)| {
            *name == "content-encoding" || *name == coding && *value == "br"
        });
        let accepted = is_about_coding.then_some("gzip, identity");
        assert_eq!(reply.header("connect-accept-encoding"), accepted);
    }
    server.stop().await;
}

#[tokio::test]
async fn rest_refuses_other_codings_and_says_which_it_reads() {
    let server = Server::demo().await;
    let review = async |headers: Headers<'_>, body: Vec<u8>| {
        let request = server.http.patch(server.url(REJECT)).body(body);
        answered(request.header("content-type", "application/json"), headers).await
    };
    for (coding, body, status, error) in [
        ("br", b"{}".to_vec(), 415, "unsupported_media_type"),
        ("deflate", b"{}".to_vec(), 415, "unsupported_media_type"),
        ("gzip", b"{}".to_vec(), 400, "invalid_argument"),
        ("gzip", bomb(), 413, "payload_too_large"),
    ] {
        let headers = [RESPONDENT, &[("content-encoding", coding)]].concat();
        let reply = review(&headers, body).await;
        assert_eq!((reply.status, &reply.json()["error"]), (status, &json!(error)), "{coding}");
        let accepted = (status == 415).then_some("gzip, identity");
        assert_eq!(reply.header("accept-encoding"), accepted);
    }
    // A 415 for another reason does not list codings.
    let request = server.http.patch(server.url(REJECT)).body("{}");
    let reply = answered(request.header("content-type", "text/plain"), RESPONDENT).await;
    assert_eq!((reply.status, reply.header("accept-encoding")), (415, None));
    let reply = review(&[("content-encoding", "br")], b"{}".to_vec()).await;
    assert_eq!(reply.status, 401, "no credential, no look at the body");
    server.stop().await;
}

#[tokio::test]
async fn what_is_held_of_a_bomb_is_given_back() {
    let server = Server::demo().await;
    let headers = [SPOT, &[("grpc-encoding", "gzip")]].concat();
    for _ in 0..20 {
        let reply = post(&server, LIST, FRAMED[0], &headers, framed(1, &bomb())).await;
        assert_eq!(reply.header("grpc-status"), Some("8"));
    }
    let reply = post(&server, HEALTH, FRAMED[0], &headers, framed(1, &gzip(b""))).await;
    assert_eq!(messages(&reply.body).0[0].1, [8, 1]);
    server.stop().await;
}
