//! TLS of a listener: certificate, key and handshakes, and their replacement while it serves.
//!
//! The files are compared by their bytes, because notifications of the file system miss the links
//! by which certificates are usually replaced. A pair that cannot be used never replaces one that
//! can.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error as TlsError, ServerConfig, ServerConnection};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::signal::unix::Signal;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::limits;

/// The first byte of a TLS connection: the type of the record with the client's greeting.
const HANDSHAKE: u8 = 0x16;

/// The response to a client that speaks plain HTTP.
const PLAIN_HTTP: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 36\r\nconnection: close\r\n\r\nThis port speaks TLS. Use https://.\n";

/// The files of a certificate and its key, both in PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate, followed by those of its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The certificate of a listener.
pub struct Tls {
    pair: Pair,
    current: Mutex<Loaded>,
    /// The sentence about the last pair that was refused, so that the log has it once.
    refused: Mutex<Option<String>>,
}

/// The bytes of both files.
type Bytes = [Vec<u8>; 2];

/// The digest of both files: the key itself is only kept where handshakes need it.
type Fingerprint = [[u8; 32]; 2];

struct Loaded {
    fingerprint: Fingerprint,
    config: Arc<ServerConfig>,
    not_after: Timestamp,
}

impl Pair {
    fn read(&self) -> Result<Bytes, String> {
        let read = |what: &str, path: &Path| {
            let why = |why: String| format!("cannot read the {what} {}: {why}", path.display());
            read_small(path).map_err(|error| why(error.to_string()))
        };
        Ok([read("certificate", &self.certificate)?, read("key", &self.key)?])
    }

    /// Checks a pair, and returns it ready for handshakes.
    fn load(&self, bytes: &Bytes, now: Timestamp) -> Result<Loaded, String> {
        let (file, key_file) = (self.certificate.display(), self.key.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes[0]).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| format!("{file} has no certificate in PEM"))?;
        let not_after = check_chain(&chain, now).map_err(|why| format!("{file} {why}"))?;
        let key = PrivateKeyDer::from_pem_slice(&bytes[1]);
        let is_encrypted = bytes[1].windows(9).any(|it| it == b"ENCRYPTED");
        let key = key.map_err(|_| {
            if is_encrypted {
                format!("the private key in {key_file} is encrypted: remove its passphrase")
            } else {
                format!("{key_file} has no private key in PEM")
            }
        })?;
        let refused = |error| {
            if let TlsError::InconsistentKeys(_) = error {
                return format!(
                    "the key in {key_file} does not belong to the certificate in {file}"
                );
            }
            format!("cannot use the certificate in {file} with {key_file}: {error}")
        };
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(refused)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(refused)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = ring::Ticketer::new().map_err(refused)?;
        Ok(Loaded { fingerprint: fingerprint(bytes), config: Arc::new(config), not_after })
    }
}

/// Reads a regular file of a bounded size. Another one, such as a FIFO, might never end.
fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let refused = |why: String| Err(io::Error::other(why));
    if !std::fs::metadata(path)?.is_file() {
        return refused("it is not a regular file".into());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limits::TLS_FILE_MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits::TLS_FILE_MAX_BYTES {
        return refused(format!("it has more than {} bytes", limits::TLS_FILE_MAX_BYTES));
    }
    Ok(bytes)
}

fn fingerprint(bytes: &Bytes) -> Fingerprint {
    bytes.each_ref().map(|file| Sha256::digest(file).into())
}

/// Returns when the first of the certificates ends. Fails if one has ended, or if the chain is out
/// of order.
fn check_chain(chain: &[CertificateDer<'_>], now: Timestamp) -> Result<Timestamp, String> {
    let mut ends = None;
    let mut issuer = None;
    for (at, bytes) in chain.iter().enumerate() {
        let number = at + 1;
        let unreadable = || format!("has an unreadable certificate (number {number})");
        let parsed = Certificate::from_der(bytes).map_err(|_| unreadable())?;
        let parsed = parsed.tbs_certificate();
        // The end of the year 9999, which stands for no end, is beyond the range of the clock.
        let instant = |time: &x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
        };
        let validity = parsed.validity();
        let (from, until) = (instant(&validity.not_before), instant(&validity.not_after));
        if until < now {
            return Err(format!("has a certificate (number {number}) that expired at {until}"));
        }
        if from > now {
            return Err(format!("has a certificate (number {number}) that begins at {from}"));
        }
        if issuer.is_some_and(|issuer| issuer != *parsed.subject()) {
            return Err(format!(
                "is out of order: certificate {number} did not issue the one before"
            ));
        }
        issuer = Some(parsed.issuer().clone());
        ends = Some(ends.map_or(until, |ends: Timestamp| ends.min(until)));
    }
    ends.ok_or_else(|| "has no certificate".to_owned())
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("pair", &self.pair).finish_non_exhaustive()
    }
}

impl Tls {
    /// Loads a pair.
    pub fn load(pair: Pair, now: Timestamp) -> Result<Self, String> {
        let loaded = pair.load(&pair.read()?, now)?;
        Ok(Self { pair, current: Mutex::new(loaded), refused: Mutex::default() })
    }

    /// Returns when the current certificate expires.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.current().not_after
    }

    fn current(&self) -> MutexGuard<'_, Loaded> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the files again, and replaces the pair if they have changed and can be used. Returns
    /// the sentence of a pair that is refused. Blocks.
    pub fn reload(&self, now: Timestamp) -> Result<(), String> {
        let bytes = self.pair.read()?;
        let ends = self.current().not_after;
        if self.current().fingerprint == fingerprint(&bytes) {
            let is_over = ends < now;
            return if is_over {
                Err(format!("the current one expired at {ends}"))
            } else {
                Ok(())
            };
        }
        let loaded = self.pair.load(&bytes, now)?;
        tracing::info!(tls.not_after = %loaded.not_after, "the certificate was replaced");
        *self.current() = loaded;
        Ok(())
    }

    /// Reloads, and logs a refusal once.
    fn check(&self, now: Timestamp) {
        let refused = self.reload(now).err();
        let mut told = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = refused.as_ref().filter(|why| told.as_ref() != Some(why)) {
            tracing::error!("the certificate is not replaced: {why}");
        }
        *told = refused;
    }

    /// Performs the handshake of a connection. A client that speaks plain HTTP is told so.
    ///
    /// There is no limit of concurrent handshakes: clients that stall could then lock out all others.
    /// The limits and the deadline of connections bound them.
    pub(super) async fn accept<I>(&self, mut io: I) -> io::Result<TlsStream<Begun<I>>>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        let first = io.read_u8().await?;
        if first != HANDSHAKE {
            refuse_plain(&mut io).await?;
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the client speaks no TLS"));
        }
        let config = self.current().config.clone();
        let bound = |session: &mut ServerConnection| {
            session.set_buffer_limit(Some(limits::TLS_BUFFER_MAX_BYTES));
        };
        TlsAcceptor::from(config).accept_with(Begun { first: Some(first), io }, bound).await
    }
}

/// Responds to plain HTTP, and receives the rest of a small request, without which the client
/// might lose the response.
async fn refuse_plain<I: AsyncRead + AsyncWrite + Unpin>(io: &mut I) -> io::Result<()> {
    io.write_all(PLAIN_HTTP.as_bytes()).await?;
    io.shutdown().await?;
    let mut rest = [0; 1024];
    let mut received_bytes = 0;
    while received_bytes < limits::LEFTOVER_MAX_BYTES {
        match io.read(&mut rest).await? {
            0 => break,
            read => received_bytes += read as u64,
        }
    }
    Ok(())
}

/// Replaces the pair when its files change: regularly, and at once on SIGHUP.
pub async fn keep_current(tls: Arc<Tls>, mut hangup: Signal, now: impl Fn() -> Timestamp) {
    let mut ticks = tokio::time::interval(Duration::from_millis(limits::TLS_RELOAD_INTERVAL_MS));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = hangup.recv() => {}
        }
        let (tls, now) = (Arc::clone(&tls), now());
        // If it panics, the next one tries again.
        let _ = tokio::task::spawn_blocking(move || tls.check(now)).await;
    }
}

/// A socket whose first byte has been read.
pub(super) struct Begun<I> {
    first: Option<u8>,
    io: I,
}

impl<I: AsyncRead + Unpin> AsyncRead for Begun<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0
            && let Some(first) = self.first.take()
        {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Begun<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
