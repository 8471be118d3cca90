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

/// Where an answer comes from; the answers of a session share it.
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

/// What was asked; the answers to a question share it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The page of the question.
    pub page: PageId,
    /// The question.
    pub question: QuestionId,
    /// What the participant read.
    pub prompt: String,
    /// What an answer to the question is.
    pub kind: QuestionKind,
}

/// An answer with everything that says what it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenerResponse {
    /// Where it comes from.
    pub origin: Arc<Origin>,
    /// What was asked.
    pub asked: Arc<Asked>,
    /// What was answered; those who chose the same may share it.
    pub answer: Arc<Answer>,
}

words! {
    /// Why an answer no longer stands.
    EarlierReason {
        /// Another answer took its place.
        Replaced = "REPLACED",
        /// The path no longer reached its question.
        Dropped = "DROPPED",
    }
}

/// An answer that a submission took away, with its question, and why.
pub type EarlierAnswer = (QuestionId, Answer, EarlierReason);

/// An answer that once stood in a session.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlierResponse {
    /// The session.
    pub session: SessionId,
    /// The question.
    pub question: QuestionId,
    /// What an answer to the question is.
    pub kind: QuestionKind,
    /// What was answered.
    pub answer: Answer,
    /// When it was taken away.
    pub at: Timestamp,
    /// Why.
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
