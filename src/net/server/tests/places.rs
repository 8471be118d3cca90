//! Tests of the connections that clients get when they are scarce.

use tokio::net::TcpSocket;

use super::*;
use crate::net::refusal;

/// Connects from an address of this machine, and waits until the server has accepted.
async fn connect_from(server: &mut Server, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let address: IpAddr = address.parse().expect("an address");
    socket.bind(SocketAddr::new(address, 0)).expect("a free port");
    let stream = socket.connect(server.address).await.expect("a connection");
    soon("accepting", server.accepted.recv()).await.expect("the server runs");
    stream
}

/// Sends a request over HTTP/1.1, and returns all bytes until the server closes the connection.
async fn ask_and_close(stream: &mut TcpStream) -> String {
    let head = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    // The write may fail on a connection that was closed at once.
    let _ = stream.write_all(head).await;
    let mut answer = Vec::new();
    let _ = soon("closing", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn one_client_gets_few_connections_once_half_are_taken() {
    let limits = Limits {
        connections_max: 8,
        connections_per_client_max_when_scarce: 2,
        trusted_proxies: Arc::from(["127.0.0.9".parse().expect("a network")]),
        ..patient()
    };
    let mut server = Server::greeting(limits).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(connect_from(&mut server, "127.0.0.2").await);
    }
    assert_eq!(ask_and_close(&mut connect_from(&mut server, "127.0.0.2").await).await, "");
    for _ in 0..2 {
        held.push(connect_from(&mut server, "127.0.0.3").await);
    }
    assert_eq!(ask_and_close(&mut connect_from(&mut server, "127.0.0.3").await).await, "");
    // Another client is served, and releases its place.
    for _ in 0..4 {
        let answer = ask_and_close(&mut connect_from(&mut server, "127.0.0.4").await).await;
        assert!(answer.ends_with("hello"), "{answer}");
    }
    // A trusted proxy may have all the others.
    for _ in 0..2 {
        held.push(connect_from(&mut server, "127.0.0.9").await);
    }
    for stream in &mut held[4..] {
        assert!(ask_and_close(stream).await.ends_with("hello"));
    }
    assert!(ask_and_close(&mut held[0]).await.ends_with("hello"));
}

#[tokio::test]
async fn http1_connections_that_idle_make_room_when_connections_are_scarce() {
    let limits = Limits { connections_max: 4, ..patient() };
    let mut server = Server::greeting(limits).await;
    let mut idle = connect_from(&mut server, "127.0.0.2").await;
    send_http1(&mut idle).await;
    let mut seen = Vec::new();
    while !seen.ends_with(b"hello") {
        seen.push(soon("an answer", idle.read_u8()).await.expect("an open connection"));
    }
    assert!(!contains(&seen, b"connection: close"));
    let (mut new, _connection) =
        speak_http2(connect_from(&mut server, "127.0.0.3").await, WINDOW_BYTES).await;
    assert_eq!(rest_of(idle).await, "", "an idle connection is closed");
    soon("an answer", new.send_request(request())).await.expect("HTTP/2 goes on");
    let mut late = connect_from(&mut server, "127.0.0.2").await;
    send_http1(&mut late).await;
    assert!(rest_of(late).await.contains("connection: close"));
    soon("an answer", new.send_request(request())).await.expect("HTTP/2 goes on");
}

/// Starts a server that reports each request, and delays the responses to requests with a `held`
/// header until it is notified.
async fn holding(limits: Limits) -> (Server, mpsc::UnboundedReceiver<()>, Arc<Notify>) {
    let (started, starts) = mpsc::unbounded_channel();
    let release = Arc::new(Notify::new());
    let server = Server::start(limits, {
        let release = Arc::clone(&release);
        service_fn(move |request: Request<Incoming>| {
            let is_held = request.headers().contains_key("held");
            let _ = started.send(());
            let release = Arc::clone(&release);
            async move {
                if is_held {
                    release.notified().await;
                }
                Ok(hello())
            }
        })
    })
    .await;
    (server, starts, release)
}

#[tokio::test]
async fn http2_connections_that_idle_end_when_connections_are_scarce() {
    let limits = Limits {
        connections_max: 4,
        opening_deadline: SHORT,
        http2_idle_max_when_scarce: SHORT,
        ..patient()
    };
    let (mut server, mut starts, release) = holding(limits).await;
    let (mut busy, _connection) =
        speak_http2(connect_from(&mut server, "127.0.0.2").await, WINDOW_BYTES).await;
    let mut held = request();
    held.headers_mut().insert("held", "yes".parse().expect("a value"));
    let answer = tokio::spawn(busy.send_request(held));
    soon("a request", starts.recv()).await;
    let (mut idle, connection) =
        speak_http2(connect_from(&mut server, "127.0.0.3").await, WINDOW_BYTES).await;
    soon("an answer", idle.send_request(request())).await.expect("it is served");
    soon("the end of the idle one", connection).await.expect("no panic").expect("a clean end");
    release.notify_waiters();
    soon("an answer", answer).await.expect("no panic").expect("the busy one goes on");
}

/// Returns a request of this client as a proxy forwards it.
fn forwarded(client: &str) -> Request<Empty<Bytes>> {
    let mut request = request();
    request.headers_mut().insert("x-forwarded-for", client.parse().expect("a value"));
    request
}

#[tokio::test]
async fn requests_of_one_client_through_a_proxy_are_few_when_connections_are_scarce() {
    let limits = Limits {
        connections_max: 4,
        connections_per_client_max_when_scarce: 2,
        trusted_proxies: Arc::from(["127.0.0.9".parse().expect("a network")]),
        ..patient()
    };
    let (mut server, mut starts, release) = holding(limits).await;
    let (mut proxy, _connection) =
        speak_http2(connect_from(&mut server, "127.0.0.9").await, WINDOW_BYTES).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        // Three requests each of a client that the proxy names, and of hidden clients.
        for client in ["203.0.113.9, 192.0.2.1", "_hidden"] {
            let mut request = forwarded(client);
            request.headers_mut().insert("held", "yes".parse().expect("a value"));
            held.push(tokio::spawn(proxy.send_request(request)));
            soon("a request", starts.recv()).await;
        }
    }
    let _scarce = connect_from(&mut server, "127.0.0.9").await;

    let refused = soon("an answer", proxy.send_request(forwarded("192.0.2.1"))).await;
    let refused = refused.expect("an answer");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    let text = refused.into_body().collect().await.expect("a whole body").to_bytes();
    assert_eq!(text, refusal::PROBLEM);
    let web = "application/grpc-web+proto";
    for (content_type, answered_as, status) in [
        ("application/grpc", "application/grpc", StatusCode::OK),
        (web, web, StatusCode::OK),
        ("application/json", "application/json", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let mut call = forwarded("192.0.2.1");
        *call.uri_mut() = "http://localhost/a.B/C".parse().expect("a path");
        call.headers_mut().insert("content-type", content_type.parse().expect("a value"));
        let refused = soon("an answer", proxy.send_request(call)).await.expect("an answer");
        assert_eq!(refused.status(), status, "{content_type}");
        assert_eq!(refused.headers()["content-type"], answered_as);
        let code = refused.headers().get("grpc-status").map(http::HeaderValue::as_bytes);
        assert_eq!(code, (status == StatusCode::OK).then_some(&b"14"[..]), "{content_type}");
    }
    // Clients share one count whether the proxy omits them or hides them.
    for hidden in [request(), forwarded("unknown"), forwarded("127.0.0.9")] {
        let refused = soon("an answer", proxy.send_request(hidden)).await;
        assert_eq!(refused.expect("an answer").status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    for other in ["192.0.2.2", "10.0.0.1"] {
        let answer = soon("an answer", proxy.send_request(forwarded(other))).await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::OK, "{other}");
    }

    release.notify_waiters();
    for answer in held {
        let answer = soon("an answer", answer).await.expect("no panic").expect("an answer");
        answer.into_body().collect().await.expect("a whole body");
    }
    let answer = soon("an answer", proxy.send_request(forwarded("192.0.2.1"))).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
}
