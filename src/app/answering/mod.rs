//! Answering: the holder of a panelist key or a session link loads the questionnaire (`load`),
//! submits answers (`submit`) and can dismiss the survey (`dismiss`).
//!
//! Authentication checks the credential and its tenant. Whether the holder may answer is checked in
//! the transaction that answers, because it can change until then.

mod dismiss;
mod load;
mod matched;
mod submit;
#[cfg(test)]
mod tests;

pub use matched::Matched;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::App;
use super::auth::presents_keys;
use crate::domain::access::{Denial, Presented, check_access};
use crate::domain::change::{Action, By, Change};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{
    AssignmentId, ParticipantId, PublicationId, ScreenerId, SessionId, TenantId,
};
use crate::domain::link::{Held, Linked};
use crate::domain::panelist::Activity;
use crate::domain::panelist_key::Opened;
use crate::domain::participant::{Assignment, ExternalUid, IdVerification, Participant, Person};
use crate::domain::screener::Screener;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::header;
use crate::store::{Answering, Locks, Tx, WriteTx};

/// Returns the author of a holder's change for the audit log. The session identifies the person.
fn by_holder(at: Timestamp) -> By {
    By { actor: "panelist".to_owned(), at }
}

/// Proof that the caller holds a panelist key or a session link.
#[derive(Clone, Debug)]
pub struct Holder {
    tenant: TenantId,
    pub(super) screener: ScreenerId,
    /// The person whose answers are accepted.
    person: Person,
    is_enabled: bool,
    holds: Holds,
}

#[derive(Clone)]
enum Holds {
    /// A panelist key: the caller's own id of the person, and the epoch of the key.
    Key { external_uid: ExternalUid, epoch: u32 },
    /// A session link, and whether it is unguessable.
    Link { session: SessionId, is_trusted: bool },
}

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holds(…)")
    }
}

fn unauthorized() -> Error {
    Error::new(
        Kind::Unauthorized,
        "Send a panelist's public key, or a session's link as issued, as the whole Authorization header, and no other credential.",
    )
}

/// The state of a screener for its holder.
pub(super) struct Standing {
    screener: Screener,
    /// The session to answer, if it exists.
    pub(super) session: Option<Session>,
    /// The publication to answer: the session's, or else the active one.
    publication: PublicationId,
    /// The digest of the publication.
    hash: Option<ContentHash>,
}

/// The assignment of a holder, and the session that a link leads to.
pub(super) type Place = (Assignment, Option<SessionId>);

impl App {
    /// Authenticates the raw `Authorization` value as a panelist key or a session link.
    ///
    /// Unknown credentials of every kind get the same error.
    pub async fn authenticate_holder(&self, headers: &HeaderMap) -> Result<Holder> {
        let refused = |reason| {
            self.meter.refused_credentials().count(reason);
            unauthorized()
        };
        let Ok(Some(value)) = header::once(headers, AUTHORIZATION) else {
            return Err(refused("missing"));
        };
        if presents_keys(headers) {
            return Err(refused("kind"));
        }
        let held = value.to_str().ok().and_then(Held::parse).ok_or_else(|| refused("unknown"))?;
        let opened = self.open_key(&held);
        let found = self.store.look_up(async |tx| Holder::find(tx, &held, opened.as_ref()).await);
        let holder = found.await?.ok_or_else(|| refused("unknown"))?;
        if !holder.is_enabled() {
            self.meter.refused_credentials().count("disabled");
            let detail = "The account of this credential is disabled.";
            return Err(Error::new(Kind::Forbidden, detail));
        }
        if !holder.is_trusted() {
            let detail = "This link shows the state of the session. To submit answers, use the panelist's key.";
            return Err(Error::new(Kind::Forbidden, detail));
        }
        Ok(holder)
    }

    /// Opens a panelist key. Returns `None` for a link or a foreign key.
    pub(super) fn open_key(&self, held: &Held) -> Option<Opened> {
        match held {
            Held::Key(key) => self.keys.open(key),
            Held::Session(..) | Held::Slug(_) => None,
        }
    }
}

fn missing(what: &str) -> Error {
    Error::internal(format!("a session without its {what}"))
}

impl Holder {
    /// Finds the holder of an opened key or of a link. Returns `None` if it is unknown. Does not
    /// check whether the holder may answer.
    pub(super) async fn find(
        tx: &mut Tx,
        held: &Held,
        opened: Option<&Opened>,
    ) -> Result<Option<Self>> {
        let found = match held {
            Held::Session(screener, session) => tx.find_session_by_link(screener, session).await?,
            Held::Slug(slug) => tx.find_session_by_slug(slug).await?,
            Held::Key(_) => {
                let Some(Opened { survey, panelist, epoch }) = opened else { return Ok(None) };
                let owner = tx.find_survey(*survey).await?;
                return Ok(owner.map(|(tenant, screener, is_disabled)| Self {
                    tenant,
                    screener,
                    person: Person::Uid(panelist.clone()),
                    is_enabled: !is_disabled,
                    holds: Holds::Key { external_uid: panelist.clone(), epoch: *epoch },
                }));
            }
        };
        Ok(found.map(|Linked { tenant, screener, session, person, is_trusted, is_disabled }| {
            let holds = Holds::Link { session, is_trusted };
            Self { tenant, screener, person, is_enabled: !is_disabled, holds }
        }))
    }

    /// Returns the tenant that owns the data of the call.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Returns whether this is the holder of a key. A key can be valid before a session exists.
    #[must_use]
    pub fn holds_key(&self) -> bool {
        matches!(self.holds, Holds::Key { .. })
    }

    /// Returns whether the tenant is enabled.
    pub(super) fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Returns the link of the holder's session, in the form that contains the session's id.
    pub(super) fn session_link(&self) -> Option<Held> {
        match &self.holds {
            Holds::Key { .. } => None,
            Holds::Link { session, .. } => {
                Some(Held::Session(self.screener.clone(), session.clone()))
            }
        }
    }

    /// Returns whether the credential is unguessable.
    pub(super) fn is_trusted(&self) -> bool {
        match self.holds {
            Holds::Key { .. } => true,
            Holds::Link { is_trusted, .. } => is_trusted,
        }
    }

    /// Returns the locks of a write that answers for this holder.
    fn locks(&self) -> Locks {
        Locks::of(&self.tenant).screener(&self.screener).person(&self.person)
    }

    /// Returns the assignment and the session of the holder, if they exist.
    pub(super) async fn place(&self, tx: &mut Tx) -> Result<Option<Place>> {
        let Self { tenant, screener, holds, .. } = self;
        match holds {
            Holds::Link { session, .. } => {
                let found = tx.find_assignment_of_session(tenant, session).await?;
                let assignment = found.ok_or_else(|| missing("assignment"))?;
                Ok(Some((assignment, Some(session.clone()))))
            }
            Holds::Key { external_uid, .. } => {
                let assignment = tx.find_assignment_of(tenant, external_uid, screener).await?;
                Ok(assignment.map(|assignment| (assignment, None)))
            }
        }
    }

    /// Loads the state that decides what the holder may do, and the receipt of an idempotency key.
    async fn load(&self, tx: &mut Tx, key: Option<&str>) -> Result<Answering> {
        let Self { tenant, screener, holds, .. } = self;
        let found = match holds {
            Holds::Link { session, .. } => {
                tx.find_answering_of(tenant, screener, session, key).await?
            }
            Holds::Key { external_uid, .. } => {
                tx.find_answering(tenant, screener, external_uid, key).await?
            }
        };
        found.ok_or_else(|| missing("screener"))
    }

    /// Returns the publication to answer, or the reason why the holder may not answer.
    fn judge(&self, loaded: &Answering) -> Result<Result<PublicationId, Denial>> {
        let Answering { screener, assignment, session, .. } = loaded;
        let session = session.as_ref().map(|(session, _)| session);
        let presented = match (&self.holds, session) {
            (Holds::Key { epoch, .. }, _) => Presented::Key(*epoch),
            (Holds::Link { .. }, Some(it)) => Presented::Link(it.status, it.progress.state()),
            (Holds::Link { .. }, None) => return Err(missing("row")),
        };
        let activity = Activity {
            has_completed: loaded.has_completed,
            newest: loaded.newest,
            key_epoch: assignment.as_ref().map_or(0, |assignment| assignment.key_epoch),
            ..Activity::default()
        };
        let active = match check_access(screener, &activity, presented) {
            Ok(active) => active,
            Err(denial) => return Ok(Err(denial)),
        };
        Ok(Ok(session.map_or(active, |session| &session.publication).clone()))
    }

    /// Returns the holder's standing, or the reason why the holder may not answer.
    pub(super) async fn stand(&self, tx: &mut Tx) -> Result<Result<Standing, Denial>> {
        let loaded = self.load(tx, None).await?;
        let publication = match self.judge(&loaded)? {
            Ok(publication) => publication,
            Err(denial) => return Ok(Err(denial)),
        };
        let Answering { screener, session, publication: known, .. } = loaded;
        let (_, hash) = known.ok_or_else(|| missing("publication"))?;
        let session = session.map(|(session, _)| session);
        Ok(Ok(Standing { screener, session, publication, hash }))
    }
}

/// The assignment of a holder, and the rows that have to be created for it.
struct Enrolment {
    assignment: Assignment,
    is_assigned: bool,
    id_verification: IdVerification,
    /// The participant to create.
    participant: Option<Participant>,
}

impl Enrolment {
    /// Returns the enrolment of a holder. Missing rows get the new ids.
    fn of(
        holder: &Holder,
        loaded: &Answering,
        (participant, assignment): (ParticipantId, AssignmentId),
    ) -> Self {
        let mut new = None;
        let (id, id_verification) = loaded.participant.clone().unwrap_or_else(|| {
            let external_uid = match &holder.holds {
                Holds::Key { external_uid, .. } => Some(external_uid.clone()),
                Holds::Link { .. } => None,
            };
            let id_verification = IdVerification::None;
            let id = participant.clone();
            new = Some(Participant { id, external_uid, name: None, email: None, id_verification });
            (participant, id_verification)
        });
        let screener = holder.screener.clone();
        let missing = Assignment { id: assignment, screener, participant: id, key_epoch: 0 };
        Self {
            is_assigned: loaded.assignment.is_some(),
            assignment: loaded.assignment.clone().unwrap_or(missing),
            id_verification,
            participant: new,
        }
    }

    /// Creates the missing rows.
    async fn put(
        &self,
        tx: &mut WriteTx,
        holder: &Holder,
        by: &By,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        let tenant = &holder.tenant;
        if let Some(person) = &self.participant {
            tx.create_participant(tenant, person).await?;
            changes.push(Change::of(Action::Create, &person.id, None, person, by));
        }
        if !self.is_assigned {
            tx.create_assignment(tenant, &holder.person, &self.assignment).await?;
        }
        Ok(())
    }
}
