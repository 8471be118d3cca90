//! Projects.

use super::{App, Caller, ReadScreeners, WriteScreeners};
use crate::budget::Held;
use crate::domain::change::{Action, Change};
use crate::domain::error::{Error, Result};
use crate::domain::id::ProjectId;
use crate::domain::list::{Page, Pagination};
use crate::domain::project::{Project, ProjectUpdate};
use crate::store::{Length, Locks};

/// The properties of a new project.
#[derive(Clone, Debug, PartialEq)]
pub struct NewProject {
    /// Its id. Minted if absent.
    pub id: Option<ProjectId>,
    /// Its name.
    pub name: String,
    /// The amount that a participant is paid.
    pub incentive: f64,
    /// The organization it belongs to. Defaults to the tenant.
    pub organization: Option<String>,
    /// The team it belongs to. Defaults to the tenant.
    pub team: Option<String>,
}

fn absent() -> Error {
    Error::not_found("project")
}

impl App {
    /// Creates a project.
    pub async fn create_project(
        &self,
        caller: &Caller<WriteScreeners>,
        new: NewProject,
    ) -> Result<Project> {
        let (tenant, by) = (caller.tenant().clone(), self.by(caller));
        let NewProject { id, name, incentive, organization, team } = new;
        let project = Project {
            id: id.unwrap_or_else(|| ProjectId::mint(by.at, self.entropy())),
            name,
            incentive,
            // For the dialect that requires both fields, the tenant is both.
            organization: organization.unwrap_or_else(|| tenant.to_string()),
            team: team.unwrap_or_else(|| tenant.to_string()),
        };
        self.store
            .write(Locks::of(&tenant).project(&project.id), async move |tx| {
                if tx.get_project(&tenant, &project.id).await?.is_some() {
                    return Err(Error::taken("id", "Must be unique. A project has this id."));
                }
                tx.create_project(&tenant, &project).await?;
                let change = Change::of(Action::Create, &project.id, None, &project, &by);
                tx.record_change(&tenant, &change).await?;
                Ok(project)
            })
            .await
    }

    /// Returns a project.
    pub async fn get_project(
        &self,
        caller: &Caller<ReadScreeners>,
        id: &ProjectId,
    ) -> Result<Project> {
        let tenant = caller.tenant();
        let project = self.store.look_up(async |tx| tx.get_project(tenant, id).await).await?;
        project.ok_or_else(absent)
    }

    /// Returns a page of the tenant's projects.
    pub async fn list_projects(
        &self,
        caller: &Caller<ReadScreeners>,
        pagination: Pagination,
    ) -> Result<Held<Page<Project>>> {
        self.page(caller, pagination, Length::of(pagination), async move |tx, tenant, paging| {
            tx.list_projects(tenant, paging).await
        })
        .await
    }

    /// Changes the fields that the update names. An update without effect is a no-op.
    pub async fn update_project(
        &self,
        caller: &Caller<WriteScreeners>,
        id: ProjectId,
        update: ProjectUpdate,
    ) -> Result<Project> {
        let (tenant, by) = (caller.tenant().clone(), self.by(caller));
        self.store
            .write(Locks::of(&tenant).project(&id), async move |tx| {
                let before = tx.get_project(&tenant, &id).await?.ok_or_else(absent)?;
                let after = before.updated(&update);
                if after == before {
                    return Ok(before);
                }
                tx.update_project(&tenant, &after).await?;
                let change = Change::of(Action::Update, &id, Some(&before), &after, &by);
                tx.record_change(&tenant, &change).await?;
                Ok(after)
            })
            .await
    }
}
