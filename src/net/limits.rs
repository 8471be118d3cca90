//! All limits of the network layer. The name of each ends in its unit.

use std::sync::Arc;
use std::time::Duration;

use super::address::Network;
use crate::meter::Connections;

/// The most connections of one listener at a time. Together with the limits below it bounds the
/// memory that peers can occupy. Further connections wait in the kernel's backlog. The process must
/// be allowed more file descriptors than this, or the databases run out of them before the listener
/// does.
pub const CONNECTIONS_MAX: usize = 4_096;

/// The most connections of one client once half of [`CONNECTIONS_MAX`] are taken. A client is an
/// address, or the /64 of an IPv6 address. Sixteen clients are then needed to take them all, and an
/// office or a mobile network behind one address still has more than its people use at once.
/// Trusted proxies are exempt: for each client behind one, this limits the requests in flight
/// instead.
pub const CONNECTIONS_PER_CLIENT_MAX_WHEN_SCARCE: usize = 256;

/// The retry delay for a client that has too many requests in flight. Most of these requests are
/// short.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// The maximum stall of a connection whose socket takes none of the waiting bytes. Also that of an
/// HTTP/2 stream whose peer keeps its window shut although its response is a large part of the send
/// budget, for which other calls wait. A phone that changes networks is back within a few seconds.
pub const ANSWER_STALL_MAX_MS: u64 = 20_000;

/// How much of a large response the peer of an HTTP/2 stream must take within
/// [`ANSWER_STALL_MAX_MS`], unless fewer bytes wait. A byte now and then would block other calls
/// for any time. [`TCP_UNSENT_MAX_BYTES`] results in the same pace on HTTP/1.1.
pub const LARGE_ANSWER_PACE_BYTES: u64 = 32 * 1024;

/// How much the kernel buffers for a connection beyond its peer's window. Its default is megabytes,
/// and the kernel accepts no more until a third of them are sent, so that a slow reader would seem
/// to read nothing. With this bound a peer has to read 32 KiB within [`ANSWER_STALL_MAX_MS`], and
/// one that never reads occupies no more than this.
pub const TCP_UNSENT_MAX_BYTES: u32 = 64 * 1024;

/// The maximum stall of any other HTTP/2 stream. It holds little, so its peer may take a byte now
/// and then for any time. A busy client shuts its window to pause.
pub const HTTP2_ANSWER_STALL_MAX_MS: u64 = 120_000;

/// The size of the slices that hyper receives; the rest stays with the body. It is the frame size
/// that every HTTP/2 peer accepts.
pub const ANSWER_SLICE_BYTES: usize = 16 * 1024;

/// How much of an HTTP/2 response is sent without tracking whether the peer takes it: no more than
/// the stream itself occupies. Most calls end within this.
pub const ANSWER_UNTRACKED_MAX_BYTES: usize = 4 * 1024;

/// How long a peer may take to open: the handshake of TLS, if there is one, and a whole first request head on HTTP/1.1, the preface and the
/// first frame head on HTTP/2. Even a slow mobile network needs one round trip, a few seconds at
/// worst. A half-open connection only wastes its slot.
pub const OPENING_DEADLINE_MS: u64 = 10_000;

/// How long an HTTP/1.1 connection may take for any later request head, from the end of the
/// previous response. This is therefore also the idle time of a kept-alive connection. Common
/// proxies keep idle upstream connections for 60 s. If the server closed first, a request could
/// meet a closing connection and become a 502.
pub const HTTP1_HEAD_DEADLINE_MS: u64 = 75_000;

/// How much one HTTP/1.1 connection buffers in each direction. A whole request head must fit, so
/// this also limits the head: a list filter of 500 ids, percent-encoded, has some 45 KiB. hyper's
/// default is 400 KiB. Longer heads are refused with 431.
pub const HTTP1_BUFFER_MAX_BYTES: usize = 64 * 1024;

/// The longest decoded header list of an HTTP/2 request; longer ones are refused with 431. Equal to
/// the 64 KiB on HTTP/1.1, so that a client sees one limit. It includes the request target on both
/// protocols, which therefore needs no limit of its own.
pub const HTTP2_HEADER_LIST_MAX_BYTES: u32 = 64 * 1024;

/// The most requests in flight on one HTTP/2 connection. RFC 9113 advises at least 100. Twice that
/// keeps a busy backend with a single channel from queueing on its side.
pub const HTTP2_CONCURRENT_STREAMS_MAX: u32 = 200;

/// How much a peer may send on one HTTP/2 stream before the server reads it. It is a quarter of the
/// connection's window, so that an upload that is not read for a while does not stop the others on
/// its connection.
pub const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// How much a peer may send on one HTTP/2 connection before the server reads it. It bounds the
/// memory of all uploads of a connection, and still carries 20 MB/s over a round trip of 50 ms.
pub const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// How much of a response one HTTP/2 stream buffers for a peer that reads slowly. With all streams
/// of a connection in use that makes 13 MB instead of the 80 MB of hyper's default.
pub const HTTP2_SEND_BUFFER_MAX_BYTES: usize = 64 * 1024;

/// The memory that a request counts for until its response is sent, without its head: its stream,
/// its future, and the buffer for its message.
pub const REQUEST_HELD_BYTES: usize = 8 * 1024;

/// The most memory of all requests in flight, without bodies and responses: enough for more than
/// ten thousand with common heads. Further requests are refused with 503.
pub const REQUESTS_IN_FLIGHT_MAX_BYTES: usize = 128 * 1024 * 1024;

/// The part of that, as a divisor, that one client may have once half of it is taken.
pub const REQUESTS_OF_CLIENT_PART: usize = 16;

/// How long an HTTP/2 connection may be idle when connections are scarce.
pub const HTTP2_IDLE_WHEN_SCARCE_MAX_MS: u64 = 10_000;

/// How often the server pings an HTTP/2 peer. A peer that vanished without closing (a suspended
/// laptop, a dropped NAT entry) would otherwise keep its slot forever. Pings also keep NAT entries
/// and load balancers alive, most of which give up after 60 s of silence or more.
pub const HTTP2_PING_INTERVAL_MS: u64 = 50_000;

/// How long an HTTP/2 peer may take to respond to a ping: long enough for a congested uplink, short
/// enough that a dead peer is gone after little more than a minute.
pub const HTTP2_PING_DEADLINE_MS: u64 = 20_000;

/// The most connections of the operator's address: some monitoring systems, and a person.
pub const OPERATIONS_CONNECTIONS_MAX: usize = 64;

/// The largest file of a certificate or a key: a chain has a few kilobytes.
pub const TLS_FILE_MAX_BYTES: u64 = 1024 * 1024;

/// The most bytes of a TLS connection that wait to be sent: two records.
pub const TLS_BUFFER_MAX_BYTES: usize = 32 * 1024;

/// How often the files of a certificate are compared with the current one. A replaced certificate
/// is in use after at most this time.
pub const TLS_RELOAD_INTERVAL_MS: u64 = 10_000;

/// The longest rest of an HTTP/1.1 body that is received before an early response is sent, also to
/// plain HTTP on a port with TLS: the largest size of most requests.
pub const LEFTOVER_MAX_BYTES: u64 = 64 * 1024;

/// How long an early response waits for that. A client that is sending needs a round trip or two.
pub const LEFTOVER_WAIT_MAX_MS: u64 = 200;

/// How long a call over HTTP/1.1 continues whose client has closed its sending side, while nothing
/// can be sent to it. Nearly every call ends within this, and its client may wait for the response.
/// Then the server assumes that the client has left.
pub const HALF_CLOSED_GRACE_MS: u64 = 2_000;

/// How long requests in flight may take to finish after the shutdown signal. Docker kills ten
/// seconds after its signal. With [`ABORT_GRACE_MS`] this leaves a second to close the stores.
pub const DRAIN_DEADLINE_MS: u64 = 8_000;

/// How long aborted requests may take to unwind. They need microseconds, unless one of them blocks
/// its thread, which must not keep the process from ending.
pub const ABORT_GRACE_MS: u64 = 1_000;

/// How long accepting pauses after an error of the process itself, such as having no file
/// descriptors left. An immediate retry would only burn the processor until a connection ends.
pub const ACCEPT_PAUSE_MS: u64 = 100;

/// The shortest interval of log lines about pauses in accepting, which peers that open many
/// connections can cause at will.
pub const ACCEPT_PAUSES_TOLD_INTERVAL_MS: u64 = 60_000;

/// The longest deadline of a request, whatever its client requests, because a request holds memory
/// and possibly a database connection until it ends.
pub const REQUEST_DEADLINE_MAX_MS: u64 = 30_000;

/// The longest body of a REST request. The largest legitimate one is a submission that chooses all
/// options that can be published, each with a text. It is as large as a message of gRPC.
pub const REST_BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

/// The most bytes of requests that the process stores at the same time, from their arrival until
/// their calls are answered: 64 of the largest messages. Further calls are refused, not queued,
/// because a queue would hold their first bytes. One tenant's calls take at most half of it.
pub const RECEIVE_BUDGET_BYTES: usize = 256 * 1024 * 1024;

/// The limits that [`serve`](super::serve) takes as values, because tests need short ones and
/// operators may need others. The defaults are the constants of this module.
#[derive(Clone, Debug)]
pub struct Limits {
    /// See [`CONNECTIONS_MAX`].
    pub connections_max: usize,
    /// See [`CONNECTIONS_PER_CLIENT_MAX_WHEN_SCARCE`].
    pub connections_per_client_max_when_scarce: usize,
    /// See [`HTTP2_IDLE_WHEN_SCARCE_MAX_MS`].
    pub http2_idle_max_when_scarce: Duration,
    /// The networks of proxies that are trusted to name the client of a request.
    pub trusted_proxies: Arc<[Network]>,
    /// See [`OPENING_DEADLINE_MS`].
    pub opening_deadline: Duration,
    /// See [`ANSWER_STALL_MAX_MS`].
    pub answer_stall_max: Duration,
    /// See [`HTTP2_ANSWER_STALL_MAX_MS`].
    pub http2_answer_stall_max: Duration,
    /// See [`DRAIN_DEADLINE_MS`].
    pub drain_deadline: Duration,
    /// Counts connections.
    pub meter: Connections,
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
            meter: Connections::default(),
        }
    }
}
