//! What the operator decides. Every flag is also an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use data_encoding::BASE64;

use crate::app::{Checkpoints, Location};
use crate::domain::error::{Error, Result};
use crate::domain::panelist_key::KeyRing;
use crate::net::Network;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct Database {
    /// The database: `sqlite://FILE`, a file that one server owns, or `postgres://USER@HOST/NAME`,
    /// which several servers may share.
    #[arg(
        long = "database",
        env = "SCREENERD_DATABASE",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite://screenerd.db",
        value_parser = Location::parse,
        global = true
    )]
    pub location: Location,
}

/// What `serve` needs.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// The address that all protocols share. Port 0 takes a free port and prints it. Traffic is
    /// not encrypted: put a proxy that speaks TLS and HTTP/2 in front of anything but loopback.
    #[arg(
        long,
        env = "SCREENERD_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// The database: `sqlite://FILE` or `postgres://USER@HOST/NAME`. With --demo and without this, a
    /// throw-away file is used.
    #[arg(
        long,
        env = "SCREENERD_DATABASE",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Location::parse
    )]
    pub database: Option<Location>,

    /// Who truncates the write-ahead log of a `sqlite://` database: `own` is this server, `external`
    /// a tool that replicates the log, such as Litestream.
    #[arg(
        long,
        env = "SCREENERD_WAL",
        value_name = "own|external",
        default_value = "own",
        value_parser = Checkpoints::parse
    )]
    pub wal: Checkpoints,

    /// What every handed-out link begins with; as participants reach this server. Links that were
    /// handed out keep the address they were made with. Without it: `http://ADDRESS`.
    #[arg(long, env = "SCREENERD_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// An origin such as `https://app.example.com` whose pages may call gRPC-Web, Connect and
    /// `/public/surveys/` from a browser. Repeat it for several; the variable separates them by
    /// commas. Without it no page of another origin may.
    #[arg(
        long = "cors-origin",
        env = "SCREENERD_CORS_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = origin
    )]
    pub cors_origins: Vec<String>,

    /// A network, such as `10.0.0.0/8`, or an address of proxies that say in `X-Forwarded-For` or
    /// `Forwarded` which client they forward a request of. They get as many connections as they
    /// need, and what is counted by address is counted by that client. Repeat it for several; the
    /// variable separates them by commas.
    #[arg(
        long = "trusted-proxy",
        env = "SCREENERD_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<Network>,

    /// Starts on the documented example data. Its keys are public, so this refuses an address
    /// that others can reach and a database that holds anything.
    #[arg(long, env = "SCREENERD_DEMO", value_parser = FalseyValueParser::new())]
    pub demo: bool,

    /// The secret that seals panelist keys: 64 bytes in base64. Without it the database keeps one.
    /// Changing it makes every panelist key that was handed out unknown. Prefer the file: other
    /// users of the machine can read the command line.
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

fn public_url(text: &str) -> Result<String, String> {
    let uri: http::Uri = text.parse().map_err(|_| "It is not a URL.".to_owned())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none() || uri.query().is_some() {
        return Err("It is http:// or https://, a host, and perhaps a path.".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// An origin as browsers send it: in lower case, without a path.
fn origin(text: &str) -> Result<String, String> {
    let refused = || "It is http:// or https://, a host, and perhaps a port.".to_owned();
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
    /// The secret of panelist keys, if the operator gave one.
    pub fn panelist_secret(&self) -> Result<Option<[u8; KeyRing::SECRET_BYTES]>> {
        let text = match (&self.panelist_key, &self.panelist_key_file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => std::fs::read_to_string(path).map_err(|error| {
                Error::invalid_field("panelist-key-file", format!("{}: {error}", path.display()))
            })?,
            (None, None) => return Ok(None),
        };
        let refused = || Error::invalid_field("panelist-key", "It is 64 bytes in base64.");
        let bytes = BASE64.decode(text.trim().as_bytes()).map_err(|_| refused())?;
        bytes.try_into().map(Some).map_err(|_| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for bad in ["a.example", "ftp://a.example", "https://", "https://a.example/?q=1", ""] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
