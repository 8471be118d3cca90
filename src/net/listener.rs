//! The accept loop's view of a listening socket.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use super::limits;
use super::tls::Tls;

/// A source of connections. Dropping it must refuse further connections.
pub trait Listener: Send + 'static {
    /// One connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection, and returns it with its peer's address, if sockets of this
    /// kind have one. The future may be dropped at any await point without losing a connection,
    /// because the accept loop waits for other events at the same time.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Option<IpAddr>)>> + Send;

    /// Returns the certificate, if its connections are encrypted.
    fn tls(&self) -> Option<Arc<Tls>> {
        None
    }
}

/// A listening socket, whose connections are encrypted if it has a certificate.
#[derive(Debug)]
pub struct Port {
    /// The socket.
    pub listener: TcpListener,
    /// The certificate.
    pub tls: Option<Arc<Tls>>,
}

impl Listener for Port {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        Listener::accept(&mut self.listener).await
    }

    fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        let sockets = SockRef::from(&stream);
        let lowat = sockets.set_tcp_notsent_lowat(limits::TCP_UNSENT_MAX_BYTES);
        if let Err(error) = lowat {
            tracing::debug!(%error, "cannot bound what the kernel holds for the peer");
        }
        // Responses are written whole. Without this option the kernel would only delay their last
        // segment until the peer's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            // Some systems refuse it on a socket that is already reset. The first read fails then.
            tracing::debug!(%error, "cannot disable Nagle's algorithm");
        }
        Ok((stream, Some(peer.ip())))
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Io = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<(tokio::net::UnixStream, Option<IpAddr>)> {
        let (stream, _peer) = tokio::net::UnixListener::accept(self).await?;
        Ok((stream, None))
    }
}
