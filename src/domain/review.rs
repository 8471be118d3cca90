//! The review of a submission: the decisions of researchers about it.
//!
//! Three properties of a submission are independent: its status, which is the step of the review;
//! its qualification; and its visibility. One table in `verbs` defines which verbs are allowed in
//! which status.

mod booking;
mod decision;
mod verbs;

use std::collections::BTreeSet;

use super::recorded::{Field, Recorded, Subject};
use super::time::Timestamp;
use super::words::words;

pub use booking::{Booking, Meeting};
pub use verbs::{Decision, Row, Step, Verb};

words! {
    /// The step that the review of a submission has reached.
    ReviewStatus {
        /// No decision was made.
        Pending = "PENDING",
        /// The participant was invited.
        Invited = "INVITED",
        /// A meeting is booked.
        Scheduled = "SCHEDULED",
        /// The participant attended.
        Attended = "ATTENDED",
        /// The participant did not attend.
        NoShow = "NOSHOW",
        /// The submission is not genuine.
        InvalidResponse = "INVALIDRESPONSE",
        /// Rejected for low quality, unpaid.
        RejectedQuality = "REJECTEDQUALITY",
        /// The participant was paid.
        Paid = "PAID",
        /// The participation was cancelled.
        Cancelled = "CANCELLED",
    }
}

words! {
    /// Whether a submission can be acted on.
    Visibility {
        /// It can be acted on.
        Visible = "VISIBLE",
        /// It was reported.
        Dismissed = "DISMISSED",
        /// It is on hold.
        OnHold = "ONHOLD",
    }
}

words! {
    /// The actor of the last step.
    Actor {
        /// A researcher.
        Researcher = "researcher",
        /// The participant.
        Respondent = "respondent",
        /// The operator.
        Admin = "admin",
    }
}

words! {
    /// The reason for a cancellation.
    CancellationReason {
        /// The time was unsuitable.
        Time = "time",
        /// The participant will not take part.
        Final = "final",
    }
}

words! {
    /// The reason why a researcher disqualified a participant.
    DisqualificationReason {
        /// The participant made false statements.
        Misrepresented = "MISREPRESENTED",
        /// The information about the participant is insufficient.
        Context = "CONTEXT",
        /// The answers do not match the criteria.
        Screener = "SCREENER",
        /// Another reason, possibly given in the message.
        Other = "OTHER",
    }
}

words! {
    /// The reason why a researcher reported a participant.
    ReportReason {
        /// The participant made false statements.
        Misrepresented = "MISREPRESENTED",
        /// The participant behaved inappropriately.
        Inappropriate = "INAPPROPRIATE",
        /// The answers are not genuine.
        InvalidResponse = "INVALIDRESPONSE",
        /// The participant did not attend.
        NoShow = "NOSHOW",
        /// Another reason, possibly given in the message.
        Other = "OTHER",
    }
}

/// The default message of a rejection.
pub const REJECTION_MESSAGE_DEFAULT: &str = "Rejected for low quality.";
/// The longest message or link of a review, in characters.
pub const MESSAGE_MAX_CHARS: usize = 2000;

/// The rejection of a submission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The reason, for people.
    pub message: String,
    /// The time of the rejection.
    pub at: Timestamp,
}

/// The disqualification of a participant by a researcher.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disqualification {
    /// The reasons, for programs. There is at least one.
    pub reasons: BTreeSet<DisqualificationReason>,
    /// The reason, for people.
    pub message: Option<String>,
}

/// The report of a participant by a researcher. All details are optional.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// The reasons, for programs.
    pub reasons: BTreeSet<ReportReason>,
    /// The reason, for people.
    pub message: Option<String>,
}

/// The cancellation of a booking by a participant. All details are optional.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cancellation {
    /// The reason.
    pub reason: Option<CancellationReason>,
    /// Whether it was at short notice.
    pub short_notice: Option<bool>,
    /// The reason, for people.
    pub message: Option<String>,
}

/// Checks a message or a link. An empty text becomes `None`.
pub fn parse_text(text: Option<String>) -> Result<Option<String>, String> {
    text.filter(|text| !text.is_empty()).map(checked).transpose()
}

/// Joins the words of a set with commas, in order, as in the database and the audit log.
pub fn joined<T: Copy>(members: &BTreeSet<T>, word: fn(T) -> &'static str) -> String {
    members.iter().map(|member| word(*member)).collect::<Vec<_>>().join(",")
}

/// The stored state of a review.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Review {
    /// The step that the review has reached.
    pub status: ReviewStatus,
    /// Whether the submission can be acted on.
    pub visibility: Visibility,
    /// Whether a researcher marked it as a favorite.
    pub favorite: bool,
    /// Whether a researcher hid it.
    pub hidden: bool,
    /// Whether it has never been acted on.
    pub is_new: bool,
    /// The verdict of a researcher, which overrides the computed one.
    pub qualified_override: Option<bool>,
    /// The reasons for a researcher's negative verdict, if given.
    pub disqualification: Option<Disqualification>,
    /// The time of the last invitation.
    pub invite_sent: Option<Timestamp>,
    /// The status to restore if the invitation is cancelled. Set only while invited.
    pub status_before_invite: Option<ReviewStatus>,
    /// The time of the meeting.
    pub scheduled: Option<Timestamp>,
    /// The details of the meeting.
    pub meeting: Meeting,
    /// The time of the last change of the status.
    pub status_updated: Option<Timestamp>,
    /// The actor of the last step.
    pub actor: Option<Actor>,
    /// The reason for the cancellation.
    pub reason: Option<CancellationReason>,
    /// Whether it was cancelled at short notice.
    pub short_notice_cancel: Option<bool>,
    /// The message of the cancellation.
    pub message: Option<String>,
    /// The rejection, if it was rejected.
    pub rejection: Option<Rejection>,
    /// The report of the participant, if there is one.
    pub report: Option<Report>,
}

impl Review {
    /// Returns whether any part of a booking is known.
    #[must_use]
    pub fn is_booked(&self) -> bool {
        self.scheduled.is_some() || self.meeting != Meeting::default()
    }
}

impl Default for Review {
    fn default() -> Self {
        Self {
            status: ReviewStatus::Pending,
            visibility: Visibility::Visible,
            favorite: false,
            hidden: false,
            is_new: true,
            qualified_override: None,
            disqualification: None,
            invite_sent: None,
            status_before_invite: None,
            scheduled: None,
            meeting: Meeting::default(),
            status_updated: None,
            actor: None,
            reason: None,
            short_notice_cancel: None,
            message: None,
            rejection: None,
            report: None,
        }
    }
}

impl Recorded for Review {
    const SUBJECT: Subject = Subject::Submission;

    fn recorded(&self) -> Vec<Field> {
        let Self {
            status,
            visibility,
            favorite,
            hidden,
            is_new,
            qualified_override,
            disqualification,
            invite_sent,
            // No call returns it.
            status_before_invite: _,
            scheduled,
            meeting: Meeting { timezone, booking_url, cancel_url },
            status_updated,
            actor,
            reason,
            short_notice_cancel,
            message,
            rejection,
            report,
        } = self;
        let disqualification = disqualification.as_ref();
        let disqualified =
            disqualification.map(|it| joined(&it.reasons, DisqualificationReason::as_str));
        let reported = report.as_ref().map(|it| joined(&it.reasons, ReportReason::as_str));
        let complaint = report.as_ref().and_then(|it| it.message.as_deref());
        let explained = disqualification.and_then(|it| it.message.as_deref());
        let rejection = rejection.as_ref();
        // Texts to or about a person may have to be erased one day.
        vec![
            Field::told("status", Some(status.as_str())),
            Field::told("visibility", Some(visibility.as_str())),
            Field::told("favorite", Some(favorite)),
            Field::told("hidden", Some(hidden)),
            Field::told("qualified_override", qualified_override.as_ref()),
            Field::told("disqualification.reasons", disqualified),
            Field::redacted("disqualification.message", explained),
            Field::time("invite_sent_at", *invite_sent),
            Field::time("scheduled_at", *scheduled),
            Field::redacted("external_project.timezone", timezone.as_deref()),
            Field::redacted("external_project.booking_url", booking_url.as_deref()),
            Field::redacted("external_project.meeting_cancel_link", cancel_url.as_deref()),
            Field::time("status_updated_at", *status_updated),
            Field::told("actor", actor.map(Actor::as_str)),
            Field::told("reason", reason.map(CancellationReason::as_str)),
            Field::told("short_notice_cancel", short_notice_cancel.as_ref()),
            Field::redacted("message", message.as_deref()),
            Field::redacted("rejection.message", rejection.map(|it| it.message.as_str())),
            Field::time("rejection.rejected_at", rejection.map(|it| it.at)),
            Field::told("report.reasons", reported),
            Field::redacted("report.message", complaint),
            Field::told("is_new", Some(is_new)),
        ]
    }
}

/// The message of a rejection, checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RejectionMessage(String);

impl RejectionMessage {
    /// Checks the caller's message, or uses the default message if there is none.
    pub fn parse(message: Option<String>) -> Result<Self, String> {
        let message = message.filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| REJECTION_MESSAGE_DEFAULT.to_owned());
        checked(message).map(Self)
    }

    /// Returns the text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

fn checked(message: String) -> Result<String, String> {
    if message.chars().count() > MESSAGE_MAX_CHARS {
        return Err(format!("At most {MESSAGE_MAX_CHARS} characters."));
    }
    // PostgreSQL cannot store it.
    if message.contains('\0') {
        return Err("Must not contain the character U+0000.".into());
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_at_most_2000_characters() {
        assert!(RejectionMessage::parse(Some("ü".repeat(2000))).is_ok());
        assert!(RejectionMessage::parse(Some("ü".repeat(2001))).is_err());
        assert_eq!(RejectionMessage::parse(Some(String::new())), RejectionMessage::parse(None));
        let parse = parse_text;
        assert!(parse(Some("ü".repeat(2000))).is_ok());
        assert!(parse(Some("ü".repeat(2001))).is_err());
        assert!(parse(Some("a\0".into())).is_err());
        assert_eq!(parse(Some(String::new())), Ok(None));
    }
}
