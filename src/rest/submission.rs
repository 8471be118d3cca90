//! Submissions and their review.
//!
//! The document calls a submission a screener response. Absent optional members are omitted, never
//! null.

mod form;
mod forms;
mod list;
mod resource;

use axum::extract::{Request, State};
use http::request::Parts;
use utoipa::openapi::path::HttpMethod;

use super::route::{Operation, Routes};
use super::{Answer, Gateway, body, dialect, json, path, query};
use crate::app::{ReadSubmissions, ReviewSubmissions};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{ProjectId, SessionId};
use crate::domain::review::Verb;
use form::Form;
use list::PageBody;
use resource::SubmissionBody;

const ALL: &str = "/v1/projects/{projectId}/screener-responses";
/// The description of the first parameter of every path.
const PROJECT: &str = "The id of the project that owns the screener.";
const ONE: &str = "/v1/projects/{projectId}/screener-responses/{screenerResponseId}";

pub(super) fn routes() -> Routes {
    let mut list =
        Operation::new(HttpMethod::Get, ALL, "listSubmissions", "Lists a project's submissions.")
            .at("projectId", "proj_123", PROJECT)
            .permitted::<ReadSubmissions>()
            .refusing(&[Kind::NotFound, Kind::PageTooLarge])
            .answering::<PageBody<'_>>();
    list.parameters.extend(list::parameters());
    let get = operation(HttpMethod::Get, ONE, "getSubmission", "Gets a submission.")
        .permitted::<ReadSubmissions>();
    let mut routes = Routes::of(&dialect::SUBMISSIONS).add(list, list_of_project).add(get, get_one);
    for verb in Verb::ALL {
        let Some(form) = forms::of(*verb) else { continue };
        let row = verb.row();
        let conflicts: Vec<_> = row.conflicts().collect();
        let path = format!("{ONE}/{}", row.name);
        // As documented: a payout is the only call that adds something.
        let method = if *verb == Verb::MarkPaid { HttpMethod::Post } else { HttpMethod::Patch };
        let operation = operation(method, &path, row.id, form.summary)
            .permitted::<ReviewSubmissions>()
            .asking(false, form.schema(), form.example())
            .refusing(&[Kind::Conflict])
            .refusing(&conflicts);
        routes = routes.add(operation, move |State(gateway): State<Gateway>, request: Request| {
            review(gateway, request, form)
        });
    }
    routes
}

fn operation(method: HttpMethod, path: &str, id: &str, summary: &'static str) -> Operation {
    Operation::new(method, path, id, summary)
        .at("projectId", "proj_123", PROJECT)
        .at("screenerResponseId", "scses_789", "The id of the submission, which is its session's.")
        .refusing(&[Kind::NotFound])
        .answering::<SubmissionBody<'_>>()
}

async fn list_of_project(State(gateway): State<Gateway>, request: Request) -> Answer {
    let app = &gateway.app;
    let (parts, _) = request.into_parts();
    let caller = app.authenticate::<ReadSubmissions>(&parts.headers).await?;
    let (filter, pagination) = list::read(parts.uri.query())?;
    let project = path::id(&parts, 2, ProjectId::parse, || Error::not_found("project"))?;
    let page = app.list_project_submissions(&caller, project, filter, pagination).await?;
    json::charged::<_, PageBody<'_>>(&page)
}

async fn get_one(State(gateway): State<Gateway>, request: Request) -> Answer {
    let app = &gateway.app;
    let (parts, _) = request.into_parts();
    let caller = app.authenticate::<ReadSubmissions>(&parts.headers).await?;
    query::none(parts.uri.query())?;
    let (project, id) = target(&parts)?;
    let submission = app.get_submission(&caller, &project, &id).await?;
    json::of(caller.tenant(), &SubmissionBody::from(&submission))
}

async fn review(gateway: Gateway, request: Request, form: Form) -> Answer {
    let app = &gateway.app;
    let (parts, body) = request.into_parts();
    let caller = app.authenticate::<ReviewSubmissions>(&parts.headers).await?;
    query::none(parts.uri.query())?;
    let (body, _tab) = body::read(&gateway, caller.tenant(), &parts.headers, body).await?;
    let decision = form.parse(&parts.headers, &body)?;
    let (project, id) = target(&parts)?;
    let submission = app.review_submission(&caller, project, id, decision).await?;
    json::of(caller.tenant(), &SubmissionBody::from(&submission))
}

fn target(parts: &Parts) -> Result<(ProjectId, SessionId)> {
    // A project that cannot exist hides its submissions just as an unknown one does.
    let absent = || Error::not_found("screener response");
    let project = path::id(parts, 2, ProjectId::parse, absent)?;
    let id = path::id(parts, 4, SessionId::parse, absent)?;
    Ok((project, id))
}
