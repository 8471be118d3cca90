//! Every word of the pages.

use crate::app::LandingState;
use crate::domain::error::Kind;

/// What a page says.
pub(super) struct Text<'a> {
    /// How things stand, in a word or two.
    pub(super) label: &'static str,
    /// The screener's title, or what is the matter.
    pub(super) heading: &'a str,
    /// What that means for the visitor.
    pub(super) body: &'static str,
}

/// Precedes the id under which the log knows a fault.
pub(super) const REFERENCE: &str = "If you tell us about it, please mention";

/// What a screener's page says.
pub(super) const fn landing(title: &str, state: LandingState) -> Text<'_> {
    let (label, body) = match state {
        LandingState::Open => {
            ("Open", "This screener is open, and it is waiting for you. Thank you for being here.")
        }
        LandingState::InProgress => (
            "In progress",
            "You have begun this screener. What you have answered so far is safely kept.",
        ),
        LandingState::Completed => {
            ("Completed", "Your answers have arrived. Thank you, there is nothing left to do.")
        }
        LandingState::NotYetOpen => (
            "Not yet open",
            "This screener has not opened yet. Please come back later: the link stays the same.",
        ),
        LandingState::Closed => {
            ("Closed", "This screener takes no more answers. Thank you for your interest.")
        }
    };
    Text { label, heading: title, body }
}

const MISSING: Text<'static> = Text {
    label: "Not found",
    heading: "There is nothing at this address",
    body: "Perhaps the link was cut short on its way. Please open it once more from your \
           invitation, or copy the whole of it.",
};

const GONE: Text<'static> = Text {
    label: "Withdrawn",
    heading: "This link is no longer valid",
    body: "Whoever sent it has withdrawn it. If that surprises you, they can send you a new one.",
};

const READ_ONLY: Text<'static> = Text {
    label: "Not possible",
    heading: "This page can only be read",
    body: "Nothing was sent. Please open your link again.",
};

const BUSY: Text<'static> = Text {
    label: "One moment",
    heading: "We cannot show this page right now",
    body: "It is our fault, not yours, and nothing is lost. Please try again in a moment.",
};

const FAILED: Text<'static> = Text {
    label: "Our mistake",
    heading: "Something went wrong on our side",
    body: "Nothing is lost, and we have made a note of it. Please try again later.",
};

/// What a page says when there is no screener to speak of.
pub(super) const fn refusal(kind: Kind) -> Text<'static> {
    match kind {
        Kind::NotFound | Kind::SurveyNotFound => MISSING,
        Kind::Gone => GONE,
        Kind::MethodNotAllowed => READ_ONLY,
        Kind::Unavailable | Kind::DeadlineExceeded | Kind::RateLimited => BUSY,
        // Pages have no other refusals; whatever comes here is a fault.
        Kind::InvalidArgument
        | Kind::UnsupportedApiVersion
        | Kind::Unauthorized
        | Kind::Forbidden
        | Kind::AlreadyExists
        | Kind::InvalidStatusTransition
        | Kind::NotVisible
        | Kind::NotOpen
        | Kind::Exhausted
        | Kind::Conflict
        | Kind::PayloadTooLarge
        | Kind::UnsupportedMediaType
        | Kind::NotAcceptable
        | Kind::Internal => FAILED,
    }
}
