//! Counts of a write that is alone, which are not written out yet.
//!
//! SQLite's writer runs many pieces of work in one transaction, and most of them count in the same
//! few scopes and cells. So what one has counted is kept in memory for the next, and written out
//! once, before the commit. What a piece of work that is undone has counted is forgotten with it.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::holes::Holes;
use super::{Count, Key};
use crate::domain::error::Result;
use crate::store::WriteTx;
use crate::store::sql::args;

/// Scopes, and cells, that are kept in memory before they are written out.
pub(super) const COUNTS_MAX: usize = 10_000;

/// What scopes have come to, and by how much cells have changed.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) totals: BTreeMap<Key, Count>,
    pub(super) holes: BTreeMap<Key, Holes>,
    pub(super) cells: Cells,
}

impl Counts {
    pub(super) fn len(&self) -> usize {
        self.totals.len() + self.holes.len() + self.cells.len()
    }

    /// Goes on with what was counted after this.
    pub(super) fn add(&mut self, mut later: Self) {
        self.totals.append(&mut later.totals);
        for (key, holes) in later.holes {
            self.holes.entry(key).or_default().join(holes);
        }
        self.cells.add(later.cells);
    }

    /// Takes out what `others` has nothing of.
    pub(super) fn take_without(&mut self, others: &Self) -> Self {
        let own = |key: &Key, _: &mut Count| !others.totals.contains_key(key);
        Self {
            totals: self.totals.extract_if(.., own).collect(),
            holes: std::mem::take(&mut self.holes),
            cells: self.cells.take_without(&others.cells),
        }
    }

    /// Writes the counts out.
    pub(super) async fn write(self, tx: &mut WriteTx) -> Result<()> {
        for ((tenant, list, scope, scope_id), holes) in self.holes {
            holes.write(tx, &tenant, list, (scope, &scope_id)).await?;
        }
        for ((tenant, list, scope, scope_id), Count { arrived, holes }) in self.totals {
            tx.exec_counts(
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
    pub(super) ended: Counts,
    /// The one that may still be undone.
    pub(super) work: Counts,
}
