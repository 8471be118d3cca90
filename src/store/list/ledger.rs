//! What one transaction adds to lists and takes off them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::cells::Cells;
use super::holes::Holes;
use super::pending::{COUNTS_MAX, Counts, Key};
use super::{BLOCK_ROWS, Count, List, Scope, TENANT_SCOPE, read_count};
use crate::domain::error::{Error, Result};
use crate::domain::id::TenantId;
use crate::store::Tx;
use crate::store::sql::args;

/// Counts the rows that one transaction adds to lists and takes off them, and the sessions that it
/// moves between cells of the funnel.
///
/// The first row of a scope locks its total, always the tenant's before any other, and cells are
/// written after all totals, so that two transactions cannot wait for each other.
/// [`Ledger::flush`] must run before the transaction ends.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(in crate::store) cells: Cells,
    scopes: BTreeMap<Key, Entered>,
}

/// What one scope has come to.
#[derive(Debug)]
struct Entered {
    count: Count,
    /// Those holes of the count that are not written out yet.
    holes: Holes,
}

impl Ledger {
    /// Counts one more row of a list in these scopes, and says its `seq`.
    pub async fn append(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
    ) -> Result<i64> {
        self.append_rows(tx, tenant, list, scopes, 1).await
    }

    /// Counts more rows of a list in these scopes, and says the `seq` of the first: the others
    /// follow one by one.
    pub(in crate::store) async fn append_rows(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
        rows: usize,
    ) -> Result<i64> {
        let rows = i64::try_from(rows).map_err(Error::internal)?;
        self.make_room(tx).await?;
        let seq = self.arrive(tx, tenant, list, TENANT_SCOPE, rows).await?;
        for scope in scopes {
            let (scope, scope_id) = scope.parts();
            let first = self.arrive(tx, tenant, list, (scope, scope_id), rows).await?;
            for ordinal in (first..first + rows).filter(|ordinal| ordinal % BLOCK_ROWS == 0) {
                let seq = seq + ordinal - first;
                tx.exec(
                    "INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                    args![tenant, list.as_str(), scope, scope_id, ordinal / BLOCK_ROWS, seq],
                )
                .await?;
            }
        }
        Ok(seq)
    }

    /// Counts rows of a list out of these scopes, all of which they are in.
    ///
    /// Only whoever has just deleted the rows, after [`Ledger::lock`], may call this: so no row can
    /// leave twice.
    pub(in crate::store) async fn leave(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
        seqs: &[i64],
    ) -> Result<()> {
        self.make_room(tx).await?;
        let blocks: Vec<_> = seqs.iter().map(|seq| seq / BLOCK_ROWS).collect();
        self.scope(tx, tenant, list, TENANT_SCOPE).await?.leave(&blocks);
        for scope in scopes {
            let entered = self.scope(tx, tenant, list, scope.parts()).await?;
            entered.leave(&tx.blocks_of(tenant, list, scope.parts(), seqs).await?);
        }
        Ok(())
    }

    /// Holds a tenant's list until the transaction ends: nobody else adds to it or takes off it
    /// meanwhile, so what is looked up after this and is not there can be added.
    pub async fn lock(&mut self, tx: &mut Tx, tenant: &TenantId, list: List) -> Result<()> {
        self.scope(tx, tenant, list, TENANT_SCOPE).await.map(|_| ())
    }

    /// Counts rows in, and says the ordinal of the first.
    async fn arrive(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        scope: (&'static str, &str),
        rows: i64,
    ) -> Result<i64> {
        let Entered { count, .. } = self.scope(tx, tenant, list, scope).await?;
        count.arrived += rows;
        Ok(count.arrived - rows)
    }

    /// What a scope has come to, which nobody else changes until the transaction ends.
    async fn scope(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&'static str, &str),
    ) -> Result<&mut Entered> {
        let vacant = match self.scopes.entry((tenant.clone(), list, scope, scope_id.to_owned())) {
            Entry::Occupied(occupied) => return Ok(occupied.into_mut()),
            Entry::Vacant(vacant) => vacant,
        };
        if let Some(count) = tx.pending.count(vacant.key()) {
            return Ok(vacant.insert(Entered { count, holes: Holes::default() }));
        }
        let count = tx
            .one(
                "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
                 VALUES ($1, $2, $3, $4, 0)
                 ON CONFLICT (tenant_id, list, scope, scope_id)
                 DO UPDATE SET total = list_totals.total
                 RETURNING total, holes",
                args![tenant, list.as_str(), scope, scope_id],
                read_count,
            )
            .await?
            .ok_or_else(|| Error::internal("a total was neither found nor made"))?;
        Ok(vacant.insert(Entered { count, holes: Holes::default() }))
    }

    async fn make_room(&mut self, tx: &mut Tx) -> Result<()> {
        if self.scopes.len() + self.cells.len() > COUNTS_MAX {
            self.flush(tx).await?;
        }
        Ok(())
    }

    /// Hands the counts over, to be written out before the transaction ends.
    pub async fn flush(&mut self, tx: &mut Tx) -> Result<()> {
        let mut counts = Counts { cells: std::mem::take(&mut self.cells), ..Counts::default() };
        for (key, Entered { count, holes }) in std::mem::take(&mut self.scopes) {
            let (tenant, list, scope, scope_id) = &key;
            holes.flush(tx, tenant, *list, (scope, scope_id)).await?;
            counts.totals.insert(key, count);
        }
        if tx.connection.is_only_writer() { tx.count(counts).await } else { counts.write(tx).await }
    }
}

impl Entered {
    /// Counts a row out of each of these blocks of 128 ordinals.
    fn leave(&mut self, blocks: &[i64]) {
        for block in blocks {
            self.count.holes += 1;
            self.holes.add(*block);
        }
    }
}
