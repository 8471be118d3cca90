//! A panelist's activity in a survey, and its report to the owner of the survey.

use super::panelist_key::PanelistKey;
use super::screener::Screener;
use super::session::{SessionState, SessionStatus};
use super::time::Timestamp;

/// The activity of one panelist in one survey. All zero for an unknown panelist.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Activity {
    /// Sessions with a first submission, regardless of their status.
    pub sessions_started: i64,
    /// Whether any session is completed.
    pub has_completed: bool,
    /// The time of the earliest first submission.
    pub started: Option<Timestamp>,
    /// The time of the latest activity.
    pub most_recent: Option<Timestamp>,
    /// The time of the newest dismissal.
    pub dismissed: Option<Timestamp>,
    /// Status and state of the newest session.
    pub newest: Option<(SessionStatus, SessionState)>,
    /// The epoch of the panelist's key.
    pub key_epoch: u32,
}

/// The access of a panelist to a survey: whether they may respond, and with which link.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelistAccess {
    /// Whether the panelist may answer now.
    pub can_respond: bool,
    /// The panelist's activity.
    pub activity: Activity,
    /// The panelist's key for this survey.
    pub public_key: PanelistKey,
    /// The link that contains the key.
    pub hosted_response_url: String,
    /// The survey.
    pub survey: Screener,
}
