//! `SubmissionService`.

mod command;
mod explanation;
mod list;
mod resource;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::{Guarded, admitted};
use super::convert::charged;
use super::error::item_status;
use crate::app::{App, Caller, ReviewSubmissions};
use crate::domain::error::{Error, Result};
use crate::domain::id::SessionId;
use crate::domain::submission::Submission;
use crate::pb::screener::v1;
use crate::pb::screener::v1::submission_result::Result as ItemResult;
use crate::pb::screener::v1::submission_service_server::SubmissionService;
use command::{BatchCommand, Command, GetQuery};
use list::ListQuery;

/// The service.
pub(super) struct Submissions(pub(super) Arc<App>);

impl Submissions {
    /// Carries out what a request decides about one submission.
    async fn review<M>(&self, request: Request<M>) -> Result<Option<v1::Submission>>
    where
        M: Guarded<Witness = Caller<ReviewSubmissions>>,
        Command: TryFrom<M, Error = Error>,
    {
        let (caller, message) = admitted(request);
        let Command { project, id, decision } = message.try_into()?;
        let submission = self.0.review_submission(&caller, project, id, decision).await?;
        Ok(Some(submission.into()))
    }

    /// Carries out what a request decides about several.
    async fn review_all<M>(&self, request: Request<M>) -> Result<Vec<v1::SubmissionResult>>
    where
        M: Guarded<Witness = Caller<ReviewSubmissions>>,
        BatchCommand: TryFrom<M, Error = Error>,
    {
        let (caller, message) = admitted(request);
        let BatchCommand { project, ids, decision } = message.try_into()?;
        let results = self.0.review_submissions(&caller, &project, ids, &decision).await?;
        Ok(results.into_iter().map(Into::into).collect())
    }
}

#[tonic::async_trait]
impl SubmissionService for Submissions {
    async fn get_submission(
        &self,
        request: Request<v1::GetSubmissionRequest>,
    ) -> Result<Response<v1::GetSubmissionResponse>, Status> {
        let (caller, message) = admitted(request);
        let GetQuery { project, id } = message.try_into()?;
        let submission = self.0.get_submission(&caller, &project, &id).await?;
        Ok(Response::new(v1::GetSubmissionResponse { submission: Some(submission.into()) }))
    }

    async fn list_submissions(
        &self,
        request: Request<v1::ListSubmissionsRequest>,
    ) -> Result<Response<v1::ListSubmissionsResponse>, Status> {
        let (caller, message) = admitted(request);
        let ListQuery { filter, pagination } = message.try_into()?;
        let page = self.0.list_submissions(&caller, &filter, pagination).await?;
        Ok(charged(page, |page| Response::new(page.into())))
    }

    async fn explain_submission(
        &self,
        request: Request<v1::ExplainSubmissionRequest>,
    ) -> Result<Response<v1::ExplainSubmissionResponse>, Status> {
        let (caller, message) = admitted(request);
        let GetQuery { project, id } = message.try_into()?;
        let explanation = self.0.explain_submission(&caller, &project, &id).await?;
        Ok(Response::new(explanation.into()))
    }

    async fn reject_submission(
        &self,
        request: Request<v1::RejectSubmissionRequest>,
    ) -> Result<Response<v1::RejectSubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::RejectSubmissionResponse { submission }))
    }

    async fn qualify_submission(
        &self,
        request: Request<v1::QualifySubmissionRequest>,
    ) -> Result<Response<v1::QualifySubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::QualifySubmissionResponse { submission }))
    }

    async fn disqualify_submission(
        &self,
        request: Request<v1::DisqualifySubmissionRequest>,
    ) -> Result<Response<v1::DisqualifySubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::DisqualifySubmissionResponse { submission }))
    }

    async fn invite_submission(
        &self,
        request: Request<v1::InviteSubmissionRequest>,
    ) -> Result<Response<v1::InviteSubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::InviteSubmissionResponse { submission }))
    }

    async fn cancel_submission_invite(
        &self,
        request: Request<v1::CancelSubmissionInviteRequest>,
    ) -> Result<Response<v1::CancelSubmissionInviteResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::CancelSubmissionInviteResponse { submission }))
    }

    async fn schedule_submission(
        &self,
        request: Request<v1::ScheduleSubmissionRequest>,
    ) -> Result<Response<v1::ScheduleSubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::ScheduleSubmissionResponse { submission }))
    }

    async fn cancel_submission_booking(
        &self,
        request: Request<v1::CancelSubmissionBookingRequest>,
    ) -> Result<Response<v1::CancelSubmissionBookingResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::CancelSubmissionBookingResponse { submission }))
    }

    async fn mark_submission_attended(
        &self,
        request: Request<v1::MarkSubmissionAttendedRequest>,
    ) -> Result<Response<v1::MarkSubmissionAttendedResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::MarkSubmissionAttendedResponse { submission }))
    }

    async fn mark_submission_no_show(
        &self,
        request: Request<v1::MarkSubmissionNoShowRequest>,
    ) -> Result<Response<v1::MarkSubmissionNoShowResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::MarkSubmissionNoShowResponse { submission }))
    }

    async fn hide_submission(
        &self,
        request: Request<v1::HideSubmissionRequest>,
    ) -> Result<Response<v1::HideSubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::HideSubmissionResponse { submission }))
    }

    async fn unhide_submission(
        &self,
        request: Request<v1::UnhideSubmissionRequest>,
    ) -> Result<Response<v1::UnhideSubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::UnhideSubmissionResponse { submission }))
    }

    async fn favorite_submission(
        &self,
        request: Request<v1::FavoriteSubmissionRequest>,
    ) -> Result<Response<v1::FavoriteSubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::FavoriteSubmissionResponse { submission }))
    }

    async fn report_submission(
        &self,
        request: Request<v1::ReportSubmissionRequest>,
    ) -> Result<Response<v1::ReportSubmissionResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::ReportSubmissionResponse { submission }))
    }

    async fn set_submission_visibility(
        &self,
        request: Request<v1::SetSubmissionVisibilityRequest>,
    ) -> Result<Response<v1::SetSubmissionVisibilityResponse>, Status> {
        let submission = self.review(request).await?;
        Ok(Response::new(v1::SetSubmissionVisibilityResponse { submission }))
    }

    async fn batch_reject_submissions(
        &self,
        request: Request<v1::BatchRejectSubmissionsRequest>,
    ) -> Result<Response<v1::BatchRejectSubmissionsResponse>, Status> {
        let results = self.review_all(request).await?;
        Ok(Response::new(v1::BatchRejectSubmissionsResponse { results }))
    }

    async fn batch_qualify_submissions(
        &self,
        request: Request<v1::BatchQualifySubmissionsRequest>,
    ) -> Result<Response<v1::BatchQualifySubmissionsResponse>, Status> {
        let results = self.review_all(request).await?;
        Ok(Response::new(v1::BatchQualifySubmissionsResponse { results }))
    }
}

impl From<(SessionId, Result<Submission>)> for v1::SubmissionResult {
    fn from((id, result): (SessionId, Result<Submission>)) -> Self {
        let result = match result {
            Ok(submission) => ItemResult::Submission(Box::new(submission.into())),
            Err(error) => ItemResult::Error(item_status(&error)),
        };
        Self { id: id.to_string(), result: Some(result) }
    }
}
