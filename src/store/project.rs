//! Projects.

use super::sql::args;
use super::{Row, Tx};
use crate::domain::error::Result;
use crate::domain::id::{ProjectId, TenantId};
use crate::domain::project::Project;

fn read_project(row: &mut Row<'_>) -> Result<Project> {
    row.of("projects");
    Ok(Project {
        id: row.parse(ProjectId::parse)?,
        name: row.text()?,
        incentive: row.real()?,
        organization: row.text()?,
        team: row.text()?,
    })
}

impl Tx {
    /// One project of a tenant.
    pub async fn get_project(
        &mut self,
        tenant: &TenantId,
        id: &ProjectId,
    ) -> Result<Option<Project>> {
        self.one(
            "SELECT id, name, incentive, organization_id, team_id FROM projects
             WHERE tenant_id = $1 AND id = $2",
            args![tenant, id],
            read_project,
        )
        .await
    }

    /// Adds a project.
    pub async fn create_project(&mut self, tenant: &TenantId, project: &Project) -> Result<()> {
        let Project { id, name, incentive, organization, team } = project;
        self.exec(
            "INSERT INTO projects (tenant_id, id, name, incentive, organization_id, team_id)
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![tenant, id, name, *incentive, organization, team],
        )
        .await
        .map(|_| ())
    }
}
