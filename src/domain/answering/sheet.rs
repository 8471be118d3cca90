//! The views of answering for the holder of a panelist key or a session link.

use std::sync::Arc;

use crate::domain::answer::Answer;
use crate::domain::content_hash::ContentHash;
use crate::domain::id::{QuestionId, SessionId};
use crate::domain::publication::Publication;
use crate::domain::screener::Screener;
use crate::domain::session::Session;

/// The questionnaire with the progress of a participant.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The screener.
    pub screener: Screener,
    /// The session. A key's holder has none before the first submission.
    pub session: Option<Session>,
    /// The publication to answer: the session's, or the one that a first submission pins.
    pub publication: Arc<Publication>,
    /// The digest of its content.
    pub hash: ContentHash,
    /// The stored answers, in question order.
    pub answers: Vec<(QuestionId, Answer)>,
    /// The path: the questions that the answers lead to, in order.
    pub path: Vec<QuestionId>,
}

/// The result of a submission. A retry under the same key gets the same receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The session of the answers.
    pub session: SessionId,
    /// How many answers were submitted.
    pub count: usize,
    /// Questions whose answers were dropped, because they are no longer on the path.
    pub dropped: Vec<QuestionId>,
    /// The path: the questions that the answers lead to, in order.
    pub path: Vec<QuestionId>,
    /// Whether the session is completed.
    pub is_final: bool,
}
