//! `ScreenerService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::admitted;
use super::convert::{
    self, ListQuery, charged, id_requests, label, list_response, opt_label, timestamp,
};
use super::questionnaire::authored;
use crate::app::{App, NewScreener, ScreenerView};
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Result, Violation, Violations};
use crate::domain::id::{ProjectId, PublicationId, ScreenerId};
use crate::domain::publication::{PublicationHead, Questionnaire};
use crate::domain::questionnaire;
use crate::domain::screener::{Screener, ScreenerUpdate};
use crate::pb::screener::v1;
use crate::pb::screener::v1::screener_service_server::ScreenerService;

/// The most violations of a draft that are listed: more than an author corrects at once, and far
/// below the size limit of a message.
const VIOLATIONS_MAX: usize = 1000;

/// The service.
pub(super) struct Screeners(pub(super) Arc<App>);

#[tonic::async_trait]
impl ScreenerService for Screeners {
    async fn create_screener(
        &self,
        request: Request<v1::CreateScreenerRequest>,
    ) -> Result<Response<v1::CreateScreenerResponse>, Status> {
        let (caller, message) = admitted(request);
        let new = self.0.compute(caller.tenant(), move |_| new_screener(message)).await??;
        let screener = self.0.create_screener(&caller, new).await?;
        Ok(Response::new(v1::CreateScreenerResponse { screener: Some(screener.into()) }))
    }

    async fn get_screener(
        &self,
        request: Request<v1::GetScreenerRequest>,
    ) -> Result<Response<v1::GetScreenerResponse>, Status> {
        let (caller, message) = admitted(request);
        let screener = self.0.get_screener(&caller, &message.try_into()?).await?;
        Ok(Response::new(v1::GetScreenerResponse { screener: Some(screener.into()) }))
    }

    async fn list_screeners(
        &self,
        request: Request<v1::ListScreenersRequest>,
    ) -> Result<Response<v1::ListScreenersResponse>, Status> {
        let (caller, message) = admitted(request);
        let ListQuery { filter: project, pagination } = screener_list(message)?;
        let page = self.0.list_screeners(&caller, project.as_ref(), pagination).await?;
        Ok(charged(page, |page| Response::new(page.into())))
    }

    async fn update_screener(
        &self,
        request: Request<v1::UpdateScreenerRequest>,
    ) -> Result<Response<v1::UpdateScreenerResponse>, Status> {
        let (caller, message) = admitted(request);
        let (id, update) = update(message)?;
        let screener = self.0.update_screener(&caller, id, update).await?;
        Ok(Response::new(v1::UpdateScreenerResponse { screener: Some(screener.into()) }))
    }

    async fn update_draft(
        &self,
        request: Request<v1::UpdateDraftRequest>,
    ) -> Result<Response<v1::UpdateDraftResponse>, Status> {
        let (caller, message) = admitted(request);
        let new = self.0.compute(caller.tenant(), move |_| new_draft(message)).await??;
        let ((id, hash), draft) = new;
        let screener = self.0.update_draft(&caller, id, draft, hash).await?;
        Ok(Response::new(v1::UpdateDraftResponse { screener: Some(screener.into()) }))
    }

    async fn discard_draft(
        &self,
        request: Request<v1::DiscardDraftRequest>,
    ) -> Result<Response<v1::DiscardDraftResponse>, Status> {
        let (caller, message) = admitted(request);
        let (id, hash) = draft_to_discard(message)?;
        let screener = self.0.discard_draft(&caller, id, hash).await?;
        Ok(Response::new(v1::DiscardDraftResponse { screener: Some(screener.into()) }))
    }

    async fn validate_draft(
        &self,
        request: Request<v1::ValidateDraftRequest>,
    ) -> Result<Response<v1::ValidateDraftResponse>, Status> {
        let (caller, message) = admitted(request);
        Ok(Response::new(self.0.compute(caller.tenant(), move |_| message.into()).await?))
    }

    async fn publish_screener(
        &self,
        request: Request<v1::PublishScreenerRequest>,
    ) -> Result<Response<v1::PublishScreenerResponse>, Status> {
        let (caller, message) = admitted(request);
        let (id, hash) = draft_to_publish(message)?;
        let (screener, publication) = self.0.publish_screener(&caller, id, hash).await?;
        let (screener, publication) = (Some(screener.into()), Some(publication.into()));
        Ok(Response::new(v1::PublishScreenerResponse { screener, publication }))
    }

    async fn close_screener(
        &self,
        request: Request<v1::CloseScreenerRequest>,
    ) -> Result<Response<v1::CloseScreenerResponse>, Status> {
        let (caller, message) = admitted(request);
        let screener = self.0.close_screener(&caller, message.try_into()?).await?;
        Ok(Response::new(v1::CloseScreenerResponse { screener: Some(screener.into()) }))
    }

    async fn reopen_screener(
        &self,
        request: Request<v1::ReopenScreenerRequest>,
    ) -> Result<Response<v1::ReopenScreenerResponse>, Status> {
        let (caller, message) = admitted(request);
        let screener = self.0.reopen_screener(&caller, message.try_into()?).await?;
        Ok(Response::new(v1::ReopenScreenerResponse { screener: Some(screener.into()) }))
    }

    async fn get_publication(
        &self,
        request: Request<v1::GetPublicationRequest>,
    ) -> Result<Response<v1::GetPublicationResponse>, Status> {
        let (caller, message) = admitted(request);
        let publication = self.0.get_publication(&caller, &message.try_into()?).await?;
        let publication = Some((&publication).into());
        Ok(Response::new(v1::GetPublicationResponse { publication }))
    }

    async fn list_publications(
        &self,
        request: Request<v1::ListPublicationsRequest>,
    ) -> Result<Response<v1::ListPublicationsResponse>, Status> {
        let (caller, message) = admitted(request);
        let ListQuery { filter: screener, pagination } = publication_list(message)?;
        let page = self.0.list_publications(&caller, &screener, pagination).await?;
        Ok(charged(page, |page| Response::new(page.into())))
    }
}

id_requests!(ScreenerId: GetScreenerRequest, CloseScreenerRequest, ReopenScreenerRequest);
id_requests!(PublicationId: GetPublicationRequest);

fn new_screener(message: v1::CreateScreenerRequest) -> Result<NewScreener> {
    let v1::CreateScreenerRequest { id, project_id, title, allow_multiple_responses, draft } =
        message;
    let mut violations = Violations::new().placed(questionnaire::place);
    let id = id.and_then(|id| violations.keep("id", ScreenerId::parse(&id)));
    let project = violations.keep("project_id", ProjectId::parse(&project_id));
    let title = label(&mut violations, "title", title);
    let draft = draft.and_then(|draft| authored("draft.", draft, &mut violations));
    let (project, title) = violations.finish_with(project.zip(title))?;
    let allow_multiple_responses = allow_multiple_responses.unwrap_or_default();
    Ok(NewScreener { id, project, title, allow_multiple_responses, draft })
}

fn screener_list(message: v1::ListScreenersRequest) -> Result<ListQuery<Option<ProjectId>>> {
    let v1::ListScreenersRequest { filter, pagination } = message;
    let v1::ScreenerFilter { project_id } = filter.unwrap_or_default();
    let v1::IdEqFilter { eq } = project_id.unwrap_or_default();
    ListQuery::read(pagination, |violations| {
        eq.and_then(|id| violations.keep("filter.project_id.eq", ProjectId::parse(&id)))
    })
}

fn update(message: v1::UpdateScreenerRequest) -> Result<(ScreenerId, ScreenerUpdate)> {
    let v1::UpdateScreenerRequest { id, title, allow_multiple_responses } = message;
    let mut violations = Violations::new();
    let id = violations.keep("id", ScreenerId::parse(&id));
    let title = opt_label(&mut violations, "title", title);
    let id = violations.finish_with(id)?;
    Ok((id, ScreenerUpdate { title, allow_multiple_responses }))
}

/// A screener, and the digest of the draft that the caller has seen.
type Expected = (ScreenerId, Option<ContentHash>);

fn expected(
    (field, id): (&str, &str),
    hash: Option<String>,
    violations: &mut Violations,
) -> Option<Expected> {
    let id = violations.keep(field, ScreenerId::parse(id));
    let hash =
        hash.and_then(|hash| violations.keep("expected_draft_hash", ContentHash::parse(&hash)));
    id.map(|id| (id, hash))
}

fn draft_to_discard(message: v1::DiscardDraftRequest) -> Result<Expected> {
    let v1::DiscardDraftRequest { screener_id, expected_draft_hash } = message;
    let mut violations = Violations::new();
    let id = ("screener_id", screener_id.as_str());
    let expected = expected(id, expected_draft_hash, &mut violations);
    violations.finish_with(expected)
}

fn draft_to_publish(message: v1::PublishScreenerRequest) -> Result<Expected> {
    let v1::PublishScreenerRequest { id, expected_draft_hash } = message;
    let mut violations = Violations::new();
    let expected = expected(("id", &id), expected_draft_hash, &mut violations);
    violations.finish_with(expected)
}

fn new_draft(message: v1::UpdateDraftRequest) -> Result<(Expected, Questionnaire)> {
    let v1::UpdateDraftRequest { screener_id, draft, expected_draft_hash } = message;
    let mut violations = Violations::new().placed(questionnaire::place);
    let id = ("screener_id", screener_id.as_str());
    let of = expected(id, expected_draft_hash, &mut violations);
    let draft = authored("draft.", draft.unwrap_or_default(), &mut violations);
    violations.finish_with(of.zip(draft))
}

impl From<v1::ValidateDraftRequest> for v1::ValidateDraftResponse {
    fn from(message: v1::ValidateDraftRequest) -> Self {
        let v1::ValidateDraftRequest { draft } = message;
        let mut violations = Violations::up_to(VIOLATIONS_MAX).placed(questionnaire::place);
        let draft = authored("draft.", draft.unwrap_or_default(), &mut violations);
        let total = violations.total();
        let works = draft.filter(|_| total == 0);
        Self {
            total: Some(i32::try_from(total).unwrap_or(i32::MAX)),
            violations: violations.into_listed().into_iter().map(Into::into).collect(),
            content_hash: works.map(|draft| draft.content_hash().to_string()),
        }
    }
}

impl From<Violation> for v1::DraftViolation {
    fn from(violation: Violation) -> Self {
        let Violation { field, reason } = violation;
        Self { field, reason }
    }
}

fn publication_list(message: v1::ListPublicationsRequest) -> Result<ListQuery<ScreenerId>> {
    let v1::ListPublicationsRequest { screener_id, pagination } = message;
    let mut violations = Violations::new();
    let filter = violations.keep("screener_id", ScreenerId::parse(&screener_id));
    let pagination = convert::pagination(pagination, &mut violations);
    let filter = violations.finish_with(filter)?;
    Ok(ListQuery { filter, pagination })
}

list_response!(Screener => ListScreenersResponse);
list_response!(PublicationHead => ListPublicationsResponse);

impl From<Screener> for v1::Screener {
    fn from(screener: Screener) -> Self {
        let Screener {
            id,
            project,
            title,
            status,
            allow_multiple_responses,
            active_publication,
            draft,
        } = screener;
        Self {
            id: id.to_string(),
            project_id: project.to_string(),
            title,
            status: v1::SurveyStatus::from(status).into(),
            allow_multiple_responses: Some(allow_multiple_responses),
            active_publication_id: active_publication.map(|id| id.to_string()),
            draft_hash: draft.map(|draft| draft.hash.to_string()),
            draft: None,
        }
    }
}

impl From<ScreenerView> for v1::Screener {
    fn from(view: ScreenerView) -> Self {
        let ScreenerView { screener, draft } = view;
        Self { draft: draft.as_ref().map(Into::into), ..screener.into() }
    }
}

impl From<PublicationHead> for v1::Publication {
    fn from(head: PublicationHead) -> Self {
        let PublicationHead { id, screener, hash, published } = head;
        Self {
            id: id.to_string(),
            screener_id: screener.to_string(),
            content_hash: hash.map(|hash| hash.to_string()),
            published_at: published.map(timestamp),
            questionnaire: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Error;
    use crate::pb::screener::v1::question::Form;

    fn fields(refused: Option<Error>) -> Vec<String> {
        let refused = refused.expect("everything is wrong");
        refused.violations().iter().map(|it| it.field.clone()).collect()
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let message = v1::CreateScreenerRequest {
            id: Some(String::new()),
            draft: Some(v1::Questionnaire::default()),
            ..v1::CreateScreenerRequest::default()
        };
        let expected = ["id", "project_id", "title", "draft.pages"];
        assert_eq!(fields(new_screener(message).err()), expected);
        let message = v1::UpdateScreenerRequest {
            title: Some(String::new()),
            ..v1::UpdateScreenerRequest::default()
        };
        assert_eq!(fields(update(message).err()), ["id", "title"]);
        let hash = Some("12".to_owned());
        let message =
            v1::UpdateDraftRequest { expected_draft_hash: hash.clone(), ..<_>::default() };
        let expected = ["screener_id", "expected_draft_hash", "draft.pages"];
        assert_eq!(fields(new_draft(message).err()), expected);
        let message = v1::PublishScreenerRequest { expected_draft_hash: hash, ..<_>::default() };
        assert_eq!(fields(draft_to_publish(message).err()), ["id", "expected_draft_hash"]);
    }

    #[test]
    fn of_a_draft_that_is_wrong_everywhere_a_thousand_places_are_listed() {
        let options = vec![v1::QuestionOption { rule: Some(0), ..<_>::default() }];
        let form = Some(Form::SingleSelect(v1::SingleSelectForm { options }));
        let question = v1::Question { form, ..<_>::default() };
        let page = v1::Page { id: "p".into(), questions: vec![question; 500] };
        let draft = Some(v1::Questionnaire { pages: vec![page], ..<_>::default() });
        let told = v1::ValidateDraftResponse::from(v1::ValidateDraftRequest { draft });
        assert_eq!((told.violations.len(), told.content_hash), (VIOLATIONS_MAX, None));
        assert_eq!(told.total, Some(1500));
    }

    #[test]
    fn violations_are_listed_in_the_order_of_the_questionnaire() {
        let go_to = |id: &str| v1::QuestionOption {
            id: "o".into(),
            text: Some("Option".into()),
            go_to: Some(v1::question_option::GoTo::GoToQuestionId(id.into())),
            ..<_>::default()
        };
        let options = vec![go_to("q_2"), go_to("nowhere")];
        let select = Form::SingleSelect(v1::SingleSelectForm { options });
        let text = Form::Text(v1::TextForm { pattern: Some("(".into()), ..<_>::default() });
        let question = |id: &str, form| v1::Question {
            id: id.into(),
            prompt: Some("?".into()),
            form: Some(form),
            ..<_>::default()
        };
        let page = |id: &str, questions| v1::Page { id: id.into(), questions };
        let first = vec![question("q_1", text), question("q_2", select)];
        let pages = vec![page("p_1", first), page("p_2", vec![]), page("p_1", vec![])];
        let tags = vec![v1::Tag::default()];
        let draft = Some(v1::Questionnaire { pages, tags, ..<_>::default() });
        let told = v1::ValidateDraftResponse::from(v1::ValidateDraftRequest { draft });
        let fields: Vec<_> = told.violations.iter().map(|it| it.field.as_str()).collect();
        let expected = [
            "draft.tags[0].id",
            "draft.tags[0].value",
            "draft.pages[0].questions[0].pattern",
            "draft.pages[0].questions[1].options[0].go_to_question_id",
            "draft.pages[0].questions[1].options[1].id",
            "draft.pages[0].questions[1].options[1].go_to_question_id",
            "draft.pages[1].questions",
            "draft.pages[2].id",
            "draft.pages[2].questions",
        ];
        assert_eq!(fields, expected);
    }
}
