//! A screener response: the answer to one question in one session.

use std::sync::Arc;

use super::answer::Answer;
use super::encoded::{
    Encoded, INSTANT_MAX_BYTES, SMALL_MAX_BYTES, opt_text_max_bytes, texts_max_bytes,
};
use super::id::{
    AssignmentId, PageId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId,
};
use super::participant::ExternalUid;
use super::question::QuestionKind;
use super::time::Timestamp;
use super::words::words;

/// The origin of an answer, shared by the answers of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The session it belongs to.
    pub session: SessionId,
    /// The screener.
    pub screener: ScreenerId,
    /// The version of the questionnaire.
    pub publication: PublicationId,
    /// The person.
    pub participant: ParticipantId,
    /// The caller's own id of the person.
    pub external_uid: Option<ExternalUid>,
    /// The person's assignment to the screener.
    pub assignment: AssignmentId,
}

/// The question of an answer, shared by the answers to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The page of the question.
    pub page: PageId,
    /// The question.
    pub question: QuestionId,
    /// The text that the participant read.
    pub prompt: String,
    /// The kind of the question.
    pub kind: QuestionKind,
}

/// An answer with its question and its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenerResponse {
    /// The origin.
    pub origin: Arc<Origin>,
    /// The question.
    pub asked: Arc<Asked>,
    /// The answer, which equal answers may share.
    pub answer: Arc<Answer>,
}

words! {
    /// The reason why an answer is no longer current.
    EarlierReason {
        /// It was replaced by another answer.
        Replaced = "REPLACED",
        /// Its question is no longer on the path.
        Dropped = "DROPPED",
    }
}

/// An answer that a submission replaced or dropped, with its question and the reason.
pub type EarlierAnswer = (QuestionId, Answer, EarlierReason);

/// An answer that was replaced or dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlierResponse {
    /// The session.
    pub session: SessionId,
    /// The question.
    pub question: QuestionId,
    /// The kind of the question.
    pub kind: QuestionKind,
    /// The answer.
    pub answer: Answer,
    /// The time at which it was replaced or dropped.
    pub at: Timestamp,
    /// The reason.
    pub reason: EarlierReason,
}

impl Encoded for EarlierResponse {
    fn encoded_max_bytes(&self) -> usize {
        let Self { session, question, kind: _, answer, at: _, reason: _ } = self;
        let texts = texts_max_bytes([session.as_str(), question.as_str()]);
        texts + INSTANT_MAX_BYTES + 2 * SMALL_MAX_BYTES + answer.encoded_max_bytes()
    }
}

impl Encoded for ScreenerResponse {
    fn encoded_max_bytes(&self) -> usize {
        let Self { origin, asked, answer } = self;
        let Origin { session, screener, publication, participant, external_uid, assignment } =
            &**origin;
        let Asked { page, question, prompt, kind: _ } = &**asked;
        let whose = [session.as_str(), participant.as_str(), assignment.as_str()];
        let what = [screener.as_str(), publication.as_str(), page.as_str(), question.as_str()];
        let texts = texts_max_bytes(whose) + texts_max_bytes(what) + texts_max_bytes([prompt]);
        let optional = opt_text_max_bytes(external_uid.as_ref());
        texts + optional + SMALL_MAX_BYTES + answer.encoded_max_bytes()
    }
}
