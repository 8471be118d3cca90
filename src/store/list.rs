//! Lists in arrival order, paged without scanning.
//!
//! Every row of a list has a `seq`, its arrival number within the tenant, without gaps. For each
//! scope of a list (a screener's sessions, say) `list_totals` holds how many rows there are, and
//! `list_marks` holds the `seq` of every 128th row. So a total is one row, and any offset is one
//! seek to its mark and at most 127 index entries more, whatever the size of the list.
//!
//! A filter that joins or leaves out several scopes is answered by a binary search over `seq`: the
//! rank of a position is the sum of its ranks in the scopes, each one seek. That costs about
//! log2(rows) × scopes seeks, at most 500 scopes, and does not otherwise grow with the rows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Tx;
use super::funnel::Cells;
use super::row::read_int;
use super::sql::{ListArgs, args};
use crate::domain::error::{Error, Result};
use crate::domain::id::TenantId;

/// Rows between two marks: few enough to skip quickly, many enough that marks cost nothing.
/// The statements below contain the number.
const BLOCK_ROWS: i64 = 128;
/// Rows that are looked at in one go where an excluded scope may fill any stretch of the list.
const WINDOW_ROWS: i64 = 1024;

/// A list.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum List {
    /// Sessions.
    Sessions,
    /// Responses.
    Responses,
    /// Submissions.
    Submissions,
    /// Projects.
    Projects,
    /// Screeners.
    Screeners,
    /// Publications.
    Publications,
    /// Participants.
    Participants,
    /// The audit log.
    Changes,
}

impl List {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Responses => "responses",
            Self::Submissions => "submissions",
            Self::Projects => "projects",
            Self::Screeners => "screeners",
            Self::Publications => "publications",
            Self::Participants => "participants",
            Self::Changes => "changes",
        }
    }
}

/// A part of a tenant's list that can be paged by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope<'a> {
    /// One project's rows.
    Project(&'a str),
    /// One screener's rows.
    Screener(&'a str),
    /// One publication's rows.
    Publication(&'a str),
}

impl<'a> Scope<'a> {
    fn parts(self) -> (&'static str, &'a str) {
        match self {
            Self::Project(id) => ("project", id),
            Self::Screener(id) => ("screener", id),
            Self::Publication(id) => ("publication", id),
        }
    }
}

const TENANT_SCOPE: (&str, &str) = ("tenant", "");

/// Counts the rows that one transaction adds to lists, and the sessions that it moves between cells
/// of the funnel.
///
/// The first row of a scope locks its total, always the tenant's before any other, and cells are
/// written after all totals, so that two transactions cannot wait for each other.
/// [`Ledger::flush`] must run before the transaction ends.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) cells: Cells,
    totals: BTreeMap<(TenantId, List, &'static str, String), i64>,
}

impl Ledger {
    /// Scopes, and cells, that are kept in memory before they are written out.
    const SCOPES_MAX: usize = 10_000;

    /// Counts one more row of a list in these scopes, and says its `seq`.
    pub async fn append(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        scopes: &[Scope<'_>],
    ) -> Result<i64> {
        if self.totals.len() + self.cells.len() > Self::SCOPES_MAX {
            self.flush(tx).await?;
        }
        let seq = self.count(tx, tenant, list, TENANT_SCOPE).await?;
        for scope in scopes {
            let (scope, scope_id) = scope.parts();
            let position = self.count(tx, tenant, list, (scope, scope_id)).await?;
            if position % BLOCK_ROWS == 0 {
                tx.exec(
                    "INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                    args![tenant, list.as_str(), scope, scope_id, position / BLOCK_ROWS, seq],
                )
                .await?;
            }
        }
        Ok(seq)
    }

    /// Holds a tenant's list until the transaction ends: nobody else adds to it meanwhile, so what
    /// is looked up after this and is not there can be added.
    pub async fn lock(&mut self, tx: &mut Tx, tenant: &TenantId, list: List) -> Result<()> {
        self.total(tx, tenant, list, TENANT_SCOPE).await.map(|_| ())
    }

    /// Adds one to a total and returns what it was.
    async fn count(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        scope: (&'static str, &str),
    ) -> Result<i64> {
        let total = self.total(tx, tenant, list, scope).await?;
        *total += 1;
        Ok(*total - 1)
    }

    /// A total, which nobody else changes until the transaction ends.
    async fn total(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&'static str, &str),
    ) -> Result<&mut i64> {
        let vacant = match self.totals.entry((tenant.clone(), list, scope, scope_id.to_owned())) {
            Entry::Occupied(occupied) => return Ok(occupied.into_mut()),
            Entry::Vacant(vacant) => vacant,
        };
        let total = tx
            .one(
                "INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
                 VALUES ($1, $2, $3, $4, 0)
                 ON CONFLICT (tenant_id, list, scope, scope_id)
                 DO UPDATE SET total = list_totals.total
                 RETURNING total",
                args![tenant, list.as_str(), scope, scope_id],
                read_int,
            )
            .await?
            .ok_or_else(|| Error::internal("a total was neither found nor made"))?;
        Ok(vacant.insert(total))
    }

    /// Writes the totals out, and then the cells.
    pub async fn flush(&mut self, tx: &mut Tx) -> Result<()> {
        for ((tenant, list, scope, scope_id), total) in std::mem::take(&mut self.totals) {
            tx.exec(
                "UPDATE list_totals SET total = $1
                 WHERE tenant_id = $2 AND list = $3 AND scope = $4 AND scope_id = $5",
                args![total, &tenant, list.as_str(), scope, &scope_id],
            )
            .await?;
        }
        self.cells.flush(tx).await
    }
}

/// How the rows of one scope of one list are walked.
pub(super) struct Walk {
    list: List,
    scope: &'static str,
    page: &'static str,
    rank_of_scopes: (&'static str, &'static str),
    between: (&'static str, &'static str),
}

/// The statements of a walk: the table and the column that holds the scope.
macro_rules! walk {
    ($list:expr, $table:literal, $scope:literal, $column:literal) => {
        $crate::store::list::Walk::new(
            $list,
            $scope,
            concat!(
                "SELECT seq FROM ",
                $table,
                " WHERE tenant_id = $1 AND ",
                $column,
                " = $2
                 AND seq >= (SELECT first_seq FROM list_marks
                             WHERE tenant_id = $1 AND list = $3 AND scope = $4
                             AND scope_id = $2 AND block = $5)
                 ORDER BY seq LIMIT $6 OFFSET $7"
            ),
            // Counts at most the rows of one block in each scope.
            (
                concat!(
                    "SELECT CAST(COALESCE(SUM((
                     SELECT m.block * 128 + (
                         SELECT COUNT(*) FROM ",
                    $table,
                    " r
                         WHERE r.tenant_id = m.tenant_id AND r.",
                    $column,
                    " = m.scope_id
                         AND r.seq >= m.first_seq AND r.seq < $1)
                     FROM list_marks m
                     WHERE m.tenant_id = t.tenant_id AND m.list = t.list AND m.scope = t.scope
                     AND m.scope_id = t.scope_id AND m.first_seq < $1
                     ORDER BY m.first_seq DESC LIMIT 1)), 0) AS BIGINT)
                 FROM list_totals t
                 WHERE t.tenant_id = $2 AND t.list = $3 AND t.scope = $4 AND t.scope_id IN ("
                ),
                ")",
            ),
            // The cross join makes SQLite seek in each scope instead of walking the tenant.
            (
                concat!(
                    "SELECT r.seq FROM list_totals t CROSS JOIN ",
                    $table,
                    " r
                 WHERE r.tenant_id = t.tenant_id AND r.",
                    $column,
                    " = t.scope_id
                 AND r.seq >= $1 AND r.seq < $2
                 AND t.tenant_id = $3 AND t.list = $4 AND t.scope = $5 AND t.scope_id IN ("
                ),
                ") ORDER BY r.seq",
            ),
        )
    };
}
pub(super) use walk;

impl Walk {
    pub(super) const fn new(
        list: List,
        scope: &'static str,
        page: &'static str,
        rank_of_scopes: (&'static str, &'static str),
        between: (&'static str, &'static str),
    ) -> Self {
        Self { list, scope, page, rank_of_scopes, between }
    }

    /// The rows `offset..offset + limit` of one scope, and how many it has.
    pub(super) async fn page(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        scope_id: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(i64, Vec<i64>)> {
        let total = tx.list_total(tenant, self.list, (self.scope, scope_id)).await?;
        if offset >= total {
            return Ok((total, Vec::new()));
        }
        let (block, skip) = (offset / BLOCK_ROWS, offset % BLOCK_ROWS);
        let args = args![tenant, scope_id, self.list.as_str(), self.scope, block, limit, skip];
        Ok((total, tx.all(self.page, args, read_int).await?))
    }

    /// How many rows of these scopes stand before a position.
    async fn rank(&self, tx: &mut Tx, tenant: &TenantId, scopes: &[&str], seq: i64) -> Result<i64> {
        if scopes.is_empty() {
            return Ok(0);
        }
        let list = ListArgs::new(args![seq, tenant, self.list.as_str(), self.scope], scopes);
        let (head, tail) = self.rank_of_scopes;
        let sql = format!("{head}{}{tail}", list.placeholders);
        Ok(tx.one(sql, &list.args, read_int).await?.unwrap_or(0))
    }

    /// The rows of these scopes between two positions.
    async fn between(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        scopes: &[&str],
        (from, to): (i64, i64),
    ) -> Result<Vec<i64>> {
        if scopes.is_empty() {
            return Ok(Vec::new());
        }
        let list = ListArgs::new(args![from, to, tenant, self.list.as_str(), self.scope], scopes);
        let (head, tail) = self.between;
        let sql = format!("{head}{}{tail}", list.placeholders);
        tx.all(sql, &list.args, read_int).await
    }
}

/// Several scopes of a list joined, or left out of it, without some single rows.
pub(super) struct Merge<'a> {
    pub(super) walk: &'a Walk,
    pub(super) tenant: &'a TenantId,
    /// The scopes that are joined; all but `left_out`, if absent.
    pub(super) joined: Option<Vec<&'a str>>,
    /// The scopes that are left out.
    pub(super) left_out: Vec<&'a str>,
    /// Single rows that are left out, sorted; each would match otherwise.
    pub(super) without: Vec<i64>,
}

impl Merge<'_> {
    /// The rows `offset..offset + limit`, and how many there are.
    pub(super) async fn page(
        &self,
        tx: &mut Tx,
        limit: i64,
        offset: i64,
    ) -> Result<(i64, Vec<i64>)> {
        let end = tx.list_total(self.tenant, self.walk.list, TENANT_SCOPE).await?;
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
            // The window was too short: jump over whatever fills it.
            from = self.position(tx, end, offset + found).await?;
        }
    }

    /// How many matching rows stand before a position.
    async fn rank(&self, tx: &mut Tx, seq: i64) -> Result<i64> {
        let single = self.without.partition_point(|row| *row < seq);
        let single = i64::try_from(single).unwrap_or(i64::MAX);
        let scoped = match &self.joined {
            Some(joined) => self.walk.rank(tx, self.tenant, joined, seq).await?,
            None => seq - self.walk.rank(tx, self.tenant, &self.left_out, seq).await?,
        };
        Ok(scoped - single)
    }

    /// The position of the matching row with this rank, which must exist.
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

impl Tx {
    async fn list_total(
        &mut self,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&str, &str),
    ) -> Result<i64> {
        let total = self
            .one(
                "SELECT total FROM list_totals
                 WHERE tenant_id = $1 AND list = $2 AND scope = $3 AND scope_id = $4",
                args![tenant, list.as_str(), scope, scope_id],
                read_int,
            )
            .await?;
        Ok(total.unwrap_or(0))
    }

    /// The rows `offset..offset + limit` of a whole list, and how many it has: positions are
    /// without gaps, so nothing needs to be looked up.
    pub(super) async fn dense_page(
        &mut self,
        tenant: &TenantId,
        list: List,
        limit: i64,
        offset: i64,
    ) -> Result<(i64, Vec<i64>)> {
        let total = self.list_total(tenant, list, TENANT_SCOPE).await?;
        let start = offset.min(total);
        Ok((total, (start..total.min(start.saturating_add(limit))).collect()))
    }
}

/// The rows `offset..offset + limit` of a small set of positions in any order.
pub(super) fn page_of(mut seqs: Vec<i64>, limit: i64, offset: i64) -> (i64, Vec<i64>) {
    seqs.sort_unstable();
    let total = seqs.len();
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(total);
    let stop = start.saturating_add(usize::try_from(limit).unwrap_or(0)).min(total);
    (i64::try_from(total).unwrap_or(i64::MAX), seqs[start..stop].to_vec())
}
