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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_tells_a_tenants_name_and_since_when_it_is_disabled() {
        let tenant = Tenant {
            id: TenantId::parse("acct_1").expect("an id"),
            name: "Acme".into(),
            created: Timestamp::from_micros(0),
            disabled: Some(Timestamp::from_micros(0)),
        };
        let disabled = Field::told("disabled_at", Some("1970-01-01T00:00:00Z"));
        assert_eq!(tenant.recorded(), [Field::told("name", Some("Acme")), disabled]);
    }
}
