//! Submissions and their review, as the review dialect has them.
//!
//! The dialect calls a submission a screener response. Optional members that are absent are left
//! out, never null.

mod form;
mod resource;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodRouter, get, patch};
use http::request::Parts;

use super::guard::Dialect;
use super::{Answer, Gateway, body, json, path, query};
use crate::app::{Presented, ReadSubmissions, ReviewSubmissions};
use crate::domain::error::{Error, Result};
use crate::domain::id::{ProjectId, SessionId};
use form::Form;
use resource::SubmissionBody;

pub(super) const DIALECT: Dialect =
    Dialect { credential_headers: Some("x-api-key, x-api-secret"), ..Dialect::PLAIN };

pub(super) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/v1/projects/{projectId}/screener-responses/{screenerResponseId}", get(get_one))
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/reject",
            verb(&form::REJECT),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/qualify",
            verb(&form::QUALIFY),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/disqualify",
            verb(&form::DISQUALIFY),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/invite",
            verb(&form::INVITE),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/cancel-invite",
            verb(&form::CANCEL_INVITE),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/schedule",
            verb(&form::SCHEDULE),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/cancel-booking",
            verb(&form::CANCEL_BOOKING),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/attended",
            verb(&form::ATTENDED),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/no-show",
            verb(&form::NO_SHOW),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/hide",
            verb(&form::HIDE),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/unhide",
            verb(&form::UNHIDE),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/favorite",
            verb(&form::FAVORITE),
        )
        .route(
            "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/report",
            verb(&form::REPORT),
        )
}

/// A route that carries out what its form reads.
fn verb(form: &'static Form) -> MethodRouter<Gateway> {
    patch(move |State(gateway): State<Gateway>, request: Request| review(gateway, request, form))
}

async fn get_one(State(gateway): State<Gateway>, request: Request) -> Answer {
    let app = &gateway.app;
    let (parts, _) = request.into_parts();
    let caller = app.authenticate::<ReadSubmissions>(&Presented::read(&parts.headers)).await?;
    query::none(parts.uri.query())?;
    let (project, id) = target(&parts)?;
    let submission = app.get_submission(&caller, &project, &id).await?;
    json::ok(&SubmissionBody::from(&submission))
}

async fn review(gateway: Gateway, request: Request, form: &'static Form) -> Answer {
    let app = &gateway.app;
    let (parts, body) = request.into_parts();
    let caller = app.authenticate::<ReviewSubmissions>(&Presented::read(&parts.headers)).await?;
    query::none(parts.uri.query())?;
    let body = body::read(body, gateway.body_max_bytes).await?;
    let decision = form.parse(&parts.headers, &body)?;
    let (project, id) = target(&parts)?;
    let submission = app.review_submission(&caller, project, id, decision).await?;
    json::ok(&SubmissionBody::from(&submission))
}

fn target(parts: &Parts) -> Result<(ProjectId, SessionId)> {
    // A project that cannot exist hides its responses just as an unknown one does.
    let absent = || Error::not_found("screener response");
    let project = path::id(parts, 2, ProjectId::parse, absent)?;
    let id = path::id(parts, 4, SessionId::parse, absent)?;
    Ok((project, id))
}
