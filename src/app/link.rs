//! Where a handed-out link leads.
//!
//! Whoever holds a link needs no other credential. Opening one changes nothing, so that mail
//! scanners and link previews cannot spend it.

use super::App;
use super::answering::{Holder, Standing};
use super::publication_cache::PublicationCache;
use crate::domain::access::Denial;
use crate::domain::answering::Sheet;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::TenantId;
use crate::domain::link::Held;
use crate::domain::look::Look;
use crate::domain::screener::Screener;
use crate::domain::session::SessionState;
use crate::domain::wording::Thanks;
use crate::store::Tx;

/// What the visitor of a link finds, and how it looks.
#[derive(Debug)]
pub struct Visit {
    /// Whose link it is.
    pub tenant: TenantId,
    /// The key, or the session: the same one for each of its addresses.
    pub held: Held,
    /// The screener's title.
    pub title: String,
    /// The language of the author's words, if it is known.
    pub language: Option<String>,
    /// The screener's look, and its tenant's where that says nothing.
    pub look: Look,
    /// What is found.
    pub found: Found,
    /// The author's thanks for the session that was completed last, if there are any.
    pub thanks: Option<String>,
}

/// What the visitor of a link finds.
#[derive(Debug)]
pub enum Found {
    /// The questionnaire, and proof that they may answer it.
    Sheet(Box<Sheet>, Holder),
    /// How things stand.
    State(LandingState),
}

/// How things stand, where there is nothing to answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LandingState {
    /// The screener can be answered, though not by this link.
    Open,
    /// It was begun and can be continued, though not by this link.
    InProgress,
    /// It was answered.
    Completed,
    /// The screener does not take answers yet.
    NotYetOpen,
    /// The screener takes no more answers.
    Closed,
}

fn absent() -> Error {
    Error::not_found("page")
}

/// Returns how things stand where answering is denied; an error, if the link leads nowhere any more.
fn denied(denial: Denial) -> Result<LandingState> {
    match denial {
        Denial::Removed | Denial::Revoked => {
            Err(Error::new(Kind::Gone, "This link is no longer valid."))
        }
        Denial::Completed | Denial::Exhausted => Ok(LandingState::Completed),
        Denial::NotYetOpen | Denial::Unpublished => Ok(LandingState::NotYetOpen),
        Denial::Archived | Denial::Closed => Ok(LandingState::Closed),
    }
}

impl Found {
    /// Whether the visitor may have completed a session, and come to read the thanks.
    #[must_use]
    pub fn may_thank(&self) -> bool {
        match self {
            Self::State(state) => *state == LandingState::Completed,
            Self::Sheet(sheet, _) => {
                sheet.session.is_none() && sheet.screener.allow_multiple_responses
            }
        }
    }
}

impl Holder {
    /// What the author says to them, if they have completed a session.
    async fn thanks(&self, tx: &mut Tx) -> Result<Option<Thanks>> {
        let Some((assignment, session)) = self.place(tx).await? else { return Ok(None) };
        tx.find_thanks(self.tenant(), &assignment.id, session.as_ref()).await
    }

    /// The language of what they find: that of their session's publication, or else of the newest.
    async fn language(&self, tx: &mut Tx, screener: &Screener) -> Result<Option<String>> {
        let session = match self.place(tx).await?.and_then(|(_, session)| session) {
            Some(id) => tx.get_session(self.tenant(), &id).await?,
            None => None,
        };
        let publication = session
            .map(|session| session.publication)
            .or_else(|| screener.active_publication.clone())
            .or_else(|| screener.draft.as_ref().map(|draft| draft.id.clone()));
        let Some(publication) = publication else { return Ok(None) };
        tx.publication_language(self.tenant(), &publication).await
    }
}

async fn find(tx: &mut Tx, publications: &PublicationCache, holder: Holder) -> Result<Found> {
    let standing = match holder.stand(tx).await? {
        Ok(standing) => standing,
        Err(denial) => return denied(denial).map(Found::State),
    };
    if !holder.is_enabled() {
        return Ok(Found::State(LandingState::Closed));
    }
    if !holder.is_trusted() {
        let Standing { session, .. } = standing;
        let state = session.map_or(SessionState::NotStarted, |it| it.progress.state());
        return Ok(Found::State(match state {
            SessionState::NotStarted => LandingState::Open,
            SessionState::InProgress => LandingState::InProgress,
            SessionState::Completed => LandingState::Completed,
        }));
    }
    let sheet = holder.sheet(tx, publications, standing).await?;
    Ok(Found::Sheet(Box::new(sheet), holder))
}

impl App {
    /// What stands behind a link. Every way to be unknown looks the same.
    pub async fn visit(&self, held: Held) -> Result<Visit> {
        let mut publications = self.publications.clone();
        loop {
            let opened = self.open_key(&held);
            let read = self.store.read(async |tx| {
                let holder = Holder::find(tx, &held, opened.as_ref()).await?.ok_or_else(absent)?;
                let tenant = holder.tenant().clone();
                let screener =
                    tx.get_screener(&tenant, &holder.screener).await?.ok_or_else(absent)?;
                let own = tx.get_look(&tenant, Some(&screener.id)).await?.unwrap_or_default();
                let look = own.or(tx.get_look(&tenant, None).await?.unwrap_or_default());
                let found = find(tx, &publications, holder.clone()).await?;
                let thanks = if found.may_thank() { holder.thanks(tx).await? } else { None };
                let language = match (&thanks, &found) {
                    (Some(thanks), _) => thanks.language.clone(),
                    (None, Found::Sheet(sheet, _)) => sheet.publication.wording.language.clone(),
                    (None, Found::State(_)) => holder.language(tx, &screener).await?,
                };
                let thanks = thanks.and_then(|thanks| thanks.text);
                let held = holder.session_link().unwrap_or_else(|| held.clone());
                Ok(Visit { tenant, held, title: screener.title, language, look, found, thanks })
            });
            let done = read.await;
            if let Some(visit) = self.done_or_loaded(done, &mut publications).await? {
                return Ok(visit);
            }
        }
    }

    /// Whether the final answers were taken under this idempotency key, so that whoever sent them twice
    /// is told the same twice.
    pub async fn has_finished(&self, held: Held, idempotency_key: &str) -> Result<bool> {
        let opened = self.open_key(&held);
        self.store
            .read(async |tx| {
                let holder = Holder::find(tx, &held, opened.as_ref()).await?.ok_or_else(absent)?;
                let receipt = holder.receipt(tx, idempotency_key).await?;
                Ok(receipt.is_some_and(|receipt| receipt.is_final))
            })
            .await
    }
}
