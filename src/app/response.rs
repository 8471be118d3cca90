//! Responses.

use super::{App, Caller, EarlierFilter, ReadResponses, ResponseFilter};
use crate::budget::Held;
use crate::domain::error::Result;
use crate::domain::list::{Page, Pagination};
use crate::domain::response::{EarlierResponse, ScreenerResponse};

impl App {
    /// Returns a page of the tenant's responses.
    pub async fn list_responses(
        &self,
        caller: &Caller<ReadResponses>,
        filter: &ResponseFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<ScreenerResponse>>> {
        let (filter, length) = (filter.clone(), filter.length(pagination));
        self.page(caller, pagination, length, async move |tx, tenant, paging| {
            tx.list_responses(tenant, &filter, paging).await
        })
        .await
    }

    /// Returns a page of the tenant's answers that were replaced or dropped.
    pub async fn list_earlier_responses(
        &self,
        caller: &Caller<ReadResponses>,
        filter: &EarlierFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<EarlierResponse>>> {
        let (filter, length) = (filter.clone(), filter.length(pagination));
        self.page(caller, pagination, length, async move |tx, tenant, paging| {
            tx.list_earlier_responses(tenant, &filter, paging).await
        })
        .await
    }
}
