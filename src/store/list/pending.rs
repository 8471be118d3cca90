//! Counts of an exclusive write that are not written to the database yet.
//!
//! SQLite's writer runs many pieces of work in one transaction, and most of them count in the same
//! few scopes and cells. Their counts are therefore kept in memory and written once, before the
//! commit. If a piece of work is undone, its counts are discarded.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::holes::Holes;
use super::{Count, Key};
use crate::domain::error::Result;
use crate::store::WriteTx;
use crate::store::sql::args;

/// The most scopes and cells that are kept in memory before they are written.
pub(super) const COUNTS_MAX: usize = 10_000;

/// The totals of scopes, and the changes of cells.
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

    /// Adds later counts.
    pub(super) fn add(&mut self, mut later: Self) {
        self.totals.append(&mut later.totals);
        for (key, holes) in later.holes {
            self.holes.entry(key).or_default().join(holes);
        }
        self.cells.add(later.cells);
    }

    /// Removes and returns the totals that `others` lacks, and all changes. A total replaces the
    /// stored one, a change adds to it.
    pub(super) fn take_without(&mut self, others: &Self) -> Self {
        let own = |key: &Key, _: &mut Count| !others.totals.contains_key(key);
        Self {
            totals: self.totals.extract_if(.., own).collect(),
            holes: std::mem::take(&mut self.holes),
            cells: std::mem::take(&mut self.cells),
        }
    }

    /// Writes the counts to the database.
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

/// The counts of the pieces of work in one transaction.
#[derive(Debug, Default)]
pub(in crate::store) struct Pending {
    /// The pieces that have ended.
    pub(super) ended: Counts,
    /// The piece that may still be undone.
    pub(super) work: Counts,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::TenantId;
    use crate::store::list::List;

    fn counts(screeners: &[&str]) -> Counts {
        let tenant = TenantId::parse("t").expect("an id");
        let key = |id: &&str| (tenant.clone(), List::Sessions, "screener", (*id).to_owned());
        let count = || Count { arrived: 1, holes: 0 };
        Counts {
            totals: screeners.iter().map(|id| (key(id), count())).collect(),
            ..Counts::default()
        }
    }

    fn screeners(counts: &Counts) -> Vec<&str> {
        counts.totals.keys().map(|(_, _, _, id)| id.as_str()).collect()
    }

    #[test]
    fn a_total_of_earlier_work_is_not_written_before_that_work() {
        let (ended, mut work) = (counts(&["a", "c"]), counts(&["a", "b", "c", "d"]));
        let written = work.take_without(&ended);
        assert_eq!(screeners(&written), ["b", "d"]);
        assert_eq!(screeners(&work), ["a", "c"]);
    }
}
