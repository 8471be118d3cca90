//! Answering: the holder of a panelist's key or of a session's link loads the questionnaire
//! (`load`), submits answers (`submit`), and may say "not now" (`dismiss`).
//!
//! What is held is the credential. Whether it exists is asked when a call comes in; whether it may
//! be used is judged in the transaction that uses it, because that changes.

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

/// What the audit log says of a holder's change: which person it is, the session tells.
fn by_holder(at: Timestamp) -> By {
    By { actor: "panelist".to_owned(), at }
}

/// Proof that the caller holds a panelist's key or a session's link.
#[derive(Clone, Debug)]
pub struct Holder {
    tenant: TenantId,
    pub(super) screener: ScreenerId,
    /// Whose answers it takes.
    person: Person,
    is_enabled: bool,
    holds: Holds,
}

#[derive(Clone)]
enum Holds {
    /// A key: the caller's own id of the person, and the epoch in which the key was made.
    Key { external_uid: ExternalUid, epoch: u32 },
    /// A session's link, and whether it could not have been guessed.
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
        "This call requires Authorization: with a panelist's public key or a session's link as issued, and no other credential.",
    )
}

/// Where a holder stands with a screener.
pub(super) struct Standing {
    screener: Screener,
    /// The session that is answered, if there is one.
    pub(super) session: Option<Session>,
    /// The version that is answered: the session's, or the active one.
    publication: PublicationId,
    /// Its digest.
    hash: Option<ContentHash>,
}

/// What a holder answers under, and the session that a link leads to.
pub(super) type Place = (Assignment, Option<SessionId>);

impl App {
    /// Checks that what a request presents in `Authorization`, raw, is a key or a link of ours.
    ///
    /// Every way to be unknown looks the same.
    pub async fn authenticate_holder(&self, headers: &HeaderMap) -> Result<Holder> {
        let Ok(Some(value)) = header::once(headers, AUTHORIZATION) else {
            return Err(unauthorized());
        };
        if presents_keys(headers) {
            return Err(unauthorized());
        }
        let held = value.to_str().ok().and_then(Held::parse).ok_or_else(unauthorized)?;
        let opened = self.open_key(&held);
        let found = self.store.look_up(async |tx| Holder::find(tx, &held, opened.as_ref()).await);
        let holder = found.await?.ok_or_else(unauthorized)?;
        if !holder.is_enabled() {
            let detail = "The account of this credential is disabled.";
            return Err(Error::new(Kind::Forbidden, detail));
        }
        if !holder.is_trusted() {
            let detail = "This link shows the state of the session. To submit answers, use the panelist's key.";
            return Err(Error::new(Kind::Forbidden, detail));
        }
        Ok(holder)
    }

    /// What a key holds, if it is one and of ours.
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
    /// Who holds a key, opened, or a link; nobody, if it is not one of ours. Whether they may answer
    /// with it is not asked yet.
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

    /// Whose data the call is about.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Whether they hold a key, which may be theirs before there is a session.
    #[must_use]
    pub fn holds_key(&self) -> bool {
        matches!(self.holds, Holds::Key { .. })
    }

    /// Whether the tenant is enabled.
    pub(super) fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// The session whose link they hold, by the one of its addresses that names it.
    pub(super) fn session_link(&self) -> Option<Held> {
        match &self.holds {
            Holds::Key { .. } => None,
            Holds::Link { session, .. } => {
                Some(Held::Session(self.screener.clone(), session.clone()))
            }
        }
    }

    /// Whether what they hold could not have been guessed.
    pub(super) fn is_trusted(&self) -> bool {
        match self.holds {
            Holds::Key { .. } => true,
            Holds::Link { is_trusted, .. } => is_trusted,
        }
    }

    /// What a write locks that answers as they do.
    fn locks(&self) -> Locks {
        Locks::of(&self.tenant).screener(&self.screener).person(&self.person)
    }

    /// What they answer under, if it is there.
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

    /// Everything by which it is judged what they may do, with what answered a submission under a key.
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

    /// Returns which version they answer, or why they may not answer.
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

    /// Returns where they stand, or why they may not answer.
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

/// The person and the assignment that a holder answers under, and which of them are to be made.
struct Enrolment {
    assignment: Assignment,
    is_assigned: bool,
    id_verification: IdVerification,
    /// Who is to be made.
    participant: Option<Participant>,
}

impl Enrolment {
    /// What a holder answers under, with the ids of whatever is not there yet.
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

    /// Makes whatever is not there yet.
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
