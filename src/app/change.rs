//! The history of changes. Whatever changes something records it in the same write.

use super::{App, Caller, ChangeFilter, ReadHistory};
use crate::budget::Held;
use crate::domain::change::Entry;
use crate::domain::error::Result;
use crate::domain::list::{Page, Pagination};
use crate::store::Tx;

impl App {
    /// A page of the tenant's log, oldest first.
    pub async fn list_changes(
        &self,
        caller: &Caller<ReadHistory>,
        filter: &ChangeFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<Entry>>> {
        let (share, tenant, filter) = (caller.tenant(), caller.tenant().clone(), filter.clone());
        let (paging, charge) = self.paging(share, pagination);
        let page = async move |tx: &mut Tx| tx.list_changes(&tenant, &filter, paging).await;
        let value = self.store.scan(share.as_str(), page).await?;
        self.in_turn(value, charge).await
    }
}
