//! Receiving a page of questions: its answers are stored, and the browser is led to the next page.
//!
//! Each response to a browser is a redirection to a page that it can reload, or the same page with
//! its errors.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode, Uri};
use serde_json::json;

use super::address::{self, Asked, Mark};
use super::form::Form;
use super::render::{self, Frame};
use super::sheet::{self, Filled, Plan, fill};
use super::view::View;
use super::{Pages, open, texts};
use crate::app::{Found, Holder, LandingState, Visit};
use crate::domain::answer::SESSION_ANSWERS_TOO_LARGE;
use crate::domain::answering::{Sheet, Submit};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::idempotency_key::check_idempotency_key;
use crate::domain::link::Held;
use crate::receive::Tab;

/// The prefix of the field of a violation that concerns an answer.
const ANSWERS: &str = "answers";

/// The action of the button that sent a form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Go {
    Next,
    Back,
    Finish,
    /// The script saves the page, which stays open.
    Save,
    Dismiss,
}

impl Go {
    /// Returns the action of a form. Without a button, it is that of "Next".
    fn of(form: &Form) -> Self {
        match form.last("go") {
            Some("back") => Self::Back,
            Some("finish") => Self::Finish,
            Some("save") => Self::Save,
            Some("dismiss") => Self::Dismiss,
            _ => Self::Next,
        }
    }

    fn goes_ahead(self) -> bool {
        matches!(self, Self::Next | Self::Finish)
    }
}

/// Responds to a form that was sent to a link. The form is read only if the link is valid.
pub(super) async fn answer(
    pages: &Pages,
    uri: &Uri,
    form: impl AsyncFnOnce(Tab) -> Result<Form>,
) -> Result<Response> {
    let (held, visit) = open::find(pages, uri).await?;
    let Visit { tenant, held: counted, title, language, look, found, thanks: _ } = visit;
    if let Err(seconds) = pages.limit.count(&counted, pages.app.now()) {
        return Ok(render::too_often(seconds));
    }
    let form = form(pages.receiver.open(tenant.as_str())).await?;
    let go = Go::of(&form);
    let idempotency_key = form.last("request_id").filter(|id| check_idempotency_key(id).is_ok());
    let (sheet, holder) = match found {
        Found::Sheet(sheet, holder) => (sheet, holder),
        Found::State(state) => return settled(pages, held, go, state, idempotency_key).await,
    };
    if go == Go::Dismiss {
        return dismiss(pages, &held, holder).await;
    }
    let named = (&*title, language.as_deref());
    let frame = Frame::new(pages, (&tenant, &held), named, &look, holder.holds_key());
    if form.last("publication") != Some(sheet.publication.id.as_str()) {
        let view = View::of_answers(&sheet, None, false).with_notice(texts::CHANGED);
        return Ok(frame.sheet(StatusCode::CONFLICT, &view));
    }
    let plan = Plan::new(&sheet.publication, &sheet.answers.iter().cloned().collect());
    let page = plan.page(Asked::of(uri).page());
    let typed = sheet::texts(&sheet, page, &form);
    let matched = pages.app.match_texts(&tenant, &sheet.publication, sheet.hash, &typed).await?;
    let filled = fill(&sheet, page, &form, matched.misfits(), go.goes_ahead());
    if go.goes_ahead() && !filled.errors.is_empty() {
        let view = View::of_filled(&sheet, page, &filled);
        return Ok(frame.sheet(StatusCode::UNPROCESSABLE_ENTITY, &view));
    }
    let lead = lead(&sheet, page, go, &filled);
    let submit = Submit {
        answers: filled.given.clone(),
        is_final: lead == Lead::End,
        is_provisional: go == Go::Save,
        publication: Some(sheet.publication.id.clone()),
        // The script's saves need no key, because repeating one has no effect.
        idempotency_key: idempotency_key.filter(|_| go != Go::Save).map(str::to_owned),
        field: ANSWERS,
    };
    if !submit.is_empty()
        && let Err(error) = pages.app.submit_matched(holder, submit, Some(matched)).await
    {
        if go == Go::Save {
            return Ok(render::empty(not_saved(&error)));
        }
        return refused(&frame, (&sheet, page, &held), filled, error);
    }
    Ok(lead.follow(&held, &filled))
}

/// Returns the result of a save for the script: whether anything was stored, which answers cannot
/// be stored yet, and which are still missing.
fn saved(filled: &Filled) -> Response {
    let Filled { given, errors, unfinished, .. } = filled;
    let missing: Vec<_> = errors.keys().filter(|position| !unfinished.contains(position)).collect();
    let body = json!({"saved": !given.is_empty(), "unfinished": unfinished, "missing": missing});
    let mut response = Response::new(Body::from(body.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Responds to a form on a link that accepts no answers. A repeated last page is thanked again.
async fn settled(
    pages: &Pages,
    held: Held,
    go: Go,
    state: LandingState,
    idempotency_key: Option<&str>,
) -> Result<Response> {
    if go == Go::Save {
        return Ok(render::empty(StatusCode::CONFLICT));
    }
    let (to_thanks, to_state) = (address::end(&held), address::start(&held));
    if let (LandingState::Completed, Some(id)) = (state, idempotency_key)
        && pages.app.has_finished(held, id).await?
    {
        return Ok(render::see_other(&to_thanks));
    }
    Ok(render::see_other(&to_state))
}

/// Records "not now". Only a panelist key has this button, because it identifies a person.
async fn dismiss(pages: &Pages, held: &Held, holder: Holder) -> Result<Response> {
    if !holder.holds_key() {
        return Ok(render::see_other(&address::start(held)));
    }
    pages.app.dismiss_survey(holder).await?;
    Ok(render::see_other(&address::later(held)))
}

/// Returns the status that explains to the script why nothing was saved.
fn not_saved(error: &Error) -> StatusCode {
    let is_too_long = error.violations().iter().any(|it| it.reason == SESSION_ANSWERS_TOO_LARGE);
    render::status_of(if is_too_long { Kind::PayloadTooLarge } else { error.kind() })
}

/// Responds to a submission that the use case refuses although the page found no error. If the
/// survey accepts no more answers, the link shows its state. Otherwise the page is shown again with
/// all that was typed.
fn refused(
    frame: &Frame<'_>,
    (sheet, page, held): (&Sheet, usize, &Held),
    mut filled: Filled,
    error: Error,
) -> Result<Response> {
    if matches!(error.kind(), Kind::NotOpen | Kind::Exhausted | Kind::Gone) {
        return Ok(render::see_other(&address::start(held)));
    }
    let questions = &sheet.publication.questions;
    let named = error.violations().iter().filter_map(|violation| {
        let id = violation.field.strip_prefix(ANSWERS)?.strip_prefix('.')?;
        let position = questions.iter().position(|it| it.id.as_str() == id)?;
        Some((position, texts::refused(&violation.reason)))
    });
    let shown: Vec<_> = named.map(|(place, words)| filled.refuse(place, words)).collect();
    let again = |status, notice| {
        let view = View { notice, ..View::of_filled(sheet, page, &filled) };
        Ok(frame.sheet(status, &view))
    };
    match shown.iter().max() {
        _ if error.kind() == Kind::Conflict => {
            again(StatusCode::CONFLICT, Some(texts::SENT_BEFORE))
        }
        Some(true) => again(StatusCode::UNPROCESSABLE_ENTITY, None),
        Some(false) => again(StatusCode::CONFLICT, Some(texts::CHANGED_ELSEWHERE)),
        None => Err(error),
    }
}

/// The next location of the browser.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lead {
    /// A page, by its number, and the notice on it.
    Page(usize, Option<Mark>),
    /// The thanks after the last answer.
    End,
    /// The same page.
    Stay,
}

impl Lead {
    fn follow(self, held: &Held, filled: &Filled) -> Response {
        match self {
            Self::Page(page, mark) => render::see_other(&address::page(held, page, mark)),
            Self::End => render::see_other(&address::end(held)),
            Self::Stay => saved(filled),
        }
    }
}

/// Returns the page that follows, given the new answers.
fn lead(sheet: &Sheet, page: usize, go: Go, filled: &Filled) -> Lead {
    let plan = Plan::new(&sheet.publication, &filled.answers);
    match go {
        Go::Save | Go::Dismiss => Lead::Stay,
        Go::Back => {
            let before = plan.reached().rfind(|it| *it < page);
            Lead::Page(before.unwrap_or(page), None)
        }
        Go::Next | Go::Finish if filled.has_unseen => Lead::Page(page, None),
        Go::Next | Go::Finish => match plan.reached().find(|it| *it > page) {
            Some(next) => Lead::Page(next, None),
            None if go == Go::Next => Lead::Page(page, Some(Mark::Last)),
            None => plan
                .missing(&sheet.publication)
                .and_then(|it| plan.page_of(it))
                .map_or(Lead::End, |page| Lead::Page(page, Some(Mark::Check))),
        },
    }
}
