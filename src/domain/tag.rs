//! Tags: defined on a publication, inherited by its sessions.

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
