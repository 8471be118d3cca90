//! What a panelist has done with a survey, and what the owner of the survey is told of it.

use super::panelist_key::PanelistKey;
use super::screener::Screener;
use super::session::{SessionState, SessionStatus};
use super::time::Timestamp;

/// Everything one panelist did with one survey; all zero for somebody unknown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Activity {
    /// Sessions with a first submission, whatever their status.
    pub sessions_started: i64,
    /// Whether any session is completed.
    pub has_completed: bool,
    /// The earliest first submission.
    pub started: Option<Timestamp>,
    /// The latest activity.
    pub most_recent: Option<Timestamp>,
    /// The newest dismissal.
    pub dismissed: Option<Timestamp>,
    /// Status and state of the newest session.
    pub newest: Option<(SessionStatus, SessionState)>,
    /// The epoch of the panelist's key.
    pub key_epoch: u32,
}

/// The answer to "may this panelist respond, and with which link".
#[derive(Clone, Debug, PartialEq)]
pub struct PanelistAccess {
    /// Whether the panelist may answer now.
    pub can_respond: bool,
    /// What the panelist did.
    pub activity: Activity,
    /// The panelist's key for this survey.
    pub public_key: PanelistKey,
    /// The link that carries the key.
    pub hosted_response_url: String,
    /// The survey.
    pub survey: Screener,
}
