//! The audit log: who did what, when, to which row, and what of it changed.

use super::encoded::{
    Encoded, INSTANT_MAX_BYTES, NUMBER_MAX_BYTES, SMALL_MAX_BYTES, row_max_bytes, texts_max_bytes,
};
use super::recorded::{Recorded, differences};
use super::review::Verb;
use super::time::Timestamp;
use super::words::words;

pub use super::recorded::{FieldChange, Subject};

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
        /// A tenant was disabled.
        Disable = "DISABLE",
        /// A tenant was enabled again.
        Enable = "ENABLE",
        /// A credential was revoked.
        Revoke = "REVOKE",
        /// A screener's draft became its active publication.
        Publish = "PUBLISH",
        /// A screener was closed.
        Close = "CLOSE",
        /// A closed screener takes answers again.
        Reopen = "REOPEN",
        /// Answers were submitted.
        Answer = "ANSWER",
        /// The final answers were submitted.
        Complete = "COMPLETE",
        /// A panelist said "not now".
        Dismiss = "DISMISS",
        /// A file was imported.
        Import = "IMPORT",
        /// Answers were exported.
        Export = "EXPORT",
    }
    or
    /// A researcher carried out a verb of the review.
    Review(Verb)
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
    /// What of it changed, field by field.
    pub fields: Vec<FieldChange>,
}

/// Who makes a change, and when.
#[derive(Clone, Debug)]
pub struct By {
    /// Who, as [`Change::actor`] has it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl Change {
    /// The change of a row from one value to another, or into being.
    pub fn of<T: Recorded>(
        action: Action,
        id: &impl ToString,
        before: Option<&T>,
        after: &T,
        By { actor, at }: &By,
    ) -> Self {
        Self {
            at: *at,
            actor: actor.clone(),
            action,
            subject: T::SUBJECT,
            subject_id: id.to_string(),
            fields: differences(before, after),
        }
    }
}

/// An entry at its place in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its number within the tenant's log, from 0 and without gaps.
    pub seq: i64,
    /// The entry.
    pub change: Change,
}

impl Encoded for Entry {
    fn encoded_max_bytes(&self) -> usize {
        let Self { seq: _, change } = self;
        let Change { at: _, actor, action: _, subject: _, subject_id, fields } = change;
        let fields: usize = fields.iter().map(row_max_bytes).sum();
        let others = NUMBER_MAX_BYTES + INSTANT_MAX_BYTES + 2 * SMALL_MAX_BYTES;
        texts_max_bytes([actor, subject_id]) + fields + others
    }
}
