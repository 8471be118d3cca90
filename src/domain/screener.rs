//! A screener, which the panel dialect calls a survey: its status, its publications and its draft.

use super::content_hash::ContentHash;
use super::encoded::{Encoded, SMALL_MAX_BYTES, nested_max_bytes, texts_max_bytes};
use super::error::{Error, Kind, Result};
use super::id::{ProjectId, PublicationId, ScreenerId};
use super::recorded::{Field, Recorded, Subject};
use super::words::words;

words! {
    /// Whether a screener accepts answers.
    ScreenerStatus {
        /// It does not accept answers yet.
        Draft = "DRAFT",
        /// It accepts answers.
        Open = "OPEN",
        /// It no longer accepts answers.
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
    /// Whether it accepts answers.
    pub status: ScreenerStatus,
    /// Whether a panelist may answer again after completing a session.
    pub allow_multiple_responses: bool,
    /// The publication that new sessions are pinned to.
    pub active_publication: Option<PublicationId>,
    /// The draft of the next publication.
    pub draft: Option<DraftHead>,
}

/// The identity of a draft. Its content never changes: another draft has another id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DraftHead {
    /// The id that the publication will have.
    pub id: PublicationId,
    /// The digest of its content.
    pub hash: ContentHash,
}

impl Recorded for Screener {
    const SUBJECT: Subject = Subject::Screener;

    fn recorded(&self) -> Vec<Field> {
        let Self {
            id: _,
            project,
            title,
            status,
            allow_multiple_responses,
            active_publication,
            draft,
        } = self;
        vec![
            Field::told("project_id", Some(project)),
            Field::told("title", Some(title)),
            Field::told("status", Some(status.as_str())),
            Field::told("allow_multiple_responses", Some(allow_multiple_responses)),
            Field::told("active_publication_id", active_publication.as_ref()),
            Field::told("draft_hash", draft.as_ref().map(|draft| draft.hash)),
        ]
    }
}

/// A change of a screener. Absent fields stay unchanged.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScreenerUpdate {
    /// The new title.
    pub title: Option<String>,
    /// Whether a panelist may answer again.
    pub allow_multiple_responses: Option<bool>,
}

fn refused(why: &'static str) -> Error {
    Error::new(Kind::InvalidStatusTransition, why)
}

/// Returns the error of a change to a draft that is not the one the caller saw.
fn unexpected() -> Error {
    let why = "The draft is missing or differs from the expected one. Read it, then decide again.";
    Error::new(Kind::Conflict, why)
}

impl Screener {
    /// Returns the screener after a change.
    #[must_use]
    pub fn updated(&self, update: &ScreenerUpdate) -> Self {
        let ScreenerUpdate { title, allow_multiple_responses } = update.clone();
        Self {
            title: title.unwrap_or_else(|| self.title.clone()),
            allow_multiple_responses: allow_multiple_responses
                .unwrap_or(self.allow_multiple_responses),
            ..self.clone()
        }
    }

    /// Returns the screener with another draft, or unchanged if the content is the same.
    pub fn drafted(&self, draft: DraftHead, expected: Option<ContentHash>) -> Result<Self> {
        let present = self.draft_hash();
        if present == Some(draft.hash) {
            return Ok(self.clone());
        }
        if expected.is_some() && expected != present {
            return Err(unexpected());
        }
        Ok(Self { draft: Some(draft), ..self.clone() })
    }

    /// Returns the screener without a draft.
    pub fn discarded(&self, expected: Option<ContentHash>) -> Result<Self> {
        let present = self.draft_hash();
        if present.is_some() && expected.is_some() && expected != present {
            return Err(unexpected());
        }
        Ok(Self { draft: None, ..self.clone() })
    }

    /// Returns the screener with its draft as the active publication. Returns it unchanged if the
    /// expected digest is that of the `active` publication, which makes a retry idempotent.
    pub fn published(
        &self,
        expected: Option<ContentHash>,
        active: Option<ContentHash>,
    ) -> Result<Self> {
        match (&self.draft, expected) {
            (None, None) => Err(refused("The screener has no draft to publish.")),
            (Some(draft), None) => Ok(self.activated(draft)),
            (Some(draft), Some(expected)) if draft.hash == expected => Ok(self.activated(draft)),
            (_, Some(_)) if expected == active => Ok(self.clone()),
            (_, Some(_)) => Err(unexpected()),
        }
    }

    fn activated(&self, draft: &DraftHead) -> Self {
        let status = match self.status {
            ScreenerStatus::Draft | ScreenerStatus::Open => ScreenerStatus::Open,
            ScreenerStatus::Closed => ScreenerStatus::Closed,
        };
        let active_publication = Some(draft.id.clone());
        Self { status, active_publication, draft: None, ..self.clone() }
    }

    /// Returns the closed screener, which accepts no answers.
    pub fn closed(&self) -> Result<Self> {
        match self.status {
            ScreenerStatus::Draft => Err(refused("The screener is not open yet.")),
            ScreenerStatus::Open | ScreenerStatus::Closed => {
                Ok(Self { status: ScreenerStatus::Closed, ..self.clone() })
            }
        }
    }

    /// Returns the reopened screener.
    pub fn reopened(&self) -> Result<Self> {
        match self.status {
            ScreenerStatus::Draft => Err(refused("The screener is opened by publishing it.")),
            ScreenerStatus::Open => Ok(self.clone()),
            ScreenerStatus::Closed if self.active_publication.is_none() => {
                Err(refused("Nothing of the screener is published."))
            }
            ScreenerStatus::Closed => Ok(Self { status: ScreenerStatus::Open, ..self.clone() }),
        }
    }

    fn draft_hash(&self) -> Option<ContentHash> {
        self.draft.as_ref().map(|draft| draft.hash)
    }
}

impl Encoded for Screener {
    fn encoded_max_bytes(&self) -> usize {
        let Self {
            id,
            project,
            title,
            status: _,
            allow_multiple_responses: _,
            active_publication,
            draft: _,
        } = self;
        let active = active_publication.as_ref().map_or("", PublicationId::as_str);
        let texts = texts_max_bytes([id.as_str(), project.as_str(), title, active]);
        texts + nested_max_bytes(ContentHash::TEXT_BYTES) + 2 * SMALL_MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(digit: &str) -> ContentHash {
        ContentHash::parse(&digit.repeat(64)).expect("a digest")
    }

    fn head(digit: &str) -> DraftHead {
        let id = PublicationId::parse(digit).expect("an id");
        DraftHead { id, hash: hash(digit) }
    }

    fn screener(status: ScreenerStatus, active: Option<&str>, draft: Option<&str>) -> Screener {
        Screener {
            id: ScreenerId::parse("scr").expect("an id"),
            project: ProjectId::parse("proj").expect("an id"),
            title: "Title".into(),
            status,
            allow_multiple_responses: false,
            active_publication: active.map(|it| head(it).id),
            draft: draft.map(head),
        }
    }

    /// Returns the resulting screener, or the kind of the error.
    fn kind(outcome: Result<Screener>) -> Result<Screener, Kind> {
        outcome.map_err(|error| error.kind())
    }

    #[test]
    fn a_draft_is_replaced_only_if_it_is_the_expected_one_or_the_same() {
        let with = |draft| screener(ScreenerStatus::Open, Some("1"), draft);
        for (before, new, expected, after) in [
            (None, "a", None, Ok("a")),
            (None, "a", Some("b"), Err(Kind::Conflict)),
            (Some("b"), "a", None, Ok("a")),
            (Some("b"), "a", Some("b"), Ok("a")),
            (Some("b"), "a", Some("c"), Err(Kind::Conflict)),
            (Some("a"), "a", Some("b"), Ok("a")),
        ] {
            let outcome = kind(with(before).drafted(head(new), expected.map(hash)));
            assert_eq!(outcome, after.map(|after| with(Some(after))), "{before:?} {expected:?}");
        }
        let kept = with(Some("a"));
        let same = DraftHead { id: head("b").id, hash: hash("a") };
        assert_eq!(kind(kept.drafted(same, None)), Ok(kept.clone()), "the one that is there stays");
        for (before, expected, is_gone) in [
            (None, Some("a"), true),
            (Some("a"), None, true),
            (Some("a"), Some("a"), true),
            (Some("a"), Some("b"), false),
        ] {
            let outcome = kind(with(before).discarded(expected.map(hash)));
            let after = if is_gone { Ok(with(None)) } else { Err(Kind::Conflict) };
            assert_eq!(outcome, after, "{before:?} {expected:?}");
        }
    }

    #[test]
    fn publishing_opens_what_was_never_open_and_a_repeat_is_known_by_its_digest() {
        use ScreenerStatus::{Closed, Draft, Open};
        for (before, after) in [(Draft, Open), (Open, Open), (Closed, Closed)] {
            for expected in [None, Some(hash("a"))] {
                let draft = screener(before, None, Some("a"));
                assert_eq!(
                    kind(draft.published(expected, None)),
                    Ok(screener(after, Some("a"), None))
                );
            }
        }
        for (draft, expected, outcome) in [
            (None, None, Err(Kind::InvalidStatusTransition)),
            (None, Some("1"), Ok(())),
            (None, Some("2"), Err(Kind::Conflict)),
            (Some("a"), Some("1"), Ok(())),
            (Some("a"), Some("2"), Err(Kind::Conflict)),
        ] {
            let before = screener(Open, Some("1"), draft);
            let after = kind(before.published(expected.map(hash), Some(hash("1"))));
            assert_eq!(after, outcome.map(|()| before), "{draft:?} {expected:?}");
        }
    }

    #[test]
    fn a_screener_is_closed_and_reopened_but_not_before_it_was_open() {
        use ScreenerStatus::{Closed, Draft, Open};
        let refused = Err(Kind::InvalidStatusTransition);
        let with = |status| screener(status, Some("1"), None);
        for (before, closed, reopened) in [
            (Draft, refused.clone(), refused.clone()),
            (Open, Ok(with(Closed)), Ok(with(Open))),
            (Closed, Ok(with(Closed)), Ok(with(Open))),
        ] {
            assert_eq!(kind(with(before).closed()), closed);
            assert_eq!(kind(with(before).reopened()), reopened);
        }
        assert_eq!(kind(screener(Closed, None, None).reopened()), refused);
    }

    #[test]
    fn an_update_changes_what_it_names_and_nothing_else() {
        let before = screener(ScreenerStatus::Open, Some("1"), Some("a"));
        assert_eq!(before.updated(&ScreenerUpdate::default()), before);
        let title = ScreenerUpdate { title: Some("Other".into()), ..ScreenerUpdate::default() };
        assert_eq!(before.updated(&title), Screener { title: "Other".into(), ..before.clone() });
        let multiple =
            ScreenerUpdate { allow_multiple_responses: Some(true), ..ScreenerUpdate::default() };
        let after = Screener { allow_multiple_responses: true, ..before.clone() };
        assert_eq!(before.updated(&multiple), after);
    }

    #[test]
    fn the_history_tells_a_screener_and_its_draft_by_its_digest() {
        let expected = [
            Field::told("project_id", Some("proj")),
            Field::told("title", Some("Title")),
            Field::told("status", Some("OPEN")),
            Field::told("allow_multiple_responses", Some("false")),
            Field::told("active_publication_id", Some("1")),
            Field::told("draft_hash", Some("a".repeat(64))),
        ];
        assert_eq!(screener(ScreenerStatus::Open, Some("1"), Some("a")).recorded(), expected);
    }

    #[test]
    fn the_bound_of_a_screener_holds_its_texts_and_its_drafts_digest() {
        let bound = |title: &str| {
            let screener = screener(ScreenerStatus::Open, Some("1"), Some("a"));
            Screener { title: title.into(), ..screener }.encoded_max_bytes()
        };
        // The id, the project's id, the title and the publication's id, then 64 digits, a word and
        // a flag, each with its field number.
        assert_eq!(bound("t"), 4 * 3 + (3 + 4 + 1 + 1) + (3 + 64) + 2 * SMALL_MAX_BYTES);
        assert_eq!(bound(&"t".repeat(101)), bound("t") + 100);
    }
}
