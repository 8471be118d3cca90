//! The review of a submission: what a researcher decided about it.

use super::error::{Error, Kind, Result};
use super::session::SessionStatus;
use super::time::Timestamp;
use super::words::words;

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

/// The message of a rejection that came without one.
pub const REJECTION_MESSAGE_DEFAULT: &str = "Rejected for low quality.";
/// The longest message of a rejection, in characters.
pub const REJECTION_MESSAGE_MAX_CHARS: usize = 2000;

/// That, why and when a submission was rejected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The reason, for people.
    pub message: String,
    /// When.
    pub at: Timestamp,
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
    /// When the participant was invited.
    pub invite_sent: Option<Timestamp>,
    /// When the meeting is.
    pub scheduled: Option<Timestamp>,
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
            invite_sent: None,
            scheduled: None,
            status_updated: None,
            actor: None,
            reason: None,
            short_notice_cancel: None,
            message: None,
            rejection: None,
        }
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
        if message.chars().count() > REJECTION_MESSAGE_MAX_CHARS {
            return Err(format!("A message has at most {REJECTION_MESSAGE_MAX_CHARS} characters."));
        }
        if message.contains('\0') {
            return Err("A message does not contain the character U+0000.".into());
        }
        Ok(Self(message))
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

impl Review {
    /// Rejects for low quality. `None`: it was rejected before, and nothing changes.
    pub fn reject(
        &self,
        session: SessionStatus,
        message: &RejectionMessage,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        if self.visibility != Visibility::Visible || session == SessionStatus::Removed {
            return Err(Error::new(
                Kind::NotVisible,
                "The screener response is not visible, so it cannot be acted on.",
            ));
        }
        match self.status {
            ReviewStatus::RejectedQuality => Ok(None),
            ReviewStatus::Pending
            | ReviewStatus::Invited
            | ReviewStatus::Scheduled
            | ReviewStatus::Attended => Ok(Some(Self {
                status: ReviewStatus::RejectedQuality,
                is_new: false,
                status_updated: Some(now),
                actor: Some(Actor::Researcher),
                rejection: Some(Rejection { message: message.0.clone(), at: now }),
                ..self.clone()
            })),
            ReviewStatus::NoShow
            | ReviewStatus::InvalidResponse
            | ReviewStatus::Paid
            | ReviewStatus::Cancelled => Err(Error::new(
                Kind::InvalidStatusTransition,
                format!("A screener response that is {} cannot be rejected.", self.status.as_str()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_states_can_be_rejected_one_stays_and_four_refuse() {
        let message = RejectionMessage::parse(None).expect("a message");
        let now = Timestamp::from_micros(5);
        for status in ReviewStatus::ALL {
            let review = Review { status: *status, ..Review::default() };
            let result = review.reject(SessionStatus::Active, &message, now);
            let kind = result.as_ref().map(Option::is_some).map_err(Error::kind);
            let expected = match status {
                ReviewStatus::Pending
                | ReviewStatus::Invited
                | ReviewStatus::Scheduled
                | ReviewStatus::Attended => Ok(true),
                ReviewStatus::RejectedQuality => Ok(false),
                ReviewStatus::NoShow
                | ReviewStatus::InvalidResponse
                | ReviewStatus::Paid
                | ReviewStatus::Cancelled => Err(Kind::InvalidStatusTransition),
            };
            assert_eq!(kind, expected, "{}", status.as_str());
        }
    }

    #[test]
    fn visibility_is_checked_before_the_status() {
        let message = RejectionMessage::parse(None).expect("a message");
        let now = Timestamp::from_micros(5);
        for visibility in [Visibility::Dismissed, Visibility::OnHold] {
            for status in ReviewStatus::ALL {
                let review = Review { status: *status, visibility, ..Review::default() };
                let refused = review.reject(SessionStatus::Active, &message, now);
                assert_eq!(refused.map_err(|error| error.kind()), Err(Kind::NotVisible));
            }
        }
        let refused = Review::default().reject(SessionStatus::Removed, &message, now);
        assert_eq!(refused.map_err(|error| error.kind()), Err(Kind::NotVisible));
    }

    #[test]
    fn a_message_has_at_most_2000_characters() {
        assert!(RejectionMessage::parse(Some("ü".repeat(2000))).is_ok());
        assert!(RejectionMessage::parse(Some("ü".repeat(2001))).is_err());
        assert_eq!(RejectionMessage::parse(Some(String::new())), RejectionMessage::parse(None));
    }
}
