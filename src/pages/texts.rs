//! All texts of the pages, in one language. A translation begins here.

use std::borrow::Cow;
use std::fmt;

use crate::app::LandingState;
use crate::domain::answer::{ANSWER_TEXT_MAX_BYTES, SESSION_ANSWERS_TOO_LARGE};
use crate::domain::error::Kind;
use crate::domain::question::{
    MultiSelectForm, NumericForm, Question, QuestionForm, Range, Reading, TextForm, number_text,
    on_step,
};

/// Words on a page: the page's own, the author's, or the author's amid the page's own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Words<'a> {
    pub(super) before: Cow<'a, str>,
    /// The author's words, which may be in another language.
    pub(super) author: Cow<'a, str>,
    pub(super) after: &'static str,
}

impl<'a> Words<'a> {
    const fn own(text: &'a str) -> Self {
        Self { before: Cow::Borrowed(text), author: Cow::Borrowed(""), after: "" }
    }

    const fn author(text: &'a str) -> Self {
        Self { before: Cow::Borrowed(""), author: Cow::Borrowed(text), after: "" }
    }

    /// Returns whether all words are the author's.
    pub(super) fn is_author(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }
}

impl From<String> for Words<'static> {
    fn from(text: String) -> Self {
        Self { before: text.into(), ..Self::default() }
    }
}

impl From<&'static str> for Words<'static> {
    fn from(text: &'static str) -> Self {
        Self::own(text)
    }
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.before, self.author, self.after)
    }
}

/// The language of these texts, and its direction.
pub(super) const LANGUAGE: &str = "en";
pub(super) const DIRECTION: &str = "ltr";

pub(super) const REQUIRED: &str = "Required questions are marked *";
pub(super) const NEXT: &str = "Next";
pub(super) const FINISH: &str = "Send answers";
pub(super) const BACK: &str = "Back";
pub(super) const DISMISS: &str = "Not now";
pub(super) const PRIVACY: &str = "Privacy";
pub(super) const PRIVACY_LINK: &str = "How we use your answers";
pub(super) const YES_NOW: &str = "Answer now";
pub(super) const ANSWER_AGAIN: &str = "Answer again";
pub(super) const ERROR_TITLE: &str = "Check your answers: ";

/// The script's message after it saved the whole page.
pub(super) const SAVED: &str = "Saved";
/// Its message if the server stored a part of the page.
pub(super) const SAVED_PARTLY: &str = "Saved, except answers that aren’t finished yet.";
/// Its message if the server refused to store more.
pub(super) const TOO_LONG: &str = "Your answers are too long, so they aren’t saved. Shorten them.";
/// Its message without a connection.
pub(super) const OFFLINE: &str = "You’re offline. Your answers are still on this page.";
/// Its message after too many requests.
pub(super) const TOO_OFTEN: &str = "Too many tries. Wait a minute, then send again.";
/// The label of the button while a page is being sent.
pub(super) const SENDING: &str = "Sending…";
/// The label of the filter of a long list of options.
pub(super) const FILTER: &str = "Filter the list";

/// The script's message if saving failed. The button sends the answers all the same.
pub(super) fn unsaved(is_last: bool) -> String {
    let button = if is_last { FINISH } else { NEXT };
    format!("Your answers are still on this page. Choose {button} to send them.")
}

/// The notice on a page that is shown again because the questions have changed.
pub(super) const CHANGED: &str = "The questions have changed. Check your answers, then send again.";
/// The notice on a page that is shown again because it was sent before with other answers.
pub(super) const SENT_BEFORE: &str =
    "You already sent this page with different answers. Check them, then send again.";
/// The notice on a page that is shown again because answers on other pages have changed.
pub(super) const CHANGED_ELSEWHERE: &str =
    "Your answers on another page have changed. Check this page, then send again.";
/// The notice on the last page, if an answer has just made it the last.
pub(super) const LAST: &str = "That was the last question. Choose Send answers to finish.";

/// Returns the position of a page in the questionnaire, or `None` for the only one.
pub(super) fn progress(number: usize, total: usize) -> Option<String> {
    (total > 1).then(|| format!("Page {number} of {total}"))
}

/// Returns the heading of the list of errors.
pub(super) fn summary(count: usize) -> String {
    match count {
        1 => "There is 1 answer to check".to_owned(),
        many => format!("There are {many} answers to check"),
    }
}

/// The placeholder of an empty field for a participant's own text. Its label is this text and the
/// option.
pub(super) const OWN_WORDS: &str = "In your own words";

/// The script's text for a slider that has not been moved.
pub(super) const UNTOUCHED: &str = "Not answered yet";

/// The script's text below a text of limited length; `{}` is the number that is left.
pub(super) const CHARACTERS_LEFT: &str = "{} characters left";

/// Returns whether a question accepts exactly the whole numbers within its bounds.
fn is_whole(form: &NumericForm) -> bool {
    form.step.is_some_and(|step| step.total_cmp(&1.0).is_eq())
        && form.bounds.min.is_none_or(|min| min.fract() == 0.0)
}

/// Returns the bounds of a question in words.
fn bounds(form: &NumericForm) -> Option<String> {
    let Range { min, max } = form.bounds;
    match (min.map(number_text), max.map(number_text)) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("{min} or more")),
        (None, Some(max)) => Some(format!("up to {max}")),
        (None, None) => None,
    }
}

/// Returns the steps of a question in words, unless each whole number is one.
fn steps(form: &NumericForm) -> Option<String> {
    let step = form.step.filter(|_| !is_whole(form))?;
    let from = form.bounds.min.filter(|min| !on_step(*min, step, None));
    let from = from.map(|min| format!(" from {}", number_text(min))).unwrap_or_default();
    Some(format!("in steps of {}{from}", number_text(step)))
}

/// Returns the numbers that a question accepts, in words.
fn accepted(form: &NumericForm) -> String {
    let kind = if is_whole(form) { "a whole number" } else { "a number" };
    let bounds = bounds(form);
    let kind = (is_whole(form) || bounds.is_none()).then(|| kind.to_owned());
    [kind, bounds, steps(form)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns the error for a numeric question without a valid number.
pub(super) fn no_number(form: &NumericForm) -> String {
    let kind = if is_whole(form) { "a whole number" } else { "a number" };
    let range = match form.bounds {
        Range { min: Some(_), max: Some(_) } => bounds(form).map(|it| format!(" from {it}")),
        Range { .. } => bounds(form).map(|it| format!(", {it}")),
    };
    let steps = steps(form).map(|it| format!(", {it}"));
    format!("Enter {kind}{}{}.", range.unwrap_or_default(), steps.unwrap_or_default())
}

/// Returns the question which of two numbers is meant.
pub(super) fn which(larger: f64, smaller: f64) -> String {
    format!("Do you mean {} or {}?", number_text(larger), number_text(smaller))
}

/// The error for a number that cannot be stored as it was typed.
pub(super) const TOO_MANY_DIGITS: &str = "Enter a number with at most 15 digits.";

/// Returns an amount in words that follow "choose".
fn amount(least: Option<u32>, most: Option<u32>) -> Option<String> {
    match (least.filter(|least| *least > 0), most) {
        (Some(least), Some(most)) if least == most => Some(least.to_string()),
        (Some(least), Some(most)) if least + 1 == most => Some(format!("{least} or {most}")),
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("up to {most}")),
        (None, None) => None,
    }
}

fn characters(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "1 character".to_owned(),
        count => format!("{count} characters"),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Returns how many options to choose.
fn choose(form: &MultiSelectForm) -> String {
    let MultiSelectForm { min_choices, max_choices, choices: _ } = form;
    let amount = amount(*min_choices, *max_choices);
    format!("Choose {}", amount.unwrap_or_else(|| "all that apply".to_owned()))
}

/// Returns the hint of a question, or `None` if it needs no hint.
pub(super) fn hint(question: &Question) -> Option<Words<'_>> {
    match &question.form {
        // A pattern is for machines: its author describes the format in words.
        QuestionForm::Text(TextForm { pattern_hint: Some(hint), .. }) => Some(Words::author(hint)),
        QuestionForm::Text(TextForm { min_length, max_length, .. }) => {
            let amount = amount(*min_length, *max_length)?;
            let noun = if amount == "1" { "character" } else { "characters" };
            Some(capitalized(&format!("{amount} {noun}")).into())
        }
        QuestionForm::Numeric(form) => Some(capitalized(&accepted(form)).into()),
        QuestionForm::SingleSelect(_) => None,
        QuestionForm::MultiSelect(form) => Some(choose(form).into()),
    }
}

/// Returns the error for a required question without an answer.
pub(super) fn needed(question: &Question) -> Words<'static> {
    match &question.form {
        QuestionForm::Text(_) => "This question needs an answer".into(),
        QuestionForm::Numeric(form) => no_number(form).into(),
        QuestionForm::MultiSelect(form) if form.min_choices.or(form.max_choices).is_some() => {
            choose(form).into()
        }
        QuestionForm::SingleSelect(_) | QuestionForm::MultiSelect(_) => "Choose an answer".into(),
    }
}

/// Returns the error for a chosen option that requires a text and has none.
pub(super) fn own_words_needed(option: &str) -> Words<'static> {
    Words {
        before: "Enter your answer for “".into(), author: option.to_owned().into(), after: "”"
    }
}

/// Returns the error for an answer that the server refuses although the page found no error.
pub(super) fn refused(reason: &str) -> Words<'static> {
    if reason == SESSION_ANSWERS_TOO_LARGE {
        "Your answers are too long together. Shorten this one.".into()
    } else {
        "Check this answer, then send again.".into()
    }
}

fn too_long(count: u64, max: u64) -> Words<'static> {
    format!("Remove {} ({max} allowed).", characters(count.saturating_sub(max))).into()
}

/// Returns the error for a text that cannot be stored, regardless of its question. The limit is in
/// bytes, but people count characters.
pub(super) fn not_storable(typed: &str) -> Words<'static> {
    if typed.len() <= ANSWER_TEXT_MAX_BYTES {
        return "This answer has characters that can’t be stored.".into();
    }
    let fits = |(start, it): &(usize, char)| start + it.len_utf8() <= ANSWER_TEXT_MAX_BYTES;
    too_long(count(typed.chars()), count(typed.char_indices().take_while(fits)))
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

/// Returns the error for an answer that does not fit its question: the rule that it breaks. A text
/// that fits in all else may still not match its pattern.
pub(super) fn misfit(question: &Question, typed: &str, matches: bool) -> Words<'static> {
    let count = count(typed.chars());
    match &question.form {
        QuestionForm::Text(form) => match (form.min_length, form.max_length) {
            (Some(min), _) if count < min.into() => {
                let more = characters(u64::from(min) - count);
                let more = more.replacen(' ', " more ", 1);
                format!("Add {more} ({min} needed).").into()
            }
            (_, Some(max)) if count > max.into() => too_long(count, max.into()),
            _ if !form.multi_line && typed.contains(['\n', '\r']) => {
                "Write this on one line.".into()
            }
            _ if !matches => match form.pattern_hint.clone() {
                Some(hint) => Words { author: hint.into(), ..Words::default() },
                None => "Check the format.".into(),
            },
            _ => not_storable(typed),
        },
        QuestionForm::Numeric(form) if form.read(typed) == Reading::TooLong => {
            TOO_MANY_DIGITS.into()
        }
        QuestionForm::Numeric(form) => no_number(form).into(),
        QuestionForm::SingleSelect(_) => "Choose an answer".into(),
        QuestionForm::MultiSelect(form) => choose(form).into(),
    }
}

/// The texts of a page without questions.
pub(super) struct Text<'a> {
    /// The state in a word or two; after thanks, the screener's title.
    pub(super) label: Words<'a>,
    /// The screener's title, the problem, or the thanks.
    pub(super) heading: Words<'a>,
    /// The consequence for the visitor.
    pub(super) body: Words<'a>,
}

impl<'a> Text<'a> {
    const fn own(label: &'a str, heading: &'a str, body: &'a str) -> Self {
        Self { label: Words::own(label), heading: Words::own(heading), body: Words::own(body) }
    }

    const fn titled(label: &'a str, title: &'a str, body: &'a str) -> Self {
        Self { label: Words::own(label), heading: Words::author(title), body: Words::own(body) }
    }
}

/// The words before the request id of a fault.
pub(super) const REFERENCE: &str = "If you contact us, mention";

/// Returns the texts of a screener's page if there is nothing to answer.
pub(super) const fn landing(title: &str, state: LandingState) -> Text<'_> {
    let (label, body) = match state {
        LandingState::Open => (
            "Open",
            "This survey is open. This link only shows its status. To answer, use the link from your \
             invitation.",
        ),
        LandingState::InProgress => (
            "In progress",
            "You started this survey, and your answers so far are saved. This link only shows its \
             status. To continue, use the link from your invitation.",
        ),
        LandingState::Completed => {
            ("Already answered", "Your answers were sent. Thank you. There is nothing left to do.")
        }
        LandingState::NotYetOpen => {
            ("Not yet open", "This survey is not open yet. Come back later with the same link.")
        }
        LandingState::Closed => ("Closed", "This survey is closed. Thank you for your interest."),
    };
    Text::titled(label, title, body)
}

/// Returns the texts of the last page, for a participant who has just answered.
pub(super) fn thanks<'a>(title: &'a str, author: Option<&'a str>) -> Text<'a> {
    let body = Words::own("Your answers were sent. You can close this page now.");
    let body = author.map_or(body, Words::author);
    Text { label: Words::author(title), heading: Words::own("Thank you!"), body }
}

/// Returns the texts for a participant who chose "not now".
pub(super) const fn dismissed(title: &str) -> Text<'_> {
    let body = "No problem. Use the same link if you change your mind.";
    Text::titled("Not now", title, body)
}

/// Returns the texts of a page that shows no screener.
pub(super) const fn refusal(kind: Kind) -> Text<'static> {
    match kind {
        Kind::NotFound | Kind::SurveyNotFound => Text::own(
            "Not found",
            "We can’t find this page",
            "The link may be incomplete. Open it again from your invitation, or copy all of \
                   it.",
        ),
        Kind::Gone => Text::own(
            "Withdrawn",
            "This link is no longer valid",
            "The sender withdrew this link. If you think that’s a mistake, ask them for a new \
                   one.",
        ),
        Kind::MethodNotAllowed
        | Kind::UnsupportedMediaType
        | Kind::InvalidArgument
        | Kind::Forbidden => Text::own(
            "Not possible",
            "We can’t read that page",
            "We didn’t save anything from that page. Open your link again, and send your \
                   answers from there.",
        ),
        Kind::PayloadTooLarge => Text::own(
            "Too much",
            "Your answers are too long",
            "We didn’t save anything from that page. Go back, shorten your answers, and send \
                   them again.",
        ),
        Kind::RateLimited => Text::own(
            "One moment",
            "Too many tries",
            "Wait a minute, then go back and send your answers again.",
        ),
        Kind::Unavailable | Kind::DeadlineExceeded => Text::own(
            "One moment",
            "We can’t show this page right now",
            "It’s our fault, not yours, and nothing is lost. Try again in a moment.",
        ),
        // Pages have no other refusals, so any other kind is a fault.
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
        | Kind::Internal => Text::own(
            "Our mistake",
            "Something went wrong on our side",
            "The answers that you sent before are saved. Try again later.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(min: Option<f64>, max: Option<f64>, step: Option<f64>) -> NumericForm {
        NumericForm { slider: false, bounds: Range { min, max }, step, qualifies: None }
    }

    #[test]
    fn numbers_are_told_as_people_do() {
        for (min, max, step, hint, error) in [
            (None, None, None, "A number", "Enter a number."),
            (Some(0.0), None, None, "0 or more", "Enter a number, 0 or more."),
            (None, Some(20.0), None, "Up to 20", "Enter a number, up to 20."),
            (Some(0.0), Some(10.0), None, "0 to 10", "Enter a number from 0 to 10."),
            (
                Some(0.0),
                None,
                Some(1.0),
                "A whole number, 0 or more",
                "Enter a whole number, 0 or more.",
            ),
            (
                Some(0.0),
                Some(24.0),
                Some(0.5),
                "0 to 24, in steps of 0.5",
                "Enter a number from 0 to 24, in steps of 0.5.",
            ),
            (
                Some(0.5),
                None,
                Some(1.0),
                "0.5 or more, in steps of 1 from 0.5",
                "Enter a number, 0.5 or more, in steps of 1 from 0.5.",
            ),
            (None, None, Some(5.0), "A number, in steps of 5", "Enter a number, in steps of 5."),
        ] {
            let form = form(min, max, step);
            assert_eq!(capitalized(&accepted(&form)), hint);
            assert_eq!(no_number(&form), error);
        }
        assert_eq!(which(1000.0, 1.0), "Do you mean 1000 or 1?");
    }

    #[test]
    fn a_text_that_is_too_long_is_told_in_characters_whatever_they_take() {
        for (typed, words) in [
            ("x".repeat(17_000), "Remove 616 characters (16384 allowed)."),
            ("x".repeat(16_385), "Remove 1 character (16384 allowed)."),
            ("😀".repeat(5_000), "Remove 904 characters (4096 allowed)."),
            (format!("{}é", "x".repeat(16_383)), "Remove 1 character (16383 allowed)."),
            ("a\0".into(), "This answer has characters that can’t be stored."),
        ] {
            assert_eq!(not_storable(&typed).to_string(), words);
        }
    }

    #[test]
    fn amounts_are_told_as_people_do() {
        for (least, most, text) in [
            (None, None, None),
            (Some(0), None, None),
            (Some(2), Some(2), Some("2")),
            (Some(2), Some(3), Some("2 or 3")),
            (Some(2), Some(40), Some("2 to 40")),
            (Some(2), None, Some("at least 2")),
            (None, Some(3), Some("up to 3")),
        ] {
            assert_eq!(amount(least, most).as_deref(), text);
        }
    }
}
