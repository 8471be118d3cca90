//! Several scopes of a list, merged by a binary search over positions.

use super::{Count, Paging, TENANT_SCOPE, Walk};
use crate::domain::error::{Error, Result};
use crate::domain::id::TenantId;
use crate::store::{Corrupt, Tx};

/// Rows that are read together where an excluded scope may fill any part of the list.
const WINDOW_ROWS: i64 = 1024;

/// Several scopes of a list, joined or excluded, without some single rows.
pub(in crate::store) struct Merge<'a> {
    pub(in crate::store) walk: &'a Walk,
    pub(in crate::store) tenant: &'a TenantId,
    /// The scopes that are joined. If `None`, all but `left_out`.
    pub(in crate::store) joined: Option<Vec<&'a str>>,
    /// The scopes that are excluded.
    pub(in crate::store) left_out: Vec<&'a str>,
    /// Single rows that are excluded, sorted. Each would match otherwise.
    pub(in crate::store) without: Vec<i64>,
}

impl Merge<'_> {
    /// Returns the positions of a page, and the total number of rows.
    pub(in crate::store) async fn page(
        &self,
        tx: &mut Tx,
        paging: &Paging,
    ) -> Result<(i64, Vec<i64>)> {
        let (limit, offset) = (paging.limit(), paging.offset());
        let Count { arrived: end, holes } =
            tx.list_count(self.tenant, self.walk.list, TENANT_SCOPE).await?;
        if holes > 0 {
            return Err(Error::internal("a list that rows have left cannot be merged"));
        }
        let total = self.rank(tx, end).await?;
        let mut seqs = Vec::new();
        if offset >= total {
            return Ok((total, seqs));
        }
        let wanted = limit.min(total - offset);
        let start = self.position(tx, end, offset).await?;
        if let Some(joined) = &self.joined {
            let stop = if offset + wanted == total {
                end
            } else {
                self.position(tx, end, offset + wanted).await?
            };
            seqs = self.walk.between(tx, self.tenant, joined, (start, stop)).await?;
            seqs.retain(|seq| self.without.binary_search(seq).is_err());
            return Ok((total, seqs));
        }
        let mut from = start;
        loop {
            let to = end.min(from + WINDOW_ROWS);
            let excluded = self.walk.between(tx, self.tenant, &self.left_out, (from, to)).await?;
            let left = usize::try_from(wanted).unwrap_or(0) - seqs.len();
            let included = (from..to).filter(|seq| {
                excluded.binary_search(seq).is_err() && self.without.binary_search(seq).is_err()
            });
            seqs.extend(included.take(left));
            let found = i64::try_from(seqs.len()).unwrap_or(wanted);
            if found == wanted {
                return Ok((total, seqs));
            }
            // The window was too short, so skip the rows that fill it. The next row is after the
            // window, unless the counts and the rows of the list differ.
            let next = self.position(tx, end, offset + found).await?;
            if next < to {
                return Err(self.corrupt("the total is larger than the number of rows"));
            }
            from = next;
        }
    }

    fn corrupt(&self, reason: &str) -> Error {
        let (table, row) = ("list_totals", format!("{}/{}", self.tenant, self.walk.list.as_str()));
        Error::internal(Corrupt::new(table, "total", row, reason))
    }

    /// Returns how many matching rows are before a position.
    async fn rank(&self, tx: &mut Tx, seq: i64) -> Result<i64> {
        let single = self.without.partition_point(|row| *row < seq);
        let single = i64::try_from(single).unwrap_or(i64::MAX);
        let scoped = match &self.joined {
            Some(joined) => self.walk.rank(tx, self.tenant, joined, seq).await?,
            None => seq - self.walk.rank(tx, self.tenant, &self.left_out, seq).await?,
        };
        Ok(scoped - single)
    }

    /// Returns the position of the matching row with this rank, which must exist.
    async fn position(&self, tx: &mut Tx, end: i64, rank: i64) -> Result<i64> {
        let (mut low, mut high) = (0, end);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.rank(tx, middle).await? <= rank {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
