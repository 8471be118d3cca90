//! The history of changes. Whatever changes something records it in the same write.

use super::{App, Caller, ChangeFilter, ReadHistory};
use crate::domain::change::Entry;
use crate::domain::error::Result;
use crate::domain::list::{Page, Pagination};

impl App {
    /// A page of the tenant's log, oldest first.
    pub async fn list_changes(
        &self,
        caller: &Caller<ReadHistory>,
        filter: &ChangeFilter,
        pagination: Pagination,
    ) -> Result<Page<Entry>> {
        let tenant = caller.tenant();
        self.store.read(async |tx| tx.list_changes(tenant, filter, pagination).await).await
    }
}
