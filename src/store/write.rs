//! An atomic change in progress.
//!
//! A write acquires its declared locks, then reads, and then puts: a statement that it puts changes
//! nothing that it still reads. On PostgreSQL the puts are one statement, or a few if they are
//! large, sent when the work is done. An exclusive write, of the database or its tenants, runs each
//! at once.

use super::compose::Put;
use super::list::{Kept, Ledger};
use super::{Arg, Sql, WriteTx};
use crate::domain::error::{Error, Result};

impl WriteTx {
    /// Runs a statement at once, before any put, and returns how many rows it has changed.
    pub async fn exec(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<u64> {
        self.tx.expect_nothing_put()?;
        self.exec_counts(sql, args).await
    }

    /// Runs a statement at once that is independent of the puts, such as counts of lists.
    pub(super) async fn exec_counts(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
    ) -> Result<u64> {
        self.tx.connection.exec(sql.into(), args).await
    }

    /// Runs a statement that changes at most one row. Returns `false` if it changed none.
    pub(super) async fn exec_one(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<bool> {
        Ok(self.exec(sql, args).await? == 1)
    }

    /// Puts a statement. No two puts of a write change the same row.
    pub(super) async fn put(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<()> {
        self.keep(sql.into(), args, None).await
    }

    /// Puts a statement that must change `rows` rows. Otherwise the write fails.
    pub(super) async fn must(
        &mut self,
        sql: impl Into<Sql>,
        args: &[Arg<'_>],
        rows: usize,
    ) -> Result<()> {
        self.keep(sql.into(), args, Some(rows as u64)).await
    }

    async fn keep(&mut self, sql: Sql, args: &[Arg<'_>], rows: Option<u64>) -> Result<()> {
        self.tx.is_put = self.is_in_order;
        if let Ledger::Kept(kept) = &mut self.ledger {
            let args = args.iter().map(|arg| (*arg).into()).collect();
            return match kept.put(Put { sql, args, rows }) {
                Some(sent) => self.send(&sent).await,
                None => Ok(()),
            };
        }
        let changed = self.exec_counts(sql, args).await?;
        check(rows, changed)
    }

    /// Sends the buffer, or writes the counts. Returns whether a statement has succeeded last of
    /// all, which is impossible in a transaction with an earlier failure.
    pub(super) async fn finish(&mut self) -> Result<bool> {
        let Ledger::Kept(kept) = &mut self.ledger else {
            self.keep_counts().await?;
            return self.write_counts().await.map(|()| false);
        };
        let kept = std::mem::take(kept);
        self.send(&kept).await.map(|()| !kept.is_empty())
    }

    async fn send(&mut self, kept: &Kept) -> Result<()> {
        if kept.is_empty() {
            return Ok(());
        }
        let statement = kept.compose()?;
        let (expected, is_prepared) = (statement.expected(), statement.is_prepared());
        let (sql, args) = statement.finish();
        let changed = self.tx.connection.counts(sql, &args, (expected.len(), is_prepared)).await?;
        expected.into_iter().zip(changed).try_for_each(|(rows, changed)| check(Some(rows), changed))
    }

    /// Analyzes the tables on PostgreSQL after they have grown. Its plans depend on statistics, and
    /// it would scan a whole table that it considers small. SQLite's plans do not depend on sizes.
    /// A table that another import or a VACUUM has locked is skipped, because waiting for it would
    /// fail after some seconds. Autovacuum analyzes it later.
    pub async fn analyze(&mut self) -> Result<()> {
        if self.connection.is_only_writer() {
            return Ok(());
        }
        let tables = "ANALYZE (SKIP_LOCKED) projects, screeners, publications, questions, options,
            participants, assignments, sessions, responses, submissions, list_totals, list_marks,
            changes";
        self.exec(tables, &[]).await.map(|_| ())
    }
}

/// Fails unless a statement has changed the expected number of rows, which are locked.
fn check(expected: Option<u64>, changed: u64) -> Result<()> {
    match expected {
        Some(rows) if rows != changed => {
            let reason = format!("a write changed {changed} rows instead of {rows}");
            Err(Error::internal(reason))
        }
        Some(_) | None => Ok(()),
    }
}
