//! `serve`

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, output};
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
    let banner = banner(&running, is_demo).await?;
    // On a thread of its own, and whether it can be printed or not: a reader of the standard output
    // that has gone or stands still must not keep the server from serving or from stopping.
    let printing = std::thread::Builder::new().name("banner".into());
    let _ = printing.spawn(move || output::print_line(&banner));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(())
}

async fn banner(running: &Running, is_demo: bool) -> Result<String, Failure> {
    let address = running.address();
    let mut text = format!("screenerd {} listens on {address}", env!("CARGO_PKG_VERSION"));
    if is_demo {
        text.push('\n');
        text.push_str(DEMO_LINES.replace("{}", &address.to_string()).trim_end());
    } else if running.is_empty().await? {
        text.push_str(
            "\n\nThere is no tenant yet. These two commands make one, and a key for it:\n\
             \n  screenerd tenants create \"My team\" --id acct_my_team\
             \n  screenerd keys create --tenant acct_my_team --kind service",
        );
    }
    Ok(text)
}
