//! `serve`

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::output;
use crate::app::Location;
use crate::config::Serve;
use crate::domain::error::io_cause;
use crate::serve::{self, Running};

/// The lines that `--demo` prints, `{}` standing for the address.
const DEMO_LINES: &str = include_str!("demo.txt");

pub(super) async fn run(config: Serve) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot wait for signals: {}", io_cause(&error)))
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let is_demo = config.demo;
    config.check().map_err(Failure::of_options)?;
    let running = serve::start(&config).await;
    let running = running.map_err(|error| Failure::of(&error, &[], "cannot start"))?;
    let banner = banner(&running, is_demo, config.database.as_ref()).await?;
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

/// The line that scripts read, and what a person may want to do next: for a server that is no demo
/// on a terminal only, because elsewhere its lines stand among those of a log.
async fn banner(
    running: &Running,
    is_demo: bool,
    database: Option<&Location>,
) -> Result<String, Failure> {
    let address = running.address();
    let line = format!("screenerd {} listens on {address}", env!("CARGO_PKG_VERSION"));
    let hints = if is_demo {
        demo_hints(address)
    } else if io::stdout().is_terminal() && running.is_empty().await? {
        first_hints(database)
    } else {
        String::new()
    };
    Ok(line + &hints)
}

fn demo_hints(address: SocketAddr) -> String {
    format!("\n{}", DEMO_LINES.replace("{}", &address.to_string()).trim_end())
}

fn first_hints(database: Option<&Location>) -> String {
    let option = database_option(database);
    format!(
        "\n\nThere is no tenant yet. These two commands make one, and a key for it:\n\
         \n  screenerd tenants create \"My team\" --id acct_my_team{option}\
         \n  screenerd keys create --tenant acct_my_team --kind service{option}"
    )
}

/// What a command needs to find the same database. An address may hold a password, so a person puts
/// it in again.
fn database_option(database: Option<&Location>) -> String {
    match database {
        None => String::new(),
        Some(Location::Sqlite(path)) => {
            let path = path.display().to_string().replace('\'', r"'\''");
            format!(" --database 'sqlite://{path}'")
        }
        Some(Location::Postgres(_)) => " --database \"$SCREENERD_DATABASE\"".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_prints_lines_with_its_own_address() {
        let hints = demo_hints("127.0.0.1:4711".parse().expect("an address"));
        let is_call = |line: &&str| line.starts_with("curl") && !line.contains("{}");
        let calls: Vec<_> = hints.lines().filter(is_call).collect();
        assert!(!calls.is_empty() && calls.iter().all(|it| it.contains("http://127.0.0.1:4711/")));
    }

    #[test]
    fn lines_that_change_something_leave_what_the_readme_shows() {
        let readme = include_str!("../../README.md");
        let changing = DEMO_LINES.lines().filter(|line| line.contains(" -X "));
        let ids: Vec<_> = changing
            .map(|line| line.split(['/', ' ']).find(|part| part.starts_with("scses_")))
            .map(|id| id.expect("a session"))
            .collect();
        assert_eq!(ids.len(), 2);
        assert!(ids.iter().all(|id| !readme.contains(id)), "{ids:?}");
    }

    #[test]
    fn a_hint_names_the_database_and_no_password() {
        assert_eq!(database_option(None), "");
        for (url, option) in [
            ("sqlite:///srv/a b.db", " --database 'sqlite:///srv/a b.db'"),
            ("sqlite://it's.db", r" --database 'sqlite://it'\''s.db'"),
            ("postgres://u:secret@h/n", " --database \"$SCREENERD_DATABASE\""),
        ] {
            let location = Location::parse(url).expect("a place");
            assert_eq!(database_option(Some(&location)), option);
        }
    }
}
