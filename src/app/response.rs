//! Responses.

use super::{App, Caller, ReadResponses, ResponseFilter};
use crate::domain::error::Result;
use crate::domain::list::{Page, Pagination};
use crate::domain::response::ScreenerResponse;

impl App {
    /// A page of the tenant's responses.
    pub async fn list_responses(
        &self,
        caller: &Caller<ReadResponses>,
        filter: &ResponseFilter,
        pagination: Pagination,
    ) -> Result<Page<ScreenerResponse>> {
        let tenant = caller.tenant();
        self.store.read(async |tx| tx.list_responses(tenant, filter, pagination).await).await
    }
}
