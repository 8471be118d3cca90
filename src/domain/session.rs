//! A screener session: one participant's answers to one publication.
//!
//! `status` is administrative and `state` is progress. Neither implies the other. The state is not
//! stored but derived from the timestamps, so the two cannot disagree.

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
        /// Archived. It can be restored.
        Archived = "ARCHIVED",
        /// Removed permanently. Its history stays.
        Removed = "REMOVED",
    }
}

words! {
    /// The progress of the participant.
    SessionState {
        /// There is no submission.
        NotStarted = "NOT_STARTED",
        /// There are submissions, but not the final one.
        InProgress = "IN_PROGRESS",
        /// The final submission was accepted.
        Completed = "COMPLETED",
    }
}

/// The three timestamps of a session, in the only valid combinations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Without a submission.
    NotStarted,
    /// From the first submission on.
    InProgress {
        /// The time of the first submission.
        started: Timestamp,
        /// The time of the latest activity.
        last_active: Timestamp,
    },
    /// After the final submission, which is also the latest activity.
    Completed {
        /// The time of the first submission.
        started: Timestamp,
        /// The time of the final submission.
        completed: Timestamp,
    },
}

impl Progress {
    /// Restores the progress from its timestamps, or returns why they contradict each other.
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

    /// Returns the time of the first submission.
    #[must_use]
    pub fn started(self) -> Option<Timestamp> {
        match self {
            Self::NotStarted => None,
            Self::InProgress { started, .. } | Self::Completed { started, .. } => Some(started),
        }
    }

    /// Returns the time of the latest activity.
    #[must_use]
    pub fn last_active(self) -> Option<Timestamp> {
        match self {
            Self::NotStarted => None,
            Self::InProgress { last_active, .. } => Some(last_active),
            Self::Completed { completed, .. } => Some(completed),
        }
    }

    /// Returns the time of the final submission.
    #[must_use]
    pub fn completed(self) -> Option<Timestamp> {
        match self {
            Self::NotStarted | Self::InProgress { .. } => None,
            Self::Completed { completed, .. } => Some(completed),
        }
    }

    /// Returns the progress after a submission at an instant. A completed session stays unchanged,
    /// and the latest activity never moves back if the clock does.
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

    /// Returns the progress without its timestamps.
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
    /// The assignment that it belongs to.
    pub assignment: AssignmentId,
    /// The publication that was pinned when it was created.
    pub publication: PublicationId,
    /// The short name in `/s/{slug}`.
    pub slug: String,
    /// Whether its link may be answered without a panelist key.
    pub link_trusted: bool,
    /// Whether it can receive answers.
    pub status: SessionStatus,
    /// The progress of the participant.
    pub progress: Progress,
    /// The time of its creation.
    pub created: Timestamp,
    /// The tags of the publication.
    pub tags: Arc<[Tag]>,
}

impl Session {
    /// Returns the time of the final submission, or of the first one until then.
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
            // The slug opens the session.
            Field::redacted("link_slug", Some(slug)),
            Field::told("status", Some(status.as_str())),
            Field::time("started_at", progress.started()),
            Field::time("last_active_at", progress.last_active()),
            Field::time("completed_at", progress.completed()),
        ]
    }
}

/// A request to create a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewSession {
    /// The screener.
    pub screener: ScreenerId,
    /// The participant. An unknown external uid creates a new one.
    pub participant: ParticipantName,
}

/// The most sessions that one call creates, so that other writes do not wait for too long.
pub const BATCH_MAX_SESSIONS: usize = 1_000;

impl SessionStatus {
    /// Returns the status after archiving, or `None` if it is archived already.
    pub fn archived(self) -> Result<Option<Self>> {
        self.moved_to(Self::Archived)
    }

    /// Returns the status after restoring, or `None` if it is active already.
    pub fn restored(self) -> Result<Option<Self>> {
        self.moved_to(Self::Active)
    }

    /// Returns the status after removing, or `None` if it is removed already.
    pub fn removed(self) -> Result<Option<Self>> {
        self.moved_to(Self::Removed)
    }

    /// Returns the status after a transition. A removed session stays removed.
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

/// The assumed maximum of the server's address at the beginning of links, in bytes.
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
        // Each byte of an id takes at most three bytes in a link.
        let link = PUBLIC_URL_MAX_BYTES + 3 * (id.as_str().len() + screener.as_str().len());
        let tags: usize = tags.iter().map(row_max_bytes).sum();
        let others = 2 * SMALL_MAX_BYTES + 3 * INSTANT_MAX_BYTES;
        texts_max_bytes(ids) + texts_max_bytes([slug]) + nested_max_bytes(link) + tags + others
    }
}

#[cfg(test)]
mod tests;
