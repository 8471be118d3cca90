//! Tags: defined on a publication, inherited by its sessions.

use std::mem::size_of;

use super::encoded::{Encoded, opt_text_max_bytes, texts_max_bytes};
use super::id::TagId;

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
    /// About how many bytes it occupies.
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
