//! A tenant: one organization's data.

use super::id::TenantId;
use super::recorded::{Field, Recorded, Subject};
use super::time::Timestamp;

/// An organization; nothing of it is visible to another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, for people.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// Since when its credentials are refused, if they are.
    pub disabled: Option<Timestamp>,
}

impl Recorded for Tenant {
    const SUBJECT: Subject = Subject::Tenant;

    fn recorded(&self) -> Vec<Field> {
        let Self { id: _, name, created: _, disabled } = self;
        vec![Field::told("name", Some(name)), Field::time("disabled_at", *disabled)]
    }
}
