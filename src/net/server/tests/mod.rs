//! Tests with real sockets and real time. Every wait is bounded and for a condition.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Notify, mpsc};
use tokio::task::JoinHandle;
use tower::service_fn;

use super::*;
use crate::meter::Connections;
use crate::net::Leftovers;

mod drain;
mod places;
mod progress;
mod serving;
mod turns;

type Client = http2::SendRequest<Empty<Bytes>>;

/// The longest wait of a test that succeeds.
const PATIENCE: Duration = Duration::from_secs(10);
/// For deadlines that a test waits out.
const SHORT: Duration = Duration::from_millis(60);
/// For deadlines that must not matter to a test.
const LONG: Duration = Duration::from_mins(10);

/// The window of clients that do not choose one.
const WINDOW_BYTES: u32 = 65_535;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// The head of a shutdown frame, and the "last stream" that announces a second such frame.
const GOAWAY: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff";
const SETTINGS_ACK: &[u8] = b"\0\0\0\x04\x01\0\0\0\0";

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(value) = timeout(PATIENCE, future).await else {
        panic!("{what} did not happen in time");
    };
    value
}

fn patient() -> Limits {
    Limits {
        connections_max: 100,
        connections_per_client_max_when_scarce: 100,
        trusted_proxies: Arc::default(),
        opening_deadline: LONG,
        http2_idle_max_when_scarce: LONG,
        answer_stall_max: LONG,
        http2_answer_stall_max: LONG,
        drain_deadline: LONG,
        meter: Connections::default(),
    }
}

/// A listener that reports each accepted connection, after it has failed with the given errors.
struct Reporting {
    listener: TcpListener,
    errors: Vec<io::Error>,
    accepted: mpsc::UnboundedSender<()>,
}

impl Listener for Reporting {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        if let Some(error) = self.errors.pop() {
            return Err(error);
        }
        let accepted = Listener::accept(&mut self.listener).await?;
        // Most tests do not listen.
        let _ = self.accepted.send(());
        Ok(accepted)
    }
}

/// A running server with its handles.
struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    accepted: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<Drained>,
}

impl Server {
    async fn start<S, B>(limits: Limits, service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        Self::start_after(limits, service, Vec::new()).await
    }

    /// Starts a server that responds with `hello` to every request.
    async fn greeting(limits: Limits) -> Self {
        Self::start(limits, service_fn(greet)).await
    }

    async fn start_after<S, B>(limits: Limits, service: S, errors: Vec<io::Error>) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (sender, accepted) = mpsc::unbounded_channel();
        let listener = Reporting { listener, errors, accepted: sender };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(limits, listener, service, shutdown.clone()));
        Self { address, shutdown, accepted, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Connects, and waits until the server has accepted.
    async fn connect_accepted(&mut self) -> TcpStream {
        let stream = self.connect().await;
        soon("accepting", self.accepted.recv()).await.expect("the server runs");
        stream
    }

    async fn connect_http2(&self) -> (Client, JoinHandle<hyper::Result<()>>) {
        speak_http2(self.connect().await, WINDOW_BYTES).await
    }

    async fn drained(self) -> Drained {
        soon("the end of the server", self.task).await.expect("no panic")
    }
}

/// Performs an HTTP/2 handshake. The window is the number of bytes of each unread response.
async fn speak_http2(
    stream: TcpStream,
    window_bytes: u32,
) -> (Client, JoinHandle<hyper::Result<()>>) {
    let (client, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(window_bytes)
        .handshake(TokioIo::new(stream))
        .await
        .expect("a handshake");
    (client, tokio::spawn(connection))
}

fn request() -> Request<Empty<Bytes>> {
    Request::builder().uri("http://localhost/").body(Empty::new()).expect("a request")
}

async fn send_http1(stream: &mut TcpStream) {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("an open connection");
}

/// Reads until the server closes the connection, which it must. A reset counts, too.
async fn rest_of(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = soon("closing", stream.read_to_end(&mut bytes)).await {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hello() -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from_static(b"hello")))
}

async fn greet(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(hello())
}

/// Waits until the port refuses connections.
async fn refused(address: SocketAddr) {
    soon("refusing", async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn ended(finished: usize, aborted: usize) -> Drained {
    Drained { finished, aborted }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
