//! Lists in arrival order, paged without scanning.
//!
//! Every row of a list has a `seq`, its arrival number within the tenant, and an ordinal, its
//! arrival number within each scope of the list, such as a screener's responses. The `seq` is the
//! ordinal of the whole list. Both begin at 0, have no gaps, and are assigned once. For each scope,
//! `list_totals` contains how many rows have arrived, and `list_marks` the `seq` of every 128th
//! row. So a total is one row, and any offset is one seek to its mark and at most 127 more index
//! entries, regardless of the size of the list.
//!
//! A row that leaves creates a hole: no other row moves, and no number is assigned again.
//! `list_totals` also counts the holes of a scope, so a list without holes costs nothing more than
//! to read that. For other lists, `list_holes` counts the holes of each block of 128 ordinals, of
//! each 128 such blocks, and of each 128 of those. Blocks without holes have no row. To find an
//! offset, the three levels are read from the widest down, each only within the block found before.
//! The widest blocks have more than two million rows, so each level is one seek and about 128 index
//! entries at most. The result is a block of 128 ordinals, in which the page is read as usual, over
//! the present rows.
//!
//! A filter that joins or excludes several scopes is a binary search over `seq`: the rank of a
//! position is the sum of its ranks in the scopes, each one seek. That costs about log2(rows) ×
//! scopes seeks, at most 500 scopes, and does not otherwise grow with the rows. It does not support
//! holes: only sessions are filtered so, and no session leaves its list. [`Merge`] refuses a list
//! with holes.

mod cells;
mod holes;
mod kept;
mod ledger;
mod merge;
mod pending;
mod rows;
mod walk;

use super::engine::read_int;
use super::sql::{ListArgs, args};
use super::{Row, Tx};
use crate::domain::encoded::Encoded;
use crate::domain::error::Result;
use crate::domain::id::TenantId;
use crate::domain::list::{LIMIT_DEFAULT_ROWS, Page, Pagination};
use crate::domain::words::words;

pub(super) use holes::block_of;
pub(super) use kept::Kept;
pub(super) use ledger::{Leaving, Ledger};
pub(super) use merge::Merge;
pub(super) use pending::Pending;
pub(super) use rows::PageRows;
pub use rows::Paging;
pub(super) use walk::{Walk, page_where, walk};

/// Rows between two marks: few enough to skip quickly, enough that marks cost next to nothing. The
/// statements of a walk contain the number.
const BLOCK_ROWS: i64 = 128;
/// The most rows of a short page: the default size, which takes some hundred microseconds. A page
/// of 500 rows takes a millisecond and more.
const SHORT_PAGE_MAX_ROWS: i64 = LIMIT_DEFAULT_ROWS;

/// The time that a page takes to read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Length {
    /// Microseconds: it may run on a serving thread.
    Short,
    /// Milliseconds, or a time that grows with the list.
    Long,
}

impl Length {
    /// Returns the length of a page that one seek finds. It depends on the number of rows.
    #[must_use]
    pub fn of(pagination: Pagination) -> Self {
        Self::of_rows(pagination, SHORT_PAGE_MAX_ROWS)
    }

    /// Returns the same for rows that are larger than most.
    pub(super) fn of_rows(pagination: Pagination, short_max_rows: i64) -> Self {
        if pagination.limit() <= short_max_rows { Self::Short } else { Self::Long }
    }

    /// Returns the length of a page whose rows are named, each of which is a seek.
    pub(super) fn of_named(rows: usize, pagination: Pagination) -> Self {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        if rows <= SHORT_PAGE_MAX_ROWS { Self::of(pagination) } else { Self::Long }
    }
}

words! {
    /// A list. Its rows are in the table of its name.
    List {
        /// Sessions.
        Sessions = "sessions",
        /// Responses.
        Responses = "responses",
        /// Answers that were replaced or dropped.
        EarlierResponses = "earlier_responses",
        /// Submissions.
        Submissions = "submissions",
        /// Projects.
        Projects = "projects",
        /// Screeners.
        Screeners = "screeners",
        /// Publications.
        Publications = "publications",
        /// Participants.
        Participants = "participants",
        /// The audit log.
        Changes = "changes",
    }
}

/// A part of a tenant's list that can be paged separately.
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

/// A scope of a tenant's list.
type Key = (TenantId, List, &'static str, String);

/// The whole list.
pub(super) const TENANT_SCOPE: (&str, &str) = ("tenant", "");

/// The number of rows in a scope.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// The number of rows that have arrived, which is the ordinal of the next one.
    arrived: i64,
    /// The number of rows that have left.
    holes: i64,
}

impl Count {
    /// Returns how many rows have arrived, including those that have left.
    pub(super) fn arrived(self) -> i64 {
        self.arrived
    }

    /// Returns how many rows are present.
    fn total(self) -> i64 {
        self.arrived - self.holes
    }
}

fn read_count(row: &mut Row<'_>) -> Result<Count> {
    Ok(Count { arrived: row.int()?, holes: row.int()? })
}

impl Tx {
    /// Returns the number of rows in a scope of a list, without buffered counts.
    pub(super) async fn list_count(
        &mut self,
        tenant: &TenantId,
        list: List,
        (scope, scope_id): (&str, &str),
    ) -> Result<Count> {
        let count = self
            .one(
                "SELECT total, holes FROM list_totals
                 WHERE tenant_id = $1 AND list = $2 AND scope = $3 AND scope_id = $4",
                args![tenant, list.as_str(), scope, scope_id],
                read_count,
            )
            .await?;
        Ok(count.unwrap_or_default())
    }

    /// Returns the positions of a page of a whole list, and the number of its rows. Without holes,
    /// positions have no gaps, and no row is read.
    pub(super) async fn dense_page(
        &mut self,
        tenant: &TenantId,
        list: List,
        paging: &Paging,
    ) -> Result<(i64, Vec<i64>)> {
        let count = self.list_count(tenant, list, TENANT_SCOPE).await?;
        let total = count.total();
        let (limit, start) = (paging.limit(), paging.offset().min(total));
        if count.holes == 0 || start == total {
            return Ok((total, (start..total.min(start.saturating_add(limit))).collect()));
        }
        let place = self.place_of(tenant, list, TENANT_SCOPE, start).await?;
        let (first, skip) = (place - place % BLOCK_ROWS, place % BLOCK_ROWS);
        let sql = format!(
            "SELECT seq FROM {} WHERE tenant_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3 OFFSET $4",
            list.as_str()
        );
        Ok((total, self.all(sql, args![tenant, first, limit, skip], read_int).await?))
    }

    /// Returns the page with the rows at these positions, out of `total`. The statement consists of
    /// two halves, between which the positions are inserted.
    pub(super) async fn page_at<T: Encoded + Send>(
        &mut self,
        tenant: &TenantId,
        (total, seqs): (i64, Vec<i64>),
        paging: &Paging,
        (head, tail): (&'static str, &'static str),
        mut read: impl FnMut(&mut Row<'_>) -> Result<T> + Send,
    ) -> Result<Page<T>> {
        let mut rows = paging.clone().rows();
        if !seqs.is_empty() {
            let list = ListArgs::new(args![tenant], &seqs);
            let sql = format!("{head}{}{tail}", list.placeholders);
            self.scan(sql, &list.args, |row| rows.push(read(row)?)).await?;
        }
        Ok(rows.page(total))
    }
}

/// Returns the positions of a page of a small unsorted set, and their total number.
pub(super) fn page_of(mut seqs: Vec<i64>, paging: &Paging) -> (i64, Vec<i64>) {
    seqs.sort_unstable();
    let total = i64::try_from(seqs.len()).unwrap_or(i64::MAX);
    let skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    let take = usize::try_from(paging.limit()).unwrap_or(0);
    (total, seqs.into_iter().skip(skip).take(take).collect())
}
