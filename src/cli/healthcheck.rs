//! `healthcheck`

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::failure::Failure;
use super::output;
use crate::client;
use crate::config::Address;

/// A container's runtime repeats the check anyway.
const DEADLINE_SECONDS: u64 = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address that the server listens on. A server with --tls-cert is checked on its
    /// --admin-listen, because its public port speaks TLS.
    #[arg(
        long,
        env = "SCREENERD_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    listen: Address,

    /// The operator's address of the server, which is checked instead if it is set.
    #[arg(long, env = "SCREENERD_ADMIN_LISTEN", value_name = "ADDRESS")]
    admin_listen: Option<Address>,
}

pub(super) async fn run(args: Args, as_json: bool) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(DEADLINE_SECONDS);
    let listen = args.admin_listen.unwrap_or(args.listen);
    let mut address = resolve(listen, deadline).await?;
    if address.ip().is_unspecified() {
        // A server that listens on every address can be reached on loopback.
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let failed = |why: &str| Err(Failure::new(format!("{address} {why}")));
    match tokio::time::timeout_at(deadline, client::is_serving(address)).await {
        Ok(Ok(true)) if as_json => {
            output::print_json(&json!({ "address": address.to_string(), "isReady": true }))
        }
        Ok(Ok(true)) => output::print_line(&format!("{address} is ready.")),
        Ok(Ok(false)) => failed("is not ready: the server starts or stops."),
        // A server with TLS responds to a plain greeting, but not as HTTP/2.
        Ok(Err(_)) if speaks_tls(address, deadline).await => {
            failed("speaks TLS: name the operator's address of the server with --admin-listen.")
        }
        Ok(Err(error)) => failed(&format!("does not respond: {error}")),
        Err(_) => failed(&format!("did not respond within {DEADLINE_SECONDS} seconds.")),
    }
}

/// Returns whether the server responds to plain HTTP with the sentence of a port that speaks TLS.
async fn speaks_tls(address: SocketAddr, deadline: Instant) -> bool {
    let asked = async {
        let mut socket = TcpStream::connect(address).await?;
        socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
        let mut response = String::new();
        socket.read_to_string(&mut response).await?;
        io::Result::Ok(response.contains("This port speaks TLS."))
    };
    matches!(tokio::time::timeout_at(deadline, asked).await, Ok(Ok(true)))
}

/// Resolves the host on a detached thread, because that may take longer than the deadline.
async fn resolve(listen: Address, deadline: Instant) -> Result<SocketAddr, Failure> {
    let late =
        Failure::new(format!("cannot resolve {} within {DEADLINE_SECONDS} seconds", listen.host()));
    let (found, resolved) = oneshot::channel();
    let thread = std::thread::Builder::new().name("resolve".into());
    // If the thread does not start, its end of the channel is dropped.
    let _ = thread.spawn(move || found.send(listen.resolve()));
    match tokio::time::timeout_at(deadline, resolved).await {
        Ok(Ok(address)) => Ok(address?),
        Ok(Err(_)) | Err(_) => Err(late),
    }
}
