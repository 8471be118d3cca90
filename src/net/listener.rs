//! What the accept loop needs to know about a socket that listens.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A source of connections. Dropping it must refuse further ones.
pub trait Listener: Send + 'static {
    /// One connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection. The future may be dropped at any await point and must not
    /// lose a connection by it, because the accept loop waits for other events at the same time.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Io>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<TcpStream> {
        let (stream, _peer) = TcpListener::accept(self).await?;
        // Responses are written whole; Nagle's algorithm would only hold their last segment back
        // until the peer's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            // Some systems refuse it on a socket that is already reset; the first read will tell.
            tracing::debug!(%error, "cannot disable Nagle's algorithm");
        }
        Ok(stream)
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Io = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<tokio::net::UnixStream> {
        let (stream, _peer) = tokio::net::UnixListener::accept(self).await?;
        Ok(stream)
    }
}
