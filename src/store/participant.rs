//! Participants.

use std::collections::BTreeMap;

use super::engine::read_int;
use super::list::Paging;
use super::sql::{ListArgs, args};
use super::{List, Row, Tx, WriteTx};
use crate::domain::error::Result;
use crate::domain::id::{ParticipantId, TenantId};
use crate::domain::list::Page;
use crate::domain::participant::{ExternalUid, IdVerification, Participant, Person};

pub(super) fn read_participant(row: &mut Row<'_>) -> Result<Participant> {
    row.of("participants");
    Ok(Participant {
        id: row.parse(ParticipantId::parse)?,
        external_uid: row.opt_parse(ExternalUid::parse)?,
        name: row.opt_text()?,
        email: row.opt_text()?,
        id_verification: row.parse(IdVerification::parse)?,
    })
}

/// The columns that [`read_participant`] reads, with the rest of the statement.
macro_rules! select_participant {
    ($rest:literal) => {
        concat!("SELECT id, external_uid, name, email, id_verification FROM participants ", $rest)
    };
}

impl Tx {
    /// Returns a participant of a tenant.
    pub async fn get_participant(
        &mut self,
        tenant: &TenantId,
        id: &ParticipantId,
    ) -> Result<Option<Participant>> {
        self.one(
            select_participant!("WHERE tenant_id = $1 AND id = $2"),
            args![tenant, id],
            read_participant,
        )
        .await
    }

    /// Returns the participant of a tenant with an external uid.
    pub async fn find_participant(
        &mut self,
        tenant: &TenantId,
        external_uid: &ExternalUid,
    ) -> Result<Option<ParticipantId>> {
        self.one(
            "SELECT id FROM participants WHERE tenant_id = $1 AND external_uid = $2",
            args![tenant, external_uid],
            |row| row.of("participants").parse(ParticipantId::parse),
        )
        .await
    }

    /// Returns whether a participant's id or external uid is taken.
    pub async fn is_participant_taken(
        &mut self,
        tenant: &TenantId,
        id: &ParticipantId,
        external_uid: Option<&ExternalUid>,
    ) -> Result<bool> {
        let found = self
            .one(
                "SELECT CAST(1 AS BIGINT) FROM participants
                 WHERE tenant_id = $1 AND (id = $2 OR external_uid = $3)",
                args![tenant, id, external_uid],
                read_int,
            )
            .await?;
        Ok(found.is_some())
    }

    /// Returns a page of a tenant's participants, in arrival order.
    pub async fn list_participants(
        &mut self,
        tenant: &TenantId,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<Participant>> {
        let paging = paging.into();
        let found = self.dense_page(tenant, List::Participants, &paging).await?;
        let halves = (select_participant!("WHERE tenant_id = $1 AND seq IN ("), ") ORDER BY seq");
        self.page_at(tenant, found, &paging, halves, read_participant).await
    }

    /// Returns the participants of a tenant with these external uids.
    pub async fn find_participants(
        &mut self,
        tenant: &TenantId,
        external_uids: &[&ExternalUid],
    ) -> Result<BTreeMap<ExternalUid, ParticipantId>> {
        if external_uids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let list = ListArgs::new(args![tenant], external_uids);
        let sql = format!(
            "SELECT id, external_uid FROM participants
             WHERE tenant_id = $1 AND external_uid IN ({})",
            list.placeholders
        );
        let found = self.all(sql, &list.args, |row| {
            let id = row.of("participants").parse(ParticipantId::parse)?;
            Ok((row.parse(ExternalUid::parse)?, id))
        });
        Ok(found.await?.into_iter().collect())
    }

    /// Returns the lock identities of the participants with these ids, for those that exist.
    pub async fn find_persons(
        &mut self,
        tenant: &TenantId,
        ids: &[&ParticipantId],
    ) -> Result<BTreeMap<ParticipantId, Person>> {
        let list = ListArgs::new(args![tenant], ids);
        let sql = format!(
            "SELECT id, id, external_uid FROM participants WHERE tenant_id = $1 AND id IN ({})",
            list.placeholders
        );
        let found = self.all(sql, &list.args, |row| {
            Ok((row.of("participants").parse(ParticipantId::parse)?, read_person(row)?))
        });
        Ok(found.await?.into_iter().collect())
    }

    /// Returns the lock identity of a participant.
    pub async fn find_person(
        &mut self,
        tenant: &TenantId,
        id: &ParticipantId,
    ) -> Result<Option<Person>> {
        self.one(
            "SELECT id, external_uid FROM participants WHERE tenant_id = $1 AND id = $2",
            args![tenant, id],
            read_person,
        )
        .await
    }
}

/// Reads the columns `id, external_uid` of a participant.
pub(super) fn read_person(row: &mut Row<'_>) -> Result<Person> {
    let id = row.of("participants").parse(ParticipantId::parse)?;
    let external_uid = row.opt_parse(ExternalUid::parse)?;
    Ok(Person::named(external_uid.as_ref(), &id))
}

impl WriteTx {
    /// Stores the new state of a participant.
    pub async fn update_participant(
        &mut self,
        tenant: &TenantId,
        participant: &Participant,
    ) -> Result<()> {
        self.expect_person(tenant, &Person::of(participant))?;
        let Participant { id, external_uid: _, name, email, id_verification } = participant;
        self.must(
            "UPDATE participants SET name = $1, email = $2, id_verification = $3
             WHERE tenant_id = $4 AND id = $5",
            args![name.as_deref(), email.as_deref(), id_verification.as_str(), tenant, id],
            1,
        )
        .await
    }

    /// Adds a participant, whose id and external uid must be free.
    pub async fn create_participant(
        &mut self,
        tenant: &TenantId,
        participant: &Participant,
    ) -> Result<()> {
        self.expect_person(tenant, &Person::of(participant))?;
        let Participant { id, external_uid, name, email, id_verification } = participant;
        let seq = self.append(tenant, List::Participants, &[]).await?;
        self.put(
            "INSERT INTO participants (tenant_id, id, external_uid, name, email, id_verification,
                seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                tenant,
                id,
                external_uid.as_ref(),
                name.as_deref(),
                email.as_deref(),
                id_verification.as_str(),
                seq,
            ],
        )
        .await
    }
}
