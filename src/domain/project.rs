//! Projects, which own screeners and pay their participants.

use super::encoded::{Encoded, NUMBER_MAX_BYTES, texts_max_bytes};
use super::id::ProjectId;
use super::question::number_text;
use super::recorded::{Field, Recorded, Subject};

/// A project.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// Its id, unique within the tenant.
    pub id: ProjectId,
    /// Its name, for people.
    pub name: String,
    /// The amount that a participant is paid, in the project's currency.
    pub incentive: f64,
    /// The organization it belongs to.
    pub organization: String,
    /// The team it belongs to.
    pub team: String,
}

impl Recorded for Project {
    const SUBJECT: Subject = Subject::Project;

    fn recorded(&self) -> Vec<Field> {
        let Self { id: _, name, incentive, organization, team } = self;
        vec![
            Field::told("name", Some(name)),
            Field::told("incentive", Some(number_text(*incentive))),
            Field::told("organization_id", Some(organization)),
            Field::told("team_id", Some(team)),
        ]
    }
}

/// A change of a project. Absent fields stay unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProjectUpdate {
    /// The new name.
    pub name: Option<String>,
    /// The new incentive.
    pub incentive: Option<f64>,
}

impl Project {
    /// Returns the project after a change.
    #[must_use]
    pub fn updated(&self, update: &ProjectUpdate) -> Self {
        let ProjectUpdate { name, incentive } = update.clone();
        Self {
            name: name.unwrap_or_else(|| self.name.clone()),
            incentive: incentive.unwrap_or(self.incentive),
            ..self.clone()
        }
    }
}

/// Checks that a number is an incentive, or returns the reason why not.
pub fn check_incentive(number: f64) -> Result<(), String> {
    if !number.is_finite() || number < 0.0 {
        return Err("Must be a finite number, 0 or more.".into());
    }
    Ok(())
}

impl Encoded for Project {
    fn encoded_max_bytes(&self) -> usize {
        let Self { id, name, incentive: _, organization, team } = self;
        texts_max_bytes([id.as_str(), name, organization, team]) + NUMBER_MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_changes_what_it_names_and_nothing_else() {
        let before = Project {
            id: ProjectId::parse("proj_1").expect("an id"),
            name: "One".into(),
            incentive: 5.0,
            organization: "org".into(),
            team: "team".into(),
        };
        assert_eq!(before.updated(&ProjectUpdate::default()), before);
        let update = ProjectUpdate { name: Some("Two".into()), incentive: None };
        assert_eq!(before.updated(&update), Project { name: "Two".into(), ..before.clone() });
        let update = ProjectUpdate { name: None, incentive: Some(0.0) };
        assert_eq!(before.updated(&update), Project { incentive: 0.0, ..before });
    }

    #[test]
    fn an_incentive_is_finite_and_not_negative() {
        for good in [0.0, 12.5, f64::MAX] {
            assert!(check_incentive(good).is_ok(), "{good}");
        }
        for bad in [-0.01, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(check_incentive(bad).is_err(), "{bad}");
        }
    }

    fn project(name: &str) -> Project {
        Project {
            id: ProjectId::parse("p").expect("an id"),
            name: name.into(),
            incentive: 12.5,
            organization: "o".into(),
            team: "t".into(),
        }
    }

    #[test]
    fn the_history_tells_all_of_a_project_but_its_id() {
        let expected = [
            Field::told("name", Some("One")),
            Field::told("incentive", Some("12.5")),
            Field::told("organization_id", Some("o")),
            Field::told("team_id", Some("t")),
        ];
        assert_eq!(project("One").recorded(), expected);
    }

    #[test]
    fn the_bound_of_a_project_holds_its_texts_and_its_incentive() {
        let bound = |name: &str| project(name).encoded_max_bytes();
        // Four texts of one byte with field number and length, and a double with its field number.
        assert!(bound("n") >= 4 * 3 + 9);
        assert_eq!(bound(&"n".repeat(101)), bound("n") + 100);
    }
}
