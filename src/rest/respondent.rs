//! Submissions and their rejection, as the review dialect has them.
//!
//! The dialect calls a submission a screener response. Optional members that are absent are left
//! out, never null.

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::routing::patch;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde_json::Value;

use super::guard::{Dialect, stable_code};
use super::json::Number;
use super::{Answer, Gateway, json, path, query};
use crate::app::{Presented, ReviewSubmissions};
use crate::domain::error::{Error, Kind, Result, Violations};
use crate::domain::id::{ProjectId, SessionId};
use crate::domain::project::Project;
use crate::domain::review::{Actor, CancellationReason, Rejection, RejectionMessage, Review};
use crate::domain::submission::{Line, LineAnswer, Submission};
use crate::domain::time::Timestamp;

pub(super) const DIALECT: Dialect =
    Dialect { credential_headers: Some("x-api-key, x-api-secret"), code: stable_code };

pub(super) fn routes() -> Router<Gateway> {
    Router::new().route(
        "/v1/projects/{projectId}/screener-responses/{screenerResponseId}/reject",
        patch(reject),
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the document defines five of them")]
struct SubmissionBody<'a> {
    qualified: bool,
    qualified_pending_id_verification: bool,
    percentage: u32,
    status: &'static str,
    favorite: bool,
    hidden: bool,
    responses: Vec<LineBody<'a>>,
    total_time: i64,
    is_new: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_updated_at: Option<String>,
    project: ProjectBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileBody<'a>>,
    matching: Matching,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_notice_cancel: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<RejectionBody<'a>>,
    visibility: VisibilityBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    id: &'a str,
    project_id: &'a str,
    user_id: &'a str,
}

impl<'a> From<&'a Submission> for SubmissionBody<'a> {
    fn from(submission: &'a Submission) -> Self {
        let Submission { session, review, project, participant, publication: _, answers: _ } =
            submission;
        let Review {
            status,
            visibility,
            favorite,
            hidden,
            is_new,
            qualified_override: _,
            invite_sent,
            scheduled,
            status_updated,
            actor,
            reason,
            short_notice_cancel,
            message,
            rejection,
        } = review;
        let verdict = submission.verdict();
        Self {
            qualified: submission.qualified(),
            qualified_pending_id_verification: submission.qualified_pending_id_verification(),
            percentage: verdict.percentage,
            status: status.as_str(),
            favorite: *favorite,
            hidden: *hidden,
            responses: submission.lines().into_iter().map(LineBody::from).collect(),
            total_time: submission.total_seconds(),
            is_new: *is_new,
            invite_sent_at: invite_sent.map(Timestamp::rfc3339_seconds),
            scheduled_at: scheduled.map(Timestamp::rfc3339_seconds),
            status_updated_at: status_updated.map(Timestamp::rfc3339_seconds),
            project: ProjectBody::from(project),
            profile: participant.split_name().map(|(first_name, last_name)| ProfileBody {
                id: session.assignment.as_str(),
                user_id: participant.id.as_str(),
                first_name,
                last_name,
                picture: None,
                skills: [],
            }),
            matching: Matching::new(verdict.questions_qualified),
            actor: actor.map(Actor::as_str),
            reason: reason.map(CancellationReason::as_str),
            short_notice_cancel: *short_notice_cancel,
            message: message.as_deref(),
            rejection: rejection.as_ref().map(RejectionBody::from),
            visibility: VisibilityBody { status: visibility.as_str() },
            created_at: submission.created().map(Timestamp::rfc3339_seconds),
            id: session.id.as_str(),
            project_id: project.id.as_str(),
            user_id: participant.id.as_str(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineBody<'a> {
    question_id: &'a str,
    question_text: &'a str,
    order: usize,
    #[serde(rename = "type")]
    kind: &'static str,
    question_type: &'static str,
    answers: Vec<LineAnswerBody>,
    qualify: bool,
}

impl<'a> From<Line<'a>> for LineBody<'a> {
    fn from(line: Line<'a>) -> Self {
        let Line { question, order, qualify, answers } = line;
        Self {
            question_id: question.id.as_str(),
            question_text: &question.prompt,
            order,
            kind: question.review_type(),
            question_type: question.review_type(),
            answers: answers.into_iter().map(LineAnswerBody::from).collect(),
            qualify,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineAnswerBody {
    id: String,
    uid: String,
    text: String,
    answer_value: i32,
    /// The one nullable member that is always there.
    go_to_question_uid: Option<String>,
    is_other: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<String>,
}

impl From<LineAnswer> for LineAnswerBody {
    fn from(answer: LineAnswer) -> Self {
        let LineAnswer { id, text, value, go_to, is_other, other } = answer;
        Self {
            uid: id.clone(),
            id,
            text,
            answer_value: value,
            go_to_question_uid: go_to,
            is_other,
            other,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectBody<'a> {
    name: &'a str,
    incentive: Number,
    id: &'a str,
    organization_id: &'a str,
    team_id: &'a str,
}

impl<'a> From<&'a Project> for ProjectBody<'a> {
    fn from(project: &'a Project) -> Self {
        let Project { id, name, incentive, organization, team } = project;
        Self {
            name,
            incentive: Number::from(*incentive),
            id: id.as_str(),
            organization_id: organization,
            team_id: team,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileBody<'a> {
    id: &'a str,
    user_id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    /// Documented as required and nullable; no pictures are stored.
    picture: Option<&'a str>,
    /// Documented as required; no skills are stored.
    skills: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the document defines eleven of them")]
struct Matching {
    is_gender_match: bool,
    is_age_match: bool,
    is_ethnicity_match: bool,
    is_education_match: bool,
    questions_qualified: bool,
    is_location_match: bool,
    is_industry_match: bool,
    is_job_title_match: bool,
    is_household_income_match: bool,
    is_company_size_match: bool,
    is_topics_match: bool,
}

impl Matching {
    /// No screener targets anything but by its questions, so all else matches.
    fn new(questions_qualified: bool) -> Self {
        Self {
            is_gender_match: true,
            is_age_match: true,
            is_ethnicity_match: true,
            is_education_match: true,
            questions_qualified,
            is_location_match: true,
            is_industry_match: true,
            is_job_title_match: true,
            is_household_income_match: true,
            is_company_size_match: true,
            is_topics_match: true,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectionBody<'a> {
    message: &'a str,
    rejected_at: String,
}

impl<'a> From<&'a Rejection> for RejectionBody<'a> {
    fn from(rejection: &'a Rejection) -> Self {
        let Rejection { message, at } = rejection;
        Self { message, rejected_at: at.rfc3339_seconds() }
    }
}

#[derive(Serialize)]
struct VisibilityBody {
    status: &'static str,
}

async fn reject(State(gateway): State<Gateway>, request: Request) -> Answer {
    let app = &gateway.app;
    let (parts, body) = request.into_parts();
    let caller = app.authenticate::<ReviewSubmissions>(&Presented::read(&parts.headers)).await?;
    query::none(parts.uri.query())?;
    let body = read_body(body, gateway.body_max_bytes).await?;
    let message = parse_message(&parts.headers, &body)?;
    // A project that cannot exist hides its responses just as an unknown one does.
    let absent = || Error::not_found("screener response");
    let project = path::id(&parts, 2, ProjectId::parse, absent)?;
    let id = path::id(&parts, 4, SessionId::parse, absent)?;
    let submission = app.reject_submission(&caller, project, id, message).await?;
    json::ok(&SubmissionBody::from(&submission))
}

async fn read_body(body: Body, max_bytes: usize) -> Result<Bytes> {
    let too_large =
        || Error::new(Kind::PayloadTooLarge, format!("A body has at most {max_bytes} bytes."));
    // One that announces its length is refused before it is sent.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|bytes| bytes > max_bytes) {
        return Err(too_large());
    }
    to_bytes(body, max_bytes).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            too_large()
        } else {
            Error::invalid_field("body", "The body did not arrive as a whole.")
        }
    })
}

/// Reads the optional body of a rejection.
fn parse_message(headers: &HeaderMap, body: &[u8]) -> Result<RejectionMessage> {
    let mut violations = Violations::new();
    let mut message = None;
    if !body.is_empty() {
        if !headers.get_all(CONTENT_TYPE).iter().all(is_json) {
            return Err(Error::new(
                Kind::UnsupportedMediaType,
                "A body is read as application/json only.",
            ));
        }
        let members = match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(Error::invalid_field("body", "A JSON object is needed here.")),
            Err(_) => return Err(Error::invalid_field("body", "This is not JSON.")),
        };
        for (name, value) in members {
            match (name.as_str(), value) {
                ("message", Value::String(text)) => message = Some(text),
                ("message", _) => violations.add(name, "A text is needed here."),
                _ => violations.add(name, "There is no such member."),
            }
        }
    }
    let message = violations.keep("message", RejectionMessage::parse(message));
    violations.finish_with(message)
}

/// Whether it is `application/json` or a type with the suffix `+json`.
fn is_json(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(content_type: Option<&str>, body: &str) -> Result<RejectionMessage, Vec<String>> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a type"));
        }
        parse_message(&headers, body.as_bytes()).map_err(|error| {
            let code = error.kind().mapping().code.to_owned();
            let fields = error.violations().iter().map(|violation| violation.field.clone());
            std::iter::once(code).chain(fields).collect()
        })
    }

    #[tokio::test]
    async fn a_body_is_cut_off_at_the_limit_whether_it_announces_its_length_or_not() {
        let streamed = |bytes: usize| {
            let chunk = Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; bytes]));
            Body::from_stream(futures_util::stream::iter([chunk]))
        };
        for (body, expected) in [
            (Body::from("1234"), Ok(4)),
            (Body::from("12345"), Err(Kind::PayloadTooLarge)),
            (streamed(4), Ok(4)),
            (streamed(5), Err(Kind::PayloadTooLarge)),
        ] {
            let read = read_body(body, 4).await;
            assert_eq!(read.map(|bytes| bytes.len()).map_err(|error| error.kind()), expected);
        }
    }

    #[test]
    fn a_body_is_optional_and_needs_no_content_type() {
        let default = RejectionMessage::parse(None);
        let given = RejectionMessage::parse(Some("Too short.".into()));
        let text = r#"{"message": "Too short."}"#;
        for (content_type, body, expected) in [
            (None, "", &default),
            (Some("application/x-www-form-urlencoded"), "", &default),
            (None, "{}", &default),
            (None, text, &given),
            (Some("application/json"), text, &given),
            (Some("Application/JSON; charset=utf-8"), text, &given),
            (Some("application/merge-patch+json"), text, &given),
        ] {
            assert_eq!(outcome(content_type, body).as_ref().ok(), expected.as_ref().ok());
        }
    }

    #[test]
    fn a_body_that_does_not_fit_is_refused_by_name() {
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(2001));
        for (content_type, body, expected) in [
            (Some("text/plain"), "{}", &["unsupported_media_type"][..]),
            (Some("application/jsonp"), "{}", &["unsupported_media_type"][..]),
            (None, "{", &["invalid_argument", "body"][..]),
            (None, " ", &["invalid_argument", "body"][..]),
            (None, "null", &["invalid_argument", "body"][..]),
            (None, r#""text""#, &["invalid_argument", "body"][..]),
            (None, r#"{"message": 5}"#, &["invalid_argument", "message"][..]),
            (None, r#"{"message": null}"#, &["invalid_argument", "message"][..]),
            (None, &long, &["invalid_argument", "message"][..]),
            (
                None,
                r#"{"a": 1, "message": [], "b": 2}"#,
                &["invalid_argument", "a", "b", "message"],
            ),
        ] {
            assert_eq!(outcome(content_type, body).expect_err(body), expected, "{body}");
        }
    }
}
