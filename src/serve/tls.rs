//! The certificate of the public port.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Environment};
use crate::config;
use crate::domain::error::{Error, Kind, Result};
use crate::net::{self, Pair, Tls};

/// Returns the time of the environment's clock.
fn now(environment: &Environment) -> Timestamp {
    Timestamp::from_microsecond((environment.now)().as_micros()).unwrap_or_default()
}

/// Loads the certificate that the options name, if any.
pub(super) fn load(config: &config::Serve, environment: &Environment) -> Result<Option<Arc<Tls>>> {
    let (Some(certificate), Some(key)) = (&config.tls_cert, &config.tls_key) else {
        return Ok(None);
    };
    let pair = Pair { certificate: certificate.clone(), key: key.clone() };
    let loaded = Tls::load(pair, now(environment));
    loaded.map(Arc::new).map(Some).map_err(|why| Error::new(Kind::Unavailable, why))
}

/// Replaces the certificate when its files change, until `shutdown`.
pub(super) fn keep_current(tls: &Arc<Tls>, app: &Arc<App>, shutdown: &CancellationToken) {
    let (tls, app, shutdown) = (Arc::clone(tls), Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        let keeping = net::keep_current(tls, || now(app.environment()));
        if let Some(Err(error)) = shutdown.run_until_cancelled(keeping).await {
            tracing::error!(%error, "the certificate is not replaced: SIGHUP cannot be received");
        }
    });
}
