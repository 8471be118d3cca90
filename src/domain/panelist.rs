//! What a panelist has done with a survey, and whether they may answer it.

use super::panelist_key::PanelistKey;
use super::screener::{Screener, ScreenerStatus};
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

/// Why a panelist may not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The survey is not open.
    NotOpen,
    /// The newest session was removed, or archived before it was finished.
    Revoked,
    /// There is a completed session, and one is all there may be.
    Exhausted,
}

impl Activity {
    /// Whether the panelist may answer now, or why not.
    pub fn check_may_respond(&self, survey: &Screener) -> Result<(), Refusal> {
        if survey.status != ScreenerStatus::Open {
            return Err(Refusal::NotOpen);
        }
        if self.is_revoked() {
            return Err(Refusal::Revoked);
        }
        if self.has_completed && !survey.allow_multiple_responses {
            return Err(Refusal::Exhausted);
        }
        Ok(())
    }

    /// Whether the newest session was taken away: a revocation in one dialect holds in all.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        match self.newest {
            Some((SessionStatus::Removed, _)) => true,
            Some((SessionStatus::Archived, state)) => state != SessionState::Completed,
            None | Some((SessionStatus::Active, _)) => false,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ProjectId, ScreenerId};

    fn survey(status: ScreenerStatus, allow_multiple_responses: bool) -> Screener {
        Screener {
            id: ScreenerId::parse("survey-123").expect("an id"),
            project: ProjectId::parse("proj_1").expect("an id"),
            title: "Survey".into(),
            status,
            allow_multiple_responses,
            active_publication: None,
            draft: None,
        }
    }

    #[test]
    fn a_panelist_without_history_may_answer_while_the_survey_is_open() {
        let nobody = Activity::default();
        for (status, expected) in [
            (ScreenerStatus::Draft, Err(Refusal::NotOpen)),
            (ScreenerStatus::Open, Ok(())),
            (ScreenerStatus::Closed, Err(Refusal::NotOpen)),
        ] {
            assert_eq!(nobody.check_may_respond(&survey(status, false)), expected);
        }
    }

    #[test]
    fn the_newest_session_revokes_if_it_was_removed_or_archived_unfinished() {
        use SessionState::{Completed, InProgress, NotStarted};
        use SessionStatus::{Active, Archived, Removed};
        for (newest, is_revoked) in [
            (None, false),
            (Some((Active, NotStarted)), false),
            (Some((Active, InProgress)), false),
            (Some((Active, Completed)), false),
            (Some((Archived, NotStarted)), true),
            (Some((Archived, InProgress)), true),
            (Some((Archived, Completed)), false),
            (Some((Removed, NotStarted)), true),
            (Some((Removed, Completed)), true),
        ] {
            let activity = Activity { newest, ..Activity::default() };
            assert_eq!(activity.is_revoked(), is_revoked, "{newest:?}");
            let expected = if is_revoked { Err(Refusal::Revoked) } else { Ok(()) };
            assert_eq!(activity.check_may_respond(&survey(ScreenerStatus::Open, true)), expected);
        }
    }

    #[test]
    fn a_completed_session_exhausts_a_survey_that_is_answered_once() {
        for (has_completed, allow_multiple_responses, expected) in [
            (false, false, Ok(())),
            (false, true, Ok(())),
            (true, false, Err(Refusal::Exhausted)),
            (true, true, Ok(())),
        ] {
            let activity = Activity { has_completed, ..Activity::default() };
            let survey = survey(ScreenerStatus::Open, allow_multiple_responses);
            assert_eq!(activity.check_may_respond(&survey), expected);
        }
    }
}
