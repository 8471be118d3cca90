//! The listening socket of the server, and the limit of open files for its connections.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::domain::error::{Error, Kind, Result, io_cause};
use crate::net::limits;

/// Raises the soft limit of open files to the hard limit: each connection needs one file, and the
/// databases need some, too. The usual soft limit of 1024 is a relic of `select`.
pub(super) fn allow_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(error.internal = %error, "cannot raise the limit of open files");
    }
}

/// Listens with a backlog as long as the list of connections. With a shorter one, many clients that
/// connect at once would get resets. `flag` is the option that names the address.
pub(super) fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let backlog = u32::try_from(limits::CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let listening = socket.and_then(|socket| {
        // A restart must not wait until the connections of the last run have expired.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(backlog)
    });
    listening.map_err(|error| {
        let known = [
            (ErrorKind::AddrInUse, "the address is in use"),
            (ErrorKind::AddrNotAvailable, "this machine does not have the address"),
            (ErrorKind::PermissionDenied, "this user may not use the port"),
        ];
        let why = known.iter().find(|(kind, _)| *kind == error.kind());
        let why = why.map_or_else(
            || io_cause(&error),
            |(_, why)| format!("{why}. Name another one with {flag}."),
        );
        Error::new(Kind::Unavailable, format!("cannot listen on {address}: {why}"))
    })
}

/// Listens on the operator's address, which is another one than the public address.
pub(super) fn listen_for_operator(public: SocketAddr, address: SocketAddr) -> Result<TcpListener> {
    let is_everywhere = public.ip().is_unspecified() || address.ip().is_unspecified();
    if address.port() == public.port() && (is_everywhere || address.ip() == public.ip()) {
        let why =
            format!("--admin-listen: {address} is the address of --listen. Name another port.");
        return Err(Error::new(Kind::Unavailable, why));
    }
    listen(address, "--admin-listen")
}
