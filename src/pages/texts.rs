//! Every word of the pages, in one language: whoever adds another begins here.

use crate::app::LandingState;
use crate::domain::error::Kind;
use crate::domain::question::{
    MultiSelectForm, NumericForm, Question, QuestionForm, Range, TextForm,
};

/// The language of these words, and the direction in which it is written.
pub(super) const LANGUAGE: &str = "en";
pub(super) const DIRECTION: &str = "ltr";

pub(super) const REQUIRED: &str = "Questions with a star * need an answer.";
pub(super) const NEXT: &str = "Next";
pub(super) const FINISH: &str = "Send answers";
pub(super) const BACK: &str = "Back";
pub(super) const DISMISS: &str = "Not now";
pub(super) const PRIVACY: &str = "Privacy";
pub(super) const PRIVACY_LINK: &str = "How your answers are treated";
pub(super) const YES_NOW: &str = "Answer now";
pub(super) const ANSWER_AGAIN: &str = "Answer once more";
pub(super) const ERROR_TITLE: &str = "Please check: ";
/// What the script says while it keeps what was entered.
pub(super) const SAVED: &str = "Your answers so far are saved.";
pub(super) const UNSAVED: &str = "Not saved yet. Your answers are sent when you go on.";

/// Above a page that is shown again because the questions are others now.
pub(super) const CHANGED: &str =
    "The questions have changed in the meantime. Please look through them once more.";
/// Above a page that is shown again because it was sent before with other answers.
pub(super) const SENT_BEFORE: &str = "This page was sent before with other answers. Please check what stands here, and send it again.";
/// Above the last page, if an answer has just made it the last.
pub(super) const LAST: &str =
    "There are no more questions. Please send your answers when you are ready.";

/// Where in the questionnaire a page is.
pub(super) fn progress(number: usize, total: usize) -> String {
    format!("Page {number} of {total}")
}

/// Above the list of what is wrong.
pub(super) fn summary(count: usize) -> String {
    match count {
        1 => "One answer needs another look".to_owned(),
        many => format!("{many} answers need another look"),
    }
}

/// In the field for a text of the participant's own, as long as it is empty.
pub(super) const OWN_WORDS: &str = "In your own words";

/// What that field is called.
pub(super) fn own_words(option: &str) -> String {
    format!("{OWN_WORDS}: {option}")
}

/// What the script says of a slider that nobody has moved.
pub(super) const UNTOUCHED: &str = "Not answered yet";

/// What the script shows below a text of limited length; `{}` is the number that is left.
pub(super) const CHARACTERS_LEFT: &str = "{} characters left";

/// Whether a question accepts whole numbers, each of them.
fn is_whole(form: &NumericForm) -> bool {
    form.step.is_some_and(|step| step.total_cmp(&1.0).is_eq())
        && form.bounds.min.is_none_or(|min| min.fract() == 0.0)
}

/// The numbers between the bounds of a question.
fn numbers(form: &NumericForm) -> String {
    let Range { min, max } = form.bounds;
    let a_number = if is_whole(form) { "a whole number" } else { "a number" };
    match (min, max) {
        (Some(min), Some(max)) => format!("{a_number} from {min} to {max}"),
        (Some(min), None) => format!("{a_number} of at least {min}"),
        (None, Some(max)) => format!("{a_number} of at most {max}"),
        (None, None) => a_number.to_owned(),
    }
}

/// The numbers that a question accepts.
fn accepted(form: &NumericForm) -> String {
    let numbers = numbers(form);
    match (form.step.filter(|_| !is_whole(form)), form.bounds.min) {
        (Some(step), Some(min)) if min % step != 0.0 => {
            format!("{numbers}, in steps of {step} from {min} on")
        }
        (Some(step), _) => format!("{numbers}, in steps of {step}"),
        (None, _) => numbers,
    }
}

fn amount(least: Option<u32>, most: Option<u32>, one: &str, many: &str) -> Option<String> {
    let noun = |count| if count == 1 { one.to_owned() } else { many.to_owned() };
    match (least.filter(|least| *least > 0), most) {
        (Some(least), Some(most)) if least == most => Some(format!("{least} {}", noun(least))),
        (Some(least), Some(most)) => Some(format!("{least} to {most} {}", noun(most))),
        (Some(least), None) => Some(format!("at least {least} {}", noun(least))),
        (None, Some(most)) => Some(format!("at most {most} {}", noun(most))),
        (None, None) => None,
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect::<String>() + "."
    })
}

/// What helps to answer a question; nothing, if it says enough itself.
pub(super) fn hint(question: &Question) -> Option<String> {
    match &question.form {
        // A pattern is for machines: the prompt says in words what is asked for.
        QuestionForm::Text(TextForm { min_length, max_length, pattern: _, multi_line: _ }) => {
            let length = amount(*min_length, *max_length, "character", "characters");
            length.map(|it| capitalized(&it))
        }
        QuestionForm::Numeric(form) => Some(capitalized(&accepted(form))),
        QuestionForm::SingleSelect(_) => None,
        QuestionForm::MultiSelect(MultiSelectForm { min_choices, max_choices, choices: _ }) => {
            let amount = amount(*min_choices, *max_choices, "option", "options");
            let any = "Choose all that apply.".to_owned();
            Some(amount.map_or(any, |amount| format!("Choose {amount}.")))
        }
    }
}

/// What is said of a question that needs an answer and has none.
pub(super) fn needed(question: &Question) -> String {
    match &question.form {
        QuestionForm::Text(_) => "Please answer this question.".into(),
        QuestionForm::Numeric(form) => format!("Please enter {}.", numbers(form)),
        QuestionForm::SingleSelect(_) => "Please choose one of the options.".into(),
        QuestionForm::MultiSelect(_) => "Please choose at least one of the options.".into(),
    }
}

/// What is said of an option that needs a text and has none.
pub(super) fn own_words_needed(option: &str) -> String {
    format!("Please add your own words to “{option}”.")
}

/// What is said of an answer that does not fit its question: what would. A text that fits in
/// everything else may still not match its pattern.
pub(super) fn misfit(question: &Question, typed: &str, matches: bool) -> String {
    let count = typed.chars().count();
    match &question.form {
        QuestionForm::Text(form) => match (form.min_length, form.max_length) {
            (Some(min), _) if count < min as usize => {
                format!("Please write at least {min} characters; so far there are {count}.")
            }
            (_, Some(max)) if count > max as usize => {
                format!("Please write at most {max} characters; there are {count}.")
            }
            _ if !form.multi_line && typed.contains('\n') => {
                "Please write this in one line.".into()
            }
            _ if !matches => "This does not have the form that is asked for.".into(),
            _ => "This text is too long, or has characters that cannot be kept.".into(),
        },
        QuestionForm::Numeric(form) => match typed.trim().parse::<f64>() {
            Ok(number) if form.bounds.contains(number) => {
                format!("Please enter {}.", accepted(form))
            }
            Ok(number) if number.is_finite() => format!("Please enter {}.", numbers(form)),
            Ok(_) | Err(_) => format!("Please enter {}, in digits.", numbers(form)),
        },
        QuestionForm::SingleSelect(_) => "Please choose one of the options.".into(),
        QuestionForm::MultiSelect(MultiSelectForm { min_choices, max_choices, .. }) => {
            let amount = amount(*min_choices, *max_choices, "option", "options");
            let amount = amount.unwrap_or_else(|| "of the options shown".to_owned());
            format!("Please choose {amount}.")
        }
    }
}

/// What a page without questions says.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// How things stand, in a word or two; after thanks, the screener's title.
    pub(super) label: &'a str,
    /// The screener's title, what is the matter, or thanks.
    pub(super) heading: &'a str,
    /// What that means for the visitor.
    pub(super) body: &'static str,
}

/// Precedes the id under which the log knows a fault.
pub(super) const REFERENCE: &str = "If you tell us about it, please mention";

/// What a screener's page says where there is nothing to answer.
pub(super) const fn landing(title: &str, state: LandingState) -> Text<'_> {
    let (label, body) = match state {
        LandingState::Open => (
            "Open",
            "This screener is open. This link only shows how it stands; to answer, please use the \
             link from your invitation.",
        ),
        LandingState::InProgress => (
            "In progress",
            "This screener has been begun, and what was answered so far is safely kept. This link \
             only shows how it stands; to go on, please use the link from your invitation.",
        ),
        LandingState::Completed => (
            "Already answered",
            "Your answers have arrived. Thank you, there is nothing left to do.",
        ),
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

/// What the last page says to whoever has just answered.
pub(super) const fn thanks(title: &str) -> Text<'_> {
    let body = "Your answers have arrived, and you can close this page.";
    Text { label: title, heading: "Thank you!", body }
}

/// What is said to whoever said "not now".
pub(super) const fn dismissed(title: &str) -> Text<'_> {
    let body = "That is fine. Should you change your mind, the link stays the same.";
    Text { label: "Not now", heading: title, body }
}

/// What a page says when there is no screener to speak of.
pub(super) const fn refusal(kind: Kind) -> Text<'static> {
    match kind {
        Kind::NotFound | Kind::SurveyNotFound => Text {
            label: "Not found",
            heading: "There is nothing at this address",
            body: "Perhaps the link was cut short on its way. Please open it once more from your \
                   invitation, or copy the whole of it.",
        },
        Kind::Gone => Text {
            label: "Withdrawn",
            heading: "This link is no longer valid",
            body: "Whoever sent it has withdrawn it. If that surprises you, they can send you a new \
                   one.",
        },
        Kind::MethodNotAllowed
        | Kind::UnsupportedMediaType
        | Kind::InvalidArgument
        | Kind::Forbidden => Text {
            label: "Not possible",
            heading: "What was sent could not be read",
            body: "Nothing of it was kept. Please open your link again, and send your answers from \
                   there.",
        },
        Kind::PayloadTooLarge => Text {
            label: "Too much",
            heading: "That was more than this page can take",
            body: "Nothing of it was kept. Please go back, shorten your answers, and send them \
                   again.",
        },
        Kind::RateLimited => Text {
            label: "One moment",
            heading: "That was a little too fast",
            body: "This link was used very often within a minute. Please wait a minute, then go \
                   back and send your answers again.",
        },
        Kind::Unavailable | Kind::DeadlineExceeded => Text {
            label: "One moment",
            heading: "We cannot show this page right now",
            body: "It is our fault, not yours, and nothing is lost. Please try again in a moment.",
        },
        // Pages have no other refusals; whatever comes here is a fault.
        Kind::UnsupportedApiVersion
        | Kind::Unauthorized
        | Kind::AlreadyExists
        | Kind::InvalidStatusTransition
        | Kind::NotVisible
        | Kind::NotOpen
        | Kind::Exhausted
        | Kind::Conflict
        | Kind::PageTooLarge
        | Kind::NotAcceptable
        | Kind::Internal => Text {
            label: "Our mistake",
            heading: "Something went wrong on our side",
            body: "What you sent before is safely kept, and we have made a note of it. Please try \
                   again later.",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_do() {
        for (min, max, step, expected) in [
            (None, None, None, "a number"),
            (Some(0.0), Some(9.0), Some(1.0), "a whole number from 0 to 9"),
            (None, Some(9.0), Some(1.0), "a whole number of at most 9"),
            (Some(0.5), None, Some(1.0), "a number of at least 0.5, in steps of 1 from 0.5 on"),
            (Some(0.0), Some(9.0), Some(0.5), "a number from 0 to 9, in steps of 0.5"),
            (Some(3.0), Some(9.0), Some(2.0), "a number from 3 to 9, in steps of 2 from 3 on"),
            (None, None, Some(5.0), "a number, in steps of 5"),
        ] {
            let bounds = Range { min, max };
            let form = NumericForm { slider: false, bounds, step, qualifies: None };
            assert_eq!(accepted(&form), expected);
        }
    }
}
