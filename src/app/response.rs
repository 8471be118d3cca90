//! Responses.

use super::{App, Caller, ReadResponses, ResponseFilter};
use crate::budget::Held;
use crate::domain::error::Result;
use crate::domain::list::{Page, Pagination};
use crate::domain::response::ScreenerResponse;
use crate::store::Tx;

impl App {
    /// A page of the tenant's responses.
    pub async fn list_responses(
        &self,
        caller: &Caller<ReadResponses>,
        filter: &ResponseFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<ScreenerResponse>>> {
        let (share, tenant, filter) = (caller.tenant(), caller.tenant().clone(), filter.clone());
        let length = filter.length(pagination);
        let (paging, charge) = self.paging(share, pagination);
        let page = async move |tx: &mut Tx| tx.list_responses(&tenant, &filter, paging).await;
        let value = self.store.page(share.as_str(), length, page).await?;
        self.in_turn(value, charge).await
    }
}
