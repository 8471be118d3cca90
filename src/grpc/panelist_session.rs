//! `PanelistSessionService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use super::convert::timestamp;
use super::question::given;
use crate::app::App;
use crate::domain::answering::{Receipt, Sheet, Submit, given_answers};
use crate::domain::error::{Result, Violations};
use crate::domain::id::{PublicationId, QuestionId};
use crate::domain::idempotency_key::check_idempotency_key;
use crate::domain::session::{Session, SessionState};
use crate::pb::screener::v1;
use crate::pb::screener::v1::panelist_session_service_server::PanelistSessionService;

/// The service.
pub(super) struct PanelistSessions(pub(super) Arc<App>);

#[tonic::async_trait]
impl PanelistSessionService for PanelistSessions {
    async fn get_questionnaire(
        &self,
        request: Request<v1::GetQuestionnaireRequest>,
    ) -> Result<Response<v1::GetQuestionnaireResponse>, Status> {
        let (holder, v1::GetQuestionnaireRequest {}) = admitted(request);
        let sheet = self.0.load_questionnaire(&holder).await?;
        Ok(Response::new(sheet.into()))
    }

    async fn submit_answers(
        &self,
        request: Request<v1::SubmitAnswersRequest>,
    ) -> Result<Response<v1::SubmitAnswersResponse>, Status> {
        let (holder, message) = admitted(request);
        let receipt = self.0.submit_answers(holder, submit(message)?).await?;
        Ok(Response::new(receipt.into()))
    }

    async fn dismiss(
        &self,
        request: Request<v1::DismissRequest>,
    ) -> Result<Response<v1::DismissResponse>, Status> {
        let (holder, v1::DismissRequest {}) = admitted(request);
        self.0.dismiss_survey(holder).await?;
        Ok(Response::new(v1::DismissResponse {}))
    }
}

fn submit(message: v1::SubmitAnswersRequest) -> Result<Submit> {
    let v1::SubmitAnswersRequest {
        answers,
        is_final,
        request_id: idempotency_key,
        screener_publication_id,
    } = message;
    let mut violations = Violations::new();
    let given = |v1::AnswerValue { value }| given(value);
    let answers = given_answers("answers", answers, given, &mut violations);
    if let Some(key) = &idempotency_key {
        violations.keep("request_id", check_idempotency_key(key));
    }
    let publication = screener_publication_id
        .and_then(|id| violations.keep("screener_publication_id", PublicationId::parse(&id)));
    violations.finish()?;
    Ok(Submit {
        answers,
        is_final,
        is_provisional: false,
        publication,
        idempotency_key,
        field: "answers",
    })
}

fn texts(ids: Vec<QuestionId>) -> Vec<String> {
    ids.into_iter().map(|id| id.to_string()).collect()
}

impl From<Session> for v1::PanelistSession {
    fn from(session: Session) -> Self {
        let progress = session.progress;
        Self {
            id: session.id.to_string(),
            state: v1::ScreenerSessionState::from(progress.state()).into(),
            started_at: progress.started().map(timestamp),
            last_active_at: progress.last_active().map(timestamp),
        }
    }
}

impl From<Sheet> for v1::GetQuestionnaireResponse {
    fn from(sheet: Sheet) -> Self {
        let Sheet { screener, session, publication, hash: _, answers, path } = sheet;
        // The digest is that of the publication with its rules, which are not shown.
        let content_hash = publication.content_hash().to_string();
        let shown = v1::Publication::from(&Arc::unwrap_or_clone(publication).without_rules());
        Self {
            title: Some(screener.title),
            survey_status: v1::SurveyStatus::from(screener.status).into(),
            session: session.map(Into::into),
            publication: Some(v1::Publication { content_hash: Some(content_hash), ..shown }),
            answers: answers.into_iter().map(|(id, it)| (id.to_string(), it.into())).collect(),
            path: texts(path),
        }
    }
}

impl From<Receipt> for v1::SubmitAnswersResponse {
    fn from(receipt: Receipt) -> Self {
        let Receipt { session, count, dropped, path, is_final } = receipt;
        let state = if is_final { SessionState::Completed } else { SessionState::InProgress };
        Self {
            screener_session_id: session.to_string(),
            state: v1::ScreenerSessionState::from(state).into(),
            count: i32::try_from(count).ok(),
            dropped_question_ids: texts(dropped),
            path: texts(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::screener::v1::answer_value::Value;

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let answer = |value| v1::AnswerValue { value };
        let nothing = v1::ChosenOption { option_id: String::new(), write_in: None };
        let answers = [
            ("a".to_owned(), answer(None)),
            ("b".to_owned(), answer(Some(Value::Option(nothing)))),
            ("c".repeat(129), answer(Some(Value::LeftOut(v1::LeftOut {})))),
            ("d".to_owned(), answer(Some(Value::Number(f64::NAN)))),
        ];
        let message = v1::SubmitAnswersRequest {
            answers: answers.into_iter().collect(),
            is_final: false,
            request_id: Some("not plain".into()),
            screener_publication_id: Some(String::new()),
        };
        let refused = submit(message).expect_err("much is wrong");
        let fields: Vec<_> = refused.violations().iter().map(|it| it.field.as_str()).collect();
        let long = format!("answers.{}", "c".repeat(129));
        let expected = ["answers.a", "answers.b", &long, "request_id", "screener_publication_id"];
        assert_eq!(fields, expected);
    }
}
