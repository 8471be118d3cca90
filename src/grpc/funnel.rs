//! `FunnelService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use crate::app::{App, FunnelView};
use crate::domain::error::{Result, Violations};
use crate::domain::id::{PublicationId, ScreenerId};
use crate::pb::screener::v1;
use crate::pb::screener::v1::funnel_service_server::FunnelService;

/// The service.
pub(super) struct Funnels(pub(super) Arc<App>);

#[tonic::async_trait]
impl FunnelService for Funnels {
    async fn get_funnel(
        &self,
        request: Request<v1::GetFunnelRequest>,
    ) -> Result<Response<v1::GetFunnelResponse>, Status> {
        let (caller, message) = admitted(request);
        let (screener, publication) = target(message)?;
        let funnel = self.0.get_funnel(&caller, screener, publication).await?;
        Ok(Response::new(v1::GetFunnelResponse { funnel: Some(funnel.into()) }))
    }
}

fn target(message: v1::GetFunnelRequest) -> Result<(ScreenerId, Option<PublicationId>)> {
    let v1::GetFunnelRequest { screener_id, publication_id } = message;
    let mut violations = Violations::new();
    let screener = violations.keep("screener_id", ScreenerId::parse(&screener_id));
    let publication =
        publication_id.and_then(|id| violations.keep("publication_id", PublicationId::parse(&id)));
    Ok((violations.finish_with(screener)?, publication))
}

impl From<FunnelView> for v1::Funnel {
    fn from(view: FunnelView) -> Self {
        let FunnelView { screener, publication, funnel, publications } = view;
        // Publication by publication, in the order of their questions.
        let mut disqualified_by_question = Vec::new();
        let mut questions = Vec::new();
        for (id, version) in &publications {
            for (position, question) in (1..).zip(&version.questions) {
                let place = (id.clone(), question.id.clone());
                if let Some(sessions) = funnel.disqualified_by_question.get(&place) {
                    disqualified_by_question.push(v1::QuestionDisqualifications {
                        question_id: question.id.to_string(),
                        publication_id: id.to_string(),
                        prompt: Some(question.prompt.clone()),
                        sessions: *sessions,
                    });
                }
                if publication.as_ref() == Some(id) {
                    questions.push(v1::QuestionReach {
                        question_id: question.id.to_string(),
                        // A publication has at most 500 questions.
                        order: i32::try_from(position).unwrap_or(i32::MAX),
                        reached: Some(funnel.reached(position)),
                    });
                }
            }
        }
        Self {
            screener_id: screener.to_string(),
            publication_id: publication.map(|id| id.to_string()),
            created: Some(funnel.created()),
            not_started: Some(funnel.not_started),
            started: Some(funnel.started()),
            in_progress: Some(funnel.in_progress),
            completed: Some(funnel.completed),
            qualified: Some(funnel.qualified),
            pending_id_verification: Some(funnel.pending_id_verification),
            disqualified: Some(funnel.disqualified()),
            disqualified_by_question,
            disqualified_by_id_verification: Some(funnel.disqualified_by_id_verification),
            disqualified_by_researcher: Some(funnel.disqualified_by_researcher),
            questions,
            rejected: Some(funnel.rejected),
            archived: Some(funnel.archived),
            removed: Some(funnel.removed),
        }
    }
}
