//! Sessions that enter and leave the cells of the funnel.

use std::collections::BTreeMap;

use crate::domain::error::Result;
use crate::domain::id::{PublicationId, ScreenerId, TenantId};
use crate::domain::session::Session;
use crate::store::Tx;
use crate::store::sql::args;

/// By how much one transaction changes the cells. They are written in one order, so that two
/// transactions cannot wait for each other.
#[derive(Debug, Default)]
pub(in crate::store) struct Cells(BTreeMap<(TenantId, ScreenerId, PublicationId, String), i64>);

impl Cells {
    /// Counts sessions into a cell, or out of it.
    pub(in crate::store) fn count(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        cell: String,
        sessions: i64,
    ) {
        let Session { screener, publication, .. } = session;
        let key = (tenant.clone(), screener.clone(), publication.clone(), cell);
        *self.0.entry(key).or_default() += sessions;
    }

    /// Counts a session out of the cell in which it was, if it was in any, and into another.
    pub(in crate::store) fn shift(
        &mut self,
        tenant: &TenantId,
        session: &Session,
        before: Option<String>,
        after: String,
    ) {
        if let Some(before) = before {
            self.count(tenant, session, before, -1);
        }
        self.count(tenant, session, after, 1);
    }

    pub(in crate::store) fn len(&self) -> usize {
        self.0.len()
    }

    /// Goes on with what was counted after this.
    pub(in crate::store) fn add(&mut self, later: Self) {
        for (key, sessions) in later.0 {
            *self.0.entry(key).or_default() += sessions;
        }
    }

    /// Takes out the cells of which `others` has none.
    pub(in crate::store) fn take_without(&mut self, others: &Self) -> Self {
        Self(self.0.extract_if(.., |key, _| !others.0.contains_key(key)).collect())
    }

    /// Writes the changes out.
    pub(in crate::store) async fn write(self, tx: &mut Tx) -> Result<()> {
        for ((tenant, screener, publication, cell), sessions) in self.0 {
            if sessions == 0 {
                continue;
            }
            let args = args![&tenant, &screener, &publication, &cell, sessions];
            tx.exec(
                "INSERT INTO funnel_cells (tenant_id, screener_id, publication_id, cell, sessions)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (tenant_id, screener_id, publication_id, cell)
                 DO UPDATE SET sessions = funnel_cells.sessions + excluded.sessions",
                args,
            )
            .await?;
            if sessions < 0 {
                tx.exec(
                    "DELETE FROM funnel_cells
                     WHERE tenant_id = $1 AND screener_id = $2 AND publication_id = $3
                        AND cell = $4 AND sessions = 0",
                    &args[..4],
                )
                .await?;
            }
        }
        Ok(())
    }
}
