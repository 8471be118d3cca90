//! The destinations of links.
//!
//! The holder of a link needs no other credential. Opening a link writes nothing, so mail scanners
//! and link previews cannot use it up.

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

/// The page that the visitor of a link gets, and its look.
#[derive(Debug)]
pub struct Visit {
    /// The tenant that owns the link.
    pub tenant: TenantId,
    /// The key or the session. All addresses of a session have the same value.
    pub held: Held,
    /// The screener's title.
    pub title: String,
    /// The language of the author's texts, if it is known.
    pub language: Option<String>,
    /// The screener's look. Unset properties come from the look of the tenant.
    pub look: Look,
    /// The questionnaire or the state to show.
    pub found: Found,
    /// The author's thanks for the session that was completed last, if the author wrote any.
    pub thanks: Option<String>,
}

/// The content that the visitor of a link gets.
#[derive(Debug)]
pub enum Found {
    /// The questionnaire, and proof that the visitor may answer it.
    Sheet(Box<Sheet>, Holder),
    /// The state of the survey.
    State(LandingState),
}

/// The state to show to a visitor who cannot answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LandingState {
    /// The session can be answered, but not with this link.
    Open,
    /// The session was started and can be continued, but not with this link.
    InProgress,
    /// The session was completed.
    Completed,
    /// The screener does not accept answers yet.
    NotYetOpen,
    /// The screener does not accept answers any more.
    Closed,
}

fn absent() -> Error {
    Error::not_found("page")
}

/// Returns the state to show for a denial, or an error if the link is no longer valid.
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
    /// Returns whether the visitor may have completed a session, and can be shown the thanks.
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
    /// Returns the author's thanks, if the holder has completed a session.
    async fn thanks(&self, tx: &mut Tx) -> Result<Option<Thanks>> {
        let Some((assignment, session)) = self.place(tx).await? else { return Ok(None) };
        tx.find_thanks(self.tenant(), &assignment.id, session.as_ref()).await
    }

    /// Returns the language of the session's publication, or else of the screener's newest one.
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
    /// Resolves a link. Every unknown link gets the same error.
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

    /// Returns whether the final answers were accepted under this idempotency key, so that a
    /// participant who sends them twice sees the same page twice.
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
