//! The audit log: who did what, when, to which row.

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
        /// A tenant was disabled.
        Disable = "DISABLE",
        /// A tenant was enabled again.
        Enable = "ENABLE",
        /// A credential was revoked.
        Revoke = "REVOKE",
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
