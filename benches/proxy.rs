//! A TCP proxy that adds a network's latency: each direction takes half of a round trip, regardless
//! of the amount of data.
//!
//! One thread serves all connections, because the measured machine also runs the proxy. It counts
//! the statements that PostgreSQL clients send through it, and how often a client waits for a
//! response. It prints its address, and the counts as JSON for each line of its standard input. It
//! ends with its input. `benches/distance` starts it.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::time::Duration;

use clap::Parser;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use tokio::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Parser)]
struct Arguments {
    /// The server to which connections are forwarded.
    #[arg(long)]
    target: SocketAddr,

    /// The round trip that is added, in microseconds.
    #[arg(long)]
    round_trip: u64,
}

/// The most bytes of a read. The rest of a burst is read at once, and so arrives with it.
const READ_BYTES: usize = 256 << 10;
/// By default the kernel wakes a thread up to 50 µs late, more than the shortest delay.
const TIMER_SLACK_NANOS: NonZeroU64 = NonZeroU64::MIN;
const EVENTS: usize = 256;
/// The check of a pool that a returned connection is sound: a `Sync` alone. No caller waits for its
/// response.
const PING: &[u8] = b"S\0\0\0\x04";
const LISTENER: u64 = u64::MAX;
const INPUT: u64 = u64::MAX - 1;

/// The messages of a PostgreSQL client.
#[derive(Default)]
struct Messages {
    /// The start of the current message: its kind, except in the first message, and its length.
    head: Vec<u8>,
    /// The bytes of the message that are still to come.
    rest: usize,
    is_started: bool,
}

impl Messages {
    /// Returns how many statements start in these bytes: executed prepared ones and simple queries.
    fn statements(&mut self, mut bytes: &[u8]) -> u64 {
        /// The length of a TLS request, which precedes the first message.
        const TLS_REQUEST_BYTES: usize = 8;
        let mut count = 0;
        while let Some((first, after)) = bytes.split_first() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(*first);
            bytes = after;
            let length_at = usize::from(self.is_started);
            if let Some(Ok(length)) = self.head.get(length_at..).map(<[u8; 4]>::try_from) {
                let length = u32::from_be_bytes(length) as usize;
                count += u64::from(self.is_started && matches!(self.head[0], b'E' | b'Q'));
                self.is_started |= length != TLS_REQUEST_BYTES;
                self.rest = length.saturating_sub(4);
                self.head.clear();
            }
        }
        count
    }
}

/// One side of a connection. Its other side is the adjacent entry of `Proxy::sides`.
struct Side {
    socket: TcpStream,
    /// The bytes for it that the kernel does not accept yet.
    unsent: VecDeque<u8>,
    is_client: bool,
    messages: Messages,
    /// Whether the last bytes of this connection came from the client.
    is_waiting: bool,
}

/// Bytes in transit to a side. Empty at the end of the stream.
struct Parcel {
    due: Instant,
    to: usize,
    bytes: Vec<u8>,
}

struct Proxy {
    target: SocketAddr,
    delay: Duration,
    listener: TcpListener,
    epoll: std::os::fd::OwnedFd,
    sides: Vec<Option<Side>>,
    /// All delays are equal, so parcels are due in the order in which they were sent.
    under_way: VecDeque<Parcel>,
    buffer: Vec<u8>,
    statements: u64,
    round_trips: u64,
    pings: u64,
}

impl Proxy {
    fn watch(
        &self,
        socket: impl std::os::fd::AsFd,
        data: u64,
        flags: EventFlags,
    ) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(data), flags)?)
    }

    fn accept(&mut self) -> io::Result<()> {
        let (client, _) = self.listener.accept()?;
        let Ok(server) = TcpStream::connect(self.target) else { return Ok(()) };
        for (socket, is_client) in [(client, true), (server, false)] {
            socket.set_nodelay(true)?;
            socket.set_nonblocking(true)?;
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            self.watch(&socket, self.sides.len() as u64, flags)?;
            let messages = Messages::default();
            let unsent = VecDeque::new();
            let side = Side { socket, unsent, is_client, messages, is_waiting: false };
            self.sides.push(Some(side));
        }
        Ok(())
    }

    /// Reads all available bytes, and queues them for the other side.
    fn read(&mut self, place: usize) {
        let due = Instant::now() + self.delay;
        let to = place ^ 1;
        loop {
            let Some(side) = &mut self.sides[place] else { return };
            let length = match side.socket.read(&mut self.buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => 0,
            };
            let bytes = self.buffer[..length].to_vec();
            if side.is_client {
                self.statements += side.messages.statements(&bytes);
                let begins = length > 0 && !side.is_waiting;
                let is_ping = bytes == PING;
                self.pings += u64::from(begins && is_ping);
                self.round_trips += u64::from(begins && !is_ping);
                side.is_waiting = true;
            } else if let Some(client) = &mut self.sides[to] {
                client.is_waiting = false;
            }
            self.under_way.push_back(Parcel { due, to, bytes });
            if length == 0 {
                return;
            }
        }
    }

    /// Delivers the due parcels. Returns the time until the next one is due.
    fn deliver(&mut self) -> Option<Duration> {
        loop {
            let now = Instant::now();
            let first = self.under_way.front()?;
            if first.due > now {
                return Some(first.due - now);
            }
            let Parcel { to, bytes, .. } = self.under_way.pop_front()?;
            let Some(side) = &mut self.sides[to] else { continue };
            if bytes.is_empty() {
                // Neither a server nor PostgreSQL continues with half a connection.
                let _ = side.socket.shutdown(Shutdown::Both);
                (self.sides[to], self.sides[to ^ 1]) = (None, None);
                continue;
            }
            side.unsent.extend(bytes);
            self.write(to);
        }
    }

    fn write(&mut self, place: usize) {
        let Some(side) = &mut self.sides[place] else { return };
        while !side.unsent.is_empty() {
            match side.socket.write(side.unsent.as_slices().0) {
                Ok(length) => drop(side.unsent.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // The end of its stream follows and informs the other side.
                Err(_) => return side.unsent.clear(),
            }
        }
    }

    /// Prints the counts. Returns `false` at the end of the input.
    fn report(&self) -> io::Result<bool> {
        let mut line = [0; 64];
        let is_open = io::stdin().read(&mut line)? > 0;
        let Self { statements, round_trips, pings, .. } = self;
        if is_open {
            println!(
                r#"{{"statements":{statements},"round_trips":{round_trips},"pings":{pings}}}"#
            );
        }
        Ok(is_open)
    }

    fn run(mut self) -> Outcome<()> {
        self.watch(&self.listener, LISTENER, EventFlags::IN)?;
        self.watch(io::stdin(), INPUT, EventFlags::IN)?;
        println!("{}", self.listener.local_addr()?);
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            // `epoll_wait` has a resolution of milliseconds, longer than most delays.
            let timeout = self.deliver().map(Timespec::try_from).transpose()?;
            let mut all = [PollFd::new(&self.epoll, PollFlags::IN)];
            retry_on_intr(|| poll(&mut all, timeout.as_ref()))?;
            events.clear();
            let spare = rustix::buffer::spare_capacity(&mut events);
            epoll::wait(&self.epoll, spare, Some(&Timespec::default()))?;
            for event in &events {
                match (event.data.u64(), event.flags) {
                    (LISTENER, _) => self.accept()?,
                    (INPUT, _) if !self.report()? => return Ok(()),
                    (INPUT, _) => {}
                    (place, flags) => {
                        let place = usize::try_from(place)?;
                        if flags.contains(EventFlags::OUT) {
                            self.write(place);
                        }
                        if flags.intersects(!EventFlags::OUT) {
                            self.read(place);
                        }
                    }
                }
            }
        }
    }
}

fn main() -> Outcome<()> {
    let Arguments { target, round_trip } = Arguments::parse();
    rustix::thread::set_current_timer_slack(Some(TIMER_SLACK_NANOS))?;
    let proxy = Proxy {
        target,
        delay: Duration::from_micros(round_trip) / 2,
        listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
        epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
        sides: Vec::new(),
        under_way: VecDeque::new(),
        buffer: vec![0; READ_BYTES],
        statements: 0,
        round_trips: 0,
        pings: 0,
    };
    proxy.run()
}
