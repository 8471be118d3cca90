//! What a write adds to lists and takes off them.
//!
//! Where nobody else writes to the tenant meanwhile, on SQLite and in an import, rows are counted at
//! once, in memory, and their numbers are known. Any other write keeps what it adds until it ends, and
//! learns their numbers only then (`list/kept`): what follows the tenant's gate is one statement.

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

/// Finds a total, or makes it.
const TOTAL: &str = "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
    VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT (tenant_id, list, scope, scope_id)
    DO UPDATE SET total = list_totals.total
    RETURNING total, holes";

/// What a write has counted.
#[derive(Debug)]
pub(in crate::store) enum Ledger {
    /// At once, by a write that is alone.
    Counted(Pending),
    /// When it ends.
    Kept(Kept),
}

/// Rows that leave a list, with the blocks of 128 ordinals that they stand in: those stay the same as long
/// as the rows are there.
#[derive(Debug, Default)]
pub(in crate::store) struct Leaving {
    pub(in crate::store) seqs: Vec<i64>,
    /// For each scope of the list in turn.
    pub(in crate::store) blocks: Vec<Vec<i64>>,
}

impl WriteTx {
    /// Counts one more row of a list in these scopes, and returns its place.
    pub(in crate::store) async fn append(
        &mut self,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
    ) -> Result<Seq> {
        self.append_rows(tenant, list, scopes, 1).await
    }

    /// Counts more rows of a list in these scopes, and returns the place of the first: the others
    /// follow one by one.
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

    /// Counts rows of a list out of these scopes, all of which they are in. The caller deletes them, and
    /// nobody else can: so no row can leave twice.
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

    /// Counts a session of a person into a cell of the funnel, and out of the one in which it was, if it
    /// was in any.
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

    /// Counts rows in, and returns the ordinal of the first.
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

    /// What a scope has come to, which nobody else changes until the transaction ends.
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
        // What was put does not concern it.
        self.tx.connection.scan(sql.into(), args, each).await?;
        let count = found.ok_or_else(|| Error::internal("a total was neither found nor made"))?;
        Ok(vacant.insert(count))
    }

    /// Writes out what a piece of work has counted that counts very much, as far as none before has
    /// counted it.
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
    /// Ends a piece of work, which can be undone no more by itself.
    pub(in crate::store) async fn keep_counts(&mut self) -> Result<()> {
        self.begin_work();
        let Ledger::Counted(Pending { ended, work }) = &mut self.ledger else { return Ok(()) };
        ended.add(std::mem::take(work));
        if ended.len() <= COUNTS_MAX { Ok(()) } else { self.write_counts().await }
    }

    /// Forgets what a piece of work has counted that is undone.
    pub(in crate::store) fn forget_counts(&mut self) {
        if let Ledger::Counted(pending) = &mut self.ledger {
            pending.work = Counts::default();
        }
    }

    /// Forgets everything, where the transaction is undone.
    pub(in crate::store) fn forget_all_counts(&mut self) {
        self.begin_work();
        if let Ledger::Counted(pending) = &mut self.ledger {
            *pending = Pending::default();
        }
    }

    /// Writes out what all have counted that have ended.
    pub(in crate::store) async fn write_counts(&mut self) -> Result<()> {
        let Ledger::Counted(pending) = &mut self.ledger else { return Ok(()) };
        let ended = std::mem::take(&mut pending.ended);
        ended.write(self).await
    }
}
