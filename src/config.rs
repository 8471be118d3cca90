//! The options that the operator sets. Every flag is also an environment variable.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use data_encoding::BASE64;

use crate::app::{Checkpoints, Location};
use crate::domain::error::{Error, Kind, Result, io_cause};
use crate::domain::panelist_key::KeyRing;
use crate::net::Network;

/// Where the data is, for every command.
#[derive(Args, Clone, Debug)]
pub struct Database {
    /// The database: `sqlite://FILE`, a file that one server owns, or `postgres://USER@HOST/NAME`,
    /// an existing database that several servers may share. Without it: `sqlite://screenerd.db`;
    /// `serve --demo` then uses a temporary file.
    #[arg(
        long = "database",
        env = "SCREENERD_DATABASE",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Secret(Location::parse),
        global = true
    )]
    pub location: Option<Location>,

    /// A file that holds the URL of --database, so that no password is on the command line.
    #[arg(
        long = "database-file",
        env = "SCREENERD_DATABASE_FILE",
        value_name = "FILE",
        conflicts_with = "location",
        global = true
    )]
    pub location_file: Option<PathBuf>,
}

impl Database {
    /// Returns the place that was named, if any.
    pub fn named(self) -> Result<Option<Location>> {
        let Some(file) = self.location_file else { return Ok(self.location) };
        let url = read_secret(&file)?;
        // The parser does not repeat the URL, which may contain a password.
        Location::parse(url.trim()).map(Some).map_err(|why| unreadable(&file, &why))
    }

    /// Returns the place that was named, or the usual one.
    pub fn or_default(self) -> Result<Location> {
        let usual = || Location::Sqlite(PathBuf::from(DATABASE_DEFAULT));
        self.named().map(|named| named.unwrap_or_else(usual))
    }
}

/// The file of the database when none is named.
pub const DATABASE_DEFAULT: &str = "screenerd.db";

/// The options of `serve`.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// The address that all protocols share: `127.0.0.1:8080`, `localhost:8080`, or `:8080` for
    /// every address of this machine. Port 0 uses a free port and prints it. Without --tls-cert
    /// traffic is not encrypted: put a proxy that speaks TLS and HTTP/2 in front of anything but
    /// loopback.
    #[arg(
        long,
        env = "SCREENERD_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: Address,

    /// A second address, for the operator's tools: `/metrics`, `/livez`, `/readyz` and gRPC health,
    /// without credentials and without encryption. Use loopback or a private network. Without it,
    /// calls are not measured.
    #[arg(long, env = "SCREENERD_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub admin_listen: Option<Address>,

    /// A file with the certificate of this server in PEM, followed by its chain. The public port then
    /// speaks TLS. A changed file is used within 10 seconds, or at once after SIGHUP.
    #[arg(long, env = "SCREENERD_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// A file with the private key of --tls-cert in PEM.
    #[arg(long, env = "SCREENERD_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// The database, which is an option of every command. Without it: a throw-away file for a
    /// demo, else the usual one.
    #[arg(skip)]
    pub database: Option<Location>,

    /// Which program truncates the write-ahead log of a `sqlite://` database: `own` is this server.
    /// Choose `external` if a tool such as Litestream replicates the log.
    #[arg(
        long,
        env = "SCREENERD_WAL",
        value_name = "own|external",
        default_value = "own",
        value_parser = Checkpoints::parse
    )]
    pub wal: Checkpoints,

    /// The address of this server as participants reach it. New links start with it, and existing
    /// links keep their old address. Without it: `http://ADDRESS`, or `https://ADDRESS` with
    /// --tls-cert.
    #[arg(long, env = "SCREENERD_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// An origin such as `https://app.example.com` whose pages may call gRPC-Web, Connect and
    /// `/public/surveys/` from a browser. Repeat it for several; the variable separates them by
    /// commas. Without it, no other origin may call.
    #[arg(
        long = "cors-origin",
        env = "SCREENERD_CORS_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = origin
    )]
    pub cors_origins: Vec<String>,

    /// A network, such as `10.0.0.0/8`, or an address of proxies that set the client address in
    /// `X-Forwarded-For` or `Forwarded`. Limits per address then apply to that client, and the proxy
    /// itself may open as many connections as it needs. Repeat it for several; the variable separates them by
    /// commas.
    #[arg(
        long = "trusted-proxy",
        env = "SCREENERD_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<Network>,

    /// Serve the documented example data. Its keys are public, so this refuses an address that
    /// others can reach, and a database that is not empty.
    #[arg(long, env = "SCREENERD_DEMO", value_parser = flag)]
    pub demo: bool,

    /// The secret that seals panelist keys: 64 bytes in base64. Without it the database stores one.
    /// Changing it invalidates every panelist key that was issued. Prefer the file: other users of
    /// the machine can read the command line.
    #[arg(long, env = "SCREENERD_PANELIST_KEY", value_name = "BASE64", hide_env_values = true)]
    pub panelist_key: Option<String>,

    /// A file that holds the secret of --panelist-key.
    #[arg(
        long,
        env = "SCREENERD_PANELIST_KEY_FILE",
        value_name = "FILE",
        conflicts_with = "panelist_key"
    )]
    pub panelist_key_file: Option<PathBuf>,
}

/// An address to listen on or to ask: a host, whose name is looked up when it is needed, and a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    host: String,
    port: u16,
}

impl FromStr for Address {
    type Err = String;

    /// Reads a host or none, and a port.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || "Must be a host and a port, such as 127.0.0.1:8080.".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let port = port.parse().map_err(|_| refused())?;
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_part = |it: char| it.is_alphanumeric() || matches!(it, '.' | '-' | '_');
        let host = match inner {
            Some(inner) if inner.parse::<Ipv6Addr>().is_ok() => inner,
            None if host.is_empty() => EVERYWHERE,
            None if host.chars().all(is_part) => host,
            Some(_) | None => return Err(refused()),
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

/// The host of an address without one: every address of the machine.
const EVERYWHERE: &str = "0.0.0.0";

impl Address {
    /// The host, which may be a name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Looks the host up. Of several addresses, the first of IPv4 is taken.
    pub fn resolve(&self) -> Result<SocketAddr> {
        let Self { host, port } = self;
        let found = (host.as_str(), *port).to_socket_addrs().map(Iterator::collect);
        let mut found: Vec<SocketAddr> = found.unwrap_or_default();
        found.sort_by_key(SocketAddr::is_ipv6);
        let unknown = || Error::new(Kind::Unavailable, format!("cannot resolve {host}"));
        found.first().copied().ok_or_else(unknown)
    }
}

/// Reads a flag of its variable.
pub fn flag(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("Must be true, false, 1 or 0.".into()),
    }
}

/// Parses a value that may contain a password. Unlike clap's, its error does not repeat the value.
#[derive(Clone)]
pub(crate) struct Secret<T>(pub(crate) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Secret<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let parsed = value.to_str().ok_or_else(|| "Must be UTF-8.".to_owned()).and_then(self.0);
        parsed.map_err(|why| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            let text = format!("invalid value for '{name}': {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let uri: http::Uri = text.parse().map_err(|_| "Must be a URL.".to_owned())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none() || uri.query().is_some() || text.contains(['#', '@']) {
        return Err("Must be http:// or https://, a host, and optionally a path.".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// An origin as browsers send it: in lower case, without a path.
fn origin(text: &str) -> Result<String, String> {
    let refused = || "Must be http:// or https://, a host, and optionally a port.".to_owned();
    let uri: http::Uri = text.parse().map_err(|_| refused())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(refused());
    };
    if !is_web || authority.as_str().contains('@') || uri.path() != "/" || uri.query().is_some() {
        return Err(refused());
    }
    Ok(format!("{scheme}://{authority}").to_ascii_lowercase())
}

impl Serve {
    /// Refuses options that exclude each other, before anything is opened.
    pub fn check(&self) -> Result<()> {
        let is_postgres = matches!(self.database, Some(Location::Postgres(_)));
        if self.wal == Checkpoints::External && is_postgres {
            let reason = "For a sqlite:// database only. Leave it out.";
            return Err(Error::invalid_field("--wal external", reason));
        }
        if let Some(text) = &self.panelist_key {
            panelist_secret("--panelist-key", text)?;
        }
        if self.demo && !self.listen.resolve()?.ip().is_loopback() {
            let reason = "The keys of --demo are public: it listens on loopback only.";
            return Err(Error::invalid_field("--listen", reason));
        }
        Ok(())
    }

    /// The secret of panelist keys, if the operator gave one.
    pub fn panelist_secret(&self) -> Result<Option<[u8; KeyRing::SECRET_BYTES]>> {
        match (&self.panelist_key, &self.panelist_key_file) {
            (Some(text), _) => panelist_secret("--panelist-key", text).map(Some),
            (None, Some(path)) => {
                let given_as = format!("--panelist-key-file {}", path.display());
                panelist_secret(&given_as, &read_secret(path)?).map(Some)
            }
            (None, None) => Ok(None),
        }
    }
}

/// The largest file of a secret or a URL. A device such as `/dev/zero` never ends.
const SECRET_FILE_MAX_BYTES: u64 = 64 * 1024;

/// Reads the file of a secret, which may also be a pipe.
fn read_secret(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = File::open(path)
        .and_then(|file| file.take(SECRET_FILE_MAX_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| unreadable(path, &io_cause(&error)))?;
    if text.len() as u64 > SECRET_FILE_MAX_BYTES {
        return Err(unreadable(path, &format!("it has more than {SECRET_FILE_MAX_BYTES} bytes")));
    }
    Ok(text)
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::new(Kind::Unavailable, format!("cannot read {}: {why}", path.display()))
}

fn panelist_secret(given_as: &str, text: &str) -> Result<[u8; KeyRing::SECRET_BYTES]> {
    let bytes = BASE64.decode(text.trim().as_bytes()).ok();
    let secret = bytes.and_then(|bytes| bytes.try_into().ok());
    secret.ok_or_else(|| {
        let reason = format!("Must be {} bytes in base64.", KeyRing::SECRET_BYTES);
        Error::invalid_field(given_as, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_or_none_and_a_port() {
        for (text, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:8080", "127.0.0.1:8080"),
            (":8080", "0.0.0.0:8080"),
            ("[::1]:0", "[::1]:0"),
        ] {
            let address: Address = text.parse().expect("an address");
            let resolved = address.resolve().expect("it is known");
            assert_eq!(resolved.to_string(), expected, "{text}");
        }
        for bad in
            ["", "8080", "localhost", ":", ":http", "127.0.0.1:65536", "no host:80", "::1:80"]
        {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        assert_eq!(origin("https://App.example"), Ok("https://app.example".into()));
        assert_eq!(origin("http://127.0.0.1:5173/"), Ok("http://127.0.0.1:5173".into()));
        for bad in ["*", "null", "", "app.example", "https://a.example/x", "https://u@a.example"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_is_a_web_address_without_a_query() {
        assert_eq!(public_url("https://a.example/x/"), Ok("https://a.example/x".into()));
        for bad in [
            "a.example",
            "ftp://a.example",
            "https://",
            "https://a.example/?q=1",
            "https://a.example/x#f",
            "https://user:word@a.example",
            "",
        ] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
