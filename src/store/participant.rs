//! Participants.

use super::sql::args;
use super::{Row, Tx};
use crate::domain::error::Result;
use crate::domain::id::{ParticipantId, TenantId};
use crate::domain::participant::{IdVerification, Participant};

fn read_participant(row: &mut Row<'_>) -> Result<Participant> {
    row.of("participants");
    Ok(Participant {
        id: row.parse(ParticipantId::parse)?,
        external_uid: row.opt_text()?,
        name: row.opt_text()?,
        email: row.opt_text()?,
        id_verification: row.parse(IdVerification::parse)?,
    })
}

impl Tx {
    /// One participant of a tenant.
    pub async fn get_participant(
        &mut self,
        tenant: &TenantId,
        id: &ParticipantId,
    ) -> Result<Option<Participant>> {
        self.one(
            "SELECT id, external_uid, name, email, id_verification FROM participants
             WHERE tenant_id = $1 AND id = $2",
            args![tenant, id],
            read_participant,
        )
        .await
    }

    /// Which participant of a tenant has an external uid.
    pub async fn find_participant(
        &mut self,
        tenant: &TenantId,
        external_uid: &str,
    ) -> Result<Option<ParticipantId>> {
        self.one(
            "SELECT id FROM participants WHERE tenant_id = $1 AND external_uid = $2",
            args![tenant, external_uid],
            |row| row.of("participants").parse(ParticipantId::parse),
        )
        .await
    }

    /// Adds a participant; `false` if the id or the external uid is taken.
    pub async fn create_participant(
        &mut self,
        tenant: &TenantId,
        participant: &Participant,
    ) -> Result<bool> {
        let Participant { id, external_uid, name, email, id_verification } = participant;
        let added = self
            .exec(
                "INSERT INTO participants (tenant_id, id, external_uid, name, email,
                    id_verification)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                args![
                    tenant,
                    id,
                    external_uid.as_deref(),
                    name.as_deref(),
                    email.as_deref(),
                    id_verification.as_str(),
                ],
            )
            .await?;
        Ok(added == 1)
    }
}
