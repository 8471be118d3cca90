//! `ScreenerSessionService`.

mod create;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::{admitted, versioned};
use super::convert::{
    ListQuery, charged, id_requests, id_set, list_response, timestamp, wire_words,
};
use crate::app::{App, SessionFilter, SessionView};
use crate::domain::error::Result;
use crate::domain::id::SessionId;
use crate::domain::session::{Session, SessionState, SessionStatus};
use crate::domain::tag::Tag;
use crate::pb::screener::v1;
use crate::pb::screener::v1::screener_session_service_server::ScreenerSessionService;
use create::{new_session, new_sessions};

/// The service.
pub(super) struct Sessions(pub(super) Arc<App>);

#[tonic::async_trait]
impl ScreenerSessionService for Sessions {
    async fn list_screener_sessions(
        &self,
        request: Request<v1::ListScreenerSessionsRequest>,
    ) -> Result<Response<v1::ListScreenerSessionsResponse>, Status> {
        let (caller, message) = admitted(request);
        let ListQuery { filter, pagination } = list(message)?;
        let page = self.0.list_sessions(&caller, &filter, pagination).await?;
        Ok(charged(page, |page| versioned(page.into())))
    }

    async fn get_screener_session(
        &self,
        request: Request<v1::GetScreenerSessionRequest>,
    ) -> Result<Response<v1::GetScreenerSessionResponse>, Status> {
        let (caller, message) = admitted(request);
        let session = self.0.get_session(&caller, &message.try_into()?).await?;
        Ok(versioned(v1::GetScreenerSessionResponse { screener_session: Some(session.into()) }))
    }

    async fn remove_screener_session(
        &self,
        request: Request<v1::RemoveScreenerSessionRequest>,
    ) -> Result<Response<v1::RemoveScreenerSessionResponse>, Status> {
        let (caller, message) = admitted(request);
        let session = self.0.remove_session(&caller, message.try_into()?).await?;
        Ok(versioned(v1::RemoveScreenerSessionResponse { screener_session: Some(session.into()) }))
    }

    async fn create_screener_session(
        &self,
        request: Request<v1::CreateScreenerSessionRequest>,
    ) -> Result<Response<v1::CreateScreenerSessionResponse>, Status> {
        let (caller, message) = admitted(request);
        let session = self.0.create_session(&caller, new_session(message)?).await?;
        Ok(versioned(v1::CreateScreenerSessionResponse { screener_session: Some(session.into()) }))
    }

    async fn batch_create_screener_sessions(
        &self,
        request: Request<v1::BatchCreateScreenerSessionsRequest>,
    ) -> Result<Response<v1::BatchCreateScreenerSessionsResponse>, Status> {
        let (caller, message) = admitted(request);
        let sessions = self.0.create_sessions(&caller, new_sessions(message)?).await?;
        let screener_sessions = sessions.into_iter().map(Into::into).collect();
        Ok(versioned(v1::BatchCreateScreenerSessionsResponse { screener_sessions }))
    }

    async fn archive_screener_session(
        &self,
        request: Request<v1::ArchiveScreenerSessionRequest>,
    ) -> Result<Response<v1::ArchiveScreenerSessionResponse>, Status> {
        let (caller, message) = admitted(request);
        let session = self.0.archive_session(&caller, message.try_into()?).await?;
        Ok(versioned(v1::ArchiveScreenerSessionResponse { screener_session: Some(session.into()) }))
    }

    async fn restore_screener_session(
        &self,
        request: Request<v1::RestoreScreenerSessionRequest>,
    ) -> Result<Response<v1::RestoreScreenerSessionResponse>, Status> {
        let (caller, message) = admitted(request);
        let session = self.0.restore_session(&caller, message.try_into()?).await?;
        Ok(versioned(v1::RestoreScreenerSessionResponse { screener_session: Some(session.into()) }))
    }
}

fn list(message: v1::ListScreenerSessionsRequest) -> Result<ListQuery<SessionFilter>> {
    let v1::ListScreenerSessionsRequest { filter, pagination } = message;
    let v1::ScreenerSessionFilter { id, screener_id } = filter.unwrap_or_default();
    ListQuery::read(pagination, |violations| SessionFilter {
        ids: id_set(id, "filter.id", violations),
        screeners: id_set(screener_id, "filter.screener_id", violations),
    })
}

id_requests!(
    SessionId: GetScreenerSessionRequest,
    RemoveScreenerSessionRequest,
    ArchiveScreenerSessionRequest,
    RestoreScreenerSessionRequest
);

list_response!(SessionView => ListScreenerSessionsResponse);

impl From<SessionView> for v1::ScreenerSession {
    fn from(view: SessionView) -> Self {
        let SessionView { session, link } = view;
        let Session {
            id,
            screener,
            assignment,
            publication,
            slug,
            link_trusted: _,
            status,
            progress,
            created: _,
            tags,
        } = session;
        Self {
            id: id.to_string(),
            screener_id: screener.to_string(),
            screener_participant_id: assignment.to_string(),
            screener_publication_id: publication.to_string(),
            screener_session_link: link,
            link_slug: slug,
            status: v1::ScreenerSessionStatus::from(status).into(),
            state: v1::ScreenerSessionState::from(progress.state()).into(),
            started_at: progress.started().map(timestamp),
            last_active_at: progress.last_active().map(timestamp),
            completed_at: progress.completed().map(timestamp),
            assigned_tags: tags.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Tag> for v1::Tag {
    fn from(tag: &Tag) -> Self {
        let Tag { id, category, value } = tag;
        Self { id: id.to_string(), category: category.clone(), value: Some(value.clone()) }
    }
}

wire_words!(SessionStatus => ScreenerSessionStatus { Active, Archived, Removed });

wire_words!(SessionState => ScreenerSessionState { NotStarted, InProgress, Completed });
