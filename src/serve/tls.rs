//! The certificate of the public port.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Environment};
use crate::config;
use crate::domain::error::{Error, Kind, Result};
use crate::net::{self, Pair, Tls};

/// Returns the time of the environment's clock.
fn now(environment: &Environment) -> Timestamp {
    Timestamp::from_microsecond((environment.now)().as_micros()).unwrap_or_default()
}

/// Loads the certificate that the options name, if any, and waits for SIGHUP from then on.
pub(super) fn load(
    config: &config::Serve,
    environment: &Environment,
) -> Result<Option<(Arc<Tls>, Signal)>> {
    let (Some(certificate), Some(key)) = (&config.tls_cert, &config.tls_key) else {
        return Ok(None);
    };
    let pair = Pair { certificate: certificate.clone(), key: key.clone() };
    // From now on SIGHUP is heeded, and no longer ends the process.
    let hangup = signal(SignalKind::hangup()).map_err(Error::internal)?;
    let loaded = Tls::load(pair, now(environment));
    let loaded = loaded.map_err(|why| Error::new(Kind::Unavailable, why))?;
    Ok(Some((Arc::new(loaded), hangup)))
}

/// Replaces the certificate when its files change, until `shutdown`.
pub(super) fn keep_current(
    tls: &Arc<Tls>,
    hangup: Signal,
    app: &Arc<App>,
    shutdown: &CancellationToken,
) {
    let (tls, app, shutdown) = (Arc::clone(tls), Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        let keeping = net::keep_current(tls, hangup, || now(app.environment()));
        shutdown.run_until_cancelled(keeping).await;
    });
}
