//! Connections: accepting them, bounding them, ending them, and choosing a transport for each
//! request.
//!
//! One port speaks HTTP/1.1 and HTTP/2 with prior knowledge, both in clear text. [`serve`] owns the
//! accept loop; [`Dispatch`] puts the services behind it as one service, and [`Cors`] says which pages
//! of other origins may call one of them.
//!
//! # Invariants
//!
//! - Whatever a peer can make grow has a named limit, and all of them stand in [`limits`].
//! - An answer that makes no progress ends: its connection if the socket takes nothing, its stream if
//!   the peer keeps the window of HTTP/2 shut. Progress is bytes that are taken, and is judged only
//!   while bytes wait. A slow reader that goes on reading is served for as long as it needs, unless its
//!   answer is charged and it takes less than the pace that is asked for then.
//! - Once half of the connections are taken, one address gets few of them, and those of HTTP/1.1 are
//!   not kept alive.
//! - What an answer is charged is returned once the connection has taken all of it. The body itself
//!   may be gone before on HTTP/1.1, while hyper holds the last slices, 80 KiB at most.
//! - A peer that does not say what it wants within the opening deadline is disconnected, whichever
//!   protocol it began to speak and however far it came.
//! - Once shutdown is asked for, nothing is accepted any more, requests in flight may finish, and
//!   [`serve`] returns within the drain deadline plus the abort grace, whatever peers and handlers
//!   do.
//! - When [`serve`] returns, no request is being handled any more, unless its handler
//!   blocks a thread or has spawned work of its own.
//! - A client that closes its sending side may wait for its answer or may have left; a socket shows no
//!   difference. It is answered, unless nothing can be sent to it for the grace of [`limits`].
//! - A panic ends at most the request (HTTP/2) or the connection (HTTP/1.1) it happened in.
//! - Nothing in here knows what the requests are about; no other module of this crate is mentioned.
//!
//! # Deliberately absent
//!
//! - TLS, for now: a proxy terminates it, or the port stays private.
//! - Upgrades and `CONNECT`: nothing here speaks WebSocket.
//! - The deadline of a request and the size of its body: their limits are named here, but
//!   the transports enforce them, because each has its own words for refusing.
//! - A deadline for taking a whole response: long transfers are legitimate.
//! - A limit of the time that an HTTP/2 connection without a request may last: it answers pings, and
//!   one address gets few connections when they are scarce.
//! - The peer's address as a request extension: it would cost every request an allocation, and nothing
//!   behind this layer counts by address.

pub mod cors;
pub mod dispatch;
pub mod limits;
pub mod server;

mod address;
mod answer;
mod connection;
mod forwarded;
mod http1;
mod in_flight;
mod leftover;
mod listener;
mod places;
mod progress;
mod refusal;
mod socket;

pub use address::Network;
pub use cors::Cors;
pub use dispatch::Dispatch;
pub use leftover::Leftovers;
pub use limits::Limits;
pub use listener::Listener;
pub use server::{Drained, serve};
