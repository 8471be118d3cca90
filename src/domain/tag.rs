//! Tags: defined on a publication, inherited by its sessions.

use std::mem::size_of;

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
