//! Sessions, with the review of their submissions, and responses.

use serde::Deserialize;
use serde_json::Value;

use super::{Line, Type, opt_label, opt_parse, opt_time, time};
use crate::app::{NewAnswer, Record, SessionRecord};
use crate::domain::answer::{Given, GivenOption};
use crate::domain::error::Violations;
use crate::domain::id::{
    AssignmentId, OptionId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId,
};
use crate::domain::link::check_slug;
use crate::domain::question::parse_number;
use crate::domain::review::{
    Actor, CancellationReason, Rejection, RejectionMessage, Review, ReviewStatus, Visibility,
};
use crate::domain::session::{Progress, Session, SessionStatus};
use crate::domain::unicode::is_blank;
use crate::receive::json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SessionLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    id: String,
    screener_id: String,
    screener_participant_id: String,
    screener_publication_id: String,
    link_slug: String,
    status: String,
    started_at: Option<String>,
    last_active_at: Option<String>,
    completed_at: Option<String>,
    created_at: String,
    review: Option<ReviewPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReviewPart {
    status: Option<String>,
    visibility: Option<String>,
    #[serde(default)]
    favorite: bool,
    #[serde(default)]
    hidden: bool,
    is_new: Option<bool>,
    qualified: Option<bool>,
    invite_sent_at: Option<String>,
    scheduled_at: Option<String>,
    status_updated_at: Option<String>,
    actor: Option<String>,
    reason: Option<String>,
    short_notice_cancel: Option<bool>,
    message: Option<String>,
    rejection: Option<RejectionPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RejectionPart {
    message: String,
    rejected_at: String,
}

impl Line for SessionLine {
    fn into_record(self, trust_links: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let id = violations.keep("id", SessionId::parse(&self.id));
        let screener = violations.keep("screenerId", ScreenerId::parse(&self.screener_id));
        let assignment = AssignmentId::parse(&self.screener_participant_id);
        let assignment = violations.keep("screenerParticipantId", assignment);
        let publication = PublicationId::parse(&self.screener_publication_id);
        let publication = violations.keep("screenerPublicationId", publication);
        violations.keep("linkSlug", check_slug(&self.link_slug));
        let status = violations.keep("status", SessionStatus::parse(&self.status));
        let started = opt_time(violations, "startedAt", self.started_at);
        let last_active = opt_time(violations, "lastActiveAt", self.last_active_at);
        let completed = opt_time(violations, "completedAt", self.completed_at);
        let created = time(violations, "createdAt", &self.created_at);
        let review = self.review.map(|part| review(part, violations));
        let progress = Progress::from_instants(started, last_active, completed);
        let progress = violations.keep("lastActiveAt", progress.map_err(str::to_owned));
        let session = Session {
            id: id?,
            screener: screener?,
            assignment: assignment?,
            publication: publication?,
            slug: self.link_slug,
            link_trusted: trust_links,
            status: status?,
            progress: progress?,
            created: created?,
            tags: [].into(),
        };
        let record = SessionRecord { session, review };
        Some(Record::Session(tenant?, Box::new(record)))
    }
}

fn review(part: ReviewPart, violations: &mut Violations) -> Review {
    let status = opt_parse(violations, "review.status", part.status, ReviewStatus::parse);
    let visibility = opt_parse(violations, "review.visibility", part.visibility, Visibility::parse);
    let actor = opt_parse(violations, "review.actor", part.actor, Actor::parse);
    let reason = opt_parse(violations, "review.reason", part.reason, CancellationReason::parse);
    let invite_sent = opt_time(violations, "review.inviteSentAt", part.invite_sent_at);
    let scheduled = opt_time(violations, "review.scheduledAt", part.scheduled_at);
    let status_updated = opt_time(violations, "review.statusUpdatedAt", part.status_updated_at);
    let message = opt_label(violations, "review.message", part.message);
    let rejection = part.rejection.and_then(|RejectionPart { message, rejected_at }| {
        let at = time(violations, "review.rejection.rejectedAt", &rejected_at);
        let message = RejectionMessage::parse(Some(message));
        let message = violations.keep("review.rejection.message", message)?;
        Some(Rejection { message: message.into_text(), at: at? })
    });
    let default = Review::default();
    let status = status.unwrap_or(default.status);
    Review {
        status,
        visibility: visibility.unwrap_or(default.visibility),
        favorite: part.favorite,
        hidden: part.hidden,
        is_new: part.is_new.unwrap_or(status == ReviewStatus::Pending),
        qualified_override: part.qualified,
        disqualification: None,
        invite_sent,
        status_before_invite: None,
        scheduled,
        meeting: default.meeting,
        status_updated,
        actor,
        reason,
        short_notice_cancel: part.short_notice_cancel,
        message,
        rejection,
        report: None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResponseLine {
    #[serde(rename = "type")]
    _type: Type,
    tenant: String,
    screener_session_id: String,
    screener_question_id: String,
    #[serde(deserialize_with = "json::within")]
    answer: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OptionPart {
    option: String,
    write_in: Option<String>,
}

impl Line for ResponseLine {
    fn into_record(self, _: bool, violations: &mut Violations) -> Option<Record> {
        let tenant = violations.keep("tenant", TenantId::parse(&self.tenant));
        let session = SessionId::parse(&self.screener_session_id);
        let session = violations.keep("screenerSessionId", session);
        let question = QuestionId::parse(&self.screener_question_id);
        let question = violations.keep("screenerQuestionId", question);
        let given = violations.keep("answer", given(self.answer).map(Given::with_plain_line_ends));
        let answer = NewAnswer { session: session?, question: question?, given: given? };
        Some(Record::Response(tenant?, answer))
    }
}

/// Parses a text, a number, an option, a list of options, or null for a skipped question.
fn given(answer: Value) -> Result<Given, String> {
    match answer {
        Value::Null => Ok(Given::Skipped),
        Value::String(text) => Ok(Given::Text(text)),
        Value::Number(number) => parse_number(&number.to_string()).map(Given::Number),
        Value::Object(_) => option(answer).map(Given::Option),
        Value::Array(options) => {
            options.into_iter().map(option).collect::<Result<_, _>>().map(Given::Options)
        }
        Value::Bool(_) => Err("An answer is a text, a number, options or null.".into()),
    }
}

fn option(value: Value) -> Result<GivenOption, String> {
    let OptionPart { option, write_in } = serde_json::from_value(value).map_err(|_| {
        r#"An option is {"option": "its id"}, with "writeIn" where it takes a text."#.to_owned()
    })?;
    // A blank text counts as absent, and the option then lacks its text.
    let write_in = write_in.filter(|typed| !is_blank(typed));
    Ok(GivenOption { option: OptionId::parse(&option)?, write_in })
}
