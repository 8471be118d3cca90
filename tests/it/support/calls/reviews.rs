//! The verbs of the review over gRPC, from the members that their bodies have over REST.

use prost_types::Timestamp as Instant;
use screenerd::client as pb;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use screenerd::domain::time::Timestamp;
use serde_json::Value;
use tonic::Status;
use tonic::transport::Channel;

use super::printed::submission_json;
use super::request;

fn text(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().map(str::to_owned)
}

fn instant(body: &Value) -> Option<Instant> {
    let at = Timestamp::parse_rfc3339(body["scheduledAt"].as_str()?).expect("a time");
    Some(Instant { seconds: at.unix_seconds(), nanos: 0 })
}

fn reason(body: &Value) -> i32 {
    let word = body["reason"].as_str().unwrap_or("UNSPECIFIED");
    let name = format!("DISQUALIFICATION_REASON_{word}");
    // An unknown one is sent as a number that the contract does not have.
    pb::DisqualificationReason::from_str_name(&name).map_or(99, Into::into)
}

fn visibility(body: &Value) -> i32 {
    let name = format!("VISIBILITY_{}", body["visibility"].as_str().unwrap_or("UNSPECIFIED"));
    pb::Visibility::from_str_name(&name).map_or(99, Into::into)
}

pub(super) async fn get(
    channel: Channel,
    credential: &[(&str, &str)],
    project_id: String,
    id: String,
) -> Result<Value, Status> {
    let message = pb::GetSubmissionRequest { project_id, id };
    let answer =
        SubmissionServiceClient::new(channel).get_submission(request(message, credential)).await?;
    Ok(submission_json(&answer.into_inner().submission.expect("a submission")))
}

pub(super) async fn over_grpc(
    channel: Channel,
    credential: &[(&str, &str)],
    verb: &str,
    [project_id, id]: [String; 2],
    body: &Value,
) -> Result<Value, Status> {
    let mut client = SubmissionServiceClient::new(channel);
    macro_rules! send {
        ($method:ident, $request:ident { $($field:ident $(: $value:expr)?),* }) => {
            client
                .$method(request(pb::$request { $($field $(: $value)?),* }, credential))
                .await?
                .into_inner()
                .submission
        };
    }
    let message = text(body, "message");
    let submission = match verb {
        "qualify" => send!(qualify_submission, QualifySubmissionRequest { project_id, id }),
        "invite" => send!(invite_submission, InviteSubmissionRequest { project_id, id }),
        "cancel-invite" => {
            send!(cancel_submission_invite, CancelSubmissionInviteRequest { project_id, id })
        }
        "cancel-booking" => {
            send!(cancel_submission_booking, CancelSubmissionBookingRequest { project_id, id })
        }
        "attended" => {
            send!(mark_submission_attended, MarkSubmissionAttendedRequest { project_id, id })
        }
        "no-show" => send!(mark_submission_no_show, MarkSubmissionNoShowRequest { project_id, id }),
        "hide" => send!(hide_submission, HideSubmissionRequest { project_id, id }),
        "unhide" => send!(unhide_submission, UnhideSubmissionRequest { project_id, id }),
        "report" => send!(report_submission, ReportSubmissionRequest { project_id, id }),
        "reject" => send!(reject_submission, RejectSubmissionRequest { project_id, id, message }),
        "disqualify" => {
            let reason = reason(body);
            send!(
                disqualify_submission,
                DisqualifySubmissionRequest { project_id, id, reason, message }
            )
        }
        "schedule" => {
            let scheduled_at = instant(body);
            send!(schedule_submission, ScheduleSubmissionRequest { project_id, id, scheduled_at })
        }
        "favorite" => {
            let favorite = body["favorite"].as_bool();
            send!(favorite_submission, FavoriteSubmissionRequest { project_id, id, favorite })
        }
        "set-visibility" => {
            let visibility = visibility(body);
            send!(
                set_submission_visibility,
                SetSubmissionVisibilityRequest { project_id, id, visibility }
            )
        }
        other => panic!("no such verb: {other}"),
    };
    Ok(submission_json(&submission.expect("a submission")))
}
