//! Rows that have left a list, counted by blocks of ordinals.

use std::collections::BTreeMap;

use super::{BLOCK_ROWS, List};
use crate::domain::error::Result;
use crate::domain::id::TenantId;
use crate::store::sql::{RowArgs, args};
use crate::store::{Tx, WriteTx};

/// Levels of blocks; one of a level has [`BLOCK_ROWS`] of the level below. The last one is read
/// from its beginning: three levels keep that short up to hundreds of millions of rows.
const LEVELS: u32 = 3;
/// Rows that one statement adds.
const ROWS_MAX: usize = 32;

/// Ordinals in a block of a level.
const fn rows_of(level: u32) -> i64 {
    BLOCK_ROWS.pow(level)
}

/// How many rows of one scope have left and are not yet written out, by level and block.
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

    /// Goes on with what has left after this.
    pub(super) fn join(&mut self, later: Self) {
        for (place, holes) in later.counts {
            *self.counts.entry(place).or_default() += holes;
        }
    }

    /// The counts: level, block and how many have left it.
    pub(super) fn rows(&self) -> impl Iterator<Item = [i64; 3]> {
        self.counts.iter().map(|((level, block), holes)| [i64::from(*level), *block, *holes])
    }

    /// Writes the counts out.
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

/// The block of 128 ordinals of a scope that a row of the table `r` stands in, as a column: the scope,
/// and the column that holds its id.
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
    /// Where the row stands that has so many of those that are still there before it: in which
    /// block of 128 ordinals, and how many of those that are still there stand before it in the
    /// block. The answer is the block's first ordinal and that number, added.
    pub(super) async fn place_of(
        &mut self,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&str, &str),
        offset: i64,
    ) -> Result<i64> {
        // As many rows as `left` are still to be passed over from the ordinal `start` on.
        let (mut start, mut left) = (0, offset);
        for level in (1..=LEVELS).rev() {
            let rows = rows_of(level);
            let from = start / rows;
            let to = if level == LEVELS { i64::MAX } else { from + BLOCK_ROWS };
            // The last block with holes before which not too many rows stand that are still there.
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
                // It is behind that block, and no hole is in between.
                (start, left) = (start + rows, left - (rows - holes));
                break;
            }
        }
        // Without a hole on the way, or within the last block, one simply follows the other.
        Ok(start + left)
    }
}
