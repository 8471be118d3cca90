//! Connections after the shutdown signal.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::Frame;

use super::*;

#[tokio::test]
async fn requests_in_flight_finish_after_shutdown() {
    let (started, mut starts) = mpsc::unbounded_channel();
    let release = Arc::new(Notify::new());
    let server = Server::start(patient(), {
        let release = Arc::clone(&release);
        service_fn(move |request: Request<Incoming>| {
            started.send(request.version()).expect("the test listens");
            let release = Arc::clone(&release);
            async move {
                release.notified().await;
                Ok(hello())
            }
        })
    })
    .await;

    let mut old = server.connect().await;
    send_http1(&mut old).await;
    assert_eq!(soon("a request", starts.recv()).await, Some(Version::HTTP_11));
    let (mut new, connection) = server.connect_http2().await;
    let answer = tokio::spawn(new.send_request(request()));
    assert_eq!(soon("a request", starts.recv()).await, Some(Version::HTTP_2));

    server.shutdown.cancel();
    refused(server.address).await;
    release.notify_waiters();

    let answer = soon("an answer", answer).await.expect("no panic").expect("an answer");
    let body = answer.into_body().collect().await.expect("a whole body");
    assert_eq!(body.to_bytes(), "hello");
    soon("closing", connection).await.expect("no panic").expect("an orderly end");
    assert!(rest_of(old).await.ends_with("hello"));
    assert_eq!(server.drained().await, ended(2, 0));
}

/// The state of a handler. Its drop is slow, so that a server that does not wait is detected.
struct Held(#[expect(dead_code, reason = "counted, not read")] Arc<()>);

impl Drop for Held {
    fn drop(&mut self) {
        std::thread::sleep(SHORT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn requests_that_never_end_are_gone_after_the_drain_deadline() {
    let (started, mut starts) = mpsc::unbounded_channel();
    let limits = Limits { drain_deadline: SHORT, ..patient() };
    // Every handler holds a clone, so the count shows when the last of them is dropped.
    let held = Arc::new(());
    let server = Server::start(limits, {
        let held = Arc::clone(&held);
        service_fn(move |_: Request<Incoming>| {
            let held = Held(Arc::clone(&held));
            started.send(()).expect("the test listens");
            async move {
                let never: Result<Response<Full<Bytes>>, Infallible> = pending().await;
                drop(held);
                never
            }
        })
    })
    .await;

    let mut old = server.connect().await;
    send_http1(&mut old).await;
    soon("a request", starts.recv()).await;
    let (mut new, _connection) = server.connect_http2().await;
    let answers = [(); 3].map(|()| tokio::spawn(new.send_request(request())));
    for _ in &answers {
        soon("a request", starts.recv()).await;
    }

    server.shutdown.cancel();
    assert_eq!(server.drained().await, ended(0, 2));
    assert_eq!(Arc::strong_count(&held), 1, "a handler outlived the server");
    assert_eq!(rest_of(old).await, "");
    for answer in answers {
        soon("an end", answer).await.expect("no panic").expect_err("no answer");
    }
}

#[tokio::test]
async fn a_response_that_never_ends_is_cut_at_the_drain_deadline() {
    let limits = Limits { drain_deadline: SHORT, ..patient() };
    let service = service_fn(async |_: Request<Incoming>| Ok(Response::new(Endless)));
    let server = Server::start(limits, service).await;
    let (mut client, _connection) = server.connect_http2().await;
    let answer = soon("a head", client.send_request(request())).await.expect("a head");
    server.shutdown.cancel();
    assert_eq!(server.drained().await, ended(0, 1));
    soon("an end", answer.into_body().collect()).await.expect_err("a cut body");
}

/// A body that never yields a frame.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn connections_that_have_not_opened_do_not_delay_the_drain() {
    let mut server = Server::greeting(patient()).await;
    let silent = server.connect_accepted().await;
    let mut partial = server.connect_accepted().await;
    partial.write_all(&PREFACE[..20]).await.expect("an open connection");
    let mut parked = server.connect_accepted().await;
    parked.write_all(PREFACE).await.expect("an open connection");
    // The server's settings show that it considers the handshake finished.
    parked.read_u8().await.expect("settings");
    server.shutdown.cancel();
    assert_eq!(server.drained().await, ended(3, 0));
    drop((silent, partial, parked));
}

#[tokio::test]
async fn a_peer_that_ignores_the_drain_is_cut_at_its_deadline() {
    let limits = Limits { drain_deadline: SHORT, ..patient() };
    let server = Server::greeting(limits).await;
    let mut mute = server.connect().await;
    mute.write_all(PREFACE).await.expect("an open connection");
    mute.write_all(EMPTY_SETTINGS).await.expect("an open connection");
    let mut seen = Vec::new();
    while !contains(&seen, SETTINGS_ACK) {
        seen.push(soon("an acknowledgement", mute.read_u8()).await.expect("an open connection"));
    }
    let begun = Instant::now();
    server.shutdown.cancel();
    let mut rest = Vec::new();
    soon("closing", mute.read_to_end(&mut rest)).await.expect("no reset");
    assert!(begun.elapsed() >= SHORT, "cut early");
    assert!(contains(&rest, GOAWAY), "{rest:?}");
    assert_eq!(server.drained().await, ended(0, 1));
}
