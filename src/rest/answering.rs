//! The routes that panelists call: the questionnaire, their answers and "not now". The panelist's
//! key, or a session's link, is the whole `Authorization` header.

mod sheet;
mod submit;

use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, ParameterIn};

use super::route::{Operation, Routes};
use super::{Answer, Gateway, body, dialect, json, query, schema};
use crate::domain::error::Kind;
use crate::domain::idempotency_key::IDEMPOTENCY_KEY_MAX_BYTES;
use sheet::SheetBody;

pub(super) fn routes() -> Routes {
    let operation = |method, path, id, summary| {
        Operation::new(method, path, id, summary).guarded().refusing(&[
            Kind::NotOpen,
            Kind::Exhausted,
            Kind::Gone,
        ])
    };
    let key = schema::text(IDEMPOTENCY_KEY_MAX_BYTES).pattern(Some("^[!-~]+$"));
    let saying = "The server counts a submission once under the same key.";
    let load_sheet = operation(
        HttpMethod::Get,
        "/public/surveys/",
        "getQuestionnaire",
        "Loads the questionnaire and the answers so far.",
    );
    let submission = operation(
        HttpMethod::Post,
        "/public/surveys/",
        "submitAnswers",
        "Submits answers, all or some.",
    )
    .parameter(ParameterIn::Header, "Idempotency-Key", "a-key-of-your-own", saying, key)
    .asking(false, submit::schema(), Some(submit::example()))
    .refusing(&[Kind::Conflict]);
    let dismiss_survey = operation(
        HttpMethod::Post,
        "/public/surveys/dismiss/",
        "dismissSurvey",
        "Records that the participant does not want to answer now.",
    )
    .refusing(&[Kind::Conflict]);
    Routes::of(&dialect::ANSWERING)
        .add(load_sheet.answering::<SheetBody<'_>>(), load)
        .add(submission.answering::<Count>(), submit_answers)
        .add(dismiss_survey.answering::<Nothing>(), dismiss)
}

async fn load(State(gateway): State<Gateway>, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let holder = gateway.app.authenticate_holder(&parts.headers).await?;
    query::none(parts.uri.query())?;
    let sheet = gateway.app.load_questionnaire(&holder).await?;
    json::of(holder.tenant(), &SheetBody::from(&sheet))
}

/// How many answers there are now.
#[derive(Serialize, ToSchema)]
struct Count {
    count: usize,
}

async fn submit_answers(State(gateway): State<Gateway>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let holder = gateway.app.authenticate_holder(&parts.headers).await?;
    query::none(parts.uri.query())?;
    let (body, _tab) = body::read(&gateway, holder.tenant(), &parts.headers, body).await?;
    let submit = submit::parse(body::members(&parts.headers, &body)?, &parts.headers)?;
    let receipt = gateway.app.submit_answers(holder, submit).await?;
    json::ok(&Count { count: receipt.count })
}

/// Nothing but that it is done.
#[derive(Serialize, ToSchema)]
struct Nothing {}

async fn dismiss(State(gateway): State<Gateway>, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let holder = gateway.app.authenticate_holder(&parts.headers).await?;
    query::none(parts.uri.query())?;
    gateway.app.dismiss_survey(holder).await?;
    json::ok(&Nothing {})
}
