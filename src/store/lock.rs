//! Locks: what a transaction keeps others from changing while it decides.
//!
//! One participant's row stands for everything that hangs on it. A transaction that answers as that
//! person, reviews what they submitted, archives or removes their sessions, or verifies who they are
//! locks it first, and so decides alone. One that creates a session of a screener or answers one
//! shares a lock of the screener with others of its kind. One that changes the screener, its draft
//! included, locks it alone. One that changes how a tenant's pages look locks the tenant, and nothing
//! of the others.
//!
//! Locks are taken before anything is read that a decision rests on, in this order: the screener,
//! then the participant, then the totals of lists. Where there is only one writer they cost nothing.

use super::sql::{Arg, args};
use super::{Sql, Tx};
use crate::domain::error::Result;
use crate::domain::id::{ParticipantId, ScreenerId, SessionId, TenantId};

impl Tx {
    /// Locks a tenant, as far as its looks go, until the transaction ends.
    pub async fn lock_tenant(&mut self, id: &TenantId) -> Result<()> {
        self.lock("SELECT id FROM tenants WHERE id = $1 FOR NO KEY UPDATE", args![id]).await
    }

    /// Locks a participant until the transaction ends.
    pub async fn lock_participant(&mut self, tenant: &TenantId, id: &ParticipantId) -> Result<()> {
        self.lock(
            "SELECT id FROM participants WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
            args![tenant, id],
        )
        .await
    }

    /// Locks the participant whose session it is until the transaction ends.
    pub async fn lock_session(&mut self, tenant: &TenantId, id: &SessionId) -> Result<()> {
        self.lock(
            "SELECT p.id FROM sessions s
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
             WHERE s.tenant_id = $1 AND s.id = $2 FOR NO KEY UPDATE OF p",
            args![tenant, id],
        )
        .await
    }

    /// Locks a screener against changes until the transaction ends.
    pub async fn lock_screener(&mut self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        self.lock(
            "SELECT id FROM screeners WHERE tenant_id = $1 AND id = $2 FOR SHARE",
            args![tenant, id],
        )
        .await
    }

    /// Locks a screener until the transaction ends: no other changes it or relies on it.
    pub async fn lock_screener_alone(&mut self, tenant: &TenantId, id: &ScreenerId) -> Result<()> {
        self.lock(
            "SELECT id FROM screeners WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
            args![tenant, id],
        )
        .await
    }

    async fn lock(&mut self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<()> {
        if self.connection.is_only_writer() {
            return Ok(());
        }
        self.all(sql, args, |_| Ok(())).await.map(|_| ())
    }
}
