//! `serve`

use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::config::Serve;
use crate::serve::{self, Running};

/// The lines that `--demo` prints, `{}` standing for the address.
const DEMO_LINES: &str = include_str!("demo.txt");

pub(super) async fn run(config: Serve) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure(format!("signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let is_demo = config.demo;
    let running = serve::start(&config).await?;
    announce(&running, is_demo).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(())
}

async fn announce(running: &Running, is_demo: bool) -> Result<(), Failure> {
    let address = running.address();
    println!("screenerd {} listens on {address}", env!("CARGO_PKG_VERSION"));
    if is_demo {
        print!("{}", demo_lines(address));
    } else if running.is_empty().await? {
        println!(
            "\nThere is no tenant yet. These two commands make one, and a key for it:\n\
             \n  screenerd tenants create \"My team\" --id acct_my_team\
             \n  screenerd keys create --tenant acct_my_team --kind service"
        );
    }
    Ok(())
}

fn demo_lines(address: SocketAddr) -> String {
    DEMO_LINES.replace("{}", &address.to_string())
}
