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
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{
    AssignmentId, ParticipantId, PublicationId, ScreenerId, SessionId, TenantId,
};
use crate::domain::link::{Held, Linked};
use crate::domain::panelist::Activity;
use crate::domain::panelist_key::Opened;
use crate::domain::participant::{Assignment, ExternalUid, IdVerification, Participant};
use crate::domain::screener::Screener;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::header;
use crate::store::{Ledger, List, Tx};

/// What the audit log says of a holder's change: which person it is, the session tells.
fn by_holder(at: Timestamp) -> By {
    By { actor: "panelist".to_owned(), at }
}

/// Proof that the caller holds a panelist's key or a session's link.
#[derive(Clone, Debug)]
pub struct Holder {
    tenant: TenantId,
    pub(super) screener: ScreenerId,
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
        "This call needs Authorization: with a panelist's public key or a session's link as it was handed out, and no other credential beside it.",
    )
}

/// Where a holder stands with a screener.
pub(super) struct Standing {
    screener: Screener,
    /// The session that is answered, if there is one.
    pub(super) session: Option<Session>,
    /// The version that is answered: the session's, or the active one.
    publication: PublicationId,
}

/// What a holder answers under, and the session that a link leads to.
pub(super) type Place = (Assignment, Option<Session>);

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
        self.store
            .read(async |tx| {
                let found = Holder::find(tx, &held, opened).await?;
                let holder = found.ok_or_else(unauthorized)?;
                if !holder.is_enabled(tx).await? {
                    let detail = "The account of this credential is disabled.";
                    return Err(Error::new(Kind::Forbidden, detail));
                }
                if !holder.is_trusted() {
                    let detail = "This link shows how the session stands; it is answered with the panelist's key.";
                    return Err(Error::new(Kind::Forbidden, detail));
                }
                Ok(holder)
            })
            .await
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
        opened: Option<Opened>,
    ) -> Result<Option<Self>> {
        let found = match held {
            Held::Session(screener, session) => tx.find_session_by_link(screener, session).await?,
            Held::Slug(slug) => tx.find_session_by_slug(slug).await?,
            Held::Key(_) => {
                let Some(Opened { survey, panelist, epoch }) = opened else { return Ok(None) };
                let owner = tx.find_survey(survey).await?;
                let holds = Holds::Key { external_uid: panelist, epoch };
                return Ok(owner.map(|(tenant, screener)| Self { tenant, screener, holds }));
            }
        };
        Ok(found.map(|Linked { tenant, screener, session, is_trusted }| {
            let holds = Holds::Link { session, is_trusted };
            Self { tenant, screener, holds }
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
    pub(super) async fn is_enabled(&self, tx: &mut Tx) -> Result<bool> {
        let tenant = tx.get_tenant(&self.tenant).await?;
        Ok(tenant.is_some_and(|tenant| tenant.disabled.is_none()))
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

    /// What they answer under, if it is there.
    pub(super) async fn place(&self, tx: &mut Tx) -> Result<Option<Place>> {
        let Self { tenant, screener, holds } = self;
        match holds {
            Holds::Link { session: id, .. } => {
                let session = tx.get_session(tenant, id).await?.ok_or_else(|| missing("row"))?;
                let assignment = tx.get_assignment(tenant, &session.assignment).await?;
                Ok(Some((assignment.ok_or_else(|| missing("assignment"))?, Some(session))))
            }
            Holds::Key { external_uid, .. } => {
                let assignment = tx.find_assignment_of(tenant, external_uid, screener).await?;
                Ok(assignment.map(|assignment| (assignment, None)))
            }
        }
    }

    /// Returns where they stand, or why they may not answer.
    pub(super) async fn stand(&self, tx: &mut Tx) -> Result<Result<Standing, Denial>> {
        let (assignment, session) = self.place(tx).await?.unzip();
        self.stand_at(tx, assignment.as_ref(), session.flatten()).await
    }

    /// The same for a holder whose place is known.
    async fn stand_at(
        &self,
        tx: &mut Tx,
        assignment: Option<&Assignment>,
        session: Option<Session>,
    ) -> Result<Result<Standing, Denial>> {
        let Self { tenant, screener, holds } = self;
        let screener = tx.get_screener(tenant, screener).await?;
        let screener = screener.ok_or_else(|| missing("screener"))?;
        let mut activity = Activity::default();
        if let Some(assignment) = assignment {
            activity = tx.session_activity(tenant, assignment).await?;
        }
        let presented = match (holds, &session) {
            (Holds::Key { epoch, .. }, _) => Presented::Key(*epoch),
            (Holds::Link { .. }, Some(it)) => Presented::Link(it.status, it.progress.state()),
            (Holds::Link { .. }, None) => return Err(missing("row")),
        };
        let active = match check_access(&screener, &activity, presented) {
            Ok(active) => active.clone(),
            Err(denial) => return Ok(Err(denial)),
        };
        let session = match (session, assignment) {
            (None, Some(assignment)) => tx.find_open_session(tenant, &assignment.id).await?,
            (session, _) => session,
        };
        let publication = session.as_ref().map_or(active, |it| it.publication.clone());
        Ok(Ok(Standing { screener, session, publication }))
    }

    /// What they answer under, which is made if it is not there, and the person, too.
    /// Nobody else decides anything about the person until the transaction ends.
    async fn enrol(
        &self,
        tx: &mut Tx,
        ledger: &mut Ledger,
        (participant, assignment): (ParticipantId, AssignmentId),
        by: &By,
        changes: &mut Vec<Change>,
    ) -> Result<Place> {
        let Self { tenant, screener, holds } = self;
        let external_uid = match holds {
            Holds::Link { session, .. } => {
                tx.lock_session(tenant, session).await?;
                return self.place(tx).await?.ok_or_else(|| missing("row"));
            }
            Holds::Key { external_uid, .. } => external_uid,
        };
        let mut found = tx.find_participant(tenant, external_uid).await?;
        if found.is_none() {
            ledger.lock(tx, tenant, List::Participants).await?;
            // Another call may have made the person a moment ago.
            found = tx.find_participant(tenant, external_uid).await?;
        }
        let id = if let Some(id) = found {
            tx.lock_participant(tenant, &id).await?;
            id
        } else {
            let person = Participant {
                id: participant,
                external_uid: Some(external_uid.clone()),
                name: None,
                email: None,
                id_verification: IdVerification::None,
            };
            tx.create_participant(ledger, tenant, &person).await?;
            changes.push(Change::of(Action::Create, &person.id, None, &person, by));
            person.id
        };
        let missing = Assignment {
            id: assignment,
            screener: screener.clone(),
            participant: id,
            key_epoch: 0,
        };
        Ok((tx.ensure_assignment(tenant, missing).await?, None))
    }
}
