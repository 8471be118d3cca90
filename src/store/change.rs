//! The audit log. Nothing here changes or deletes an entry.

use super::sql::args;
use super::{Ledger, List, Tx};
use crate::domain::change::Change;
use crate::domain::error::Result;
use crate::domain::id::TenantId;

impl Tx {
    /// Adds an entry, in the transaction of the change that it records.
    pub async fn record_change(&mut self, tenant: &TenantId, change: &Change) -> Result<()> {
        let mut ledger = Ledger::default();
        self.append_change(&mut ledger, tenant, change).await?;
        ledger.flush(self).await
    }

    /// Adds one entry of several, which the caller's ledger counts.
    pub async fn append_change(
        &mut self,
        ledger: &mut Ledger,
        tenant: &TenantId,
        change: &Change,
    ) -> Result<()> {
        let seq = ledger.append(self, tenant, List::Changes, &[]).await?;
        let Change { at, actor, action, subject, subject_id, before, after } = change;
        self.exec(
            "INSERT INTO changes (tenant_id, seq, at, actor, action, subject, subject_id,
                state_before, state_after)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![
                tenant,
                seq,
                *at,
                actor,
                action.as_str(),
                subject.as_str(),
                subject_id,
                *before,
                *after,
            ],
        )
        .await
        .map(|_| ())
    }
}
