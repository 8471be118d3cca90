//! Sending a page of questions: what was entered is taken, and the browser is led on.
//!
//! Every answer to a browser is a redirection to a page that it can load again, or the same page
//! with what is wrong on it.

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

/// The field of a violation that is about an answer begins so.
const ANSWERS: &str = "answers";

/// Where a form was meant to lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Go {
    Next,
    Back,
    Finish,
    /// Nowhere: the script keeps what was entered.
    Save,
    Dismiss,
}

impl Go {
    /// Where a button leads. Whoever sends a form without one goes on.
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

/// Takes a form that was sent to a link; it is read only if the link leads somewhere.
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
        // What the script keeps has no id of its own: keeping it twice is keeping it once.
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

/// What the script is told of a page that it saves: what is stored, what cannot be stored yet, and
/// what is still missing.
fn saved(filled: &Filled) -> Response {
    let Filled { given, errors, unfinished, .. } = filled;
    let missing: Vec<_> = errors.keys().filter(|position| !unfinished.contains(position)).collect();
    let body = json!({"saved": !given.is_empty(), "unfinished": unfinished, "missing": missing});
    let mut response = Response::new(Body::from(body.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A form for what takes no answers. Whoever sent the last page twice is thanked twice.
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

/// Only the key of a person tells who said "not now"; a session's link has no such button.
async fn dismiss(pages: &Pages, held: &Held, holder: Holder) -> Result<Response> {
    if !holder.holds_key() {
        return Ok(render::see_other(&address::start(held)));
    }
    pages.app.dismiss_survey(holder).await?;
    Ok(render::see_other(&address::later(held)))
}

/// The status that tells the script why nothing is saved.
fn not_saved(error: &Error) -> StatusCode {
    let is_too_long = error.violations().iter().any(|it| it.reason == SESSION_ANSWERS_TOO_LARGE);
    render::status_of(if is_too_long { Kind::PayloadTooLarge } else { error.kind() })
}

/// A submission that the use case refuses although the page found nothing wrong. Where there is
/// nothing to answer any more, the link tells how things stand; else the page is shown again, with
/// everything that was typed.
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

/// Where the browser is led.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lead {
    /// To a page, by its number, and what is to be said on it.
    Page(usize, Option<Mark>),
    /// To the end.
    End,
    /// Nowhere.
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

/// Where the answers lead, now that these are among them.
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
