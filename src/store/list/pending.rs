//! Counts that are not written out yet.
//!
//! SQLite's writer runs many pieces of work in one transaction, and most of them count in the same
//! few scopes and cells. So what one has counted is kept in memory for the next, and written out
//! once, before the commit. What a piece of work that is undone has counted is forgotten with it.
//! On PostgreSQL each is a transaction of its own, and nothing stays here.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::{Count, List};
use crate::domain::error::Result;
use crate::domain::id::TenantId;
use crate::store::Tx;
use crate::store::sql::args;

/// A scope of a tenant's list.
pub(super) type Key = (TenantId, List, &'static str, String);

/// Scopes, and cells, that are kept in memory before they are written out.
pub(super) const COUNTS_MAX: usize = 10_000;

/// What scopes have come to, and by how much cells have changed.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) totals: BTreeMap<Key, Count>,
    pub(super) cells: Cells,
}

impl Counts {
    pub(super) fn len(&self) -> usize {
        self.totals.len() + self.cells.len()
    }

    /// Goes on with what was counted after this.
    pub(super) fn add(&mut self, mut later: Self) {
        self.totals.append(&mut later.totals);
        self.cells.add(later.cells);
    }

    /// Takes out what `others` has nothing of.
    fn take_without(&mut self, others: &Self) -> Self {
        let own = |key: &Key, _: &mut Count| !others.totals.contains_key(key);
        Self {
            totals: self.totals.extract_if(.., own).collect(),
            cells: self.cells.take_without(&others.cells),
        }
    }

    /// Writes the counts out: totals before cells, each in one order, so that two transactions
    /// cannot wait for each other.
    pub(super) async fn write(self, tx: &mut Tx) -> Result<()> {
        for ((tenant, list, scope, scope_id), Count { arrived, holes }) in self.totals {
            tx.exec(
                "UPDATE list_totals SET total = $1, holes = $2
                 WHERE tenant_id = $3 AND list = $4 AND scope = $5 AND scope_id = $6",
                args![arrived, holes, &tenant, list.as_str(), scope, &scope_id],
            )
            .await?;
        }
        self.cells.write(tx).await
    }
}

/// What pieces of work in one transaction have counted.
#[derive(Debug, Default)]
pub(in crate::store) struct Pending {
    /// Those that have ended.
    ended: Counts,
    /// The one that may still be undone.
    work: Counts,
}

impl Pending {
    /// What a scope has come to, if that is known here.
    pub(super) fn count(&self, key: &Key) -> Option<Count> {
        self.work.totals.get(key).or_else(|| self.ended.totals.get(key)).copied()
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.work.len() + self.ended.len() == 0
    }
}

impl Tx {
    /// Keeps what a piece of work has counted. Of one that counts very much, what nobody before has
    /// counted is written out at once.
    pub(super) async fn count(&mut self, counts: Counts) -> Result<()> {
        let Pending { ended, work } = &mut self.pending;
        work.add(counts);
        if work.len() <= COUNTS_MAX {
            return Ok(());
        }
        work.take_without(ended).write(self).await
    }

    /// Ends a piece of work, which can be undone no more by itself.
    pub(in crate::store) async fn keep_counts(&mut self) -> Result<()> {
        let Pending { ended, work } = &mut self.pending;
        ended.add(std::mem::take(work));
        if ended.len() <= COUNTS_MAX { Ok(()) } else { self.write_counts().await }
    }

    /// Forgets what a piece of work has counted that is undone.
    pub(in crate::store) fn forget_counts(&mut self) {
        self.pending.work = Counts::default();
    }

    /// Forgets everything, where the transaction is undone.
    pub(in crate::store) fn forget_all_counts(&mut self) {
        self.pending = Pending::default();
    }

    /// Writes out what all have counted that have ended.
    pub(in crate::store) async fn write_counts(&mut self) -> Result<()> {
        std::mem::take(&mut self.pending.ended).write(self).await
    }
}
