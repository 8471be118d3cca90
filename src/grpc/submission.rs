//! `SubmissionService`.

mod command;
mod explanation;
mod list;
mod resource;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::auth::{Guarded, admitted};
use super::convert::{ListQuery, charged, instant};
use super::error::item_status;
use crate::app::{App, Caller, ReviewSubmissions};
use crate::domain::error::{Error, Result};
use crate::domain::id::SessionId;
use crate::domain::review::{
    Booking, Cancellation, Decision, Disqualification, Meeting, Report, parse_text,
};
use crate::domain::submission::Submission;
use crate::pb::screener::v1;
use crate::pb::screener::v1::submission_result::Result as ItemResult;
use crate::pb::screener::v1::submission_service_server::SubmissionService;
use command::{BatchCommand, Command, disqualification_reasons, rejection, set};
use list::list;

/// The service.
pub(super) struct Submissions(pub(super) Arc<App>);

impl Submissions {
    /// Applies the decision of a request to one submission.
    async fn review<M>(&self, request: Request<M>) -> Result<Option<v1::Submission>>
    where
        M: Guarded<Witness = Caller<ReviewSubmissions>>,
        Command: TryFrom<M, Error = Error>,
    {
        let (caller, message) = admitted(request);
        let ((project, id), decision) = Command::try_from(message)?;
        let submission = self.0.review_submission(&caller, project, id, decision).await?;
        Ok(Some(submission.into()))
    }

    /// Applies the decision of a request to several submissions.
    async fn review_all<M>(&self, request: Request<M>) -> Result<Vec<v1::SubmissionResult>>
    where
        M: Guarded<Witness = Caller<ReviewSubmissions>>,
        BatchCommand: TryFrom<M, Error = Error>,
    {
        let (caller, message) = admitted(request);
        let ((project, ids), decision) = BatchCommand::try_from(message)?;
        let results = self.0.review_submissions(&caller, &project, ids, &decision).await?;
        Ok(results.into_iter().map(Into::into).collect())
    }
}

/// Implements the service. Each row has the method of a review, its request with the fields that
/// only this review has, its response, and the conversion of the fields to a decision.
macro_rules! service {
    (
        one {$(
            $method:ident($request:ident { $($field:ident),* }) -> $response:ident: $decision:expr;
        )*}
        several {$(
            $methods:ident($requests:ident { $($fields:ident),* }) -> $responses:ident:
                $decisions:expr;
        )*}
    ) => {
        $(impl TryFrom<v1::$request> for Command {
            type Error = Error;

            fn try_from(message: v1::$request) -> Result<Self> {
                let v1::$request { project_id, id $(, $field)* } = message;
                command::command(&project_id, &id, $decision)
            }
        })*

        $(impl TryFrom<v1::$requests> for BatchCommand {
            type Error = Error;

            fn try_from(message: v1::$requests) -> Result<Self> {
                let v1::$requests { project_id, ids $(, $fields)* } = message;
                command::batch_command(&project_id, &ids, $decisions)
            }
        })*

        #[tonic::async_trait]
        impl SubmissionService for Submissions {
            async fn get_submission(
                &self,
                request: Request<v1::GetSubmissionRequest>,
            ) -> Result<Response<v1::GetSubmissionResponse>, Status> {
                let (caller, message) = admitted(request);
                let (project, id) = message.try_into()?;
                let submission = self.0.get_submission(&caller, &project, &id).await?;
                let submission = Some(submission.into());
                Ok(Response::new(v1::GetSubmissionResponse { submission }))
            }

            async fn list_submissions(
                &self,
                request: Request<v1::ListSubmissionsRequest>,
            ) -> Result<Response<v1::ListSubmissionsResponse>, Status> {
                let (caller, message) = admitted(request);
                let ListQuery { filter, pagination } = list(message)?;
                let page = self.0.list_submissions(&caller, &filter, pagination).await?;
                Ok(charged(page, |page| Response::new(page.into())))
            }

            async fn explain_submission(
                &self,
                request: Request<v1::ExplainSubmissionRequest>,
            ) -> Result<Response<v1::ExplainSubmissionResponse>, Status> {
                let (caller, message) = admitted(request);
                let (project, id) = message.try_into()?;
                let explanation = self.0.explain_submission(&caller, &project, &id).await?;
                Ok(Response::new(explanation.into()))
            }

            $(async fn $method(
                &self,
                request: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                let submission = self.review(request).await?;
                Ok(Response::new(v1::$response { submission }))
            })*

            $(async fn $methods(
                &self,
                request: Request<v1::$requests>,
            ) -> Result<Response<v1::$responses>, Status> {
                let results = self.review_all(request).await?;
                Ok(Response::new(v1::$responses { results }))
            })*
        }
    };
}

service! {
    one {
        reject_submission(RejectSubmissionRequest { message }) -> RejectSubmissionResponse:
            |violations| rejection(message, violations);
        qualify_submission(QualifySubmissionRequest {}) -> QualifySubmissionResponse:
            |_| Some(Decision::Qualify);
        disqualify_submission(DisqualifySubmissionRequest { reason, message, reasons })
            -> DisqualifySubmissionResponse:
            |violations| {
                let reasons = disqualification_reasons(reason, reasons, violations);
                let message = violations.keep("message", parse_text(message));
                let (reasons, message) = reasons.zip(message)?;
                Some(Decision::Disqualify(Disqualification { reasons, message }))
            };
        invite_submission(InviteSubmissionRequest { booking_url }) -> InviteSubmissionResponse:
            |violations| {
                violations.keep("booking_url", parse_text(booking_url)).map(Decision::Invite)
            };
        cancel_submission_invite(CancelSubmissionInviteRequest {})
            -> CancelSubmissionInviteResponse:
            |_| Some(Decision::CancelInvite);
        schedule_submission(ScheduleSubmissionRequest {
            scheduled_at, timezone, booking_url, meeting_cancel_link
        }) -> ScheduleSubmissionResponse:
            |violations| {
                let at = scheduled_at.ok_or_else(|| "Required.".to_owned());
                let at = violations.keep("scheduled_at", at.and_then(|at| instant(&at)));
                let timezone = timezone.map(Booking::parse_timezone).transpose();
                let meeting = Meeting {
                    timezone: violations.keep("timezone", timezone)?,
                    booking_url: violations.keep("booking_url", parse_text(booking_url))?,
                    cancel_url: violations
                        .keep("meeting_cancel_link", parse_text(meeting_cancel_link))?,
                };
                Some(Decision::Schedule(Booking { at: at?, meeting }))
            };
        cancel_submission_booking(CancelSubmissionBookingRequest {})
            -> CancelSubmissionBookingResponse:
            |_| Some(Decision::CancelBooking);
        reinvite_submission(ReinviteSubmissionRequest { message }) -> ReinviteSubmissionResponse:
            |violations| {
                let message = violations.keep("message", parse_text(message));
                message.map(Decision::CancelBookingReinvite)
            };
        cancel_submission_booking_by_participant(CancelSubmissionBookingByParticipantRequest {
            reason, short_notice_cancel, message
        }) -> CancelSubmissionBookingByParticipantResponse:
            |violations| {
                let reason = violations.keep("reason", command::cancellation_reason(reason));
                let message = violations.keep("message", parse_text(message));
                let (reason, message) = reason.zip(message)?;
                let short_notice = short_notice_cancel;
                let said = Cancellation { reason, short_notice, message };
                Some(Decision::ParticipantCancelBooking(said))
            };
        mark_submission_attended(MarkSubmissionAttendedRequest {})
            -> MarkSubmissionAttendedResponse:
            |_| Some(Decision::MarkAttended);
        mark_submission_no_show(MarkSubmissionNoShowRequest {}) -> MarkSubmissionNoShowResponse:
            |_| Some(Decision::MarkNoShow);
        mark_submission_paid(MarkSubmissionPaidRequest {}) -> MarkSubmissionPaidResponse:
            |_| Some(Decision::MarkPaid);
        hide_submission(HideSubmissionRequest {}) -> HideSubmissionResponse:
            |_| Some(Decision::Hide);
        unhide_submission(UnhideSubmissionRequest {}) -> UnhideSubmissionResponse:
            |_| Some(Decision::Unhide);
        favorite_submission(FavoriteSubmissionRequest { favorite }) -> FavoriteSubmissionResponse:
            |_| Some(Decision::Favorite(favorite.unwrap_or(true)));
        report_submission(ReportSubmissionRequest { reasons, message })
            -> ReportSubmissionResponse:
            |violations| {
                let reasons = set("reasons", reasons, command::report_reason, violations);
                let message = violations.keep("message", parse_text(message))?;
                let report = Report { reasons, message };
                Some(Decision::Report(Some(report).filter(|it| *it != Report::default())))
            };
        set_submission_visibility(SetSubmissionVisibilityRequest { visibility })
            -> SetSubmissionVisibilityResponse:
            |violations| {
                let visibility = command::visibility(visibility);
                violations.keep("visibility", visibility).map(Decision::SetVisibility)
            };
    }
    several {
        batch_reject_submissions(BatchRejectSubmissionsRequest { message })
            -> BatchRejectSubmissionsResponse:
            |violations| rejection(message, violations);
        batch_qualify_submissions(BatchQualifySubmissionsRequest {})
            -> BatchQualifySubmissionsResponse:
            |_| Some(Decision::Qualify);
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
