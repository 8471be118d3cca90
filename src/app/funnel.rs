//! The funnel of a screener.

use std::collections::BTreeMap;

use super::{App, Caller, ReadScreeners};
use crate::domain::error::{Error, Result};
use crate::domain::funnel::Funnel;
use crate::domain::id::{PublicationId, ScreenerId};
use crate::domain::publication::Publication;

/// A funnel with the publications of its questions.
#[derive(Clone, Debug, PartialEq)]
pub struct FunnelView {
    /// The screener.
    pub screener: ScreenerId,
    /// The publication, if the funnel is limited to one.
    pub publication: Option<PublicationId>,
    /// The counts.
    pub funnel: Funnel,
    /// The publications of the questions in the counts.
    pub publications: BTreeMap<PublicationId, Publication>,
}

impl App {
    /// Returns the funnel of a screener, or of one of its publications.
    pub async fn get_funnel(
        &self,
        caller: &Caller<ReadScreeners>,
        screener: ScreenerId,
        publication: Option<PublicationId>,
    ) -> Result<FunnelView> {
        let (share, tenant) = (caller.tenant(), caller.tenant().clone());
        // Cells and publications grow with the history of the screener, so this can take long.
        self.store
            .scan(share.as_str(), async move |tx| {
                let tenant = &tenant;
                let found = tx.get_screener(tenant, &screener).await?;
                found.ok_or_else(|| Error::not_found("screener"))?;
                let mut publications = BTreeMap::new();
                if let Some(id) = &publication {
                    let found = tx.get_publication(tenant, id).await?;
                    let found = found.filter(|it| it.screener == screener);
                    let found = found.ok_or_else(|| Error::not_found("publication"))?;
                    publications.insert(id.clone(), found);
                }
                let funnel = tx.get_funnel(tenant, &screener, publication.as_ref()).await?;
                for (id, _) in funnel.disqualified_by_question.keys() {
                    if publications.contains_key(id) {
                        continue;
                    }
                    let found = tx.get_publication(tenant, id).await?;
                    let found = found.ok_or_else(|| Error::internal("a cell of no publication"))?;
                    publications.insert(id.clone(), found);
                }
                Ok(FunnelView { screener, publication, funnel, publications })
            })
            .await
    }
}
