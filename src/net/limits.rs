//! Every limit of the network layer, in one place, named with its unit last.

use std::sync::Arc;
use std::time::Duration;

use super::address::Network;

/// How many connections one listener holds at a time. Together with the limits below it bounds the
/// memory that peers can occupy; connections beyond it wait in the kernel's backlog. The process
/// must be allowed more file descriptors than this, or the databases run out of them before the
/// listener does.
pub const CONNECTIONS_MAX: usize = 4_096;

/// How many connections one client gets once half of [`CONNECTIONS_MAX`] are taken: an address, or
/// the /64 of an IPv6 address. Sixteen clients are then needed to take them all, and an office or a
/// mobile network behind one address still has more than its people use at once. Trusted proxies
/// have as many as they like; of a client behind one, so many requests are in flight instead.
pub const CONNECTIONS_PER_CLIENT_MAX_WHEN_SCARCE: usize = 256;

/// When a client that was refused by the count of its requests is told to come back: the requests in
/// flight that it has to wait for are mostly short.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// How long a connection lives whose socket takes nothing of the bytes that wait to be sent, and
/// how long a stream of HTTP/2 lives whose peer keeps its window shut although its answer is a large
/// part of the budget of what is being sent, for which others wait. A phone that changes networks is back
/// within a few seconds.
pub const ANSWER_STALL_MAX_MS: u64 = 20_000;

/// How much of a large answer the peer of an HTTP/2 stream takes within [`ANSWER_STALL_MAX_MS`], or
/// all that waits. With a byte now and then it would hold what others wait for as long as it likes. It is
/// what [`TCP_UNSENT_MAX_BYTES`] makes of any answer on HTTP/1.1.
pub const LARGE_ANSWER_PACE_BYTES: u64 = 32 * 1024;

/// How much the kernel takes from a connection beyond what its peer has room for. Without a bound it
/// is megabytes, and a peer that reads slowly would be taken for one that reads nothing, because the
/// kernel takes no more until a third of them are gone: so a peer has to read 32 KiB within
/// [`ANSWER_STALL_MAX_MS`], and one that never reads occupies no more than this.
pub const TCP_UNSENT_MAX_BYTES: u32 = 64 * 1024;

/// How long any other stream of HTTP/2 lives whose peer keeps its window shut; whoever takes a byte
/// now and then is served for as long as it likes. It holds little, and shutting the window is how a busy client says that it has not come to it yet.
pub const HTTP2_ANSWER_STALL_MAX_MS: u64 = 120_000;

/// How much of an answer hyper is handed at a time; what is not taken stays with the body. It is the
/// size of a frame of HTTP/2 that every peer accepts.
pub const ANSWER_SLICE_BYTES: usize = 16 * 1024;

/// How much of an answer on HTTP/2 is sent without looking whether the peer takes it: no more than
/// the stream itself occupies. Most calls end within this, and need no count.
pub const ANSWER_UNTRACKED_MAX_BYTES: usize = 4 * 1024;

/// How long a peer may take to open: a whole first request head on HTTP/1.1, the preface and the
/// first frame head on HTTP/2. Even a slow mobile network needs one round trip, a few seconds at
/// worst, whereas a half-open connection holds its slot for nothing.
pub const OPENING_DEADLINE_MS: u64 = 10_000;

/// How long an HTTP/1.1 connection may take for any later request head, counted from the end of the
/// response before it; this is hence also the idle time of a kept-alive connection. Common proxies
/// keep idle upstream connections for 60 s: if we closed first, a request could meet a
/// closing connection and become a 502.
pub const HTTP1_HEAD_DEADLINE_MS: u64 = 75_000;

/// How much one HTTP/1.1 connection buffers in each direction. The buffer must hold a whole request
/// head, so this is also the limit of the head: a list filter of 500 ids, percent-encoded, has some
/// 45 KiB. hyper would take 400 KiB. Longer heads are answered with 431.
pub const HTTP1_BUFFER_MAX_BYTES: usize = 64 * 1024;

/// How long the decoded header list of an HTTP/2 request may be; longer ones are answered with 431.
/// The same 64 KiB as on HTTP/1.1, so that a client sees one limit. The request target is part
/// of it on both protocols, and therefore needs no limit of its own.
pub const HTTP2_HEADER_LIST_MAX_BYTES: u32 = 64 * 1024;

/// How many requests one HTTP/2 connection may have in flight. RFC 9113 advises at least 100;
/// twice that keeps a busy backend with a single channel from queueing on its side.
pub const HTTP2_CONCURRENT_STREAMS_MAX: u32 = 200;

/// How much a peer may send on one HTTP/2 stream before it is read. It is a quarter of the
/// connection's window, so that one upload that is not read for a while does not stop the others on
/// its connection.
pub const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// How much a peer may send on one HTTP/2 connection before it is read. It bounds what all uploads
/// of a connection occupy, and still carries 20 MB/s over a round trip of 50 ms.
pub const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// How much of a response one HTTP/2 stream buffers for a peer that reads slowly. With all streams
/// of a connection in use that makes 13 MB instead of the 80 MB of hyper's default.
pub const HTTP2_SEND_BUFFER_MAX_BYTES: usize = 64 * 1024;

/// What a request counts for from its head until its answer has gone, besides the head itself: its
/// stream, its future, and the buffer for its message.
pub const REQUEST_HELD_BYTES: usize = 8 * 1024;

/// What the requests in flight may hold together, bodies and answers apart: ten thousand and more with
/// common heads. Requests beyond it are answered with 503.
pub const REQUESTS_IN_FLIGHT_MAX_BYTES: usize = 128 * 1024 * 1024;

/// Once half of that is held, which part of it one client may have.
pub const REQUESTS_OF_CLIENT_PART: usize = 16;

/// How long an HTTP/2 connection may be without a request when connections are scarce.
pub const HTTP2_IDLE_WHEN_SCARCE_MAX_MS: u64 = 10_000;

/// How often an HTTP/2 peer is asked whether it is still there. A peer that vanished without
/// closing (a suspended laptop, a dropped NAT entry) would otherwise hold its slot for ever; most
/// NAT entries and load balancers give up after 60 s of silence or more, and this keeps them alive,
/// too.
pub const HTTP2_PING_INTERVAL_MS: u64 = 50_000;

/// How long an HTTP/2 peer may take to answer such a question: long enough for a congested
/// uplink, short enough that a dead peer is gone after little more than a minute.
pub const HTTP2_PING_DEADLINE_MS: u64 = 20_000;

/// Up to this length what is left of a body on HTTP/1.1 is received before an early answer leaves: as
/// much as most requests have at most.
pub const LEFTOVER_MAX_BYTES: u64 = 64 * 1024;

/// How long an early answer waits for it. A client that is sending needs a round trip or two.
pub const LEFTOVER_WAIT_MAX_MS: u64 = 200;

/// How long a call over HTTP/1.1 goes on whose client has closed its sending side, while nothing is sent
/// to it: as long as nearly every call takes, for the client may wait for the answer; no longer, because
/// it may have left.
pub const HALF_CLOSED_GRACE_MS: u64 = 2_000;

/// How long requests in flight may take to finish once shutdown is asked for. Docker kills ten
/// seconds after it asked; with [`ABORT_GRACE_MS`] this leaves a second to close the stores.
pub const DRAIN_DEADLINE_MS: u64 = 8_000;

/// How long aborted requests may take to unwind. They need microseconds, unless one of
/// them blocks its thread, and that one must not keep the process from ending.
pub const ABORT_GRACE_MS: u64 = 1_000;

/// How long accepting pauses after an error that is the process's own, such as having no file
/// descriptors left. Trying again at once would only burn the processor until a connection ends.
pub const ACCEPT_PAUSE_MS: u64 = 100;

/// How often the log is told at most that accepting pauses: peers that open many connections can
/// bring that about at will.
pub const ACCEPT_PAUSES_TOLD_INTERVAL_MS: u64 = 60_000;

/// The longest deadline a request gets, whatever its client asks for, because a request holds
/// memory and possibly a database connection until it ends.
pub const REQUEST_DEADLINE_MAX_MS: u64 = 30_000;

/// How long the body of a REST request may be. The largest legitimate one is a submission with all
/// options that can be published, each chosen and with a text: as large as a message of gRPC.
pub const REST_BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How many bytes of requests the process holds at the same time, from their arrival until their
/// calls are answered: 64 of the largest messages. Calls beyond it are refused, not queued, because a
/// queue would hold their first bytes. One tenant's calls take half of it at most.
pub const RECEIVE_BUDGET_BYTES: usize = 256 * 1024 * 1024;

/// The limits that [`serve`](super::serve) takes as values, because tests need them
/// short and an operator may need them different. The defaults are the constants of this module.
#[derive(Clone, Debug)]
pub struct Limits {
    /// See [`CONNECTIONS_MAX`].
    pub connections_max: usize,
    /// See [`CONNECTIONS_PER_CLIENT_MAX_WHEN_SCARCE`].
    pub connections_per_client_max_when_scarce: usize,
    /// See [`HTTP2_IDLE_WHEN_SCARCE_MAX_MS`].
    pub http2_idle_max_when_scarce: Duration,
    /// The networks of proxies that say truly which client they forward a request of.
    pub trusted_proxies: Arc<[Network]>,
    /// See [`OPENING_DEADLINE_MS`].
    pub opening_deadline: Duration,
    /// See [`ANSWER_STALL_MAX_MS`].
    pub answer_stall_max: Duration,
    /// See [`HTTP2_ANSWER_STALL_MAX_MS`].
    pub http2_answer_stall_max: Duration,
    /// See [`DRAIN_DEADLINE_MS`].
    pub drain_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            connections_per_client_max_when_scarce: CONNECTIONS_PER_CLIENT_MAX_WHEN_SCARCE,
            trusted_proxies: Arc::default(),
            opening_deadline: Duration::from_millis(OPENING_DEADLINE_MS),
            http2_idle_max_when_scarce: Duration::from_millis(HTTP2_IDLE_WHEN_SCARCE_MAX_MS),
            answer_stall_max: Duration::from_millis(ANSWER_STALL_MAX_MS),
            http2_answer_stall_max: Duration::from_millis(HTTP2_ANSWER_STALL_MAX_MS),
            drain_deadline: Duration::from_millis(DRAIN_DEADLINE_MS),
        }
    }
}
