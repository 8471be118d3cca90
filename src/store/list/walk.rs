//! One scope of a list, walked from any offset.

use super::{BLOCK_ROWS, List, Paging};
use crate::domain::encoded::Encoded;
use crate::domain::error::Result;
use crate::domain::id::TenantId;
use crate::domain::list::Page;
use crate::store::engine::read_int;
use crate::store::sql::{ListArgs, args};
use crate::store::{Row, Tx};

/// The statements that walk the rows of one scope of one list.
pub(in crate::store) struct Walk {
    pub(in crate::store) list: List,
    pub(in crate::store) scope: &'static str,
    pub(in crate::store) page: &'static str,
    pub(in crate::store) rank_of_scopes: (&'static str, &'static str),
    pub(in crate::store) between: (&'static str, &'static str),
}

/// The end of a statement for a page of one scope, after `tenant_id = $1 AND`. Takes the name of
/// the table in the statement, with a dot, the table, and the column of the scope. It looks up the
/// first row, then walks along one index, and sorts nothing.
macro_rules! page_where {
    ($name:literal, $table:literal, $column:literal) => {
        concat!(
            $name,
            $column,
            " = $2 AND ",
            $name,
            "seq >= (
                 SELECT seq FROM ",
            $table,
            " WHERE tenant_id = $1 AND ",
            $column,
            " = $2
                 AND seq >= (SELECT first_seq FROM list_marks
                             WHERE tenant_id = $1 AND list = $3 AND scope = $4
                             AND scope_id = $2 AND block = $5)
                 ORDER BY seq LIMIT 1 OFFSET $6)
             ORDER BY ",
            $name,
            "seq LIMIT $7"
        )
    };
}
pub(in crate::store) use page_where;

/// The statements of a walk. Takes the table and the column of the scope.
macro_rules! walk {
    ($list:expr, $table:literal, $scope:literal, $column:literal) => {
        $crate::store::list::Walk {
            list: $list,
            scope: $scope,
            page: concat!(
                "SELECT seq FROM ",
                $table,
                " WHERE tenant_id = $1 AND ",
                $crate::store::list::page_where!("", $table, $column)
            ),
            // Counts at most the rows of one block in each scope.
            rank_of_scopes: (
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
            between: (
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
        }
    };
}
pub(in crate::store) use walk;

impl Walk {
    /// Returns the positions of a page of one scope, and the number of the scope's rows.
    pub(in crate::store) async fn page(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        scope_id: &str,
        paging: &Paging,
    ) -> Result<(i64, Vec<i64>)> {
        let mut seqs = Vec::new();
        let total = self
            .scan(tx, tenant, scope_id, paging, self.page, |row| {
                seqs.push(read_int(row)?);
                Ok(())
            })
            .await?;
        Ok((total, seqs))
    }

    /// Returns the page itself, by a statement that ends with `page_where!`.
    pub(in crate::store) async fn rows<T: Encoded + Send>(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        scope_id: &str,
        paging: &Paging,
        sql: &'static str,
        mut read: impl FnMut(&mut Row<'_>) -> Result<T> + Send,
    ) -> Result<Page<T>> {
        let mut rows = paging.clone().rows();
        let each = |row: &mut Row<'_>| rows.push(read(row)?);
        let total = self.scan(tx, tenant, scope_id, paging, sql, each).await?;
        Ok(rows.page(total))
    }

    /// Passes the rows of a page to `each`, and returns the number of the scope's rows.
    async fn scan(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        scope_id: &str,
        paging: &Paging,
        sql: &'static str,
        each: impl FnMut(&mut Row<'_>) -> Result<()> + Send,
    ) -> Result<i64> {
        let scope = (self.scope, scope_id);
        let count = tx.list_count(tenant, self.list, scope).await?;
        let (total, offset) = (count.total(), paging.offset());
        if offset >= total {
            return Ok(total);
        }
        let place = match count.holes {
            0 => offset,
            _ => tx.place_of(tenant, self.list, scope, offset).await?,
        };
        let (block, skip) = (place / BLOCK_ROWS, place % BLOCK_ROWS);
        let Self { list, scope, .. } = self;
        let args = args![tenant, scope_id, list.as_str(), *scope, block, skip, paging.limit()];
        tx.scan(sql, args, each).await?;
        Ok(total)
    }

    /// Returns how many rows of these scopes are before a position.
    pub(super) async fn rank(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        scopes: &[&str],
        seq: i64,
    ) -> Result<i64> {
        if scopes.is_empty() {
            return Ok(0);
        }
        let list = ListArgs::new(args![seq, tenant, self.list.as_str(), self.scope], scopes);
        let (head, tail) = self.rank_of_scopes;
        let sql = format!("{head}{}{tail}", list.placeholders);
        Ok(tx.one(sql, &list.args, read_int).await?.unwrap_or(0))
    }

    /// Returns the rows of these scopes between two positions.
    pub(super) async fn between(
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
