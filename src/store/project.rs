//! Projects.

use super::list::Paging;
use super::sql::args;
use super::{List, Row, Tx, WriteTx};
use crate::domain::error::Result;
use crate::domain::id::{ProjectId, TenantId};
use crate::domain::list::Page;
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

/// The columns that [`read_project`] reads, with the rest of the statement.
macro_rules! select_project {
    ($rest:literal) => {
        concat!("SELECT id, name, incentive, organization_id, team_id FROM projects ", $rest)
    };
}

impl Tx {
    /// Returns a project of a tenant.
    pub async fn get_project(
        &mut self,
        tenant: &TenantId,
        id: &ProjectId,
    ) -> Result<Option<Project>> {
        self.one(
            select_project!("WHERE tenant_id = $1 AND id = $2"),
            args![tenant, id],
            read_project,
        )
        .await
    }

    /// Returns a page of a tenant's projects, in arrival order.
    pub async fn list_projects(
        &mut self,
        tenant: &TenantId,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<Project>> {
        let paging = paging.into();
        let found = self.dense_page(tenant, List::Projects, &paging).await?;
        let halves = (select_project!("WHERE tenant_id = $1 AND seq IN ("), ") ORDER BY seq");
        self.page_at(tenant, found, &paging, halves, read_project).await
    }
}

impl WriteTx {
    /// Adds a project, whose id must be free.
    pub async fn create_project(&mut self, tenant: &TenantId, project: &Project) -> Result<()> {
        let Project { id, name, incentive, organization, team } = project;
        self.expect_project(tenant, id)?;
        let seq = self.append(tenant, List::Projects, &[]).await?;
        self.put(
            "INSERT INTO projects (tenant_id, id, name, incentive, organization_id, team_id, seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![tenant, id, name, *incentive, organization, team, seq],
        )
        .await
    }

    /// Stores the new state of a project.
    pub async fn update_project(&mut self, tenant: &TenantId, project: &Project) -> Result<()> {
        let Project { id, name, incentive, organization: _, team: _ } = project;
        self.expect_project(tenant, id)?;
        self.must(
            "UPDATE projects SET name = $1, incentive = $2 WHERE tenant_id = $3 AND id = $4",
            args![name, *incentive, tenant, id],
            1,
        )
        .await
    }
}
