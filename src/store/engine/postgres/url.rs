//! The URL of a database: its options, its name in errors, and the errors of connecting to it.

use std::net::IpAddr;
use std::str::FromStr as _;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::super::{cannot_open, driver_words};
use crate::domain::error::{Error, Kind, Result, io_cause};

fn parse_url(url: &str) -> Result<PgConnectOptions> {
    PgConnectOptions::from_str(url).map_err(|error| {
        Error::new(
            Kind::Unavailable,
            format!("cannot read the URL of the PostgreSQL database: {error}"),
        )
    })
}

/// Parses a URL, and refuses modes of TLS that the driver does not have as PostgreSQL's own clients
/// have them: it takes an unknown `PGSSLMODE` for `prefer` and `allow` for `disable`, and under
/// `verify-ca` accepts any certificate of any authority that browsers know.
pub(super) fn read_url(url: &str) -> Result<PgConnectOptions> {
    let options = parse_url(url)?;
    let options = match options.get_host().trim_matches(['[', ']']).to_owned() {
        host if host == options.get_host() => options,
        host => options.host(&host),
    };
    let refused = |why: String| Err(cannot_open(name_of(&options), why));
    let is_named = parameter(url, "sslmode").or(parameter(url, "ssl-mode")).is_some();
    let mode = std::env::var("PGSSLMODE").ok().filter(|_| !is_named);
    if let Some(mode) = mode.filter(|mode| PgSslMode::from_str(mode).is_err()) {
        return refused(format!("PGSSLMODE is {mode}, and must be {MODES}"));
    }
    if let PgSslMode::Allow | PgSslMode::VerifyCa = options.get_ssl_mode() {
        return refused(format!("sslmode must be {MODES}"));
    }
    if let Some(file) = parameter(url, "sslrootcert")
        && let Err(error) = std::fs::metadata(&file)
    {
        let why = io_cause(&error);
        return refused(format!("the authority {file} of sslrootcert cannot be read: {why}"));
    }
    Ok(options)
}

const MODES: &str = "disable, prefer, require or verify-full";

/// Returns a parameter of a URL.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    percent_encoding::percent_decode_str(value).decode_utf8().ok().map(Into::into)
}

/// Returns a server on another machine whose identity is not verified, unless the operator has
/// chosen to go without TLS.
pub(in crate::store::engine) fn unverified_server(url: &str) -> Option<String> {
    let options = read_url(url).ok()?;
    let host = options.get_host();
    let is_here = host.parse::<IpAddr>().map_or(host == "localhost", |host| host.is_loopback());
    let is_decided = matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::VerifyFull);
    let is_open = options.get_socket().is_none() && !is_here && !is_decided;
    is_open.then(|| place(&options))
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
