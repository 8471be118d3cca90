//! Responses that the peer does not take.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use http_body_util::StreamBody;
use tokio::net::TcpSocket;

use super::*;
use crate::budget::{Budget, LARGE_ANSWER_BYTES};

const CHUNK_BYTES: usize = 64 * 1024;

/// A response of `left_bytes` bytes that reports its name when it is dropped.
struct Told {
    name: String,
    left_bytes: usize,
    handed_bytes: Arc<AtomicUsize>,
    ends: mpsc::UnboundedSender<String>,
}

impl Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.left_bytes.min(CHUNK_BYTES);
        self.left_bytes -= bytes;
        self.handed_bytes.fetch_add(bytes, Ordering::SeqCst);
        Poll::Ready((bytes > 0).then(|| Ok(Frame::data(Bytes::from(vec![b'x'; bytes])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes as u64)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // Not every test listens until the end.
        let _ = self.ends.send(std::mem::take(&mut self.name));
    }
}

/// A server of responses as long as their path states, charged if the path ends so.
struct Teller {
    server: Server,
    ends: mpsc::UnboundedReceiver<String>,
    handed_bytes: Arc<AtomicUsize>,
}

impl Teller {
    async fn start(limits: Limits) -> Self {
        let (sender, ends) = mpsc::unbounded_channel();
        let handed_bytes = Arc::new(AtomicUsize::new(0));
        let server = Server::start(limits, {
            let handed_bytes = Arc::clone(&handed_bytes);
            service_fn(move |request: Request<Incoming>| {
                let name = request.uri().path().trim_start_matches('/').to_owned();
                let (bytes, is_charged) = match name.split_once("/charged") {
                    Some((bytes, _)) => (bytes, true),
                    None => (name.as_str(), false),
                };
                let left_bytes = bytes.parse().expect("a number of bytes");
                let handed_bytes = Arc::clone(&handed_bytes);
                let mut response =
                    Response::new(Told { name, left_bytes, handed_bytes, ends: sender.clone() });
                if is_charged {
                    let charge = Budget::new(usize::MAX)
                        .try_charge(LARGE_ANSWER_BYTES + 1)
                        .expect("it fits");
                    response.extensions_mut().insert(Arc::new(charge));
                }
                std::future::ready(Ok(response))
            })
        })
        .await;
        Self { server, ends, handed_bytes }
    }

    /// Waits for the end of a response, and returns its name.
    async fn end(&mut self) -> String {
        soon("the end of an answer", self.ends.recv()).await.expect("the server runs")
    }
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("http://localhost/{path}");
    Request::builder().uri(uri).body(Empty::new()).expect("a request")
}

/// Connects with a small receive buffer.
async fn connect_narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.connect(address).await.expect("a connection")
}

#[tokio::test]
async fn an_http1_peer_that_never_reads_loses_its_connection_to_the_next() {
    const MANY_BYTES: &str = "1000000000";
    let limits = Limits { connections_max: 1, answer_stall_max: SHORT, ..patient() };
    let mut teller = Teller::start(limits).await;
    let begun = Instant::now();
    let mut never_reads = connect_narrow(teller.server.address).await;
    let head = format!("GET /{MANY_BYTES} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    never_reads.write_all(head.as_bytes()).await.expect("an open connection");
    let mut next = teller.server.connect().await;
    next.write_all(b"GET /5 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("an open connection");
    assert_eq!(teller.end().await, MANY_BYTES);
    assert!(begun.elapsed() >= SHORT, "cut early");
    assert!(rest_of(next).await.ends_with("xxxxx"));
    // The kernel and hyper buffer these bytes, which were not sent and cannot be taken back.
    let handed_bytes = teller.handed_bytes.load(Ordering::SeqCst);
    assert!(handed_bytes <= 8 * CHUNK_BYTES, "{handed_bytes}");
}

#[tokio::test]
async fn an_http2_answer_ends_when_its_window_stays_shut() {
    let limits = Limits { http2_answer_stall_max: SHORT, ..patient() };
    let mut teller = Teller::start(limits).await;
    for (answer_bytes, window_bytes) in [
        ("5", 0),
        // All but the last byte.
        ("10240", 10_239),
        ("65537", 65_536),
        ("70000", 1),
        ("1000000000", WINDOW_BYTES),
    ] {
        let begun = Instant::now();
        let stream = teller.server.connect().await;
        let (mut client, _connection) = speak_http2(stream, window_bytes).await;
        let answer = soon("a head", client.send_request(get(answer_bytes))).await.expect("a head");
        assert_eq!(teller.end().await, answer_bytes);
        assert!(begun.elapsed() >= SHORT, "cut early");
        soon("a reset", answer.into_body().collect()).await.expect_err("half of an answer");
        // The connection stays open.
        let answer = soon("a head", client.send_request(get("0"))).await.expect("a head");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(teller.end().await, "0");
    }
}

#[tokio::test]
async fn other_streams_of_a_connection_go_on_when_one_ends() {
    const READ: &str = "2000000000";
    const UNREAD: &str = "1000000000";
    let limits = Limits { http2_answer_stall_max: SHORT, ..patient() };
    let mut teller = Teller::start(limits).await;
    let (mut client, _connection) = teller.server.connect_http2().await;
    let mut read =
        soon("a head", client.send_request(get(READ))).await.expect("a head").into_body();
    let unread = soon("a head", client.send_request(get(UNREAD))).await.expect("a head");
    let ended = loop {
        tokio::select! {
            frame = read.frame() => drop(frame.expect("a frame").expect("an open stream")),
            ended = teller.ends.recv() => break ended,
        }
    };
    assert_eq!(ended.as_deref(), Some(UNREAD));
    for _ in 0..100 {
        soon("a frame", read.frame()).await.expect("a frame").expect("an open stream");
    }
    soon("a reset", unread.into_body().collect()).await.expect_err("half of an answer");
}

#[tokio::test]
async fn an_answer_that_is_charged_ends_sooner() {
    let limits = Limits { answer_stall_max: SHORT, ..patient() };
    let mut teller = Teller::start(limits).await;
    for bytes in ["5", "100000"] {
        let charged = format!("{bytes}/charged");
        let (mut client, _connection) = speak_http2(teller.server.connect().await, 1).await;
        let mut answers = Vec::new();
        for path in [bytes, &charged] {
            // The window has room for one byte, which would let a small response pass.
            let first = client.send_request(get(path));
            answers.push(soon("a head", first).await.expect("a head"));
        }
        if bytes == "5" {
            // Both are so small that they are sent untracked.
            assert_eq!([teller.end().await, teller.end().await], [bytes, charged.as_str()]);
        } else {
            assert_eq!(teller.end().await, charged);
            assert!(teller.ends.try_recv().is_err(), "the other goes on");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_charged_is_not_kept_by_a_byte_at_a_time() {
    let limits = Limits { answer_stall_max: SHORT, ..patient() };
    let mut teller = Teller::start(limits).await;
    for (path, is_whole) in [("40000", true), ("40000/charged", false)] {
        // The window opens by one byte whenever one was read.
        let (mut client, _connection) = speak_http2(teller.server.connect().await, 1).await;
        let answer = soon("a head", client.send_request(get(path))).await.expect("a head");
        let mut body = answer.into_body();
        let mut end = Ok(());
        while let Some(frame) = soon("a frame", body.frame()).await {
            end = frame.map(drop);
            if end.is_err() {
                break;
            }
        }
        assert_eq!(end.is_ok(), is_whole, "{path}");
        assert_eq!(teller.end().await, path);
    }
}

#[tokio::test]
async fn an_answer_may_pause_for_longer_than_its_peer() {
    const STALL_MAX: Duration = Duration::from_secs(1);
    let limits = Limits { http2_answer_stall_max: STALL_MAX, ..patient() };
    let (part, parts) = mpsc::unbounded_channel();
    let parts = Arc::new(std::sync::Mutex::new(Some(parts)));
    let server = Server::start(limits, {
        service_fn(move |_: Request<Incoming>| {
            let parts = parts.lock().expect("no panic").take().expect("one request");
            let frames = futures_util::stream::unfold(parts, async |mut parts| {
                let bytes: usize = parts.recv().await?;
                let frame = Frame::data(Bytes::from(vec![b'x'; bytes]));
                Some((Ok::<_, Infallible>(frame), parts))
            });
            std::future::ready(Ok(Response::new(StreamBody::new(Box::pin(frames)))))
        })
    })
    .await;
    let (mut client, _connection) = server.connect_http2().await;
    let answer = soon("a head", client.send_request(request())).await.expect("a head");
    let mut body = answer.into_body();
    // Few bytes, which are not counted, then many, which are.
    for bytes in [5, 10_000, 10_000] {
        part.send(bytes).expect("the server runs");
        let mut left_bytes = bytes;
        while left_bytes > 0 {
            let frame = soon("a frame", body.frame()).await.expect("a frame");
            left_bytes -= frame.expect("an open stream").into_data().expect("data").len();
        }
        // The pause must not count as a stall.
        tokio::time::sleep(STALL_MAX + SHORT).await;
    }
    drop(part);
    let rest = soon("the end", body.collect()).await.expect("an orderly end");
    assert_eq!(rest.to_bytes(), "");
}

#[tokio::test]
async fn a_peer_that_reads_slowly_is_served_whole() {
    /// Long in comparison with a pause, so that a busy machine does not matter.
    const STALL_MAX: Duration = Duration::from_secs(2);
    const PAUSE: Duration = Duration::from_millis(100);
    const PAUSES: usize = 25;
    const ANSWER_BYTES: usize = 4_000_000;
    let limits =
        Limits { answer_stall_max: STALL_MAX, http2_answer_stall_max: STALL_MAX, ..patient() };
    let teller = Teller::start(limits).await;
    let address = teller.server.address;
    let old = tokio::spawn(async move {
        let mut stream = connect_narrow(address).await;
        let head = format!("GET /{ANSWER_BYTES} HTTP/1.0\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("an open connection");
        let mut part = vec![0; 64 * 1024];
        for _ in 0..PAUSES {
            tokio::time::sleep(PAUSE).await;
            stream.read_exact(&mut part).await.expect("an open connection");
        }
        PAUSES * part.len() + rest_of(stream).await.len()
    });
    // The window opens by 500 bytes, while slices have 16 KiB.
    let (mut client, _connection) = speak_http2(teller.server.connect().await, 1000).await;
    let answer = soon("a head", client.send_request(get("30000"))).await.expect("a head");
    let mut body = answer.into_body();
    let mut new_bytes = 0;
    while let Some(frame) = soon("a frame", body.frame()).await {
        new_bytes += frame.expect("an open stream").into_data().expect("data").len();
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(new_bytes, 30_000);
    let old_bytes = soon("the other answer", old).await.expect("no panic");
    assert!(old_bytes > ANSWER_BYTES, "{old_bytes}");
}
