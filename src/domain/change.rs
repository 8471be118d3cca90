//! The audit log: who did what, when, to which row.

use super::review::Verb;
use super::time::Timestamp;
use super::words::words;

words! {
    /// What a change was made to.
    Subject {
        /// A tenant.
        Tenant = "TENANT",
        /// A credential.
        Credential = "CREDENTIAL",
        /// A session.
        Session = "SESSION",
        /// A submission; its id is the session's.
        Submission = "SUBMISSION",
        /// A project.
        Project = "PROJECT",
        /// A participant.
        Participant = "PARTICIPANT",
    }
}

words! {
    /// What was done.
    Action {
        /// It came into being.
        Create = "CREATE",
        /// Some of what it says was changed.
        Update = "UPDATE",
        /// A session was set aside.
        Archive = "ARCHIVE",
        /// A session that was set aside is back.
        Restore = "RESTORE",
        /// A session was removed.
        Remove = "REMOVE",
        /// A submission was rejected.
        Reject = "REJECT",
        /// A researcher said that a participant qualifies.
        Qualify = "QUALIFY",
        /// A researcher said that a participant does not qualify.
        Disqualify = "DISQUALIFY",
        /// A participant was invited.
        Invite = "INVITE",
        /// An invitation was taken back.
        CancelInvite = "CANCEL_INVITE",
        /// A time was booked, or another one.
        Schedule = "SCHEDULE",
        /// A booked time was given up.
        CancelBooking = "CANCEL_BOOKING",
        /// A participant came.
        MarkAttended = "MARK_ATTENDED",
        /// A participant did not come.
        MarkNoShow = "MARK_NO_SHOW",
        /// A submission was put out of sight.
        Hide = "HIDE",
        /// A submission was brought back into sight.
        Unhide = "UNHIDE",
        /// A submission was marked as a favorite, or no longer.
        Favorite = "FAVORITE",
        /// A participant was reported.
        Report = "REPORT",
        /// It was said whether anybody may act on a submission.
        SetVisibility = "SET_VISIBILITY",
        /// A tenant was disabled.
        Disable = "DISABLE",
        /// A tenant was enabled again.
        Enable = "ENABLE",
        /// A credential was revoked.
        Revoke = "REVOKE",
    }
}

impl From<Verb> for Action {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Reject => Self::Reject,
            Verb::Qualify => Self::Qualify,
            Verb::Disqualify => Self::Disqualify,
            Verb::Invite => Self::Invite,
            Verb::CancelInvite => Self::CancelInvite,
            Verb::Schedule => Self::Schedule,
            Verb::CancelBooking => Self::CancelBooking,
            Verb::MarkAttended => Self::MarkAttended,
            Verb::MarkNoShow => Self::MarkNoShow,
            Verb::Hide => Self::Hide,
            Verb::Unhide => Self::Unhide,
            Verb::Favorite => Self::Favorite,
            Verb::Report => Self::Report,
            Verb::SetVisibility => Self::SetVisibility,
        }
    }
}

/// One entry of the append-only log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who: a credential's id, or `operator` for the command line.
    pub actor: String,
    /// What was done.
    pub action: Action,
    /// To what kind of row.
    pub subject: Subject,
    /// To which row.
    pub subject_id: String,
    /// Its state before, if it had one.
    pub before: Option<&'static str>,
    /// Its state after, if it has one.
    pub after: Option<&'static str>,
}
