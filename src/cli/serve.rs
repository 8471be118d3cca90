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

/// The lines that `--demo` prints; `{}` is replaced by the address.
const DEMO_LINES: &str = include_str!("demo.txt");
/// A questionnaire of the example data.
const DEMO_LINK: &str = "/s/onboarding-003-kim";

pub(super) async fn run(config: Serve) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot wait for signals: {}", io_cause(&error)))
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    config.check().map_err(Failure::of_options)?;
    // With a certificate, this signal has it read again.
    let ends_with_hangup = config.tls_cert.is_none();
    // A database that does not respond must not keep the server from stopping.
    let running = tokio::select! {
        running = serve::start(&config) => running,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
        _ = hangup.recv(), if ends_with_hangup => return Ok(()),
    };
    let running = running.map_err(|error| Failure::of(&error, &[], "cannot start"))?;
    let banner = banner(&running, &config).await?;
    // Detached, and a failure is ignored: a standard output that is closed or blocked must not keep
    // the server from serving or from stopping.
    let printing = std::thread::Builder::new().name("banner".into());
    let _ = printing.spawn(move || output::print_line(&banner));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv(), if ends_with_hangup => {}
    }
    running.stop().await;
    Ok(())
}

/// Returns the first line, which scripts read, and for a person on a terminal what the server serves
/// and what to do next. A demo prints its lines everywhere.
async fn banner(running: &Running, config: &Serve) -> Result<String, Failure> {
    let address = running.address();
    let mut text = format!("screenerd {} listens on {address}", env!("CARGO_PKG_VERSION"));
    let is_on_terminal = io::stdout().is_terminal();
    if config.demo || is_on_terminal {
        text += &overview(running, config);
    }
    if config.demo {
        text += &demo_hints(address, config.tls_cert.is_some());
    } else if is_on_terminal && running.is_empty().await? {
        text += &first_hints(running.location());
    }
    Ok(text)
}

/// Returns the address to open, the place of the data, and the protocols.
fn overview(running: &Running, config: &Serve) -> String {
    let mut address = running.address();
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let path = if config.demo { DEMO_LINK } else { "/" };
    let location = running.location();
    let bytes = location.file().and_then(|file| std::fs::metadata(file).ok()).map(|it| it.len());
    let size = bytes.map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
    let is_temporary = config.demo && config.database.is_none();
    let end = if is_temporary { ", deleted when the server stops" } else { "" };
    let links = config.public_url.as_ref().map(|url| format!("\n  links     {url}"));
    let metrics = running.admin_address();
    let metrics = metrics.map(|address| format!("\n  metrics   http://{address}/metrics"));
    let origins = config.cors_origins.join(", ");
    let browsers = (!origins.is_empty()).then(|| format!("\n  browsers  {origins}"));
    let scheme = if config.tls_cert.is_some() { "https" } else { "http" };
    format!(
        "\n  open      {scheme}://{address}{path}\n  database  {}{size}{end}\n  serves    \
         gRPC, gRPC-Web, Connect, REST, reflection, health{}{}{}",
        output::printable(&location.name()),
        links.unwrap_or_default(),
        metrics.unwrap_or_default(),
        browsers.unwrap_or_default(),
    )
}

/// Returns a size in the largest unit of which there is one.
fn size(bytes: u64) -> String {
    let (unit, name) = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        .into_iter()
        .find(|(unit, _)| bytes >= *unit)
        .unwrap_or((1, "bytes"));
    format!("{} {name}", bytes / unit)
}

/// Returns lines to paste, without verification of a certificate that tools may not know.
fn demo_hints(address: SocketAddr, is_encrypted: bool) -> String {
    let mut lines = DEMO_LINES.replace("{}", &address.to_string());
    if is_encrypted {
        for (plain, encrypted) in [
            ("http://", "https://"),
            ("curl -G", "curl -k -G"),
            ("curl https", "curl -k https"),
            ("-plaintext", "-insecure"),
            ("--http2-prior-knowledge", "--insecure"),
        ] {
            lines = lines.replace(plain, encrypted);
        }
    }
    format!("\n{}", lines.trim_end())
}

fn first_hints(database: &Location) -> String {
    let option = database_option(database);
    format!(
        "\n\nThe database has no tenant yet. Create a tenant and a key:\n\
         \n  screenerd tenants create \"My team\" --id acct_my_team{option}\
         \n  screenerd keys create --tenant acct_my_team --kind service{option}"
    )
}

/// Returns the option that selects the same database in a command. A PostgreSQL URL may contain a
/// password, so it is not printed.
fn database_option(database: &Location) -> String {
    match database {
        Location::Sqlite(path) => {
            let path = path.display().to_string().replace('\'', r"'\''");
            format!(" --database 'sqlite://{}'", output::printable(&path))
        }
        Location::Postgres(_) => " --database \"$SCREENERD_DATABASE\"".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_prints_lines_with_its_own_address() {
        let hints = demo_hints("127.0.0.1:4711".parse().expect("an address"), false);
        let is_call = |line: &&str| line.starts_with("curl") && !line.contains("{}");
        let calls: Vec<_> = hints.lines().filter(is_call).collect();
        assert!(!calls.is_empty() && calls.iter().all(|it| it.contains("http://127.0.0.1:4711/")));
    }

    #[test]
    fn the_lines_of_a_demo_with_tls_speak_tls() {
        let hints = demo_hints("127.0.0.1:4711".parse().expect("an address"), true);
        for plain in ["http://", "-plaintext", "prior-knowledge"] {
            assert!(!hints.contains(plain), "{plain}");
        }
        let lines = hints.lines().filter(|line| line.contains("127.0.0.1:4711"));
        let is_encrypted = |line: &&str| line.contains(" -k ") || line.contains("-insecure");
        assert_eq!(lines.filter(is_encrypted).count(), 6);
    }

    #[test]
    fn a_size_is_told_in_the_largest_unit() {
        for (bytes, text) in
            [(0, "0 bytes"), (4096, "4 KiB"), (1 << 20, "1 MiB"), (5 << 29, "2 GiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn the_demo_prints_six_lines_none_of_which_changes_what_the_readme_shows() {
        let lines: Vec<_> = DEMO_LINES.lines().filter(|line| line.contains("{}")).collect();
        assert_eq!(lines.len(), 6);
        assert!(lines.iter().all(|line| !line.contains(" -X ")), "{lines:?}");
        assert!(include_str!("../../README.md").contains(DEMO_LINK));
    }

    #[test]
    fn a_hint_names_the_database_and_no_password() {
        for (url, option) in [
            ("sqlite:///srv/a b.db", " --database 'sqlite:///srv/a b.db'"),
            ("sqlite://it's.db", r" --database 'sqlite://it'\''s.db'"),
            ("postgres://u:secret@h/n", " --database \"$SCREENERD_DATABASE\""),
        ] {
            let location = Location::parse(url).expect("a place");
            assert_eq!(database_option(&location), option);
        }
    }
}
