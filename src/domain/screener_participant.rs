//! How far a participant has come with a screener.

use super::funnel::Cell;
use super::id::SessionId;
use super::participant::Assignment;
use super::session::SessionState;
use super::verdict::Outcome;
use super::words::words;

words! {
    /// How far a participant has come with a screener, by the newest session.
    Standing {
        /// Nothing was submitted.
        NotStarted = "NOT_STARTED",
        /// Something was submitted, but not the last page.
        InProgress = "IN_PROGRESS",
        /// The participant qualifies.
        Qualified = "QUALIFIED",
        /// The participant does not qualify.
        Disqualified = "DISQUALIFIED",
        /// There is no session, or a verification of the identity runs.
        Unknown = "UNKNOWN",
    }
}

impl From<&Cell> for Standing {
    fn from(cell: &Cell) -> Self {
        match (cell.state, &cell.outcome) {
            (SessionState::NotStarted, _) => Self::NotStarted,
            (SessionState::InProgress, _) => Self::InProgress,
            (SessionState::Completed, Some(Outcome::Qualified)) => Self::Qualified,
            (SessionState::Completed, None | Some(Outcome::PendingIdVerification)) => Self::Unknown,
            (
                SessionState::Completed,
                Some(
                    Outcome::DisqualifiedByAnswer(_)
                    | Outcome::DisqualifiedByIdVerification
                    | Outcome::DisqualifiedByResearcher,
                ),
            ) => Self::Disqualified,
        }
    }
}

/// A person in a screener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScreenerParticipant {
    /// Who, and in which screener.
    pub assignment: Assignment,
    /// How far they have come.
    pub standing: Standing,
    /// The session that says so, the newest one.
    pub newest_session: Option<SessionId>,
}

impl ScreenerParticipant {
    /// What an assignment's newest session says.
    #[must_use]
    pub fn of(assignment: Assignment, newest: Option<(SessionId, Cell)>) -> Self {
        let standing = newest.as_ref().map_or(Standing::Unknown, |(_, cell)| cell.into());
        Self { assignment, standing, newest_session: newest.map(|(id, _)| id) }
    }
}
