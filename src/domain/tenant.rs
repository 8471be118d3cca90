//! A tenant: one organization's data.

use super::id::TenantId;
use super::recorded::{Field, Recorded, Subject};
use super::time::Timestamp;

/// An organization, whose data is invisible to others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, for people.
    pub name: String,
    /// The time of its creation.
    pub created: Timestamp,
    /// The time since which its credentials are refused, if it is disabled.
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
