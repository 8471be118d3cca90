//! Tags: defined on a publication, inherited by its sessions.

use std::collections::BTreeSet;
use std::mem::size_of;

use super::encoded::{Encoded, opt_text_max_bytes, texts_max_bytes};
use super::error::Violations;
use super::id::TagId;
use super::label::check_label;

/// The most tags of one publication.
pub const TAGS_MAX: usize = 100;

/// A label of a publication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// The group it belongs to, if any.
    pub category: Option<String>,
    /// Its text.
    pub value: String,
}

impl Tag {
    /// Returns its approximate size in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let Self { id, category, value } = self;
        let category = category.as_ref().map_or(0, String::len);
        size_of::<Self>() + id.as_str().len() + category + value.len()
    }
}

impl Encoded for Tag {
    fn encoded_max_bytes(&self) -> usize {
        let Self { id, category, value } = self;
        texts_max_bytes([id.as_str(), value]) + opt_text_max_bytes(category.as_ref())
    }
}

/// A tag, unchecked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagDraft {
    /// Its id.
    pub id: String,
    /// The group it belongs to, if any.
    pub category: Option<String>,
    /// Its text.
    pub value: String,
}

/// Parses the tags of a draft. The path is empty or ends in a dot.
pub(super) fn parse_tags(
    path: &str,
    drafts: Vec<TagDraft>,
    violations: &mut Violations,
) -> Option<Vec<Tag>> {
    if drafts.len() > TAGS_MAX {
        violations.add(format!("{path}tags"), format!("At most {TAGS_MAX} tags."));
        return None;
    }
    let mut tags = Vec::new();
    let mut seen = BTreeSet::new();
    let mut complete = true;
    for (position, TagDraft { id, category, value }) in drafts.into_iter().enumerate() {
        let at = |field: &str| format!("{path}tags[{position}].{field}");
        if !seen.insert(id.clone()) {
            violations.add(at("id"), "Must be unique. Another tag has this id.");
        }
        let id = violations.keep(&at("id"), TagId::parse(&id));
        if let Some(category) = &category {
            violations.keep(&at("category"), check_label(category));
        }
        violations.keep(&at("value"), check_label(&value));
        match id {
            Some(id) => tags.push(Tag { id, category, value }),
            None => complete = false,
        }
    }
    complete.then_some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(id: usize, category: Option<usize>, value: usize) -> Tag {
        let text = |bytes: usize| "t".repeat(bytes);
        let id = TagId::parse(&text(id)).expect("an id");
        Tag { id, category: category.map(text), value: text(value) }
    }

    #[test]
    fn every_byte_of_a_tags_texts_is_counted() {
        let small = tag(1, Some(1), 1);
        for larger in [tag(11, Some(1), 1), tag(1, Some(11), 1), tag(1, Some(1), 11)] {
            assert_eq!(larger.heap_bytes(), small.heap_bytes() + 10);
            assert_eq!(larger.encoded_max_bytes(), small.encoded_max_bytes() + 10);
        }
        assert_eq!(tag(1, None, 1).heap_bytes(), small.heap_bytes() - 1);
        assert!(small.heap_bytes() >= size_of::<Tag>() + 3, "the value itself counts, too");
        // Three texts, each with its field number, its length and its byte.
        assert!(small.encoded_max_bytes() >= 9);
        assert!(tag(1, None, 1).encoded_max_bytes() >= 6);
    }
}
