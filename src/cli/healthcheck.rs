//! `healthcheck`

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::{Failure, output};
use crate::{client, config};

/// A container's runtime asks again anyway.
const DEADLINE_SECONDS: u64 = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address that the server listens on.
    #[arg(
        long,
        env = "SCREENERD_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        value_parser = config::address
    )]
    listen: SocketAddr,
}

pub(super) async fn run(args: Args, as_json: bool) -> Result<(), Failure> {
    let mut address = args.listen;
    if address.ip().is_unspecified() {
        // A server that listens on every address is reached on loopback.
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let deadline = Duration::from_secs(DEADLINE_SECONDS);
    let failed = |why: &str| Err(Failure(format!("{address} {why}")));
    match tokio::time::timeout(deadline, client::is_serving(address)).await {
        Ok(Ok(true)) if as_json => {
            output::print_json(&json!({ "address": address.to_string(), "isReady": true }))
        }
        Ok(Ok(true)) => output::print_line(&format!("{address} is ready.")),
        Ok(Ok(false)) => failed("is not ready: the server starts or stops."),
        Ok(Err(error)) => failed(&format!("does not respond: {error}")),
        Err(_) => failed(&format!("did not respond within {DEADLINE_SECONDS} seconds.")),
    }
}
