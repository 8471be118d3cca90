//! The rows that a write adds to lists and removes from them.
//!
//! On SQLite and in an import, no other write changes the tenant concurrently. Rows are then
//! counted at once, in memory, and their numbers are known. Any other write buffers its additions
//! until it ends, and only then gets their numbers (`list/kept`): after the tenant's gate comes a
//! single statement.

use std::collections::btree_map::Entry;

use super::kept::Kept;
use super::pending::{COUNTS_MAX, Counts, Pending};
use super::{BLOCK_ROWS, Count, Key, List, Scope, TENANT_SCOPE, read_count};
use crate::domain::error::{Error, Result};
use crate::domain::id::TenantId;
use crate::domain::participant::Person;
use crate::domain::session::Session;
use crate::store::sql::{Seq, args};
use crate::store::{Row, WriteTx};

/// Reads a total, or creates it.
const TOTAL: &str = "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
    VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT (tenant_id, list, scope, scope_id)
    DO UPDATE SET total = list_totals.total
    RETURNING total, holes";

/// The counts of a write.
#[derive(Debug)]
pub(in crate::store) enum Ledger {
    /// Counted at once, by an exclusive write.
    Counted(Pending),
    /// Counted when the write ends.
    Kept(Kept),
}

/// Rows that leave a list, and the blocks of 128 ordinals that contain them. A block does not
/// change while its row exists.
#[derive(Debug, Default)]
pub(in crate::store) struct Leaving {
    pub(in crate::store) seqs: Vec<i64>,
    /// The blocks in each scope of the list.
    pub(in crate::store) blocks: Vec<Vec<i64>>,
}

impl WriteTx {
    /// Counts one more row of a list in these scopes, and returns its number.
    pub(in crate::store) async fn append(
        &mut self,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
    ) -> Result<Seq> {
        self.append_rows(tenant, list, scopes, 1).await
    }

    /// Counts more rows of a list in these scopes, and returns the number of the first. The others
    /// have consecutive numbers.
    pub(in crate::store) async fn append_rows(
        &mut self,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
        rows: usize,
    ) -> Result<Seq> {
        self.expect_tenant(tenant)?;
        let rows = i64::try_from(rows).map_err(Error::internal)?;
        if let Ledger::Kept(kept) = &mut self.ledger {
            return kept.append(tenant, list, scopes, rows);
        }
        self.make_room().await?;
        let seq = self.arrive(tenant, list, TENANT_SCOPE, rows).await?;
        for scope in scopes {
            let (scope, scope_id) = scope.parts();
            let first = self.arrive(tenant, list, (scope, scope_id), rows).await?;
            for ordinal in (first..first + rows).filter(|ordinal| ordinal % BLOCK_ROWS == 0) {
                let seq = seq + ordinal - first;
                self.exec_counts(
                    "INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                    args![tenant, list.as_str(), scope, scope_id, ordinal / BLOCK_ROWS, seq],
                )
                .await?;
            }
        }
        Ok(Seq::Known(seq))
    }

    /// Counts rows of a list out of these scopes, which contain all of them. The caller deletes the
    /// rows and excludes all other writers of them, so that no row leaves twice.
    pub(in crate::store) async fn leave(
        &mut self,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
        leaving: &Leaving,
    ) -> Result<()> {
        self.expect_tenant(tenant)?;
        let blocks: Vec<_> = leaving.seqs.iter().map(|seq| seq / BLOCK_ROWS).collect();
        self.leave_scope(tenant, list, TENANT_SCOPE, &blocks).await?;
        for (scope, blocks) in scopes.iter().zip(&leaving.blocks) {
            self.leave_scope(tenant, list, scope.parts(), blocks).await?;
        }
        Ok(())
    }

    async fn leave_scope(
        &mut self,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&'static str, &str),
        blocks: &[i64],
    ) -> Result<()> {
        let key = (tenant.clone(), list, scope, scope_id.to_owned());
        if let Ledger::Kept(kept) = &mut self.ledger {
            return kept.leave(key, blocks);
        }
        self.make_room().await?;
        let count = self.count(key.clone()).await?;
        count.holes += i64::try_from(blocks.len()).map_err(Error::internal)?;
        if let Ledger::Counted(pending) = &mut self.ledger {
            let holes = pending.work.holes.entry(key).or_default();
            for block in blocks {
                holes.add(*block);
            }
        }
        Ok(())
    }

    /// Moves a session of a person from the funnel cell `before`, if any, to the cell `after`.
    pub(in crate::store) fn shift(
        &mut self,
        tenant: &TenantId,
        (person, session): (&Person, &Session),
        before: Option<String>,
        after: String,
    ) -> Result<()> {
        self.expect_person(tenant, person)?;
        let cells = match &mut self.ledger {
            Ledger::Counted(pending) => &mut pending.work.cells,
            Ledger::Kept(kept) => kept.cells(tenant)?,
        };
        cells.shift(tenant, session, before, after);
        Ok(())
    }

    /// Counts rows into a scope, and returns the ordinal of the first.
    async fn arrive(
        &mut self,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&'static str, &str),
        rows: i64,
    ) -> Result<i64> {
        let count = self.count((tenant.clone(), list, scope, scope_id.to_owned())).await?;
        count.arrived += rows;
        Ok(count.arrived - rows)
    }

    /// Returns the count of a scope, which no other write changes until the transaction ends.
    async fn count(&mut self, key: Key) -> Result<&mut Count> {
        let Ledger::Counted(Pending { ended, work }) = &mut self.ledger else {
            return Err(Error::internal("a write that is not alone counts at once"));
        };
        let vacant = match work.totals.entry(key) {
            Entry::Occupied(occupied) => return Ok(occupied.into_mut()),
            Entry::Vacant(vacant) => vacant,
        };
        if let Some(count) = ended.totals.get(vacant.key()) {
            return Ok(vacant.insert(*count));
        }
        let (tenant, list, scope, scope_id) = vacant.key();
        let (sql, mut found) = (TOTAL, None);
        let args = args![tenant, list.as_str(), scope, scope_id];
        let each = |row: &mut Row<'_>| {
            found = Some(read_count(row)?);
            Ok(())
        };
        // Buffered statements do not affect totals.
        self.tx.connection.scan(sql.into(), args, each).await?;
        let count = found.ok_or_else(|| Error::internal("a total was neither found nor made"))?;
        Ok(vacant.insert(count))
    }

    /// Writes the counts of a piece of work that has too many, except those that earlier work has
    /// counted as well.
    async fn make_room(&mut self) -> Result<()> {
        let Ledger::Counted(Pending { ended, work }) = &mut self.ledger else { return Ok(()) };
        if work.len() <= COUNTS_MAX {
            return Ok(());
        }
        let written = work.take_without(ended);
        written.write(self).await
    }
}

impl WriteTx {
    /// Ends a piece of work, which can then no longer be undone separately.
    pub(in crate::store) async fn keep_counts(&mut self) -> Result<()> {
        self.begin_work();
        self.acts.keep();
        let Ledger::Counted(Pending { ended, work }) = &mut self.ledger else { return Ok(()) };
        ended.add(std::mem::take(work));
        if ended.len() <= COUNTS_MAX { Ok(()) } else { self.write_counts().await }
    }

    /// Discards the counts of a piece of work that is undone.
    pub(in crate::store) fn forget_counts(&mut self) {
        self.acts.forget();
        if let Ledger::Counted(pending) = &mut self.ledger {
            pending.work = Counts::default();
        }
    }

    /// Discards all counts, because the transaction is rolled back.
    pub(in crate::store) fn forget_all_counts(&mut self) {
        self.begin_work();
        self.acts.forget_all();
        if let Ledger::Counted(pending) = &mut self.ledger {
            *pending = Pending::default();
        }
    }

    /// Writes the counts of all pieces of work that have ended.
    pub(in crate::store) async fn write_counts(&mut self) -> Result<()> {
        let Ledger::Counted(pending) = &mut self.ledger else { return Ok(()) };
        let ended = std::mem::take(&mut pending.ended);
        ended.write(self).await
    }
}
