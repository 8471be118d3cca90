//! The write-ahead log, cut by the writer.
//!
//! SQLite's own checkpoint moves the log into the file but begins it anew only in a moment without
//! readers, which under steady reads does not come: the log grows without bound. Here the writer
//! asks the readers to let go for the time that it takes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reader::Readers;
use super::{BUSY_TIMEOUT, beside, sqlite_error};
use crate::domain::error::Result;

/// The log is cut after the commit that makes it larger than this. A larger log is cut less often,
/// and writes wait longer when it is.
pub(super) const WAL_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// How long writes wait for a read that began before the log is cut. After that the log grows by
/// another such piece before the next attempt.
const READ_WAIT: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Wal {
    path: PathBuf,
    /// The size at which it is cut.
    bound: u64,
}

/// Leaves the log to [`Wal`].
pub(super) fn configure(driver: &rusqlite::Connection) -> rusqlite::Result<()> {
    driver.pragma_update(None, "wal_autocheckpoint", 0)?;
    // For a log that a reader kept from being cut, and that SQLite begins anew by itself.
    driver.pragma_update(None, "journal_size_limit", WAL_MAX_BYTES.cast_signed())
}

impl Wal {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: beside(path, "-wal"), bound: WAL_MAX_BYTES }
    }

    /// Cuts the log if it is large.
    pub(super) fn keep_small(&mut self, driver: &rusqlite::Connection, readers: &Readers) {
        // A log whose size is not known is not there.
        let bytes = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        if bytes < self.bound {
            return;
        }
        self.bound = match readers.drained(|| cut(driver)) {
            Ok(true) => WAL_MAX_BYTES,
            Ok(false) => bytes + WAL_MAX_BYTES,
            Err(error) => {
                let error = error.internal_text();
                tracing::warn!(error.internal = error, "the write-ahead log could not be cut");
                bytes + WAL_MAX_BYTES
            }
        };
    }
}

/// Moves the log into the file and cuts it; `false` if a read is in the way.
fn cut(driver: &rusqlite::Connection) -> Result<bool> {
    let checkpoint = || {
        driver.busy_timeout(READ_WAIT)?;
        let blocked = driver.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        driver.busy_timeout(BUSY_TIMEOUT)?;
        blocked.map(|blocked: i64| blocked == 0)
    };
    checkpoint().map_err(sqlite_error)
}
