//! The number of writes for the responses of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;

/// A listener whose connections count their writes.
struct Counting(TcpListener, Arc<AtomicUsize>);

/// A connection that counts its writes.
struct Counted(TcpStream, Arc<AtomicUsize>);

impl Listener for Counting {
    type Io = Counted;

    async fn accept(&mut self) -> io::Result<(Counted, Option<IpAddr>)> {
        let (stream, peer) = Listener::accept(&mut self.0).await?;
        Ok((Counted(stream, Arc::clone(&self.1)), peer))
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// With one worker, so that only the runtime's queue decides which task runs next.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn answers_that_are_ready_together_leave_in_one_write() {
    const CALLS: usize = 50;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let writes = Arc::new(AtomicUsize::new(0));
    let all = Arc::new(Barrier::new(CALLS));
    let at_release = Arc::new(AtomicUsize::new(0));
    let service = {
        let (all, writes, at_release) = (all, Arc::clone(&writes), Arc::clone(&at_release));
        service_fn(move |_: Request<Incoming>| {
            let (all, writes) = (Arc::clone(&all), Arc::clone(&writes));
            let at_release = Arc::clone(&at_release);
            async move {
                if all.wait().await.is_leader() {
                    at_release.store(writes.load(Ordering::SeqCst), Ordering::SeqCst);
                }
                Ok(hello())
            }
        })
    };
    let listener = Counting(listener, Arc::clone(&writes));
    tokio::spawn(serve(patient(), listener, service, CancellationToken::new()));
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut client, _connection) = speak_http2(stream, WINDOW_BYTES).await;
    let answers: Vec<_> =
        (0..CALLS).map(|_| tokio::spawn(client.send_request(request()))).collect();
    for answer in answers {
        soon("an answer", answer).await.expect("no panic").expect("an answer");
    }
    let written = writes.load(Ordering::SeqCst) - at_release.load(Ordering::SeqCst);
    assert!(written <= CALLS / 5, "{written} writes");
}
