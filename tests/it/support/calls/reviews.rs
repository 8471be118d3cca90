//! The verbs of the review over gRPC, from the members of their REST bodies.

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
    let text = body["scheduledAt"].as_str().or_else(|| body["bookedDate"].as_str())?;
    let at = Timestamp::parse_rfc3339(text).expect("a time");
    Some(Instant { seconds: at.unix_seconds(), nanos: 0 })
}

fn reason(body: &Value) -> i32 {
    let word = body["reason"].as_str().unwrap_or("UNSPECIFIED");
    let name = format!("DISQUALIFICATION_REASON_{word}");
    // An unknown word becomes a number that the contract does not have.
    pb::DisqualificationReason::from_str_name(&name).map_or(99, Into::into)
}

/// Returns the numbers of the words in a member.
fn numbers(body: &Value, name: &str, number: impl Fn(&str) -> i32) -> Vec<i32> {
    let words = body[name].as_array().into_iter().flatten();
    words.map(|word| number(word.as_str().expect("a word"))).collect()
}

fn report_reason(word: &str) -> i32 {
    let name = format!("REPORT_REASON_{word}");
    pb::ReportReason::from_str_name(&name).map_or(99, Into::into)
}

fn cancellation_reason(body: &Value) -> i32 {
    let word = body["reason"].as_str().unwrap_or("UNSPECIFIED").to_uppercase();
    let name = format!("CANCELLATION_REASON_{word}");
    pb::CancellationReason::from_str_name(&name).map_or(99, Into::into)
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

/// Sends a request and returns the submission in its response.
macro_rules! send {
    (
        $channel:expr, $credential:expr,
        $method:ident, $request:ident { $($field:ident $(: $value:expr)?),* $(,)? }
    ) => {
        SubmissionServiceClient::new($channel)
            .$method(request(pb::$request { $($field $(: $value)?),* }, $credential))
            .await?
            .into_inner()
            .submission
    };
}

pub(super) async fn over_grpc(
    channel: Channel,
    credential: &[(&str, &str)],
    verb: &str,
    [project_id, id]: [String; 2],
    body: &Value,
) -> Result<Value, Status> {
    macro_rules! send_it {
        ($method:ident, $request:ident { $($fields:tt)* }) => {
            send!(channel, credential, $method, $request { $($fields)* })
        };
    }
    let message = text(body, "message");
    let submission = match verb {
        "qualify" => send_it!(qualify_submission, QualifySubmissionRequest { project_id, id }),
        "payouts" => send_it!(mark_submission_paid, MarkSubmissionPaidRequest { project_id, id }),
        "attended" => {
            send_it!(mark_submission_attended, MarkSubmissionAttendedRequest { project_id, id })
        }
        "no-show" => {
            send_it!(mark_submission_no_show, MarkSubmissionNoShowRequest { project_id, id })
        }
        "hide" => send_it!(hide_submission, HideSubmissionRequest { project_id, id }),
        "unhide" => send_it!(unhide_submission, UnhideSubmissionRequest { project_id, id }),
        "report" => {
            let reasons = numbers(body, "reasons", report_reason);
            let message = text(body, "flaggedMessage");
            send_it!(
                report_submission,
                ReportSubmissionRequest { project_id, id, reasons, message }
            )
        }
        "reject" => {
            send_it!(reject_submission, RejectSubmissionRequest { project_id, id, message })
        }
        "disqualify" => {
            let (reason, reasons) = (reason(body), vec![]);
            send_it!(
                disqualify_submission,
                DisqualifySubmissionRequest { project_id, id, reason, message, reasons }
            )
        }
        "favorite" => {
            let favorite = body["favorite"].as_bool();
            send_it!(favorite_submission, FavoriteSubmissionRequest { project_id, id, favorite })
        }
        "set-visibility" => {
            let visibility = visibility(body);
            send_it!(
                set_submission_visibility,
                SetSubmissionVisibilityRequest { project_id, id, visibility }
            )
        }
        meeting => return meet(channel, credential, meeting, [project_id, id], body).await,
    };
    Ok(submission_json(&submission.expect("a submission")))
}

/// Calls the verbs that lead to a meeting or cancel it.
async fn meet(
    channel: Channel,
    credential: &[(&str, &str)],
    verb: &str,
    [project_id, id]: [String; 2],
    body: &Value,
) -> Result<Value, Status> {
    macro_rules! send_it {
        ($method:ident, $request:ident { $($fields:tt)* }) => {
            send!(channel, credential, $method, $request { $($fields)* })
        };
    }
    let (message, booking_url) = (text(body, "message"), text(body, "bookingLink"));
    let submission = match verb {
        "invite" => {
            send_it!(invite_submission, InviteSubmissionRequest { project_id, id, booking_url })
        }
        "cancel-invite" => {
            send_it!(cancel_submission_invite, CancelSubmissionInviteRequest { project_id, id })
        }
        "schedule" => {
            send_it!(
                schedule_submission,
                ScheduleSubmissionRequest {
                    project_id,
                    id,
                    scheduled_at: instant(body),
                    timezone: text(body, "timezone"),
                    booking_url,
                    meeting_cancel_link: text(body, "meetingCancelLink")
                }
            )
        }
        "cancel-booking" => {
            send_it!(cancel_submission_booking, CancelSubmissionBookingRequest { project_id, id })
        }
        "cancel-booking-reinvite" => {
            send_it!(reinvite_submission, ReinviteSubmissionRequest { project_id, id, message })
        }
        "participant-cancel-booking" => {
            send_it!(
                cancel_submission_booking_by_participant,
                CancelSubmissionBookingByParticipantRequest {
                    project_id,
                    id,
                    reason: cancellation_reason(body),
                    short_notice_cancel: body["shortNoticeCancel"].as_bool(),
                    message
                }
            )
        }
        other => panic!("no such verb: {other}"),
    };
    Ok(submission_json(&submission.expect("a submission")))
}
