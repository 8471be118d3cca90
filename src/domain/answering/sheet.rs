//! What the holder of a key or of a session's link is shown, and told.

use std::sync::Arc;

use crate::domain::answer::Answer;
use crate::domain::content_hash::ContentHash;
use crate::domain::id::{QuestionId, SessionId};
use crate::domain::publication::Publication;
use crate::domain::screener::Screener;
use crate::domain::session::Session;

/// What a panelist finds: the questionnaire, and how far they have come.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The screener.
    pub screener: Screener,
    /// The session; none before the first submission of somebody who holds a key.
    pub session: Option<Session>,
    /// The version that is answered: the session's, or the one that a first submission pins.
    pub publication: Arc<Publication>,
    /// The digest of its content.
    pub hash: ContentHash,
    /// What is answered, in question order.
    pub answers: Vec<(QuestionId, Answer)>,
    /// The questions that the answers lead to, in order.
    pub path: Vec<QuestionId>,
}

/// What a submission came to. A repeat under the same key is told the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The session that it was taken into.
    pub session: SessionId,
    /// How many answers were submitted.
    pub count: usize,
    /// Questions whose answers were dropped, because the path no longer reaches them.
    pub dropped: Vec<QuestionId>,
    /// The questions that the answers lead to, in order.
    pub path: Vec<QuestionId>,
    /// Whether the session is completed.
    pub is_final: bool,
}
