//! The load of unary gRPC calls that differ, which h2load cannot send: the requests of a file, one
//! after another, over connections that are kept full.
//!
//! It implements just enough HTTP/2 to cost less than the server that it measures. Headers are
//! indexed from the second request on, as in any client. `benches/run` starts it. It prints as JSON
//! how many calls returned a message, how many did not, and how long it took.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use clap::Parser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Parser)]
struct Arguments {
    #[arg(long)]
    address: SocketAddr,

    /// The path of the method.
    #[arg(long)]
    path: String,

    /// A header, as `name: value`; may be repeated.
    #[arg(long)]
    header: Vec<String>,

    /// Requests in gRPC framing, one after the other.
    #[arg(long)]
    requests: PathBuf,

    #[arg(long)]
    connections: usize,

    /// Concurrent calls on each connection.
    #[arg(long)]
    streams: usize,

    #[arg(long)]
    seconds: u64,
}

/// The results of the calls.
#[derive(Default)]
struct Count {
    answered: u64,
    refused: u64,
    /// The bytes of the messages, with framing.
    bytes: u64,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const FRAME_HEAD_BYTES: usize = 9;
/// Windows that no run exhausts, so that nothing is delayed.
const WINDOW_BYTES: u32 = 1 << 30;
/// The maximum window of HTTP/2, minus the initial window of a connection.
const MORE_WINDOW_BYTES: u32 = (1 << 31) - 1 - 65_535;
/// The streams of a connection whose state is stored: more than are concurrent.
const STREAMS_MAX: usize = 1024;

fn put_frame(out: &mut BytesMut, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    // A request and its headers are far below 2^24 bytes.
    out.put_uint(payload.len() as u64, 3);
    out.put_u8(kind);
    out.put_u8(flags);
    out.put_u32(stream);
    out.put_slice(payload);
}

/// Adds a literal that the peer adds to its table. Lengths must be below 127.
fn put_literal(block: &mut Vec<u8>, name: &str, value: &str) -> Outcome<()> {
    block.push(0x40);
    for text in [name, value] {
        let length = u8::try_from(text.len()).ok().filter(|it| *it < 127);
        block.push(length.ok_or("a header is too long")?);
        block.extend_from_slice(text.as_bytes());
    }
    Ok(())
}

/// Returns the headers of the first request, and those of later ones, which refer to them.
fn header_blocks(arguments: &Arguments) -> Outcome<(Vec<u8>, Vec<u8>)> {
    let address = arguments.address.to_string();
    let mut headers = vec![(":path", arguments.path.as_str()), (":authority", address.as_str())];
    headers.push(("content-type", "application/grpc"));
    headers.push(("te", "trailers"));
    for header in &arguments.header {
        let (name, value) = header.split_once(": ").ok_or("a header is `name: value`")?;
        headers.push((name, value));
    }
    // POST and http, from HTTP/2's static table.
    let (mut first, mut later) = (vec![0x83, 0x86], vec![0x83, 0x86]);
    for (place, (name, value)) in headers.iter().enumerate() {
        put_literal(&mut first, &name.to_ascii_lowercase(), value)?;
        // The newest entry has the number 62.
        later.push(0x80 | u8::try_from(62 + headers.len() - 1 - place)?);
    }
    Ok((first, later))
}

/// Splits a file into requests, with framing.
fn split(mut file: Bytes) -> Outcome<Vec<Bytes>> {
    let mut requests = Vec::new();
    while file.len() >= 5 {
        let length = usize::try_from((&file[1..5]).get_u32())? + 5;
        if length > file.len() {
            return Err("a request is cut off".into());
        }
        requests.push(file.split_to(length));
    }
    if requests.is_empty() { Err("there are no requests".into()) } else { Ok(requests) }
}

/// A connection, with its state in both directions.
struct Connection {
    socket: TcpStream,
    out: BytesMut,
    headers: (Vec<u8>, Vec<u8>),
    requests: Vec<Bytes>,
    next: usize,
    next_stream: u32,
    has_message: Vec<bool>,
    unclaimed: u32,
    count: Count,
}

fn slot(stream: u32) -> usize {
    (stream / 2) as usize % STREAMS_MAX
}

impl Connection {
    fn send(&mut self) {
        let stream = self.next_stream;
        let headers = if stream == 1 { &self.headers.0 } else { &self.headers.1 };
        put_frame(&mut self.out, HEADERS, END_HEADERS, stream, headers);
        let request = &self.requests[self.next];
        put_frame(&mut self.out, DATA, END_STREAM, stream, request);
        self.next = (self.next + 1) % self.requests.len();
        self.has_message[slot(stream)] = false;
        self.next_stream += 2;
    }

    fn receive(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Outcome<()> {
        match kind {
            DATA => {
                let length = u32::try_from(payload.len())?;
                self.count.bytes += u64::from(length);
                self.has_message[slot(stream)] |= length > 0;
                self.unclaimed += length;
                if self.unclaimed > WINDOW_BYTES {
                    let more = self.unclaimed.to_be_bytes();
                    put_frame(&mut self.out, WINDOW_UPDATE, 0, 0, &more);
                    self.unclaimed = 0;
                }
            }
            SETTINGS if flags & ACK == 0 => put_frame(&mut self.out, SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => put_frame(&mut self.out, PING, ACK, 0, payload),
            RESET => return Err("a call was reset".into()),
            GOAWAY => return Err("the server closes the connection".into()),
            // No other frame requires a response.
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            // A refusal has a status and no message.
            if self.has_message[slot(stream)] {
                self.count.answered += 1;
            } else {
                self.count.refused += 1;
            }
            self.send();
        }
        Ok(())
    }

    /// Keeps `streams` calls in flight until the time is over.
    async fn run(mut self, streams: usize, until: Instant) -> Outcome<Count> {
        self.out.put_slice(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut settings = vec![0, 4];
        settings.extend(WINDOW_BYTES.to_be_bytes());
        put_frame(&mut self.out, SETTINGS, 0, 0, &settings);
        put_frame(&mut self.out, WINDOW_UPDATE, 0, 0, &MORE_WINDOW_BYTES.to_be_bytes());
        for _ in 0..streams {
            self.send();
        }
        let mut received = BytesMut::with_capacity(1 << 16);
        while Instant::now() < until {
            self.socket.write_all_buf(&mut self.out).await?;
            if self.socket.read_buf(&mut received).await? == 0 {
                return Err("the server closed the connection".into());
            }
            while received.len() >= FRAME_HEAD_BYTES {
                let mut head = &received[..FRAME_HEAD_BYTES];
                let length = usize::try_from(head.get_uint(3))?;
                let (kind, flags, stream) = (head.get_u8(), head.get_u8(), head.get_u32());
                if received.len() < FRAME_HEAD_BYTES + length {
                    break;
                }
                let frame = received.split_to(FRAME_HEAD_BYTES + length);
                self.receive(kind, flags, stream, &frame[FRAME_HEAD_BYTES..])?;
            }
        }
        Ok(self.count)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let requests = split(Bytes::from(std::fs::read(&arguments.requests)?))?;
    let mut connections = Vec::new();
    for number in 0..arguments.connections {
        let socket = TcpStream::connect(arguments.address).await?;
        socket.set_nodelay(true)?;
        connections.push(Connection {
            socket,
            out: BytesMut::new(),
            headers: header_blocks(&arguments)?,
            requests: requests.clone(),
            // Each connection starts at another place of the file.
            next: number * requests.len() / arguments.connections,
            next_stream: 1,
            has_message: vec![false; STREAMS_MAX],
            unclaimed: 0,
            count: Count::default(),
        });
    }
    let began = Instant::now();
    let until = began + Duration::from_secs(arguments.seconds);
    let running: Vec<_> =
        connections.into_iter().map(|it| tokio::spawn(it.run(arguments.streams, until))).collect();
    let mut all = Count::default();
    for connection in running {
        let Count { answered, refused, bytes } = connection.await??;
        all.answered += answered;
        all.refused += refused;
        all.bytes += bytes;
    }
    let Count { answered, refused, bytes } = all;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        r#"{{"answered":{answered},"refused":{refused},"bytes":{bytes},"seconds":{seconds:.4}}}"#
    );
    Ok(())
}
