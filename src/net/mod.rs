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
//! - A peer that does not say what it wants within the opening deadline is disconnected, whichever
//!   protocol it began to speak and however far it came.
//! - Once shutdown is asked for, nothing is accepted any more, requests in flight may finish, and
//!   [`serve`] returns within the drain deadline plus the abort grace, whatever peers and handlers
//!   do.
//! - When [`serve`] returns, no request is being handled any more, unless its handler
//!   blocks a thread or has spawned work of its own.
//! - A panic ends at most the request (HTTP/2) or the connection (HTTP/1.1) it happened in.
//! - Nothing in here knows what the requests are about; no other module of this crate is mentioned.
//!
//! # Deliberately absent
//!
//! - TLS, for now: a proxy terminates it, or the port stays private.
//! - Upgrades and `CONNECT`: nothing here speaks WebSocket.
//! - The deadline of a request and the size of its body: their limits are named here, but
//!   the transports enforce them, because each has its own words for refusing.
//! - A deadline for taking a response: a slow reader occupies its slot and one send buffer, and
//!   long transfers are legitimate. Pings and the kernel find out when it is gone.
//! - The peer's address as a request extension: it would cost every request an allocation,
//!   and behind a proxy it is the proxy's address.

pub mod cors;
pub mod dispatch;
pub mod limits;
pub mod server;

mod connection;
mod listener;

pub use cors::Cors;
pub use dispatch::{Dispatch, RpcPath};
pub use limits::Limits;
pub use listener::Listener;
pub use server::{Drained, serve, serve_within};
