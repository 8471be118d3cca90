//! The history of changes. Every write records its changes in the same transaction.

use super::{App, Caller, ChangeFilter, ReadHistory};
use crate::budget::Held;
use crate::domain::change::Entry;
use crate::domain::error::Result;
use crate::domain::list::{Page, Pagination};
use crate::store::Length;

impl App {
    /// Returns a page of the tenant's audit log, oldest first.
    pub async fn list_changes(
        &self,
        caller: &Caller<ReadHistory>,
        filter: &ChangeFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<Entry>>> {
        let filter = filter.clone();
        self.page(caller, pagination, Length::Long, async move |tx, tenant, paging| {
            tx.list_changes(tenant, &filter, paging).await
        })
        .await
    }
}
