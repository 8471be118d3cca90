//! The command line: one file per subcommand, each a thin caller of the use cases.

mod admin;
mod copy;
mod export;
mod failure;
mod generate;
mod healthcheck;
mod help;
mod import;
mod keys;
mod log;
mod output;
mod serve;
mod tenants;
mod version;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{FromArgMatches as _, Parser, Subcommand};
use failure::Failure;
use log::Log;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{Database, Serve};
use crate::domain::error::io_cause;

/// A self-hosted screener service: publications, sessions, typed answers and reviews over gRPC and
/// REST.
#[derive(Debug, Parser)]
#[command(name = "screenerd", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    database: Database,

    #[command(flatten)]
    printed: output::Printed,

    /// A filter for the log on the standard error output, such as info or screenerd=debug.
    #[arg(
        long,
        env = "SCREENERD_LOG",
        value_name = "FILTER",
        default_value = "info",
        value_parser = log_filter,
        global = true
    )]
    log: String,

    /// The format of the log.
    #[arg(long, env = "SCREENERD_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: log::Form,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve gRPC and REST on one address.
    Serve(Serve),
    /// Import an NDJSON file: all of it or nothing.
    Import(import::Args),
    /// Export the answers of a tenant as NDJSON, CSV or Parquet.
    Export(export::Args),
    /// Copy a whole database into an empty one, from SQLite to PostgreSQL or back.
    Copy(copy::Args),
    /// Create, list, disable and enable tenants.
    Tenants(tenants::Args),
    /// Create, list and revoke keys.
    Keys(keys::Args),
    /// Fill a database with example rows, for trials and benchmarks.
    Generate(generate::Args),
    /// Check whether a running server is ready; for containers.
    Healthcheck(healthcheck::Args),
    /// Print the version.
    Version,
}

impl Command {
    /// Returns the reason why a command ignores `--database`, if it does.
    fn without_database(&self) -> Option<&'static str> {
        match self {
            Self::Copy(_) => Some("copy requires --from and --to"),
            Self::Healthcheck(_) => Some("healthcheck opens no database"),
            Self::Version => Some("version opens no database"),
            Self::Serve(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::Tenants(_)
            | Self::Keys(_)
            | Self::Generate(_) => None,
        }
    }
}

/// Refuses `--database` on the command line of a command that ignores it. The variable may be set
/// for all commands, as in a container.
fn check_database(command: &Command, given: Option<ValueSource>) -> Result<(), Failure> {
    match command.without_database() {
        Some(why) if given == Some(ValueSource::CommandLine) => {
            Err(Failure::of_line(format!("--database: {why}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let matches = help::matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let log = match start_log(&cli) {
        Ok(log) => log,
        Err(error) => {
            // There is no other place to report it to.
            let _ = writeln!(io::stderr(), "screenerd: the log did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let why = format!("the runtime did not start: {}", io_cause(&error));
            return fail(&log, &Failure::new(why));
        }
    };
    let given = matches.value_source("location").max(matches.value_source("location_file"));
    if let Err(failure) = check_database(&cli.command, given) {
        return fail(&log, &failure);
    }
    let result = runtime.block_on(async {
        let (database, as_json) = (cli.database, cli.printed.as_json);
        match cli.command {
            Command::Serve(config) => {
                serve::run(Serve { database: database.named()?, ..config }).await
            }
            Command::Import(args) => import::run(args, &database.or_default()?, as_json).await,
            Command::Export(args) => export::run(args, &database.or_default()?, as_json).await,
            Command::Copy(args) => copy::run(args, as_json).await,
            Command::Tenants(args) => tenants::run(args, &database.or_default()?, as_json).await,
            Command::Keys(args) => keys::run(args, &database.or_default()?, as_json).await,
            Command::Generate(args) => generate::run(args, &database.or_default()?, as_json).await,
            Command::Healthcheck(args) => healthcheck::run(args, as_json).await,
            Command::Version => version::run(as_json),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&log, &failure),
    }
}

fn fail(log: &Log, Failure { text, code }: &Failure) -> ExitCode {
    if !text.is_empty() {
        log.queue().push(format!("screenerd: {}\n", output::printable_lines(text)).into_bytes());
    }
    ExitCode::from(*code)
}

/// Filters that apply unless the operator names these crates. The first ones warn of the behavior
/// of peers, such as bursts of resets, with which a stranger could fill the log. The last one logs
/// the notices of PostgreSQL at each start, such as that a table exists.
const QUIET: &str = "h2=error,hyper=error,hyper_util=error,sqlx::postgres::notice=warn";

/// Parses a filter. `tracing` would silently drop invalid parts, and take an unknown level for the
/// name of a crate, so that nothing is logged.
fn log_filter(text: &str) -> Result<String, String> {
    let is_level = |word: &str| word.is_empty() || word.parse::<LevelFilter>().is_ok();
    let is_ours = |word: &str| word.starts_with("screenerd") || word.contains(['=', '[', ':']);
    let stray = text.split(',').map(str::trim).find(|word| !is_level(word) && !is_ours(word));
    if let Some(word) = stray {
        return Err(format!(
            "{word} is not a level. Must be off, error, warn, info, debug or trace, or a crate and \
             its level, such as screenerd=debug."
        ));
    }
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| {
        "Must be a level, or crates and their levels, such as info,screenerd=debug. Levels are off, \
         error, warn, info, debug and trace."
            .to_owned()
    })
}

/// Returns the filter in use, given one that [`log_filter`] has accepted.
fn filter(log: &str) -> EnvFilter {
    // The driver would log the values of parameters that it does not know, such as a password.
    EnvFilter::new(format!("{QUIET},{log},sqlx_postgres::options=off"))
}

fn start_log(cli: &Cli) -> io::Result<Log> {
    let log = Log::to_stderr(cli.log_format)?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter(&cli.log))
        .with_ansi(io::stderr().is_terminal())
        // It would report a failure to the standard error output, and panic if that fails, too.
        .log_internal_errors(false)
        .with_writer(log.queue());
    match cli.log_format {
        log::Form::Text => logs.init(),
        log::Form::Json => logs.json().init(),
    }
    let queue = log.queue();
    std::panic::set_hook(Box::new(move |panic| queue.push_panic(panic)));
    Ok(log)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_filter_names_levels_and_crates_with_levels() {
        for good in ["info", "off", "WARN", "screenerd=debug", "info,h2=warn", "screenerd", "2", ""]
        {
            assert_eq!(log_filter(good), Ok(good.to_owned()), "{good}");
        }
        for bad in ["loud", "inf", "info,verbose", "h2=loud", "screenerd=debug=x", "[="] {
            assert!(log_filter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn peers_cannot_write_into_the_log_unless_the_operator_lets_them() {
        for (asked, expected) in [("info", false), ("debug", false), ("info,h2=warn", true)] {
            let log = Log::default();
            let writer = log.clone();
            let logs = tracing_subscriber::fmt()
                .with_env_filter(filter(asked))
                .with_writer(move || writer.clone())
                .finish();
            tracing::subscriber::with_default(logs, || {
                tracing::warn!(target: "h2::proto::streams", "too many resets");
                tracing::info!(target: "sqlx::postgres::notice", "it exists already");
                tracing::warn!(target: "screenerd", "our own");
            });
            let lines = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
            assert!(lines.contains("our own"), "{asked}");
            assert_eq!(lines.contains("too many resets"), expected, "{asked}");
            assert!(!lines.contains("it exists already"), "{asked}");
        }
    }
}
