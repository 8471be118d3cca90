//! The audit log: actor, action, time, row and changed fields.

use super::encoded::{
    Encoded, INSTANT_MAX_BYTES, NUMBER_MAX_BYTES, SMALL_MAX_BYTES, row_max_bytes, texts_max_bytes,
};
use super::recorded::{Recorded, differences};
use super::review::Verb;
use super::time::Timestamp;
use super::words::words;

pub use super::recorded::{FieldChange, Subject};

words! {
    /// The action of a change.
    Action {
        /// A row was created.
        Create = "CREATE",
        /// Fields of a row were changed.
        Update = "UPDATE",
        /// A session was archived.
        Archive = "ARCHIVE",
        /// An archived session was restored.
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
        /// A closed screener was reopened.
        Reopen = "REOPEN",
        /// Answers were submitted.
        Answer = "ANSWER",
        /// The final answers were submitted.
        Complete = "COMPLETE",
        /// A participant declined a survey with "not now".
        Dismiss = "DISMISS",
        /// A file was imported.
        Import = "IMPORT",
        /// Answers were exported.
        Export = "EXPORT",
    }
    or
    /// A researcher applied a verb of the review.
    Review(Verb)
}

/// One entry of the append-only log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The time of the change.
    pub at: Timestamp,
    /// The actor: a credential's id, `operator` for the command line, or `panelist`.
    pub actor: String,
    /// The action.
    pub action: Action,
    /// The kind of the row.
    pub subject: Subject,
    /// The id of the row.
    pub subject_id: String,
    /// The changed fields.
    pub fields: Vec<FieldChange>,
}

/// The author and the time of a change.
#[derive(Clone, Debug)]
pub struct By {
    /// The actor, as in [`Change::actor`].
    pub actor: String,
    /// The time.
    pub at: Timestamp,
}

impl Change {
    /// Creates the entry for a row that changed, or that was created if there is no `before`.
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

/// An entry with its position in the log.
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
