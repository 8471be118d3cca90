//! A screener, which the panel dialect calls a survey.

use super::id::{ProjectId, PublicationId, ScreenerId};
use super::words::words;

words! {
    /// Whether a screener takes answers.
    ScreenerStatus {
        /// Not yet.
        Draft = "DRAFT",
        /// It does.
        Open = "OPEN",
        /// No longer.
        Closed = "CLOSED",
    }
}

/// A screener of one project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Screener {
    /// Its id, unique within the tenant.
    pub id: ScreenerId,
    /// The project that owns it.
    pub project: ProjectId,
    /// Its title, for people.
    pub title: String,
    /// Whether it takes answers.
    pub status: ScreenerStatus,
    /// Whether a panelist may answer again after completing a session.
    pub allow_multiple_responses: bool,
    /// The version that new sessions are pinned to.
    pub active_publication: Option<PublicationId>,
    /// The draft of the next version, by the id that it will have.
    pub draft: Option<PublicationId>,
}
