//! `healthcheck`

use std::net::SocketAddr;
use std::time::Duration;

use super::Failure;
use crate::client;

/// A container's runtime asks again anyway.
const DEADLINE_SECONDS: u64 = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address that the server listens on.
    #[arg(
        long,
        env = "SCREENERD_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let mut address = args.listen;
    if address.ip().is_unspecified() {
        // A server that listens on every address is reached on loopback.
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let deadline = Duration::from_secs(DEADLINE_SECONDS);
    match tokio::time::timeout(deadline, client::is_serving(address)).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(Failure(format!("{address} is not ready"))),
        Ok(Err(error)) => Err(Failure(format!("{address} does not answer: {error}"))),
        Err(_) => Err(Failure(format!("{address} does not answer in time"))),
    }
}
