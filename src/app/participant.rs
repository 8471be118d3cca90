//! Participants.

use super::{App, Caller, ReadParticipants, WriteParticipants};
use crate::budget::Held;
use crate::domain::change::{Action, Change};
use crate::domain::error::{Error, Result};
use crate::domain::id::{ParticipantId, ScreenerId, TenantId};
use crate::domain::list::{Page, Pagination};
use crate::domain::participant::{
    ExternalUid, IdVerification, Participant, ParticipantName, ParticipantUpdate, Person,
};
use crate::domain::screener_participant::ScreenerParticipant;
use crate::store::{Length, Locks, Tx};

/// The properties of a new participant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NewParticipant {
    /// The id. Minted if absent.
    pub id: Option<ParticipantId>,
    /// The caller's own id of the person.
    pub external_uid: Option<ExternalUid>,
    /// The person's name.
    pub name: Option<String>,
    /// The person's email address.
    pub email: Option<String>,
}

fn absent() -> Error {
    Error::not_found("participant")
}

/// Finds the participant that a caller names.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: &TenantId,
    name: &ParticipantName,
) -> Result<Option<Participant>> {
    match name {
        ParticipantName::Id(id) => tx.get_participant(tenant, id).await,
        ParticipantName::ExternalUid(uid) => match tx.find_participant(tenant, uid).await? {
            Some(id) => tx.get_participant(tenant, &id).await,
            None => Ok(None),
        },
    }
}

impl App {
    /// Creates a participant.
    pub async fn create_participant(
        &self,
        caller: &Caller<WriteParticipants>,
        new: NewParticipant,
    ) -> Result<Participant> {
        let (tenant, by) = (caller.tenant().clone(), self.by(caller));
        let NewParticipant { id, external_uid, name, email } = new;
        let participant = Participant {
            id: id.unwrap_or_else(|| ParticipantId::mint(by.at, self.entropy())),
            external_uid,
            name,
            email,
            id_verification: IdVerification::None,
        };
        // Both its id and its external uid must be free.
        let (person, id) = (Person::of(&participant), Person::Id(participant.id.clone()));
        self.store
            .write(Locks::of(&tenant).person(&person).person(&id), async move |tx| {
                if tx.get_participant(&tenant, &participant.id).await?.is_some() {
                    return Err(Error::taken("id", "Must be unique. A participant has this id."));
                }
                if let Some(uid) = &participant.external_uid
                    && tx.find_participant(&tenant, uid).await?.is_some()
                {
                    return Err(Error::taken(
                        "external_uid",
                        "Must be unique. Another participant has it.",
                    ));
                }
                tx.create_participant(&tenant, &participant).await?;
                let change = Change::of(Action::Create, &participant.id, None, &participant, &by);
                tx.record_change(&tenant, &change).await?;
                Ok(participant)
            })
            .await
    }

    /// Returns a participant.
    pub async fn get_participant(
        &self,
        caller: &Caller<ReadParticipants>,
        name: &ParticipantName,
    ) -> Result<Participant> {
        let tenant = caller.tenant();
        let participant = self.store.read(async |tx| find(tx, tenant, name).await).await?;
        participant.ok_or_else(absent)
    }

    /// Returns a participant's progress in a screener, from the newest session.
    pub async fn get_screener_participant(
        &self,
        caller: &Caller<ReadParticipants>,
        screener: &ScreenerId,
        name: &ParticipantName,
    ) -> Result<ScreenerParticipant> {
        let tenant = caller.tenant();
        let found = self
            .store
            .read(async |tx| {
                let Some(person) = find(tx, tenant, name).await? else { return Ok(None) };
                let assignment = tx.find_assignment(tenant, &person.id, screener).await?;
                let Some(assignment) = assignment else { return Ok(None) };
                let newest = tx.newest_session(tenant, &assignment.id).await?;
                Ok(Some(ScreenerParticipant::of(assignment, newest)))
            })
            .await?;
        found.ok_or_else(|| Error::not_found("screener participant"))
    }

    /// Returns a page of the tenant's participants.
    pub async fn list_participants(
        &self,
        caller: &Caller<ReadParticipants>,
        pagination: Pagination,
    ) -> Result<Held<Page<Participant>>> {
        self.page(caller, pagination, Length::of(pagination), async move |tx, tenant, paging| {
            tx.list_participants(tenant, paging).await
        })
        .await
    }

    /// Changes the fields that the update names. An update without effect is a no-op.
    pub async fn update_participant(
        &self,
        caller: &Caller<WriteParticipants>,
        id: ParticipantId,
        update: ParticipantUpdate,
    ) -> Result<Participant> {
        self.change_participant(caller, id, move |before| before.updated(&update)).await
    }

    /// Sets the state of a participant's id verification, and updates the dependent submissions in
    /// the same write. Idempotent.
    pub async fn set_id_verification(
        &self,
        caller: &Caller<WriteParticipants>,
        id: ParticipantId,
        id_verification: IdVerification,
    ) -> Result<Participant> {
        let verified =
            move |before: &Participant| Participant { id_verification, ..before.clone() };
        self.change_participant(caller, id, verified).await
    }

    /// Stores a changed participant and records the change. Without a change, it is a no-op.
    async fn change_participant(
        &self,
        caller: &Caller<WriteParticipants>,
        id: ParticipantId,
        next: impl Fn(&Participant) -> Participant + Send + 'static,
    ) -> Result<Participant> {
        let (tenant, by) = (caller.tenant().clone(), self.by(caller));
        let person = self.store.look_up(async |tx| tx.find_person(&tenant, &id).await).await?;
        let person = person.ok_or_else(absent)?;
        self.store
            .write(Locks::of(&tenant).person(&person), async move |tx| {
                let before = tx.get_participant(&tenant, &id).await?.ok_or_else(absent)?;
                let after = next(&before);
                if after == before {
                    return Ok(before);
                }
                let sessions = if after.id_verification == before.id_verification {
                    Vec::new()
                } else {
                    tx.started_sessions(&tenant, &id).await?
                };
                tx.update_participant(&tenant, &after).await?;
                let change = Change::of(Action::Update, &id, Some(&before), &after, &by);
                tx.record_change(&tenant, &change).await?;
                for (session, standing) in sessions {
                    let standing = standing.verified(after.id_verification);
                    tx.settle(&tenant, &session, &standing).await?;
                }
                Ok(after)
            })
            .await
    }
}
