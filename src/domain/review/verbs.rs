//! What may follow what: the one table of verbs and statuses.

use std::fmt::Write as _;

use super::ReviewStatus;
use crate::domain::words::words;

words! {
    /// Something that a researcher does to a submission.
    Verb {
        /// Rejects it for low quality.
        Reject = "reject",
        /// Says that the participant qualifies.
        Qualify = "qualify",
        /// Says that the participant does not qualify.
        Disqualify = "disqualify",
        /// Invites the participant.
        Invite = "invite",
        /// Takes the invitation back.
        CancelInvite = "cancel-invite",
        /// Books a time, or another one.
        Schedule = "schedule",
        /// Gives the booked time up.
        CancelBooking = "cancel-booking",
        /// Notes that the participant came.
        MarkAttended = "attended",
        /// Notes that the participant did not come.
        MarkNoShow = "no-show",
        /// Puts it out of sight.
        Hide = "hide",
        /// Brings it back into sight.
        Unhide = "unhide",
        /// Marks it as a favorite, or no longer.
        Favorite = "favorite",
        /// Reports the participant.
        Report = "report",
        /// Says whether anybody may act on it.
        SetVisibility = "set-visibility",
    }
}

/// What a verb does to a status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The status becomes this one.
    To(ReviewStatus),
    /// The status becomes what it was before the invitation.
    Back,
    /// The status stays; the verb sets fields of its own.
    Keep,
    /// What the verb leads to is reached, so nothing is written.
    Done,
    /// The status does not allow it.
    Refused,
}

impl Verb {
    /// The table: what this verb does to a submission of this status.
    #[must_use]
    pub const fn step(self, status: ReviewStatus) -> Step {
        use ReviewStatus::{
            Attended, Cancelled, InvalidResponse, Invited, NoShow, Paid, Pending, RejectedQuality,
            Scheduled,
        };
        use Step::{Back, Done, Keep, Refused, To};
        match self {
            Self::Reject => match status {
                Pending | Invited | Scheduled | Attended => To(RejectedQuality),
                RejectedQuality => Done,
                NoShow | InvalidResponse | Paid | Cancelled => Refused,
            },
            Self::Invite => match status {
                Pending | Cancelled => To(Invited),
                Invited => Done,
                Scheduled | Attended | NoShow | InvalidResponse | RejectedQuality | Paid => Refused,
            },
            Self::CancelInvite => match status {
                Invited => Back,
                // There is no invitation, as the caller wishes.
                Pending | Cancelled => Done,
                Scheduled | Attended | NoShow | InvalidResponse | RejectedQuality | Paid => Refused,
            },
            Self::Schedule => match status {
                Invited => To(Scheduled),
                Scheduled => Keep,
                Pending | Attended | NoShow | InvalidResponse | RejectedQuality | Paid
                | Cancelled => Refused,
            },
            Self::CancelBooking => match status {
                Scheduled => To(Cancelled),
                Cancelled => Done,
                Pending | Invited | Attended | NoShow | InvalidResponse | RejectedQuality
                | Paid => Refused,
            },
            Self::MarkAttended => match status {
                // Not every participation needs a booked time.
                Invited | Scheduled => To(Attended),
                Attended => Done,
                Pending | NoShow | InvalidResponse | RejectedQuality | Paid | Cancelled => Refused,
            },
            Self::MarkNoShow => match status {
                Scheduled => To(NoShow),
                NoShow => Done,
                Pending | Invited | Attended | InvalidResponse | RejectedQuality | Paid
                | Cancelled => Refused,
            },
            // Qualification, marks and visibility are none of the status's business.
            Self::Qualify
            | Self::Disqualify
            | Self::Hide
            | Self::Unhide
            | Self::Favorite
            | Self::Report
            | Self::SetVisibility => Keep,
        }
    }

    /// Whether it acts on the participant, which nobody may unless the submission is visible and
    /// its session is not removed. Marks are the researcher's own; and without a way to report what
    /// is held back, or to change a visibility, nothing could ever change there again.
    #[must_use]
    pub const fn needs_visible(self) -> bool {
        match self {
            Self::Reject
            | Self::Qualify
            | Self::Disqualify
            | Self::Invite
            | Self::CancelInvite
            | Self::Schedule
            | Self::CancelBooking
            | Self::MarkAttended
            | Self::MarkNoShow => true,
            Self::Hide | Self::Unhide | Self::Favorite | Self::Report | Self::SetVisibility => {
                false
            }
        }
    }

    /// Whether it is a decision about the participant, after which a submission is no longer new.
    #[must_use]
    pub const fn decides(self) -> bool {
        self.needs_visible() || matches!(self, Self::Report)
    }

    /// What cannot be done, after "cannot".
    pub(super) const fn cannot(self) -> &'static str {
        match self {
            Self::Reject => "be rejected",
            Self::Qualify => "be qualified",
            Self::Disqualify => "be disqualified",
            Self::Invite => "be invited",
            Self::CancelInvite => "have an invitation cancelled",
            Self::Schedule => "be scheduled",
            Self::CancelBooking => "have a booking cancelled",
            Self::MarkAttended => "be marked as attended",
            Self::MarkNoShow => "be marked as a no-show",
            Self::Hide => "be hidden",
            Self::Unhide => "be unhidden",
            Self::Favorite => "be marked as a favorite",
            Self::Report => "be reported",
            Self::SetVisibility => "get another visibility",
        }
    }

    /// What it sets beside the status, for the documentation.
    const fn sets(self) -> &'static str {
        match self {
            Self::Reject => "`rejection`: message and time",
            Self::Qualify => "`qualified_override` true; clears `disqualification`",
            Self::Disqualify => "`qualified_override` false; `disqualification`: reason, message",
            Self::Invite => "`invite_sent_at`; clears `scheduled_at`",
            Self::CancelInvite => "nothing; `invite_sent_at` stays",
            Self::Schedule => "`scheduled_at`",
            Self::CancelBooking => {
                "clears `scheduled_at`, `reason`, `short_notice_cancel`, `message`"
            }
            Self::MarkAttended | Self::MarkNoShow => "nothing; `scheduled_at` stays",
            Self::Hide => "`hidden` true",
            Self::Unhide => "`hidden` false",
            Self::Favorite => "`favorite` as given",
            Self::Report => "`visibility` DISMISSED",
            Self::SetVisibility => "`visibility` as given",
        }
    }
}

impl Step {
    fn cell(self) -> &'static str {
        match self {
            Self::To(status) => status.as_str(),
            Self::Back => "as before",
            Self::Keep => "stays",
            Self::Done => "=",
            Self::Refused => "409",
        }
    }
}

/// The table as Markdown, for the documentation.
#[must_use]
pub fn transition_table() -> String {
    let mut text = String::from("| verb |");
    for status in ReviewStatus::ALL {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, " {} |", status.as_str());
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(ReviewStatus::ALL.len()));
    text.push('\n');
    for verb in Verb::ALL {
        let _ = write!(text, "| {} |", verb.as_str());
        for status in ReviewStatus::ALL {
            let _ = write!(text, " {} |", verb.step(*status).cell());
        }
        text.push('\n');
    }
    text.push_str("\n| verb | needs a visible submission | clears `is_new` | sets |\n");
    text.push_str("|---|---|---|---|\n");
    let word = |truth: bool| if truth { "yes" } else { "no" };
    for verb in Verb::ALL {
        let (visible, decides) = (word(verb.needs_visible()), word(verb.decides()));
        let _ = writeln!(text, "| {} | {visible} | {decides} | {} |", verb.as_str(), verb.sets());
    }
    text
}
