//! Assignments, which the session dialect calls screener participants, and their dismissals.

use super::sql::args;
use super::{Row, Tx};
use crate::domain::error::{Error, Result};
use crate::domain::id::{AssignmentId, ParticipantId, ScreenerId, TenantId};
use crate::domain::participant::{Assignment, ExternalUid};
use crate::domain::time::Timestamp;

fn read_assignment(row: &mut Row<'_>) -> Result<Assignment> {
    row.of("assignments");
    Ok(Assignment {
        id: row.parse(AssignmentId::parse)?,
        screener: row.parse(ScreenerId::parse)?,
        participant: row.parse(ParticipantId::parse)?,
        key_epoch: {
            let epoch = row.int()?;
            u32::try_from(epoch).map_err(|_| row.corrupt("an epoch is 0 to 4294967295"))?
        },
    })
}

impl Tx {
    /// One assignment of a tenant.
    pub async fn get_assignment(
        &mut self,
        tenant: &TenantId,
        id: &AssignmentId,
    ) -> Result<Option<Assignment>> {
        self.one(
            "SELECT id, screener_id, participant_id, key_epoch FROM assignments
             WHERE tenant_id = $1 AND id = $2",
            args![tenant, id],
            read_assignment,
        )
        .await
    }

    /// The assignment of a person to a screener.
    pub async fn find_assignment(
        &mut self,
        tenant: &TenantId,
        participant: &ParticipantId,
        screener: &ScreenerId,
    ) -> Result<Option<Assignment>> {
        self.one(
            "SELECT id, screener_id, participant_id, key_epoch FROM assignments
             WHERE tenant_id = $1 AND participant_id = $2 AND screener_id = $3",
            args![tenant, participant, screener],
            read_assignment,
        )
        .await
    }

    /// The assignment of whoever has an external uid to a screener.
    pub async fn find_assignment_of(
        &mut self,
        tenant: &TenantId,
        external_uid: &ExternalUid,
        screener: &ScreenerId,
    ) -> Result<Option<Assignment>> {
        self.one(
            "SELECT a.id, a.screener_id, a.participant_id, a.key_epoch
             FROM participants p
             JOIN assignments a ON a.tenant_id = p.tenant_id AND a.participant_id = p.id
             WHERE p.tenant_id = $1 AND p.external_uid = $2 AND a.screener_id = $3",
            args![tenant, external_uid, screener],
            read_assignment,
        )
        .await
    }

    /// Adds an assignment; `false` if the id is taken or the person is assigned already.
    pub async fn create_assignment(
        &mut self,
        tenant: &TenantId,
        assignment: &Assignment,
    ) -> Result<bool> {
        let Assignment { id, screener, participant, key_epoch } = assignment;
        self.exec_one(
            "INSERT INTO assignments (tenant_id, id, screener_id, participant_id, key_epoch)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            args![tenant, id, screener, participant, i64::from(*key_epoch)],
        )
        .await
    }

    /// The assignment of a person to a screener: the one that is there, or this one.
    pub async fn ensure_assignment(
        &mut self,
        tenant: &TenantId,
        assignment: Assignment,
    ) -> Result<Assignment> {
        let Assignment { screener, participant, .. } = &assignment;
        if let Some(found) = self.find_assignment(tenant, participant, screener).await? {
            return Ok(found);
        }
        if self.create_assignment(tenant, &assignment).await? {
            return Ok(assignment);
        }
        // Another caller was first, a moment ago.
        let found = self.find_assignment(tenant, participant, screener).await?;
        found.ok_or_else(|| Error::internal("an assignment was neither found nor made"))
    }

    /// Records that a person said "not now"; `false` if that is recorded already.
    pub async fn create_dismissal(
        &mut self,
        tenant: &TenantId,
        assignment: &AssignmentId,
        at: Timestamp,
    ) -> Result<bool> {
        self.exec_one(
            "INSERT INTO dismissals (tenant_id, assignment_id, dismissed_at)
             VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            args![tenant, assignment, at],
        )
        .await
    }
}
