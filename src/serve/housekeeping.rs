//! Periodic deletion of expired data.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;

/// The period of housekeeping. Data expires after days, so an hour more does not matter.
const HOUSEKEEPING_SECONDS: u64 = 60 * 60;

/// Deletes expired data periodically. A failure is retried in the next period.
pub(super) async fn run_housekeeping(app: Arc<App>, shutdown: CancellationToken) {
    let period = Duration::from_secs(HOUSEKEEPING_SECONDS);
    let mut hours = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    while shutdown.run_until_cancelled(hours.tick()).await.is_some() {
        if let Err(error) = app.forget_idempotency_keys().await {
            let internal = error.internal_text().unwrap_or_else(|| error.detail().to_owned());
            tracing::warn!(error.internal = internal, "cannot delete expired idempotency keys");
        }
    }
}
