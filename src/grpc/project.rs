//! `ProjectService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use super::convert::{charged, id_requests, label, list_response, opt_label, page_of};
use crate::app::{App, NewProject};
use crate::domain::error::{Result, Violations};
use crate::domain::id::ProjectId;
use crate::domain::project::{Project, ProjectUpdate, check_incentive};
use crate::pb::screener::v1;
use crate::pb::screener::v1::project_service_server::ProjectService;

/// The service.
pub(super) struct Projects(pub(super) Arc<App>);

#[tonic::async_trait]
impl ProjectService for Projects {
    async fn create_project(
        &self,
        request: Request<v1::CreateProjectRequest>,
    ) -> Result<Response<v1::CreateProjectResponse>, Status> {
        let (caller, message) = admitted(request);
        let project = self.0.create_project(&caller, new_project(message)?).await?;
        Ok(Response::new(v1::CreateProjectResponse { project: Some(project.into()) }))
    }

    async fn get_project(
        &self,
        request: Request<v1::GetProjectRequest>,
    ) -> Result<Response<v1::GetProjectResponse>, Status> {
        let (caller, message) = admitted(request);
        let project = self.0.get_project(&caller, &message.try_into()?).await?;
        Ok(Response::new(v1::GetProjectResponse { project: Some(project.into()) }))
    }

    async fn list_projects(
        &self,
        request: Request<v1::ListProjectsRequest>,
    ) -> Result<Response<v1::ListProjectsResponse>, Status> {
        let (caller, v1::ListProjectsRequest { pagination }) = admitted(request);
        let page = self.0.list_projects(&caller, page_of(pagination)?).await?;
        Ok(charged(page, |page| Response::new(page.into())))
    }

    async fn update_project(
        &self,
        request: Request<v1::UpdateProjectRequest>,
    ) -> Result<Response<v1::UpdateProjectResponse>, Status> {
        let (caller, message) = admitted(request);
        let (id, update) = update(message)?;
        let project = self.0.update_project(&caller, id, update).await?;
        Ok(Response::new(v1::UpdateProjectResponse { project: Some(project.into()) }))
    }
}

fn incentive(violations: &mut Violations, number: Option<f64>) -> Option<f64> {
    number.filter(|it| violations.keep("incentive", check_incentive(*it)).is_some())
}

fn new_project(message: v1::CreateProjectRequest) -> Result<NewProject> {
    let v1::CreateProjectRequest { id, name, incentive: paid, organization_id, team_id } = message;
    let mut violations = Violations::new();
    let id = id.and_then(|id| violations.keep("id", ProjectId::parse(&id)));
    let name = label(&mut violations, "name", name);
    let incentive = incentive(&mut violations, paid).unwrap_or(0.0);
    let organization = opt_label(&mut violations, "organization_id", organization_id);
    let team = opt_label(&mut violations, "team_id", team_id);
    let name = violations.finish_with(name)?;
    Ok(NewProject { id, name, incentive, organization, team })
}

id_requests!(ProjectId: GetProjectRequest);

fn update(message: v1::UpdateProjectRequest) -> Result<(ProjectId, ProjectUpdate)> {
    let v1::UpdateProjectRequest { id, name, incentive: paid } = message;
    let mut violations = Violations::new();
    let id = violations.keep("id", ProjectId::parse(&id));
    let name = opt_label(&mut violations, "name", name);
    let incentive = incentive(&mut violations, paid);
    let id = violations.finish_with(id)?;
    Ok((id, ProjectUpdate { name, incentive }))
}

list_response!(Project => ListProjectsResponse);

impl From<Project> for v1::Project {
    fn from(project: Project) -> Self {
        let Project { id, name, incentive, organization, team } = project;
        Self {
            id: id.to_string(),
            name,
            incentive: Some(incentive),
            organization_id: organization,
            team_id: team,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let message = v1::CreateProjectRequest {
            id: Some(String::new()),
            name: String::new(),
            incentive: Some(f64::NAN),
            organization_id: Some("a\nb".into()),
            team_id: Some(String::new()),
        };
        let refused = new_project(message).expect_err("everything is wrong");
        let fields: Vec<_> = refused.violations().iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["id", "name", "incentive", "organization_id", "team_id"]);
        let message = v1::UpdateProjectRequest {
            id: "a".repeat(129),
            name: Some(String::new()),
            incentive: Some(-1.0),
        };
        let refused = update(message).expect_err("everything is wrong");
        let fields: Vec<_> = refused.violations().iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["id", "name", "incentive"]);
    }
}
