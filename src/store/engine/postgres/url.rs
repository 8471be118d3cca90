//! The URL of a database: its options, its name in errors, and the errors of connecting to it.

use std::str::FromStr as _;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::super::{cannot_open, driver_words};
use crate::domain::error::{Error, Kind, Result};

fn parse_url(url: &str) -> Result<PgConnectOptions> {
    PgConnectOptions::from_str(url).map_err(|error| {
        Error::new(
            Kind::Unavailable,
            format!("cannot read the URL of the PostgreSQL database: {error}"),
        )
    })
}

/// Parses a URL. Refuses an `sslmode` that requires TLS, which the driver is built without, and an
/// unknown `PGSSLMODE`, which the driver would silently treat as `prefer`.
pub(super) fn read_url(url: &str) -> Result<PgConnectOptions> {
    let options = parse_url(url)?;
    let mode = match options.get_ssl_mode() {
        PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer => {
            let mode = std::env::var("PGSSLMODE").ok();
            mode.filter(|mode| PgSslMode::from_str(mode).is_err())
        }
        PgSslMode::Require => Some("require".to_owned()),
        PgSslMode::VerifyCa => Some("verify-ca".to_owned()),
        PgSslMode::VerifyFull => Some("verify-full".to_owned()),
    };
    let Some(mode) = mode else { return Ok(options) };
    let why =
        format!("sslmode={mode} is not supported yet; use sslmode=prefer or disable, and a tunnel");
    Err(cannot_open(name_of(&options), why))
}

/// Returns the place of a server: host and port, or its socket.
fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

/// Returns the name, for errors, of the database of a URL.
pub(in crate::store::engine) fn name(url: &str) -> String {
    parse_url(url).map_or_else(|_| "the PostgreSQL database".to_owned(), |it| name_of(&it))
}

/// Returns a database's name for errors: its name, by default the user's, and its server.
pub(super) fn name_of(options: &PgConnectOptions) -> String {
    let name = options.get_database().unwrap_or_else(|| options.get_username());
    format!("the database \"{name}\" at {}", place(options))
}

/// PostgreSQL's code for a missing database, and its class for a refused login.
const NO_DATABASE: &str = "3D000";
const LOGIN_REFUSED: &str = "28";

/// Returns the error of a database that cannot be opened, with its name and the cause.
pub(super) fn not_opened(options: &PgConnectOptions, error: &sqlx::Error) -> Error {
    let (server, why) = (place(options), driver_words(error));
    let code = error.as_database_error().and_then(DatabaseError::code).unwrap_or_default();
    if code == NO_DATABASE {
        return cannot_open(name_of(options), "it does not exist");
    }
    let detail = if code.starts_with(LOGIN_REFUSED) {
        let user = options.get_username();
        format!("PostgreSQL at {server} refused the login of \"{user}\": {why}")
    } else {
        format!("cannot reach PostgreSQL at {server}: {why}")
    };
    Error::new(Kind::Unavailable, detail)
}
