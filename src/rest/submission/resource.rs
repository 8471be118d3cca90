//! A submission in its documented form.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, ArrayItems};

use crate::domain::project::Project;
use crate::domain::review::{Actor, CancellationReason, Meeting, Rejection, Review};
use crate::domain::submission::{Line, LineAnswer, Submission};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Outcome;
use crate::rest::schema;
use crate::transfer::Number;

/// A submission, as the review has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Submission)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the document defines five of them")]
pub(super) struct SubmissionBody<'a> {
    qualified: bool,
    qualified_pending_id_verification: bool,
    /// How many of the scored answers qualify.
    percentage: u32,
    #[schema(schema_with = schema::review_status)]
    status: &'static str,
    favorite: bool,
    hidden: bool,
    responses: Vec<LineBody<'a>>,
    /// Seconds from the first to the latest submission.
    total_time: i64,
    is_new: bool,
    #[schema(nullable = false, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_sent_at: Option<String>,
    #[schema(nullable = false, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<String>,
    #[schema(nullable = false, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    status_updated_at: Option<String>,
    project: ProjectBody<'a>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileBody<'a>>,
    matching: Matching,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    external_project: Option<BookingBody<'a>>,
    #[schema(required = false, schema_with = schema::actor)]
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'static str>,
    #[schema(required = false, schema_with = schema::cancellation_reason)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    short_notice_cancel: Option<bool>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<RejectionBody<'a>>,
    visibility: VisibilityBody,
    #[schema(nullable = false, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    id: &'a str,
    project_id: &'a str,
    user_id: &'a str,
}

impl<'a> From<&'a Submission> for SubmissionBody<'a> {
    fn from(submission: &'a Submission) -> Self {
        let Submission {
            session,
            review,
            project,
            participant,
            publication: _,
            answers: _,
            verdict,
            is_verdict_stored: _,
        } = submission;
        let Review {
            status,
            visibility,
            favorite,
            hidden,
            is_new,
            qualified_override: _,
            disqualification: _,
            invite_sent,
            status_before_invite: _,
            scheduled,
            meeting: _,
            status_updated,
            actor,
            reason,
            short_notice_cancel,
            message,
            rejection,
            report: _,
        } = review;
        Self {
            qualified: submission.qualified(),
            qualified_pending_id_verification: submission.outcome()
                == Outcome::PendingIdVerification,
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
                skills: [],
            }),
            matching: Matching::new(verdict.questions_qualified),
            external_project: BookingBody::of(submission),
            actor: actor.map(Actor::as_str),
            reason: reason.map(CancellationReason::as_str),
            short_notice_cancel: *short_notice_cancel,
            message: message.as_deref(),
            rejection: rejection.as_ref().map(RejectionBody::from),
            visibility: VisibilityBody { status: visibility.as_str() },
            created_at: submission.session.submitted().map(Timestamp::rfc3339_seconds),
            id: session.id.as_str(),
            project_id: project.id.as_str(),
            user_id: participant.id.as_str(),
        }
    }
}

/// The answer to one question.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionResponse)]
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

/// The chosen option or the typed text.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionAnswer)]
#[serde(rename_all = "camelCase")]
struct LineAnswerBody {
    id: String,
    uid: String,
    text: String,
    answer_value: i32,
    /// The one nullable member that is always there.
    #[schema(required)]
    go_to_question_uid: Option<String>,
    is_other: bool,
    #[schema(nullable = false)]
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

/// The project that owns the screener.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionProject)]
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

/// The participant.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionProfile)]
#[serde(rename_all = "camelCase")]
struct ProfileBody<'a> {
    id: &'a str,
    user_id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    /// Documented as required; no skills are stored.
    #[schema(schema_with = none)]
    skills: [(); 0],
}

fn none() -> Array {
    ArrayBuilder::new().items(ArrayItems::False).max_items(Some(0)).build()
}

/// In what the participant fits the screener.
#[derive(Serialize, ToSchema)]
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
    /// Everything but the answers matches, because screeners target participants only by questions.
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

/// The booking.
#[derive(Serialize, ToSchema)]
#[schema(as = Booking)]
#[serde(rename_all = "camelCase")]
struct BookingBody<'a> {
    /// Single researchers are not stored: the team of the project.
    researcher_id: &'a str,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    booking_url: Option<&'a str>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    meeting_cancel_link: Option<&'a str>,
    #[schema(nullable = false, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    booked_date: Option<String>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<&'a str>,
}

impl<'a> BookingBody<'a> {
    /// Returns the booking of a submission, if any part of it is known.
    fn of(submission: &'a Submission) -> Option<Self> {
        let Meeting { timezone, booking_url, cancel_url } = &submission.review.meeting;
        submission.review.is_booked().then(|| Self {
            researcher_id: &submission.project.team,
            booking_url: booking_url.as_deref(),
            meeting_cancel_link: cancel_url.as_deref(),
            booked_date: submission.review.scheduled.map(Timestamp::rfc3339_seconds),
            timezone: timezone.as_deref(),
        })
    }
}

/// Why and when a submission was rejected.
#[derive(Serialize, ToSchema)]
#[schema(as = Rejection)]
#[serde(rename_all = "camelCase")]
struct RejectionBody<'a> {
    message: &'a str,
    #[schema(format = DateTime)]
    rejected_at: String,
}

impl<'a> From<&'a Rejection> for RejectionBody<'a> {
    fn from(rejection: &'a Rejection) -> Self {
        let Rejection { message, at } = rejection;
        Self { message, rejected_at: at.rfc3339_seconds() }
    }
}

/// Whether review steps are possible.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionVisibility)]
struct VisibilityBody {
    #[schema(schema_with = schema::visibility)]
    status: &'static str,
}
