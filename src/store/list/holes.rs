//! Rows that have left a list, counted by blocks of ordinals.

use std::collections::BTreeMap;

use super::{BLOCK_ROWS, List};
use crate::domain::error::Result;
use crate::domain::id::TenantId;
use crate::store::sql::{RowArgs, args};
use crate::store::{Tx, WriteTx};

/// Levels of blocks. A block has [`BLOCK_ROWS`] blocks of the level below. The top level is read
/// from its start, which three levels keep short up to hundreds of millions of rows.
const LEVELS: u32 = 3;
/// Rows of one INSERT.
const ROWS_MAX: usize = 32;

/// Returns how many ordinals a block of a level has.
const fn rows_of(level: u32) -> i64 {
    BLOCK_ROWS.pow(level)
}

/// Rows that have left one scope and are not written to the database yet, by level and block.
#[derive(Debug, Default)]
pub(super) struct Holes {
    counts: BTreeMap<(u32, i64), i64>,
}

impl Holes {
    /// Counts a row that has left a block of 128 ordinals.
    pub(super) fn add(&mut self, block: i64) {
        for level in 1..=LEVELS {
            *self.counts.entry((level, block / rows_of(level - 1))).or_default() += 1;
        }
    }

    /// Adds rows that have left later.
    pub(super) fn join(&mut self, later: Self) {
        for (place, holes) in later.counts {
            *self.counts.entry(place).or_default() += holes;
        }
    }

    /// Returns the counts: level, block and the number of rows that have left it.
    pub(super) fn rows(&self) -> impl Iterator<Item = [i64; 3]> {
        self.counts.iter().map(|((level, block), holes)| [i64::from(*level), *block, *holes])
    }

    /// Writes the counts to the database.
    pub(super) async fn write(
        &self,
        tx: &mut WriteTx,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&str, &str),
    ) -> Result<()> {
        let counts: Vec<_> = self.rows().collect();
        for chunk in counts.chunks(ROWS_MAX) {
            let mut rows = RowArgs::new(args![tenant, list.as_str(), scope, scope_id]);
            for [level, block, holes] in chunk {
                rows.push(args![*level, *block, *holes]);
            }
            let sql = format!(
                "INSERT INTO list_holes (tenant_id, list, scope, scope_id, level, block, holes)
                 VALUES {}
                 ON CONFLICT (tenant_id, list, scope, scope_id, level, block)
                 DO UPDATE SET holes = list_holes.holes + excluded.holes",
                rows.placeholders
            );
            tx.exec_counts(sql, &rows.args).await?;
        }
        Ok(())
    }
}

/// The block of 128 ordinals of a scope that contains a row of the table `r`, as a column. Takes
/// the scope, and the column that contains its id.
macro_rules! block_of {
    ($list:literal, $scope:literal, $column:literal) => {
        concat!(
            "(SELECT m.block FROM list_marks m
              WHERE m.tenant_id = r.tenant_id AND m.list = '",
            $list,
            "' AND m.scope = '",
            $scope,
            "' AND m.scope_id = r.",
            $column,
            " AND m.first_seq <= r.seq
              ORDER BY m.first_seq DESC LIMIT 1)"
        )
    };
}
pub(in crate::store) use block_of;

impl Tx {
    /// Finds the row that has `offset` present rows before it. Returns the first ordinal of its
    /// block of 128 ordinals, plus the number of present rows before it in that block.
    pub(super) async fn place_of(
        &mut self,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&str, &str),
        offset: i64,
    ) -> Result<i64> {
        // From the ordinal `start` on, `left` present rows remain to be skipped.
        let (mut start, mut left) = (0, offset);
        for level in (1..=LEVELS).rev() {
            let rows = rows_of(level);
            let from = start / rows;
            let to = if level == LEVELS { i64::MAX } else { from + BLOCK_ROWS };
            // Finds the last block with holes that has no more than `left` present rows before it.
            let found = self
                .one(
                    "SELECT block, holes, passed FROM (
                        SELECT block, holes, (block - $1) * $2
                            - CAST(SUM(holes) OVER (ORDER BY block) AS BIGINT) + holes AS passed
                        FROM list_holes
                        WHERE tenant_id = $3 AND list = $4 AND scope = $5 AND scope_id = $6
                        AND level = $7 AND block >= $1 AND block < $8
                     ) AS blocks
                     WHERE passed <= $9 ORDER BY block DESC LIMIT 1",
                    args![
                        from,
                        rows,
                        tenant,
                        list.as_str(),
                        scope,
                        scope_id,
                        i64::from(level),
                        to,
                        left,
                    ],
                    |row| Ok((row.int()?, row.int()?, row.int()?)),
                )
                .await?;
            let Some((block, holes, passed)) = found else { break };
            (start, left) = (block * rows, left - passed);
            if left >= rows - holes {
                // The row is after that block, with no hole in between.
                (start, left) = (start + rows, left - (rows - holes));
                break;
            }
        }
        // Without holes in between, or within the last block, ordinals are consecutive.
        Ok(start + left)
    }
}
