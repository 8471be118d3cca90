//! Sessions that enter and leave the cells of the funnel.

use std::collections::BTreeMap;

use crate::domain::error::Result;
use crate::domain::id::{PublicationId, ScreenerId, TenantId};
use crate::domain::session::Session;
use crate::store::WriteTx;
use crate::store::sql::{Arg, args};

/// The changes of one transaction to the cells.
#[derive(Debug, Default)]
pub(in crate::store) struct Cells(BTreeMap<(TenantId, ScreenerId, PublicationId, String), i64>);

impl Cells {
    /// Counts sessions into a cell, or out of it.
    fn count(&mut self, tenant: &TenantId, session: &Session, cell: String, sessions: i64) {
        let Session { screener, publication, .. } = session;
        let key = (tenant.clone(), screener.clone(), publication.clone(), cell);
        *self.0.entry(key).or_default() += sessions;
    }

    /// Moves a session from the cell `before`, if any, to the cell `after`.
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

    /// Adds later changes.
    pub(in crate::store) fn add(&mut self, later: Self) {
        for (key, sessions) in later.0 {
            *self.0.entry(key).or_default() += sessions;
        }
    }

    /// Returns the changes of one tenant's cells, without those of zero.
    pub(super) fn changes(&self) -> impl Iterator<Item = [Arg<'_>; 4]> {
        let changed = self.0.iter().filter(|(_, sessions)| **sessions != 0);
        changed.map(|((_, screener, publication, cell), sessions)| {
            *args![screener, publication, cell, *sessions]
        })
    }

    /// Writes the changes to the database. An empty cell stays, with a count of 0.
    pub(super) async fn write(self, tx: &mut WriteTx) -> Result<()> {
        for ((tenant, screener, publication, cell), sessions) in self.0 {
            if sessions == 0 {
                continue;
            }
            tx.exec_counts(
                "INSERT INTO funnel_cells (tenant_id, screener_id, publication_id, cell, sessions)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (tenant_id, screener_id, publication_id, cell)
                 DO UPDATE SET sessions = funnel_cells.sessions + excluded.sessions",
                args![&tenant, &screener, &publication, &cell, sessions],
            )
            .await?;
        }
        Ok(())
    }
}
