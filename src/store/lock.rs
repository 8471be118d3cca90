//! Locks: what a transaction keeps others from changing while it decides.
//!
//! One participant's row stands for everything that hangs on it: whoever answers as that person,
//! reviews what they submitted, archives or removes their sessions, or verifies who they are holds
//! it first, and so decides alone. A screener is held against being changed by whoever creates a
//! session of it or answers one; they do not keep each other out. Whoever changes it, its draft
//! included, holds it alone. Whoever changes how a tenant's pages look holds the tenant, and nothing
//! of the others.
//!
//! Locks are taken before anything is read that a decision rests on, in this order: the screener,
//! then the participant, then the totals of lists. Where there is only one writer they cost nothing.

use super::sql::{Arg, args};
use super::{Sql, Tx};
use crate::domain::error::Result;
use crate::domain::id::{ParticipantId, ScreenerId, SessionId, TenantId};

impl Tx {
    /// Holds a tenant, as far as its looks go, until the transaction ends.
    pub async fn hold_tenant(&mut self, id: &TenantId) -> Result<()> {
        self.hold("SELECT id FROM tenants WHERE id = $1 FOR NO KEY UPDATE", args![id]).await
    }

    /// Holds a participant until the transaction ends.
    pub async fn hold_participant(&mut self, tenant: &TenantId, id: &ParticipantId) -> Result<()> {
        self.hold(
            "SELECT id FROM participants WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
            args![tenant, id],
        )
        .await
    }

    /// Holds the participant whose session it is until the transaction ends.
    pub async fn hold_session(&mut self, tenant: &TenantId, id: &SessionId) -> Result<()> {
        self.hold(
            "SELECT p.id FROM sessions s
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
             WHERE s.tenant_id = $1 AND s.id = $2 FOR NO KEY UPDATE OF p",
            args![tenant, id],
        )
        .await
    }

    /// Keeps a screener from being changed until the transaction ends.
    pub async fn hold_screener(&mut self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        self.hold(
            "SELECT id FROM screeners WHERE tenant_id = $1 AND id = $2 FOR SHARE",
            args![tenant, id],
        )
        .await
    }

    /// Holds a screener until the transaction ends: nobody else changes it or relies on it.
    pub async fn hold_screener_alone(&mut self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        self.hold(
            "SELECT id FROM screeners WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
            args![tenant, id],
        )
        .await
    }

    async fn hold(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<()> {
        if self.connection.is_only_writer() {
            return Ok(());
        }
        self.all(sql, args, |_| Ok(())).await.map(|_| ())
    }
}
