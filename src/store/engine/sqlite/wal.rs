//! The write-ahead log, truncated by the writer.
//!
//! SQLite's own checkpoint moves the log into the file, but restarts the log only without readers.
//! Under steady reads that never happens, and the log grows without bound. Here the writer makes
//! the readers release their snapshots while it truncates the log.
//!
//! The size of the log is the number of its frames in use, because SQLite restarts an unneeded log
//! without making its file smaller. Another process with an open read transaction cannot be made to
//! release it. The server's log warns about it once, and no write waits for it.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use tokio::time::Instant;

use super::reader::Readers;
use super::scan::Scans;
use super::{BUSY_TIMEOUT, sqlite_error};
use crate::domain::error::Result;
use crate::meter::{StoreMeter, Truncation};
use crate::store::Checkpoints;

/// The log is truncated after the commit that makes it larger than this. A larger bound truncates
/// less often, but makes writes wait longer.
pub(super) const WAL_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of a frame in addition to its page.
const FRAME_HEADER_BYTES: u64 = 24;
/// How long writes wait for an earlier read of this process before the log is truncated.
const READ_WAIT: Duration = Duration::from_millis(100);
/// The delay after an attempt that a read prevented, unless the log grows by its bound before.
const RETRY_AFTER: Duration = Duration::from_secs(1);

thread_local! {
    /// The frames in the log after the last commit of this thread. A hook of rusqlite has no state
    /// of its own, and the writer is one thread with one connection.
    static FRAMES: Cell<u64> = const { Cell::new(0) };
}

#[derive(Debug)]
pub(super) struct Wal {
    checkpoints: Checkpoints,
    frames_max: u64,
    scans: Arc<Scans>,
    meter: Arc<StoreMeter>,
    /// The next attempt, if the last one failed.
    retry: Option<Retry>,
    is_other_process_named: bool,
}

#[derive(Clone, Copy, Debug)]
struct Retry {
    frames: u64,
    at: Instant,
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a hook returns")]
fn note_frames(_: &rusqlite::hooks::Wal, frames: c_int) -> rusqlite::Result<()> {
    FRAMES.set(u64::try_from(frames).unwrap_or(0));
    Ok(())
}

impl Wal {
    /// Replaces SQLite's own checkpoints.
    pub(super) fn new(
        driver: &rusqlite::Connection,
        checkpoints: Checkpoints,
        scans: Arc<Scans>,
        meter: Arc<StoreMeter>,
    ) -> rusqlite::Result<Self> {
        driver.pragma_update(None, "wal_autocheckpoint", 0)?;
        match checkpoints {
            Checkpoints::Own => {
                // For a log that a reader kept from being truncated and that SQLite then restarts.
                let limit = WAL_MAX_BYTES.cast_signed();
                driver.pragma_update(None, "journal_size_limit", limit)?;
                driver.wal_hook(Some(note_frames));
            }
            // The last connection to close would checkpoint the log, too.
            Checkpoints::External => {
                driver.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            }
        }
        let page_bytes: u32 = driver.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let frames_max = WAL_MAX_BYTES / (u64::from(page_bytes) + FRAME_HEADER_BYTES);
        let (retry, is_other_process_named) = (None, false);
        Ok(Self { checkpoints, frames_max, scans, meter, retry, is_other_process_named })
    }

    /// Forces the next truncation: a large write that was rolled back has grown the file without
    /// leaving any valid frame.
    pub(super) fn expect_large(&self) {
        FRAMES.set(FRAMES.get().max(self.frames_max));
    }

    /// Truncates the log if it is large. Call after each commit, on the writer's thread.
    pub(super) fn keep_small(&mut self, driver: &rusqlite::Connection, readers: &Readers) {
        if self.checkpoints == Checkpoints::External {
            return;
        }
        let frames = FRAMES.take();
        // A commit without a frame has not shortened the log.
        if frames > 0 {
            self.meter.wal_has(frames);
        }
        match self.retry {
            None if frames < self.frames_max => return,
            Some(retry) if frames < retry.frames && Instant::now() < retry.at => return,
            None | Some(_) => {}
        }
        let attempt = readers.drained(|| self.truncate(driver, readers));
        let is_truncated = matches!(attempt, Ok(Truncation::Truncated));
        if is_truncated {
            self.meter.wal_has(0);
        }
        let next = || Retry { frames: frames + self.frames_max, at: Instant::now() + RETRY_AFTER };
        self.retry = (!is_truncated).then(next);
        self.meter.truncation(*attempt.as_ref().unwrap_or(&Truncation::Failed));
        match attempt {
            Ok(Truncation::Truncated | Truncation::Prevented | Truncation::Failed) => {}
            Ok(Truncation::PreventedByOtherProcess) if self.is_other_process_named => {}
            Ok(Truncation::PreventedByOtherProcess) => {
                self.is_other_process_named = true;
                tracing::warn!(
                    wal.frames = frames,
                    "a process other than this one holds a read transaction: the write-ahead log \
                     grows until it ends (for Litestream, see --wal external)"
                );
            }
            Err(error) => {
                let error = error.internal_text();
                tracing::warn!(error.internal = error, "the write-ahead log cannot be truncated");
            }
        }
    }

    /// Moves the log into the file and truncates it. No reader of this process holds a snapshot
    /// longer than a read.
    fn truncate(&self, driver: &rusqlite::Connection, readers: &Readers) -> Result<Truncation> {
        // Reads that begin from here on see the last commit, so they block no frame.
        let no_read_runs = readers.running() + self.scans.running() == 0;
        let attempt = || {
            let (_, frames, moved) = checkpoint(driver, "PRAGMA wal_checkpoint(PASSIVE)")?;
            if moved < frames && no_read_runs {
                return Ok(Truncation::PreventedByOtherProcess);
            }
            driver.busy_timeout(READ_WAIT)?;
            let truncated = checkpoint(driver, "PRAGMA wal_checkpoint(TRUNCATE)");
            driver.busy_timeout(BUSY_TIMEOUT)?;
            let (is_busy, ..) = truncated?;
            Ok(if is_busy { Truncation::Prevented } else { Truncation::Truncated })
        };
        attempt().map_err(sqlite_error)
    }
}

/// Runs a checkpoint. Returns whether it was prevented, the frames of the log, and the moved ones.
fn checkpoint(driver: &rusqlite::Connection, sql: &str) -> rusqlite::Result<(bool, i64, i64)> {
    driver.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)? != 0, row.get(1)?, row.get(2)?)))
}
