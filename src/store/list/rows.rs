//! The rows of a page, measured while they are read.

use std::sync::Arc;

use crate::budget::{ANSWER_CHARGED_ABOVE_BYTES, Budget, Charge, Share};
use crate::domain::encoded::{Encoded, row_max_bytes};
use crate::domain::error::{Error, Result};
use crate::domain::list::{PAGE_HEAD_MAX_BYTES, PAGE_MAX_BYTES, Page, Pagination};

/// A page to be read, and the charge of its rows.
#[derive(Clone, Debug)]
pub struct Paging {
    pagination: Pagination,
    charge: Option<Arc<Charge>>,
}

impl Paging {
    /// Creates a page whose rows are charged to this share of a budget.
    #[must_use]
    pub fn charged(pagination: Pagination, budget: &Budget, share: Share) -> (Self, Arc<Charge>) {
        let charge = Arc::new(budget.open(share));
        (Self { pagination, charge: Some(Arc::clone(&charge)) }, charge)
    }

    pub(in crate::store) fn limit(&self) -> i64 {
        self.pagination.limit()
    }

    pub(in crate::store) fn offset(&self) -> i64 {
        self.pagination.offset()
    }

    /// Creates the buffer of the rows.
    pub(in crate::store) fn rows<T: Encoded>(self) -> PageRows<T> {
        PageRows { items: Vec::new(), bytes: PAGE_HEAD_MAX_BYTES, held_bytes: 0, paging: self }
    }
}

/// An internal page, which is not charged.
impl From<Pagination> for Paging {
    fn from(pagination: Pagination) -> Self {
        Self { pagination, charge: None }
    }
}

/// The rows of a page that have been read. Reading stops at the row that exceeds the maximum size
/// of a page, so that a page never takes much more memory than that.
pub(in crate::store) struct PageRows<T> {
    items: Vec<T>,
    bytes: usize,
    /// The memory of the rows in addition to their encoded form.
    held_bytes: usize,
    paging: Paging,
}

impl<T: Encoded> PageRows<T> {
    /// Adds a row. Fails if the page becomes too large, except for its first row.
    pub(in crate::store) fn push(&mut self, item: T) -> Result<()> {
        self.bytes += row_max_bytes(&item);
        if self.bytes > PAGE_MAX_BYTES && !self.items.is_empty() {
            return Err(too_large(self.items.len()));
        }
        self.charge()?;
        self.items.push(item);
        Ok(())
    }

    /// Charges memory that rows share and that is not sent.
    pub(in crate::store) fn hold(&mut self, bytes: usize) -> Result<()> {
        self.held_bytes += bytes;
        self.charge()
    }

    fn charge(&self) -> Result<()> {
        let bytes = self.bytes + self.held_bytes;
        let Some(charge) = &self.paging.charge else { return Ok(()) };
        // The encoded rows are in memory twice while they are encoded.
        if bytes <= ANSWER_CHARGED_ABOVE_BYTES || charge.try_cover(bytes + self.bytes) {
            return Ok(());
        }
        Err(Error::sending())
    }

    /// Returns the page, with the total number of rows on all pages.
    pub(in crate::store) fn page(self, total: i64) -> Page<T> {
        Page { items: self.items, total, pagination: self.paging.pagination }
    }
}

fn too_large(fit: usize) -> Error {
    let mib = PAGE_MAX_BYTES >> 20;
    let rows = if fit == 1 { "1 row fits".to_owned() } else { format!("{fit} rows fit") };
    let limit = if fit == 1 { "1".to_owned() } else { format!("{fit} or less") };
    let detail = format!(
        "The page is larger than {mib} MiB. At most {rows} from this offset: request a limit of {limit}."
    );
    Error::page_too_large(detail, fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::{Kind, Violations};

    struct Sized(usize);

    impl Encoded for Sized {
        fn encoded_max_bytes(&self) -> usize {
            self.0
        }
    }

    fn paging(budget: &Budget) -> (Paging, Arc<Charge>) {
        let pagination = Pagination::parse(None, None, ["", ""], &mut Violations::new());
        Paging::charged(pagination, budget, Share::STRANGERS)
    }

    #[test]
    fn a_page_stops_at_its_bound_and_names_the_rows_that_fit() {
        let budget = Budget::new(usize::MAX);
        let mut rows = paging(&budget).0.rows();
        for _ in 0..3 {
            rows.push(Sized(1 << 20)).expect("it fits");
        }
        let refused = rows.push(Sized(1 << 20)).expect_err("the heads of the rows do not fit");
        assert_eq!((refused.kind(), refused.max_rows()), (Kind::PageTooLarge, Some(3)));
        assert_eq!(
            refused.detail(),
            "The page is larger than 4 MiB. At most 3 rows fit from this offset: request a limit of 3 or less."
        );
        let mut one = paging(&budget).0.rows();
        one.push(Sized(PAGE_MAX_BYTES * 2)).expect("one row is always served");
        assert!(one.push(Sized(0)).expect_err("no more").detail().contains("a limit of 1."));
    }

    #[test]
    fn rows_are_charged_before_more_of_them_are_read() {
        let budget = Budget::new(2 << 20);
        let (small, _charge) = paging(&budget);
        let mut small = small.rows();
        small.push(Sized(ANSWER_CHARGED_ABOVE_BYTES / 2)).expect("it fits");
        assert_eq!(budget.charged_bytes(), 0, "a small page is charged to nothing");
        let (large, charge) = paging(&budget);
        let mut large = large.rows();
        large.push(Sized(600 << 10)).expect("it fits");
        assert!(budget.charged_bytes() >= 1200 << 10, "they are in memory twice when encoded");
        let (other, _other) = paging(&budget);
        let refused = other.rows().push(Sized(600 << 10)).expect_err("the budget is used up");
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert_eq!(large.hold(1 << 20).expect_err("so is it").kind(), Kind::Unavailable);
        drop((large, charge));
        assert_eq!(budget.charged_bytes(), 0);
    }
}
