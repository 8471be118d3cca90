//! Sessions.

mod create;

use super::{App, Caller, ReadSessions, SessionFilter, WriteSessions};
use crate::budget::Held;
use crate::domain::change::{Action, Change};
use crate::domain::error::{Error, Result};
use crate::domain::id::SessionId;
use crate::domain::list::{Page, Pagination};
use crate::domain::session::{Session, SessionStatus};
use crate::store::Locks;

/// A session with the link that opens it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// Its link.
    pub link: String,
}

fn absent() -> Error {
    Error::not_found("screener session")
}

impl App {
    fn session_view(&self, session: Session) -> SessionView {
        SessionView { link: self.links.session(&session), session }
    }

    /// Returns a page of the tenant's sessions.
    pub async fn list_sessions(
        &self,
        caller: &Caller<ReadSessions>,
        filter: &SessionFilter,
        pagination: Pagination,
    ) -> Result<Held<Page<SessionView>>> {
        let (filter, length) = (filter.clone(), filter.length(pagination));
        let page = self.page(caller, pagination, length, async move |tx, tenant, paging| {
            tx.list_sessions(tenant, &filter, paging).await
        });
        Ok(page.await?.map(|page| page.map(|session| self.session_view(session))))
    }

    /// Returns a session.
    pub async fn get_session(
        &self,
        caller: &Caller<ReadSessions>,
        id: &SessionId,
    ) -> Result<SessionView> {
        let tenant = caller.tenant();
        let session = self.store.look_up(async |tx| tx.get_session(tenant, id).await).await?;
        session.map(|session| self.session_view(session)).ok_or_else(absent)
    }

    /// Archives a session. Idempotent.
    pub async fn archive_session(
        &self,
        caller: &Caller<WriteSessions>,
        id: SessionId,
    ) -> Result<SessionView> {
        self.set_session_status(caller, id, SessionStatus::archived, Action::Archive).await
    }

    /// Restores an archived session. Idempotent.
    pub async fn restore_session(
        &self,
        caller: &Caller<WriteSessions>,
        id: SessionId,
    ) -> Result<SessionView> {
        self.set_session_status(caller, id, SessionStatus::restored, Action::Restore).await
    }

    /// Removes a session permanently. Its answers and timestamps remain. Idempotent.
    pub async fn remove_session(
        &self,
        caller: &Caller<WriteSessions>,
        id: SessionId,
    ) -> Result<SessionView> {
        self.set_session_status(caller, id, SessionStatus::removed, Action::Remove).await
    }

    /// Moves a session to the status that a step leads to, if that is another one.
    async fn set_session_status(
        &self,
        caller: &Caller<WriteSessions>,
        id: SessionId,
        step: fn(SessionStatus) -> Result<Option<SessionStatus>>,
        action: Action,
    ) -> Result<SessionView> {
        let (tenant, by) = (caller.tenant().clone(), self.by(caller));
        let person = self.store.look_up(async |tx| tx.find_person_of(&tenant, &id).await).await?;
        let (_, person) = person.ok_or_else(absent)?;
        let session = self
            .store
            .write(Locks::of(&tenant).person(&person), async move |tx| {
                let found = tx.get_standing(&tenant, &id).await?;
                let (before, standing) = found.ok_or_else(absent)?;
                let Some(status) = step(before.status)? else { return Ok(before) };
                let after = Session { status, ..before.clone() };
                tx.set_session_status(&tenant, &after, &standing).await?;
                let change = Change::of(action, &id, Some(&before), &after, &by);
                tx.record_change(&tenant, &change).await?;
                Ok(after)
            })
            .await?;
        Ok(self.session_view(session))
    }
}
