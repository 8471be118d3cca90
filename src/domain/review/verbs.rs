//! The verbs of a review: the one table of possible decisions.
//!
//! [`Verb`], [`Decision`], the words of the audit log, the table in `docs/review.md` and the routes
//! of REST are derived from it. A new verb is a row here and its fields in [`Decision::set`].

use super::ReviewStatus::{
    self, Attended, Cancelled, InvalidResponse, Invited, NoShow, Paid, Pending, RejectedQuality,
    Scheduled,
};
use super::{
    Actor, Booking, Cancellation, Disqualification, Meeting, Rejection, RejectionMessage, Report,
    Review, Visibility,
};
use crate::domain::error::Kind;
use crate::domain::time::Timestamp;
use crate::domain::words::words;
use Step::{Back, Done, Keep, Refused, To};

/// The properties of a verb.
pub struct Row {
    /// The name of the verb in paths and in the documentation.
    pub name: &'static str,
    /// The name of the operation in generated clients.
    pub id: &'static str,
    /// A summary of its effect.
    pub summary: &'static str,
    /// Whether it acts on the participant, which requires a visible submission whose session is not
    /// removed. Marks of researchers are exempt. So are reports and changes of the visibility:
    /// without them, the state of an invisible submission could never change.
    pub needs_visible: bool,
    /// Whether it is a decision about the participant, after which a submission is no longer new.
    pub decides: bool,
    /// The end of the sentence "cannot …" for an error about the status.
    pub(super) cannot: &'static str,
    /// The fields it sets in addition to the status, for the documentation.
    pub sets: &'static str,
    /// The effect on a submission by its status.
    pub step: fn(ReviewStatus) -> Step,
}

/// The effect of a verb on a status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Changes the status to this one.
    To(ReviewStatus),
    /// Restores the status from before the invitation.
    Back,
    /// Keeps the status. The verb sets only other fields.
    Keep,
    /// A no-op, because the goal of the verb is already reached.
    Done,
    /// An error, because the status does not allow the verb.
    Refused,
}

/// Declares the verbs. Each row has the verb, its argument if it has one, its word in the audit
/// log, its summary and the fields of its [`Row`].
macro_rules! verbs {
    ($(
        $verb:ident $(($argument:ty))? = $word:literal: $summary:literal { $($fields:tt)* }
    )*) => {
        words! {
            /// An action of a researcher on a submission.
            Verb { $(#[doc = $summary] $verb = $word,)* }
        }

        impl Verb {
            /// Returns its row in the table.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$verb => const { &Row { summary: $summary, $($fields)* } },)*
                }
            }

            /// Returns the decision of a verb that takes no argument.
            #[must_use]
            pub const fn alone(self) -> Option<Decision> {
                match self {
                    $(Self::$verb => verbs!(@alone $verb $(($argument))?),)*
                }
            }
        }

        /// A decision of a researcher about a submission: a verb with its argument.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub enum Decision { $(#[doc = $summary] $verb $(($argument))?,)* }

        impl Decision {
            /// Returns the verb.
            #[must_use]
            pub const fn verb(&self) -> Verb {
                match self {
                    $(Self::$verb { .. } => Verb::$verb,)*
                }
            }
        }
    };
    (@alone $verb:ident) => { Some(Decision::$verb) };
    (@alone $verb:ident ($argument:ty)) => { None };
}

verbs! {
    Reject(RejectionMessage) = "REJECT": "Rejects a submission for low quality." {
        name: "reject",
        id: "rejectSubmission",
        needs_visible: true,
        decides: true,
        cannot: "be rejected",
        sets: "`rejection`: message and time",
        step: |status| match status {
            Pending | Invited | Scheduled | Attended => To(RejectedQuality),
            RejectedQuality => Done,
            NoShow | InvalidResponse | Paid | Cancelled => Refused,
        },
    }
    Qualify = "QUALIFY": "Qualifies a participant, regardless of the answers." {
        name: "qualify",
        id: "qualifySubmission",
        needs_visible: true,
        decides: true,
        cannot: "be qualified",
        sets: "`qualified_override` true; clears `disqualification`",
        step: |_| Keep,
    }
    Disqualify(Disqualification) = "DISQUALIFY":
    "Disqualifies a participant, with reasons." {
        name: "disqualify",
        id: "disqualifySubmission",
        needs_visible: true,
        decides: true,
        cannot: "be disqualified",
        sets: "`qualified_override` false; `disqualification`: reasons, message",
        step: |_| Keep,
    }
    // The link on which the participant books a meeting.
    Invite(Option<String>) = "INVITE": "Invites the participant." {
        name: "invite",
        id: "inviteSubmission",
        needs_visible: true,
        decides: true,
        cannot: "be invited",
        sets: "`invite_sent_at`, the booking link; clears `scheduled_at` and the rest of the booking",
        step: |status| match status {
            Pending | Cancelled => To(Invited),
            Invited => Done,
            Scheduled | Attended | NoShow | InvalidResponse | RejectedQuality | Paid => Refused,
        },
    }
    CancelInvite = "CANCEL_INVITE": "Cancels an invitation." {
        name: "cancel-invite",
        id: "cancelSubmissionInvite",
        needs_visible: true,
        decides: true,
        cannot: "have an invitation cancelled",
        sets: "clears the booking link; `invite_sent_at` stays",
        step: |status| match status {
            Invited => Back,
            // Without an invitation, the goal is already reached.
            Pending | Cancelled => Done,
            Scheduled | Attended | NoShow | InvalidResponse | RejectedQuality | Paid => Refused,
        },
    }
    Schedule(Booking) = "SCHEDULE": "Books a meeting, or moves it to another time." {
        name: "schedule",
        id: "scheduleSubmission",
        needs_visible: true,
        decides: true,
        cannot: "be scheduled",
        sets: "`scheduled_at`, time zone; links that are given",
        step: |status| match status {
            Invited => To(Scheduled),
            Scheduled => Keep,
            Pending | Attended | NoShow | InvalidResponse | RejectedQuality | Paid | Cancelled => {
                Refused
            }
        },
    }
    CancelBooking = "CANCEL_BOOKING": "Cancels a booking." {
        name: "cancel-booking",
        id: "cancelSubmissionBooking",
        needs_visible: true,
        decides: true,
        cannot: "have a booking cancelled",
        sets: "clears the booking, `reason`, `short_notice_cancel`, `message`",
        step: cancelled,
    }
    // The message to the participant.
    CancelBookingReinvite(Option<String>) = "CANCEL_BOOKING_REINVITE":
    "Cancels a booking and invites the participant to book again." {
        name: "cancel-booking-reinvite",
        id: "reinviteSubmission",
        needs_visible: true,
        decides: true,
        cannot: "be invited again",
        sets: "`invite_sent_at`, `message`; clears the booking, `reason`, `short_notice_cancel`",
        step: |status| match status {
            Scheduled => To(Invited),
            Invited => Done,
            Pending | Attended | NoShow | InvalidResponse | RejectedQuality | Paid | Cancelled => {
                Refused
            }
        },
    }
    ParticipantCancelBooking(Cancellation) = "PARTICIPANT_CANCEL_BOOKING":
    "Records that the participant cancelled the booking." {
        name: "participant-cancel-booking",
        id: "cancelSubmissionBookingByParticipant",
        needs_visible: true,
        decides: true,
        cannot: "have a booking cancelled",
        sets: "`actor` respondent; `reason`, `short_notice_cancel`, `message`; clears the booking",
        step: cancelled,
    }
    MarkAttended = "MARK_ATTENDED": "Records that the participant attended." {
        name: "attended",
        id: "markSubmissionAttended",
        needs_visible: true,
        decides: true,
        cannot: "be marked as attended",
        sets: "nothing; `scheduled_at` stays",
        step: |status| match status {
            // A participant can attend without a booked time.
            Invited | Scheduled => To(Attended),
            Attended => Done,
            Pending | NoShow | InvalidResponse | RejectedQuality | Paid | Cancelled => Refused,
        },
    }
    MarkNoShow = "MARK_NO_SHOW": "Records that the participant did not attend. It cannot be undone." {
        name: "no-show",
        id: "markSubmissionNoShow",
        needs_visible: true,
        decides: true,
        cannot: "be marked as a no-show",
        sets: "nothing; `scheduled_at` stays",
        step: |status| match status {
            Scheduled => To(NoShow),
            NoShow => Done,
            Pending | Invited | Attended | InvalidResponse | RejectedQuality | Paid | Cancelled => {
                Refused
            }
        },
    }
    MarkPaid = "MARK_PAID":
    "Records that the participant was paid. The server itself pays nothing." {
        name: "payouts",
        id: "markSubmissionPaid",
        needs_visible: true,
        decides: true,
        cannot: "be marked as paid",
        sets: "nothing; `scheduled_at` stays",
        step: |status| match status {
            Attended => To(Paid),
            Paid => Done,
            Pending | Invited | Scheduled | NoShow | InvalidResponse | RejectedQuality
            | Cancelled => Refused,
        },
    }
    Hide = "HIDE": "Hides a submission." {
        name: "hide",
        id: "hideSubmission",
        needs_visible: false,
        decides: false,
        cannot: "be hidden",
        sets: "`hidden` true",
        step: |_| Keep,
    }
    Unhide = "UNHIDE": "Shows a submission again." {
        name: "unhide",
        id: "unhideSubmission",
        needs_visible: false,
        decides: false,
        cannot: "be unhidden",
        sets: "`hidden` false",
        step: |_| Keep,
    }
    Favorite(bool) = "FAVORITE": "Marks a submission as a favorite, or no longer." {
        name: "favorite",
        id: "favoriteSubmission",
        needs_visible: false,
        decides: false,
        cannot: "be marked as a favorite",
        sets: "`favorite` as given",
        step: |_| Keep,
    }
    Report(Option<Report>) = "REPORT": "Reports a submission, which dismisses it." {
        name: "report",
        id: "reportSubmission",
        needs_visible: false,
        decides: true,
        cannot: "be reported",
        sets: "`visibility` DISMISSED; `report`: reasons, message, if they are given",
        step: |_| Keep,
    }
    SetVisibility(Visibility) = "SET_VISIBILITY": "Sets the visibility of a submission, which decides whether review steps are possible." {
        name: "set-visibility",
        id: "setSubmissionVisibility",
        needs_visible: false,
        decides: false,
        cannot: "get another visibility",
        sets: "`visibility` as given",
        step: |_| Keep,
    }
}

/// Returns the effect of cancelling a booking, by either side.
const fn cancelled(status: ReviewStatus) -> Step {
    match status {
        Scheduled => To(Cancelled),
        Cancelled => Done,
        Pending | Invited | Attended | NoShow | InvalidResponse | RejectedQuality | Paid => Refused,
    }
}

impl Decision {
    /// Returns whether the other side, which has its own reasons, cancelled the booking before.
    pub(super) fn is_of_other_side(&self, before: Option<Actor>) -> bool {
        match self.verb() {
            Verb::CancelBooking => before == Some(Actor::Respondent),
            Verb::ParticipantCancelBooking => before == Some(Actor::Researcher),
            Verb::Reject
            | Verb::Qualify
            | Verb::Disqualify
            | Verb::Invite
            | Verb::CancelInvite
            | Verb::Schedule
            | Verb::CancelBookingReinvite
            | Verb::MarkAttended
            | Verb::MarkNoShow
            | Verb::MarkPaid
            | Verb::Hide
            | Verb::Unhide
            | Verb::Favorite
            | Verb::Report
            | Verb::SetVisibility => false,
        }
    }

    /// Sets the fields of the verb in addition to the status.
    pub(super) fn set(&self, review: &mut Review, before: ReviewStatus, now: Timestamp) {
        match self {
            Self::Reject(message) => {
                review.rejection = Some(Rejection { message: message.0.clone(), at: now });
            }
            Self::Qualify => {
                review.qualified_override = Some(true);
                review.disqualification = None;
            }
            Self::Disqualify(why) => {
                review.qualified_override = Some(false);
                review.disqualification = Some(why.clone());
            }
            Self::Invite(link) => {
                review.invite_sent = Some(now);
                review.status_before_invite = Some(before);
                review.unbook();
                review.meeting.booking_url.clone_from(link);
            }
            Self::CancelInvite => review.meeting = Meeting::default(),
            Self::Schedule(Booking { at, meeting }) => {
                review.scheduled = Some(*at);
                review.meeting = review.meeting.booked(meeting);
            }
            // Details of a cancellation come only from the participant.
            Self::CancelBooking => review.cancel(&Cancellation::default()),
            Self::CancelBookingReinvite(message) => {
                review
                    .cancel(&Cancellation { message: message.clone(), ..Cancellation::default() });
                review.invite_sent = Some(now);
            }
            Self::ParticipantCancelBooking(said) => {
                review.cancel(said);
                review.actor = Some(Actor::Respondent);
            }
            Self::MarkAttended | Self::MarkNoShow | Self::MarkPaid => {}
            Self::Hide => review.hidden = true,
            Self::Unhide => review.hidden = false,
            Self::Favorite(favorite) => review.favorite = *favorite,
            Self::Report(why) => {
                review.visibility = Visibility::Dismissed;
                review.report = why.clone().or_else(|| review.report.take());
            }
            Self::SetVisibility(visibility) => review.visibility = *visibility,
        }
    }
}

impl Review {
    fn unbook(&mut self) {
        self.scheduled = None;
        self.meeting = Meeting::default();
    }

    fn cancel(&mut self, said: &Cancellation) {
        self.unbook();
        let Cancellation { reason, short_notice, message } = said.clone();
        (self.reason, self.short_notice_cancel, self.message) = (reason, short_notice, message);
    }
}

impl Row {
    /// Returns the kinds of error that the state of a submission can cause.
    pub fn conflicts(&self) -> impl Iterator<Item = Kind> {
        let is_refused = ReviewStatus::ALL.iter().any(|status| (self.step)(*status) == Refused);
        let not_visible = self.needs_visible.then_some(Kind::NotVisible);
        not_visible.into_iter().chain(is_refused.then_some(Kind::InvalidStatusTransition))
    }
}
