//! Connections before the shutdown signal.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::*;
use crate::net::{Pair, Port, Tls};

#[tokio::test]
async fn connections_that_do_not_open_are_closed_after_the_opening_deadline() {
    let limits = Limits { opening_deadline: SHORT, ..patient() };
    let server = Server::greeting(limits).await;
    for said in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", PREFACE, b"GET / HTT"] {
        let begun = Instant::now();
        let mut stream = server.connect().await;
        stream.write_all(said).await.expect("an open connection");
        rest_of(stream).await;
        assert!(begun.elapsed() >= SHORT, "closed early after {said:?}");
    }
}

/// Connects to a port with this certificate, with a small buffer for what arrives.
async fn connect_tls(
    address: SocketAddr,
    certificate: &std::path::Path,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let pem = std::fs::read(certificate).expect("a certificate");
    let root = CertificateDer::from_pem_slice(&pem).expect("a certificate");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let stream = socket.connect(address).await.expect("a connection");
    let name = "localhost".try_into().expect("a name");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.expect("a handshake")
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_given_up_over_tls_also_at_the_end_of_a_response() {
    let folder = tempfile::tempdir().expect("a folder");
    // At some of these sizes, what is left fits into the buffer of TLS.
    for bytes in (3..24).map(|part| part * (8 << 10)).chain([1 << 20]) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let port = Port { listener, tls: Some(certificate(&folder)) };
        let limits = Limits { answer_stall_max: SHORT, ..patient() };
        let called = Arc::new(Notify::new());
        let service = {
            let called = Arc::clone(&called);
            service_fn(move |_: Request<Incoming>| {
                called.notify_one();
                let body = Full::new(Bytes::from(vec![0; bytes]));
                std::future::ready(Ok::<_, Infallible>(Response::new(body)))
            })
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(limits, port, service, shutdown.clone()));
        let mut stream = connect_tls(address, &folder.path().join("pem")).await;
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.expect("it is sent");
        soon("the call", called.notified()).await;
        // The drain waits for the connection, which ends by its stall.
        shutdown.cancel();
        let drained = soon("the end of the connection", task).await.expect("no panic");
        assert_eq!(drained.aborted, 0, "{bytes}");
        drop(stream);
    }
}

/// Returns a certificate of its own authority.
fn certificate(folder: &tempfile::TempDir) -> Arc<Tls> {
    let made = rcgen::generate_simple_self_signed(["localhost".into()]).expect("a certificate");
    let pair = Pair { certificate: folder.path().join("pem"), key: folder.path().join("key") };
    std::fs::write(&pair.certificate, made.cert.pem()).expect("it is written");
    std::fs::write(&pair.key, made.signing_key.serialize_pem()).expect("it is written");
    Arc::new(Tls::load(pair, made_at()).expect("a pair"))
}

/// An instant at which certificates of the library are valid.
fn made_at() -> jiff::Timestamp {
    "2024-06-01T00:00:00Z".parse().expect("an instant")
}

#[tokio::test]
async fn a_handshake_of_tls_that_does_not_end_is_closed_after_the_opening_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let port = Port { listener, tls: Some(certificate(&folder)) };
    let limits = Limits { opening_deadline: SHORT, ..patient() };
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(limits, port, service_fn(greet), shutdown.clone()));
    for said in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(said).await.expect("an open connection");
        rest_of(stream).await;
        assert!(begun.elapsed() >= SHORT, "closed early after {said:?}");
    }
    // At a shutdown, a handshake is not waited for.
    let waiting = TcpStream::connect(address).await.expect("a connection");
    shutdown.cancel();
    rest_of(waiting).await;
    soon("the end of the server", task).await.expect("no panic");
}

#[tokio::test]
async fn an_opened_http2_connection_may_stay_silent() {
    let limits = Limits { opening_deadline: SHORT, ..patient() };
    let server = Server::greeting(limits).await;
    let (mut opened, _connection) = server.connect_http2().await;
    // The deadline of the later connection passes after that of the earlier one.
    rest_of(server.connect().await).await;
    let answer = soon("an answer", opened.send_request(request())).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test]
async fn no_more_connections_are_held_than_allowed() {
    const CLIENTS: usize = 8;
    let limits = Limits { connections_max: 2, ..patient() };
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    // Each request waits for a second one, so that the limit is also reached.
    let pair = Arc::new(Barrier::new(2));
    let service = {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        service_fn(move |_: Request<Incoming>| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            let pair = Arc::clone(&pair);
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                pair.wait().await;
                // Requests on further connections would start here.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(hello())
            }
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    // All have sent their request before the first one is accepted.
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = TcpStream::connect(address).await.expect("a connection");
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        client.write_all(request).await.expect("an open connection");
        clients.push(client);
    }
    tokio::spawn(serve(limits, listener, service, CancellationToken::new()));
    for client in clients {
        assert!(rest_of(client).await.ends_with("hello"));
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn accept_errors_do_not_end_the_server() {
    let errors = vec![
        io::Error::from(io::ErrorKind::ConnectionAborted),
        // Too many open files, for which `ErrorKind` has no variant.
        io::Error::from_raw_os_error(24),
    ];
    let begun = Instant::now();
    let server = Server::start_after(patient(), service_fn(greet), errors).await;
    let (mut client, _connection) = server.connect_http2().await;
    let answer = soon("an answer", client.send_request(request())).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    assert!(begun.elapsed() >= Duration::from_millis(limits::ACCEPT_PAUSE_MS));
}

#[tokio::test]
async fn a_panic_ends_its_request_or_connection_only() {
    let server = Server::start(
        patient(),
        service_fn(async |request: Request<Incoming>| {
            assert!(!request.headers().contains_key("panic"), "asked to");
            Ok(hello())
        }),
    )
    .await;
    let mut old = server.connect().await;
    old.write_all(b"GET / HTTP/1.1\r\nhost: a\r\npanic: yes\r\n\r\n")
        .await
        .expect("an open connection");
    assert_eq!(rest_of(old).await, "");

    let (mut new, _connection) = server.connect_http2().await;
    let mut asking = request();
    asking.headers_mut().insert("panic", "yes".parse().expect("a value"));
    soon("an end", new.send_request(asking)).await.expect_err("a reset stream");
    let answer = soon("an answer", new.send_request(request())).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test]
async fn long_request_heads_are_refused_on_both_protocols() {
    let server = Server::greeting(patient()).await;
    for (value_bytes, expected) in
        [(63 * 1024, StatusCode::OK), (65 * 1024, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)]
    {
        let value = "x".repeat(value_bytes);
        let mut old = server.connect().await;
        let head =
            format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nlong: {value}\r\n\r\n");
        old.write_all(head.as_bytes()).await.expect("an open connection");
        let answer = rest_of(old).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {}", expected.as_str())), "{answer}");

        let (mut new, _connection) = server.connect_http2().await;
        let mut long = request();
        long.headers_mut().insert("long", value.parse().expect("a value"));
        let answer = soon("an answer", new.send_request(long)).await.expect("an answer");
        assert_eq!(answer.status(), expected);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_served_like_a_port() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    let shutdown = CancellationToken::new();
    let task =
        tokio::spawn(serve(Limits::default(), listener, service_fn(greet), shutdown.clone()));
    let stream = tokio::net::UnixStream::connect(&path).await;
    let io = TokioIo::new(stream.expect("a connection"));
    let (mut client, connection) =
        http2::handshake(TokioExecutor::new(), io).await.expect("a handshake");
    let connection = tokio::spawn(connection);
    let answer = soon("an answer", client.send_request(request())).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    shutdown.cancel();
    soon("closing", connection).await.expect("no panic").expect("an orderly end");
    let drained = soon("the end of the server", task).await;
    assert_eq!(drained.expect("no panic"), ended(1, 0));
}

#[test]
fn the_log_is_told_of_pauses_when_they_begin_and_end_but_rarely() {
    let (mut pauses, begun) = (Pauses::default(), Instant::now());
    let interval = Duration::from_millis(limits::ACCEPT_PAUSES_TOLD_INTERVAL_MS);
    assert_eq!(pauses.count(begun), Some(1));
    assert_eq!(pauses.count(begun), None);
    assert!(pauses.is_open);
    pauses.end();
    assert_eq!((pauses.is_open, pauses.untold), (false, 0), "the end was told");
    for _ in 0..2 {
        assert_eq!(pauses.count(begun + interval / 2), None);
        pauses.end();
    }
    assert_eq!(pauses.untold, 2, "what comes and goes meanwhile is only counted");
    assert_eq!(pauses.count(begun + interval), Some(3));
}

#[tokio::test]
async fn a_client_that_waits_for_100_is_not_told_to_send_what_is_refused() {
    let refusing = service_fn(async |_| Ok::<_, Infallible>(hello()));
    let server = Server::start(patient(), Leftovers::new(refusing)).await;
    let mut stream = server.connect().await;
    let head = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\
        expect: 100-continue\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await.expect("an open connection");
    let answer = rest_of(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hello"), "{answer}");
}
