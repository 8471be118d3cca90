//! A project: owns screeners, and pays their participants.

use super::id::ProjectId;

/// A project.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// Its id, unique within the tenant.
    pub id: ProjectId,
    /// Its name, for people.
    pub name: String,
    /// What a participant is paid, in the project's currency.
    pub incentive: f64,
    /// The organization it belongs to.
    pub organization: String,
    /// The team it belongs to.
    pub team: String,
}
