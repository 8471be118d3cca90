//! The progress of a participant in a screener.

use super::funnel::Cell;
use super::id::SessionId;
use super::participant::Assignment;
use super::session::SessionState;
use super::verdict::Outcome;
use super::words::words;

words! {
    /// The progress of a participant in a screener, from the newest session.
    Standing {
        /// The session has no submission.
        NotStarted = "NOT_STARTED",
        /// The session has submissions, but not the final one.
        InProgress = "IN_PROGRESS",
        /// The participant qualifies.
        Qualified = "QUALIFIED",
        /// The participant does not qualify.
        Disqualified = "DISQUALIFIED",
        /// There is no session, or the id verification is in progress.
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
    /// The person and the screener.
    pub assignment: Assignment,
    /// The progress.
    pub standing: Standing,
    /// The newest session, which determines the progress.
    pub newest_session: Option<SessionId>,
}

impl ScreenerParticipant {
    /// Derives the progress from the newest session of an assignment.
    #[must_use]
    pub fn of(assignment: Assignment, newest: Option<(SessionId, Cell)>) -> Self {
        let standing = newest.as_ref().map_or(Standing::Unknown, |(_, cell)| cell.into());
        Self { assignment, standing, newest_session: newest.map(|(id, _)| id) }
    }
}
