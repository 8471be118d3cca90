//! Projects.

use serde::Deserialize;

use super::{Line, Type, label};
use crate::app::Record;
use crate::domain::error::Violations;
use crate::domain::id::{ProjectId, TenantId};
use crate::domain::project::{Project, check_incentive};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProjectLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    name: String,
    incentive: f64,
    organization_id: String,
    team_id: String,
}

impl Line for ProjectLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", ProjectId::parse(&self.id));
        let name = label(violations, "name", self.name);
        violations.keep("incentive", check_incentive(self.incentive));
        let organization = label(violations, "organizationId", self.organization_id);
        let team = label(violations, "teamId", self.team_id);
        let project = Project {
            id: id?,
            name: name?,
            incentive: self.incentive,
            organization: organization?,
            team: team?,
        };
        Some(Record::Project(tenant?, project))
    }
}
