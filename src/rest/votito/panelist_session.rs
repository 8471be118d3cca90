//! What panelists call themselves, as the panel dialect has it: the questionnaire, their answers, and
//! "not now". Their key, or a session's link, is the whole `Authorization` header.

mod answers;
mod sheet;

use axum::extract::{Request, State};
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, ParameterIn};

use super::super::guard::Dialect;
use super::super::route::{Operation, Routes};
use super::super::{Answer, Gateway, body, json, query, schema};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::panelist_session::{REQUEST_ID_MAX_BYTES, check_request_id};
use sheet::SheetBody;

pub(in crate::rest) const DIALECT: Dialect = Dialect {
    tag: "answering",
    about: "What panelists call themselves. Their key, or a session's link, is the whole header.",
    credential_headers: Some("Authorization"),
    takes_bearer: false,
    code,
    status,
};

/// The header under whose value a submission can be repeated.
const REQUEST_ID: &str = "idempotency-key";

/// The documented words of this dialect.
fn code(kind: Kind) -> &'static str {
    if kind == Kind::InvalidArgument { "invalid_response" } else { (super::DIALECT.code)(kind) }
}

/// To this dialect a panelist who may not answer is a forbidden one, whatever the reason.
fn status(kind: Kind) -> u16 {
    if matches!(kind, Kind::NotOpen | Kind::Exhausted | Kind::Gone) {
        Kind::Forbidden.mapping().http
    } else {
        kind.mapping().http
    }
}

pub(in crate::rest) fn routes() -> Routes {
    let operation = |method, path, id, summary| {
        Operation::new(method, path, id, summary).guarded().refusing(&[
            Kind::NotOpen,
            Kind::Exhausted,
            Kind::Gone,
        ])
    };
    let key = schema::text(REQUEST_ID_MAX_BYTES).pattern(Some("^[!-~]+$"));
    let saying = "Under the same key the same submission is counted once.";
    let load_sheet = operation(
        HttpMethod::Get,
        "/public/surveys/",
        "getQuestionnaire",
        "Loads the questionnaire, and what was answered so far.",
    );
    let submit_answers = operation(
        HttpMethod::Post,
        "/public/surveys/",
        "submitAnswers",
        "Submits answers, all or some.",
    )
    .parameter(ParameterIn::Header, "Idempotency-Key", "a-key-of-your-own", saying, key)
    .asking(false, answers::schema(), Some(answers::example()))
    .refusing(&[Kind::Conflict]);
    let dismiss_survey = operation(
        HttpMethod::Post,
        "/public/surveys/dismiss/",
        "dismissSurvey",
        "Says \"not now\", which only is noted.",
    )
    .refusing(&[Kind::Conflict]);
    Routes::of(&DIALECT)
        .add(load_sheet.answering::<SheetBody<'_>>(), load)
        .add(submit_answers.answering::<Count>(), submit)
        .add(dismiss_survey.answering::<Nothing>(), dismiss)
}

async fn load(State(gateway): State<Gateway>, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let respondent = gateway.app.authenticate_respondent(&parts.headers).await?;
    query::none(parts.uri.query())?;
    let sheet = gateway.app.load_questionnaire(&respondent).await?;
    json::ok(&SheetBody::from(&sheet))
}

/// How many answers there are now.
#[derive(Serialize, ToSchema)]
struct Count {
    count: usize,
}

async fn submit(State(gateway): State<Gateway>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let respondent = gateway.app.authenticate_respondent(&parts.headers).await?;
    query::none(parts.uri.query())?;
    let (body, _tab) = body::read(&gateway, respondent.tenant(), body).await?;
    let request_id = request_id(&parts.headers);
    let submit = answers::parse(body::members(&parts.headers, &body)?, request_id.as_ref().err())?;
    let receipt = gateway.app.submit_answers(respondent, submit, request_id?).await?;
    json::ok(&Count { count: receipt.count })
}

/// Nothing but that it is done.
#[derive(Serialize, ToSchema)]
struct Nothing {}

async fn dismiss(State(gateway): State<Gateway>, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let respondent = gateway.app.authenticate_respondent(&parts.headers).await?;
    query::none(parts.uri.query())?;
    gateway.app.dismiss_survey(respondent).await?;
    json::ok(&Nothing {})
}

/// The key under which a submission can be repeated.
fn request_id(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all(REQUEST_ID).iter();
    let refused = |reason: String| Error::invalid_field("Idempotency-Key", reason);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(refused("It is sent at most once.".into())),
        (Some(value), None) => {
            let text = value.to_str().unwrap_or_default();
            check_request_id(text).map_err(refused)?;
            Ok(Some(text.to_owned()))
        }
    }
}
