//! Gauges of the use cases and the store, and the check of the database.

use std::sync::Arc;

use super::App;
use crate::domain::error::Result;
use crate::meter::{Meter, Unit, count};

impl App {
    /// Returns the metrics of the process.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Adds the gauges whose values are here and in the store.
    pub fn register_gauges(self: &Arc<Self>) {
        let meter = &self.meter;
        let app = Arc::downgrade(self);
        let waiting = move || app.upgrade().map(|app| count(app.store.waiting_writes()));
        let help = "Writes that wait for their turn";
        meter.add_gauge("screenerd_store_writes_waiting", help, None, waiting);
        let app = Arc::downgrade(self);
        let running =
            move || app.upgrade().map(|app| app.store.running_reads()).unwrap_or_default();
        let help = "Reads in progress by lane, or busy connections to PostgreSQL by pool";
        meter.add_gauges("screenerd_store_busy", help, "lane", running);
        let app = Arc::downgrade(self);
        let sending = move || app.upgrade().map(|app| count(app.sending.charged_bytes()));
        let help = "Memory of large responses that are being sent";
        meter.add_gauge("screenerd_send_budget_used", help, Some(Unit::Bytes), sending);
        let app = Arc::downgrade(self);
        let exports = move || app.upgrade().map(|app| count(app.exports.running()));
        let help = "Exports in progress";
        meter.add_gauge("screenerd_exports_running", help, None, exports);
    }

    /// Fails unless the database responds, and its tables are those of this version or a later one.
    pub async fn check_database(&self) -> Result<()> {
        self.store.look_up(async |tx| tx.check_schema().await).await
    }
}
