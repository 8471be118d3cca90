//! Where a handed-out link leads.
//!
//! Whoever holds a link needs no other credential. Opening one changes nothing, so that mail
//! scanners and link previews cannot spend it.

use super::App;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{ScreenerId, SessionId, TenantId};
use crate::domain::panelist::Refusal;
use crate::domain::screener::{Screener, ScreenerStatus};
use crate::domain::session::{Session, SessionState, SessionStatus};
use crate::store::Tx;

/// What stands behind a link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Landing {
    /// The screener's title.
    pub title: String,
    /// What its visitor finds.
    pub state: LandingState,
}

/// What the visitor of a link finds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LandingState {
    /// The screener can be answered.
    Open,
    /// It was begun and can be continued.
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

fn gone() -> Error {
    Error::new(Kind::Gone, "This link is no longer valid.")
}

/// A session and its screener, whoever's they are.
async fn load(
    tx: &mut Tx,
    found: Option<(TenantId, SessionId)>,
) -> Result<Option<(Session, Screener)>> {
    let Some((tenant, id)) = found else { return Ok(None) };
    let Some(session) = tx.get_session(&tenant, &id).await? else { return Ok(None) };
    let screener = tx.get_screener(&tenant, &session.screener).await?;
    Ok(screener.map(|screener| (session, screener)))
}

/// What the visitor of a session's link finds.
fn land_on_session(loaded: Option<(Session, Screener)>) -> Result<Landing> {
    let (session, screener) = loaded.ok_or_else(absent)?;
    if session.status == SessionStatus::Removed {
        return Err(gone());
    }
    let state = match (session.progress.state(), screener.status) {
        (SessionState::Completed, _) => LandingState::Completed,
        (_, ScreenerStatus::Draft) => LandingState::NotYetOpen,
        (_, ScreenerStatus::Closed) => LandingState::Closed,
        _ if session.status == SessionStatus::Archived => LandingState::Closed,
        (SessionState::InProgress, ScreenerStatus::Open) => LandingState::InProgress,
        (SessionState::NotStarted, ScreenerStatus::Open) => LandingState::Open,
    };
    Ok(Landing { title: screener.title, state })
}

impl App {
    /// What stands behind a session's own link.
    pub async fn open_session_link(
        &self,
        screener: &ScreenerId,
        session: &SessionId,
    ) -> Result<Landing> {
        let loaded = self
            .store
            .read(async |tx| {
                let found = tx.find_session_by_link(screener, session).await?;
                load(tx, found).await
            })
            .await?;
        land_on_session(loaded)
    }

    /// What stands behind a session's short link.
    pub async fn open_slug(&self, slug: &str) -> Result<Landing> {
        let loaded = self
            .store
            .read(async |tx| {
                let found = tx.find_session_by_slug(slug).await?;
                load(tx, found).await
            })
            .await?;
        land_on_session(loaded)
    }

    /// What stands behind a panelist's link.
    pub async fn open_panelist_link(&self, key: &str) -> Result<Landing> {
        let opened = self.keys.open(key).ok_or_else(absent)?;
        let found = self
            .store
            .read(async |tx| {
                let Some((tenant, id)) = tx.find_survey(opened.survey).await? else {
                    return Ok(None);
                };
                let Some(survey) = tx.get_screener(&tenant, &id).await? else { return Ok(None) };
                let activity = tx.panelist_activity(&tenant, &id, &opened.panelist).await?;
                Ok(Some((survey, activity)))
            })
            .await?;
        let (survey, activity) = found.ok_or_else(absent)?;
        if activity.key_epoch != opened.epoch || activity.is_revoked() {
            return Err(gone());
        }
        let state = match activity.check_may_respond(&survey) {
            Ok(()) => match activity.newest {
                Some((SessionStatus::Active, SessionState::InProgress)) => LandingState::InProgress,
                _ => LandingState::Open,
            },
            Err(Refusal::Revoked) => return Err(gone()),
            Err(Refusal::Exhausted) => LandingState::Completed,
            Err(Refusal::NotOpen) if survey.status == ScreenerStatus::Draft => {
                LandingState::NotYetOpen
            }
            Err(Refusal::NotOpen) => LandingState::Closed,
        };
        Ok(Landing { title: survey.title, state })
    }
}
