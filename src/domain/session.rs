//! A screener session: one participant's way through one publication.
//!
//! `status` is administrative and `state` is progress; neither implies the other. The state is not
//! stored: it is what the timestamps say, so the two cannot disagree.

use std::sync::Arc;

use super::encoded::{
    Encoded, INSTANT_MAX_BYTES, SMALL_MAX_BYTES, nested_max_bytes, row_max_bytes, texts_max_bytes,
};
use super::error::{Error, Kind, Result};
use super::id::{AssignmentId, PublicationId, ScreenerId, SessionId};
use super::participant::ParticipantName;
use super::recorded::{Field, Recorded, Subject};
use super::tag::Tag;
use super::time::Timestamp;
use super::words::words;

words! {
    /// Whether the session can receive answers.
    SessionStatus {
        /// It can.
        Active = "ACTIVE",
        /// Set aside; it can be restored.
        Archived = "ARCHIVED",
        /// Revoked for good; its history stays.
        Removed = "REMOVED",
    }
}

words! {
    /// How far the participant has come.
    SessionState {
        /// Nothing was submitted.
        NotStarted = "NOT_STARTED",
        /// Something was submitted, but not the last page.
        InProgress = "IN_PROGRESS",
        /// The last page was submitted.
        Completed = "COMPLETED",
    }
}

/// The three instants of a session, in the only combinations that make sense.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Nothing was submitted.
    NotStarted,
    /// From the first submission on.
    InProgress {
        /// The first submission.
        started: Timestamp,
        /// The latest activity.
        last_active: Timestamp,
    },
    /// After the final submission, which is also the latest activity.
    Completed {
        /// The first submission.
        started: Timestamp,
        /// The final submission.
        completed: Timestamp,
    },
}

impl Progress {
    /// Reads the three instants back, or says why they contradict each other.
    pub fn from_instants(
        started: Option<Timestamp>,
        last_active: Option<Timestamp>,
        completed: Option<Timestamp>,
    ) -> Result<Self, &'static str> {
        match (started, last_active, completed) {
            (None, None, None) => Ok(Self::NotStarted),
            (Some(started), Some(last_active), None) if started <= last_active => {
                Ok(Self::InProgress { started, last_active })
            }
            (Some(started), Some(last_active), Some(completed))
                if started <= completed && last_active == completed =>
            {
                Ok(Self::Completed { started, completed })
            }
            (Some(_), Some(_), Some(_)) => Err(
                "A completed session was last active when it was completed, not before it started.",
            ),
            (Some(_), Some(_), None) => Err("A session is not active before it is started."),
            _ => Err("A session has no instant, or the first two, or all three."),
        }
    }

    /// The first submission.
    #[must_use]
    pub fn started(self) -> Option<Timestamp> {
        match self {
            Self::NotStarted => None,
            Self::InProgress { started, .. } | Self::Completed { started, .. } => Some(started),
        }
    }

    /// The latest activity.
    #[must_use]
    pub fn last_active(self) -> Option<Timestamp> {
        match self {
            Self::NotStarted => None,
            Self::InProgress { last_active, .. } => Some(last_active),
            Self::Completed { completed, .. } => Some(completed),
        }
    }

    /// The final submission.
    #[must_use]
    pub fn completed(self) -> Option<Timestamp> {
        match self {
            Self::NotStarted | Self::InProgress { .. } => None,
            Self::Completed { completed, .. } => Some(completed),
        }
    }

    /// The progress after a submission at an instant. What is completed stays as it is, and a clock
    /// that was set back does not undo activity.
    #[must_use]
    pub fn submitted(self, now: Timestamp, is_final: bool) -> Self {
        let (started, now) = match self {
            Self::NotStarted => (now, now),
            Self::InProgress { started, last_active } => (started, now.max(last_active)),
            Self::Completed { .. } => return self,
        };
        if is_final {
            Self::Completed { started, completed: now }
        } else {
            Self::InProgress { started, last_active: now }
        }
    }

    /// The progress as one word.
    #[must_use]
    pub fn state(self) -> SessionState {
        match self {
            Self::NotStarted => SessionState::NotStarted,
            Self::InProgress { .. } => SessionState::InProgress,
            Self::Completed { .. } => SessionState::Completed,
        }
    }
}

/// A session as it is stored, with the tags of its publication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The screener it answers.
    pub screener: ScreenerId,
    /// Whose it is.
    pub assignment: AssignmentId,
    /// The version that was pinned when it was created.
    pub publication: PublicationId,
    /// The short name in `/s/{slug}`.
    pub slug: String,
    /// Whether its link may be answered without a panelist key.
    pub link_trusted: bool,
    /// Whether it can receive answers.
    pub status: SessionStatus,
    /// How far the participant has come.
    pub progress: Progress,
    /// When it was created.
    pub created: Timestamp,
    /// Inherited from the publication.
    pub tags: Arc<[Tag]>,
}

impl Session {
    /// When its submission came to be: the final one, or the first one until then.
    #[must_use]
    pub fn submitted(&self) -> Option<Timestamp> {
        self.progress.completed().or(self.progress.started())
    }
}

impl Recorded for Session {
    const SUBJECT: Subject = Subject::Session;

    fn recorded(&self) -> Vec<Field> {
        let Self {
            id: _,
            screener,
            assignment,
            publication,
            slug,
            link_trusted: _,
            status,
            progress,
            created: _,
            tags: _,
        } = self;
        vec![
            Field::told("screener_id", Some(screener)),
            Field::told("screener_participant_id", Some(assignment)),
            Field::told("screener_publication_id", Some(publication)),
            // Whoever knows it can open the session.
            Field::redacted("link_slug", Some(slug)),
            Field::told("status", Some(status.as_str())),
            Field::time("started_at", progress.started()),
            Field::time("last_active_at", progress.last_active()),
            Field::time("completed_at", progress.completed()),
        ]
    }
}

/// Whose session of which screener is to be created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewSession {
    /// The screener.
    pub screener: ScreenerId,
    /// The participant; an external uid that nobody has yet makes a new one.
    pub participant: ParticipantName,
}

/// The most sessions that one call creates: a write that long still lets others through in time.
pub const BATCH_MAX_SESSIONS: usize = 1_000;

impl SessionStatus {
    /// The status after archiving, or nothing if it is archived already.
    pub fn archived(self) -> Result<Option<Self>> {
        self.moved_to(Self::Archived)
    }

    /// The status after restoring, or nothing if it is active already.
    pub fn restored(self) -> Result<Option<Self>> {
        self.moved_to(Self::Active)
    }

    /// The status after removing, or nothing if it is removed already.
    pub fn removed(self) -> Result<Option<Self>> {
        self.moved_to(Self::Removed)
    }

    /// What was removed stays removed.
    fn moved_to(self, target: Self) -> Result<Option<Self>> {
        if self == target {
            return Ok(None);
        }
        match self {
            Self::Active | Self::Archived => Ok(Some(target)),
            Self::Removed => Err(Error::new(
                Kind::InvalidStatusTransition,
                "A removed session stays removed. Create a new one.",
            )),
        }
    }
}

/// The address of a server, with which every link begins: far longer than any that people type.
const PUBLIC_URL_MAX_BYTES: usize = 256;

impl Encoded for Session {
    fn encoded_max_bytes(&self) -> usize {
        let Self {
            id,
            screener,
            assignment,
            publication,
            slug,
            link_trusted: _,
            status: _,
            progress: _,
            created: _,
            tags,
        } = self;
        let ids = [id.as_str(), screener.as_str(), assignment.as_str(), publication.as_str()];
        // Each byte of an id is at most three of a link.
        let link = PUBLIC_URL_MAX_BYTES + 3 * (id.as_str().len() + screener.as_str().len());
        let tags: usize = tags.iter().map(row_max_bytes).sum();
        let others = 2 * SMALL_MAX_BYTES + 3 * INSTANT_MAX_BYTES;
        texts_max_bytes(ids) + texts_max_bytes([slug]) + nested_max_bytes(link) + tags + others
    }
}

#[cfg(test)]
mod tests;
