//! The URL of a database: its options, its name in errors, and the errors of connecting to it.

use std::net::IpAddr;
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

/// Parses a URL. Refuses an unknown `PGSSLMODE`, which the driver would silently treat as `prefer`.
pub(super) fn read_url(url: &str) -> Result<PgConnectOptions> {
    let options = parse_url(url)?;
    let mode = std::env::var("PGSSLMODE").ok().filter(|it| PgSslMode::from_str(it).is_err());
    let Some(mode) = mode else { return Ok(options) };
    let modes = "disable, allow, prefer, require, verify-ca or verify-full";
    let why = format!("PGSSLMODE is {mode}, and must be {modes}");
    Err(cannot_open(name_of(&options), why))
}

/// Warns of a server on another machine whose identity is not verified, unless the operator has
/// chosen to go without TLS.
pub(super) fn warn_of_unverified(options: &PgConnectOptions) {
    let host = options.get_host();
    let address = host.parse::<IpAddr>();
    let is_here = address.map_or(host == "localhost", |address| address.is_loopback());
    let is_decided = match options.get_ssl_mode() {
        PgSslMode::Disable | PgSslMode::VerifyFull => true,
        PgSslMode::Allow | PgSslMode::Prefer | PgSslMode::Require | PgSslMode::VerifyCa => false,
    };
    if options.get_socket().is_none() && !is_here && !is_decided {
        tracing::warn!(
            "the identity of PostgreSQL at {} is not verified: set sslmode=verify-full, or \
             sslmode=disable on a network that you trust",
            place(options)
        );
    }
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
