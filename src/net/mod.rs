//! Connections: accepting, bounding and ending them, and choosing a transport for each request.
//!
//! One port serves HTTP/1.1 and HTTP/2, over TLS if it has a certificate, and in clear text with
//! prior knowledge otherwise. [`serve`] owns the accept loop. [`Dispatch`] combines the services behind it, and [`Cors`] decides which pages of
//! other origins may call one of them.
//!
//! # Invariants
//!
//! - Everything that a peer can make grow has a named limit in [`limits`].
//! - A response without progress ends: its connection if the socket takes nothing, its stream if
//!   the peer keeps its HTTP/2 window shut. Progress means bytes taken, and is only measured while
//!   bytes wait. A slow reader is served for as long as it keeps reading, unless its response is
//!   charged and it takes less than the required pace.
//! - Once half of the connections are taken, one address gets few of them, and those of HTTP/1.1
//!   are not kept alive.
//! - The charge of a response is released once the connection has taken all of it. On HTTP/1.1 the
//!   body itself may be dropped earlier, while hyper holds the last slices, 80 KiB at most.
//! - A peer that has not opened within the opening deadline is disconnected, regardless of the
//!   protocol.
//! - After the shutdown signal no connection is accepted, requests in flight may finish, and
//!   [`serve`] returns within the drain deadline plus the abort grace, whatever peers and handlers
//!   do.
//! - When [`serve`] returns, no request is being handled any more, unless its handler blocks a
//!   thread or has spawned work of its own.
//! - A client that closes its sending side may still wait for its response. It gets the response,
//!   unless nothing can be sent to it for the grace of [`limits`].
//! - A panic ends at most the request (HTTP/2) or the connection (HTTP/1.1) in which it happened.
//! - Nothing in here knows the purpose of requests. Of this crate it uses the budget of responses and
//!   the meter only.
//!
//! # Deliberately absent
//!
//! - Upgrades and `CONNECT`: nothing here supports WebSocket.
//! - The deadline of a request and the size of its body: this module names the limits, but the
//!   transports enforce them, because each refuses in its own format.
//! - A deadline for receiving a whole response: long transfers are legitimate.
//! - A maximum idle time of HTTP/2 connections: their peers respond to pings, and one address gets
//!   few connections when they are scarce.
//! - The peer's address as a request extension: it would cost an allocation for every request, and
//!   nothing behind this layer counts by address.

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
mod tls;

pub use address::Network;
pub use cors::Cors;
pub use dispatch::Dispatch;
pub use leftover::Leftovers;
pub use limits::Limits;
pub use listener::{Listener, Port};
pub use server::{Drained, serve};
pub use tls::{Pair, Tls, keep_current};
