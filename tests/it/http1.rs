//! HTTP/1.1 byte by byte: refused heads, unread bodies, and clients that close their sending side.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::Server;

const REJECT: &str = "PATCH /v1/projects/proj_123/screener-responses/scses_789/reject HTTP/1.1\r\n\
     Host: a\r\nContent-Type: application/json\r\n";
const KEY: &str = "X-API-Key: respondent_123\r\nX-API-Secret: respondent_secret_123\r\n";

/// Sends bytes, optionally closes the sending side, and reads until the server closes.
async fn talk(server: &Server, sent: &str, closes: bool) -> String {
    let mut stream = TcpStream::connect(server.running.address()).await.expect("it accepts");
    stream.write_all(sent.as_bytes()).await.expect("it is sent");
    if closes {
        stream.shutdown().await.expect("it is open");
    }
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("it answers and closes");
    reply.to_lowercase()
}

fn statuses(reply: &str) -> Vec<&str> {
    reply.split("http/1.").skip(1).map(|it| &it[2..5]).collect()
}

#[tokio::test]
async fn a_head_that_can_be_read_in_two_ways_is_refused_and_the_connection_closes() {
    let server = Server::demo().await;
    for (head, status) in [
        ("GET /livez HTTP/1.1\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost: a b\r\n", "400"),
        ("GET http://a/livez HTTP/1.1\r\n", "400"),
        ("POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n", "501"),
        ("POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n", "400"),
        // RPCs require a Host header, too.
        ("GET /screener.v1.ScreenerSessionService/GetScreenerSession HTTP/1.1\r\n", "400"),
    ] {
        let reply = talk(&server, &format!("{head}\r\n"), false).await;
        assert_eq!(statuses(&reply), [status], "{head}");
        assert!(reply.contains("\r\nconnection: close\r\n"), "{reply}");
    }
    for head in [
        "GET /livez HTTP/1.0\r\n",
        "GET /livez HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close\r\n",
        "GET http://a/livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n",
    ] {
        let reply = talk(&server, &format!("{head}\r\n"), false).await;
        assert_eq!(statuses(&reply), ["200"], "{head}");
    }
    server.stop().await;
}

#[tokio::test]
async fn after_an_early_answer_the_connection_is_used_again_or_closed_aloud() {
    let server = Server::demo().await;
    let next = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let small = format!("{REJECT}Content-Length: 2\r\n\r\n{{}}{next}");
    assert_eq!(statuses(&talk(&server, &small, false).await), ["401", "200"]);
    let chunked = format!("{REJECT}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{next}");
    assert_eq!(statuses(&talk(&server, &chunked, false).await), ["401", "200"]);
    let large = "x".repeat(100_000);
    for body in [
        format!("Content-Length: 100000\r\n\r\n{large}{next}"),
        // The client sends less than the announced length.
        "Content-Length: 20\r\n\r\n{}".to_owned(),
        // The client waits for a 100 that the server never sends.
        "Expect: 100-continue\r\nContent-Length: 20\r\n\r\n".to_owned(),
    ] {
        let mut stream = TcpStream::connect(server.running.address()).await.expect("it accepts");
        // The server may close the connection before it has read the whole body.
        let _ = stream.write_all(format!("{REJECT}{body}").as_bytes()).await;
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply).await;
        let reply = String::from_utf8_lossy(&reply).to_lowercase();
        assert_eq!(statuses(&reply), ["401"]);
        assert!(reply.contains("\r\nconnection: close\r\n"), "{reply}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_closes_its_sending_side_is_answered() {
    let server = Server::demo().await;
    let list = "GET /screener-sessions HTTP/1.1\r\nHost: a\r\nX-Spot-Api-Key: acct_123\r\n\
         X-Spot-Api-Secret: sk_live_abcd\r\n\r\n";
    assert_eq!(statuses(&talk(&server, list, true).await), ["200"]);
    let export = list.replace("-sessions HTTP", "-responses HTTP");
    let export = export.replace("Host", "Accept: text/csv\r\nHost");
    let reply = talk(&server, &export, true).await;
    assert_eq!(statuses(&reply), ["200"]);
    assert!(reply.ends_with("\r\n0\r\n\r\n"), "the file is whole");
    // A write is acknowledged after its commit.
    let write = format!("{REJECT}{KEY}Content-Length: 2\r\n\r\n{{}}");
    assert_eq!(statuses(&talk(&server, &write, true).await), ["200"]);
    server.stop().await;
}

#[tokio::test]
async fn a_call_of_a_client_that_has_left_ends() {
    let server = Server::demo().await;
    let watch = "POST /grpc.health.v1.Health/Watch HTTP/1.1\r\nHost: a\r\n\
         Content-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\0\0\0\0\u{2}{}";
    // An endless stream. The server closes it because the client can no longer send.
    let reply = talk(&server, watch, true).await;
    assert_eq!(statuses(&reply), ["200"]);
    assert!(!reply.ends_with("\r\n0\r\n\r\n"), "it was not ended by the server's word");
    server.stop().await;
}
