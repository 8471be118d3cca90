//! The review of a submission: what a researcher decided about it.
//!
//! Three things about a submission are independent: its status, which is the step that the review
//! has reached; its qualification; and its visibility. Which verb may do what, and when, stands in
//! one table, in `verbs`.

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
    /// Where a submission stands in its review.
    ReviewStatus {
        /// Nobody has decided.
        Pending = "PENDING",
        /// The participant was invited.
        Invited = "INVITED",
        /// A meeting is booked.
        Scheduled = "SCHEDULED",
        /// The participant came.
        Attended = "ATTENDED",
        /// The participant did not come.
        NoShow = "NOSHOW",
        /// The submission is not a real one.
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
    /// Whether anybody may act on a submission.
    Visibility {
        /// They may.
        Visible = "VISIBLE",
        /// It was reported.
        Dismissed = "DISMISSED",
        /// It is held back for now.
        OnHold = "ONHOLD",
    }
}

words! {
    /// Who took the last step.
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
    /// Why a participation was cancelled.
    CancellationReason {
        /// The time did not suit.
        Time = "time",
        /// For good.
        Final = "final",
    }
}

words! {
    /// Why a researcher held that a participant does not qualify.
    DisqualificationReason {
        /// The participant said what is not true.
        Misrepresented = "MISREPRESENTED",
        /// Too little is known about the participant.
        Context = "CONTEXT",
        /// The answers do not fit.
        Screener = "SCREENER",
        /// Something else, perhaps told in the message.
        Other = "OTHER",
    }
}

words! {
    /// Why a researcher reported a participant.
    ReportReason {
        /// The participant said what is not true.
        Misrepresented = "MISREPRESENTED",
        /// The participant behaved badly.
        Inappropriate = "INAPPROPRIATE",
        /// The answers are not real ones.
        InvalidResponse = "INVALIDRESPONSE",
        /// The participant did not come.
        NoShow = "NOSHOW",
        /// Something else, perhaps told in the message.
        Other = "OTHER",
    }
}

/// The message of a rejection that came without one.
pub const REJECTION_MESSAGE_DEFAULT: &str = "Rejected for low quality.";
/// The longest message or link of a review, in characters.
pub const MESSAGE_MAX_CHARS: usize = 2000;

/// That, why and when a submission was rejected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The reason, for people.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// Why a researcher disqualified a participant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disqualification {
    /// The reasons, for programs. There is at least one.
    pub reasons: BTreeSet<DisqualificationReason>,
    /// The reason, for people.
    pub message: Option<String>,
}

/// Why a researcher reported a participant, as far as it was said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// The reasons, for programs.
    pub reasons: BTreeSet<ReportReason>,
    /// The reason, for people.
    pub message: Option<String>,
}

/// What a participant said who cancelled a booking.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cancellation {
    /// Why.
    pub reason: Option<CancellationReason>,
    /// Whether it came at short notice.
    pub short_notice: Option<bool>,
    /// The reason, for people.
    pub message: Option<String>,
}

/// Checks a message or a link; an empty one is none.
pub fn parse_text(text: Option<String>) -> Result<Option<String>, String> {
    text.filter(|text| !text.is_empty()).map(checked).transpose()
}

/// The words of a set, in their order, separated by commas: as they are stored, and as the history
/// tells them.
pub fn joined<T: Copy>(members: &BTreeSet<T>, word: fn(T) -> &'static str) -> String {
    members.iter().map(|member| word(*member)).collect::<Vec<_>>().join(",")
}

/// What is stored of a review.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Review {
    /// Where it stands.
    pub status: ReviewStatus,
    /// Whether anybody may act on it.
    pub visibility: Visibility,
    /// Whether a researcher marked it as a favorite.
    pub favorite: bool,
    /// Whether a researcher put it out of sight.
    pub hidden: bool,
    /// Whether nobody has acted on it.
    pub is_new: bool,
    /// A researcher's own verdict, which overrides the computed one.
    pub qualified_override: Option<bool>,
    /// Why the researcher's verdict was that the participant does not qualify, if it was said.
    pub disqualification: Option<Disqualification>,
    /// When the participant was last invited.
    pub invite_sent: Option<Timestamp>,
    /// While the participant is invited: the status that cancelling the invitation leads back to.
    pub status_before_invite: Option<ReviewStatus>,
    /// When the meeting is.
    pub scheduled: Option<Timestamp>,
    /// How the meeting takes place.
    pub meeting: Meeting,
    /// When the status last changed.
    pub status_updated: Option<Timestamp>,
    /// Who took the last step.
    pub actor: Option<Actor>,
    /// Why the participation was cancelled.
    pub reason: Option<CancellationReason>,
    /// Whether it was cancelled at short notice.
    pub short_notice_cancel: Option<bool>,
    /// What was said about the cancellation.
    pub message: Option<String>,
    /// The rejection, if it was rejected.
    pub rejection: Option<Rejection>,
    /// Why the participant was reported, if that was said.
    pub report: Option<Report>,
}

impl Review {
    /// Whether anything of a booking is known.
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
            // No call shows it.
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
        // What is written to or about a person may have to be forgotten one day.
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
    /// Takes the caller's message, or the default one when there is none.
    pub fn parse(message: Option<String>) -> Result<Self, String> {
        let message = message.filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| REJECTION_MESSAGE_DEFAULT.to_owned());
        checked(message).map(Self)
    }

    /// The text.
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
