//! Access to a screener: the one rule that panelist access, keys, links and pages share. Creating a
//! session checks a part of it.

use super::error::{Error, Kind};
use super::id::PublicationId;
use super::panelist::Activity;
use super::screener::{Screener, ScreenerStatus};
use super::session::{SessionState, SessionStatus};

/// The credential that a participant presents.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presented {
    /// A panelist key of an epoch. The newest session decides.
    Key(u32),
    /// The link of a session. Only that session decides.
    Link(SessionStatus, SessionState),
}

/// The reasons why a participant may not answer, in the order in which they are checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// The session was removed.
    Removed,
    /// The key is of another epoch.
    Revoked,
    /// The session of the link is completed.
    Completed,
    /// A session is completed, and the screener accepts only one.
    Exhausted,
    /// The session is unfinished and archived.
    Archived,
    /// The screener was never opened.
    NotYetOpen,
    /// The screener is closed.
    Closed,
    /// The screener has no active publication.
    Unpublished,
}

impl Denial {
    /// Returns the kind of error, and the sentence.
    #[must_use]
    pub const fn reason(self) -> (Kind, &'static str) {
        match self {
            Self::Removed => (Kind::Gone, "The session was removed."),
            Self::Revoked => (Kind::Gone, "This key is no longer valid."),
            Self::Completed => (Kind::Exhausted, "The session is completed."),
            Self::Exhausted => (
                Kind::Exhausted,
                "The screener accepts one response from each participant, and this one has completed a session.",
            ),
            Self::Archived => (Kind::NotOpen, "The session is archived."),
            Self::NotYetOpen => (Kind::NotOpen, "The screener is not open yet."),
            Self::Closed => (Kind::NotOpen, "The screener is closed."),
            Self::Unpublished => (Kind::NotOpen, "The screener has no active publication."),
        }
    }
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        let (kind, detail) = denial.reason();
        Self::new(kind, detail)
    }
}

/// Returns the active publication if the participant may answer now, or the reason why not.
pub fn check_access<'a>(
    screener: &'a Screener,
    activity: &Activity,
    presented: Presented,
) -> Result<&'a PublicationId, Denial> {
    let session = match presented {
        Presented::Key(_) => activity.newest,
        Presented::Link(status, state) => Some((status, state)),
    };
    let (status, state) = session.unwrap_or((SessionStatus::Active, SessionState::NotStarted));
    let is_completed = state == SessionState::Completed;
    if status == SessionStatus::Removed {
        return Err(Denial::Removed);
    }
    match presented {
        Presented::Key(epoch) if epoch != activity.key_epoch => return Err(Denial::Revoked),
        Presented::Link(..) if is_completed => return Err(Denial::Completed),
        Presented::Key(_) | Presented::Link(..) => {}
    }
    check_exhausted(screener, activity.has_completed)?;
    if status == SessionStatus::Archived && !is_completed {
        return Err(Denial::Archived);
    }
    check_screener(screener)
}

/// Returns the active publication of a screener that accepts answers.
pub fn check_screener(screener: &Screener) -> Result<&PublicationId, Denial> {
    match screener.status {
        ScreenerStatus::Draft => Err(Denial::NotYetOpen),
        ScreenerStatus::Closed => Err(Denial::Closed),
        ScreenerStatus::Open => screener.active_publication.as_ref().ok_or(Denial::Unpublished),
    }
}

/// Checks that a participant with a completed session may start another.
pub fn check_exhausted(screener: &Screener, has_completed: bool) -> Result<(), Denial> {
    let is_exhausted = has_completed && !screener.allow_multiple_responses;
    if is_exhausted { Err(Denial::Exhausted) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ProjectId, ScreenerId};

    fn screener(status: ScreenerStatus, allow_multiple_responses: bool) -> Screener {
        Screener {
            id: ScreenerId::parse("survey-123").expect("an id"),
            project: ProjectId::parse("proj_1").expect("an id"),
            title: "Survey".into(),
            status,
            allow_multiple_responses,
            active_publication: PublicationId::parse("scpub_1").ok(),
            draft: None,
        }
    }

    fn denied(
        screener: &Screener,
        newest: Option<(SessionStatus, SessionState)>,
        presented: Presented,
    ) -> Option<Denial> {
        let has_completed = newest.is_some_and(|(_, state)| state == SessionState::Completed);
        let activity = Activity { has_completed, newest, ..Activity::default() };
        check_access(screener, &activity, presented).err()
    }

    #[test]
    fn a_panelist_without_history_may_answer_what_is_open_and_published() {
        let unpublished =
            Screener { active_publication: None, ..screener(ScreenerStatus::Open, false) };
        for (screener, expected) in [
            (screener(ScreenerStatus::Draft, false), Some(Denial::NotYetOpen)),
            (screener(ScreenerStatus::Open, false), None),
            (screener(ScreenerStatus::Closed, false), Some(Denial::Closed)),
            (unpublished, Some(Denial::Unpublished)),
        ] {
            assert_eq!(denied(&screener, None, Presented::Key(0)), expected);
            assert_eq!(check_screener(&screener).err(), expected);
        }
    }

    #[test]
    fn the_session_that_counts_decides_by_status_and_state() {
        use SessionState::{Completed, InProgress, NotStarted};
        use SessionStatus::{Active, Archived, Removed};
        let open = screener(ScreenerStatus::Open, true);
        let older = Some((Removed, InProgress));
        for (session, by_key, by_link) in [
            ((Active, NotStarted), None, None),
            ((Active, InProgress), None, None),
            ((Active, Completed), None, Some(Denial::Completed)),
            ((Archived, NotStarted), Some(Denial::Archived), Some(Denial::Archived)),
            ((Archived, InProgress), Some(Denial::Archived), Some(Denial::Archived)),
            ((Archived, Completed), None, Some(Denial::Completed)),
            ((Removed, NotStarted), Some(Denial::Removed), Some(Denial::Removed)),
            ((Removed, InProgress), Some(Denial::Removed), Some(Denial::Removed)),
            ((Removed, Completed), Some(Denial::Removed), Some(Denial::Removed)),
        ] {
            let link = Presented::Link(session.0, session.1);
            assert_eq!(denied(&open, Some(session), Presented::Key(0)), by_key, "{session:?}");
            assert_eq!(denied(&open, older, link), by_link, "a link is of one session alone");
        }
    }

    #[test]
    fn the_reasons_have_an_order() {
        use SessionState::{Completed, InProgress};
        use SessionStatus::{Active, Archived, Removed};
        let closed = screener(ScreenerStatus::Closed, false);
        let key = Presented::Key(0);
        assert_eq!(denied(&closed, Some((Removed, Completed)), key), Some(Denial::Removed));
        assert_eq!(
            denied(&closed, Some((Active, Completed)), Presented::Key(1)),
            Some(Denial::Revoked)
        );
        assert_eq!(denied(&closed, Some((Archived, Completed)), key), Some(Denial::Exhausted));
        let several = screener(ScreenerStatus::Closed, true);
        assert_eq!(denied(&several, Some((Archived, InProgress)), key), Some(Denial::Archived));
        assert_eq!(denied(&several, Some((Archived, Completed)), key), Some(Denial::Closed));
        let activity = Activity {
            has_completed: true,
            newest: Some((Archived, InProgress)),
            ..Activity::default()
        };
        assert_eq!(check_access(&closed, &activity, key), Err(Denial::Exhausted));
    }
}
