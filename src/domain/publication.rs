//! A publication: an immutable version of a screener's questionnaire.

use std::mem::size_of;

use super::content_hash::{Content, ContentHash};
use super::encoded::{Encoded, INSTANT_MAX_BYTES, nested_max_bytes, texts_max_bytes};
use super::id::{PageId, PublicationId, QuestionId, ScreenerId};
use super::pattern::keep_compiled;
use super::question::Question;
use super::tag::Tag;
use super::time::Timestamp;
use super::wording::Wording;

/// The most questions in one publication, which bounds the answers of one session.
pub const QUESTIONS_MAX: usize = 500;

/// The content of a draft or a publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Questionnaire {
    /// The tags of its sessions.
    pub tags: Vec<Tag>,
    /// The author's texts around the questions.
    pub wording: Wording,
    /// The questions, in order. Those of one page are adjacent.
    pub questions: Vec<Question>,
}

/// An immutable version of a screener's questionnaire.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// Its id, unique within the tenant.
    pub id: PublicationId,
    /// The screener it is a version of.
    pub screener: ScreenerId,
    /// The tags of its sessions.
    pub tags: Vec<Tag>,
    /// The author's texts around its questions.
    pub wording: Wording,
    /// Its questions, in order. Those of one page are adjacent.
    pub questions: Vec<Question>,
    /// The time of its publication, unknown if it was imported.
    pub published: Option<Timestamp>,
}

/// A publication without its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicationHead {
    /// Its id, unique within the tenant.
    pub id: PublicationId,
    /// The screener it is a version of.
    pub screener: ScreenerId,
    /// The digest of its content, absent if it was stored before digests were.
    pub hash: Option<ContentHash>,
    /// The time of its publication, unknown if it was imported.
    pub published: Option<Timestamp>,
}

/// Returns the pages of questions, in order.
pub fn pages(questions: &[Question]) -> impl Iterator<Item = (&PageId, &[Question])> {
    let pages = questions.chunk_by(|one, next| one.page == next.page);
    pages.filter_map(|questions| Some((&questions.first()?.page, questions)))
}

/// Returns the digest of tags, texts and questions. Texts were added after the digest; without any,
/// the digest is the same as before.
fn content_hash(tags: &[Tag], wording: &Wording, questions: &[Question]) -> ContentHash {
    let mut content = Content::default();
    // The version of this encoding.
    content.count(1);
    content.all(tags, |content, Tag { id, category, value }| {
        content.text(id.as_str());
        content.opt(category.as_deref(), Content::text);
        content.text(value);
    });
    content.all(questions, |content, question| question.digest(content));
    let hints: Vec<_> = questions.iter().filter_map(|it| Some((it, it.pattern_hint()?))).collect();
    if *wording != Wording::default() || !hints.is_empty() {
        wording.digest(&mut content);
        content.all(&hints, |content, (question, hint)| {
            content.text(question.id.as_str());
            content.text(hint);
        });
    }
    ContentHash::from_digest(content.digest())
}

impl Questionnaire {
    /// Returns the digest of its tags, texts and questions.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        content_hash(&self.tags, &self.wording, &self.questions)
    }
}

impl Publication {
    /// Returns the digest of its tags, texts and questions.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        content_hash(&self.tags, &self.wording, &self.questions)
    }

    /// Compiles the patterns of its questions and keeps them, up to their limit. Returns the bytes
    /// that are kept.
    pub fn keep_patterns(&self) -> Result<usize, String> {
        keep_compiled(self.questions.iter().filter_map(Question::pattern))
    }

    /// Returns its approximate size in bytes, without compiled patterns.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let Self { id, screener, tags, wording, questions, published: _ } = self;
        let tags: usize = tags.iter().map(Tag::heap_bytes).sum::<usize>() + wording.text_bytes();
        let questions: usize = questions.iter().map(Question::heap_bytes).sum();
        size_of::<Self>() + id.as_str().len() + screener.as_str().len() + tags + questions
    }

    /// Returns the part that a participant may see: without tags, rules, and the thanks that depend
    /// on the outcome.
    #[must_use]
    pub fn without_rules(mut self) -> Self {
        self.tags.clear();
        (self.wording.thanks_qualified, self.wording.thanks_disqualified) = (None, None);
        self.questions.iter_mut().for_each(Question::hide_rule);
        self
    }

    /// Returns its pages, in order.
    pub fn pages(&self) -> impl Iterator<Item = (&PageId, &[Question])> {
        pages(&self.questions)
    }

    /// Returns the greatest position of these questions, from 1, or 0 without any.
    #[must_use]
    pub fn furthest<'a>(&self, ids: impl Iterator<Item = &'a QuestionId>) -> usize {
        let position = |id: &QuestionId| self.questions.iter().position(|it| it.id == *id);
        ids.filter_map(position).max().map_or(0, |position| position + 1)
    }

    /// Finds a question by its id.
    #[must_use]
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == *id)
    }
}

impl Encoded for PublicationHead {
    fn encoded_max_bytes(&self) -> usize {
        let Self { id, screener, hash: _, published: _ } = self;
        let texts = texts_max_bytes([id.as_str(), screener.as_str()]);
        texts + nested_max_bytes(ContentHash::TEXT_BYTES) + INSTANT_MAX_BYTES
    }
}
