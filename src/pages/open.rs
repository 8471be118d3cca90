//! Opening a link: the page that its visitor sees.

use axum::response::Response;
use http::{StatusCode, Uri};

use super::address::{Asked, Mark};
use super::render::Frame;
use super::view::View;
use super::{Pages, absent, address, texts};
use crate::app::{Found, Visit};
use crate::domain::error::{Kind, Result};
use crate::domain::link::Held;

/// Returns the link of an address and the visit that it opens. Punctuation that was pasted along
/// with the link is ignored if no link contains it.
pub(super) async fn find(pages: &Pages, uri: &Uri) -> Result<(Held, Visit)> {
    let visit = async |held: Option<Held>| {
        let held = held.ok_or_else(absent)?;
        pages.app.visit(held.clone()).await.map(|visit| (held, visit))
    };
    let exact = visit(address::held(uri)).await;
    match address::held_before_mark(uri) {
        Some(held) if exact.as_ref().is_err_and(|it| it.kind() == Kind::NotFound) => {
            visit(Some(held)).await
        }
        Some(_) | None => exact,
    }
}

/// Returns the page that an address requests.
pub(super) async fn page(pages: &Pages, uri: &Uri) -> Result<Response> {
    let asked = Asked::of(uri);
    let (held, visit) = find(pages, uri).await?;
    let Visit { tenant, held: _, title, language, look, found, thanks } = visit;
    let holds_key = matches!(&found, Found::Sheet(_, holder) if holder.holds_key());
    let named = (&*title, language.as_deref());
    let frame = Frame::new(pages, (&tenant, &held), named, &look, holds_key);
    if asked == Asked::End && found.may_thank() {
        // A participant with several sessions is at the end of one and before the next.
        let again = matches!(found, Found::Sheet(..)).then_some(texts::ANSWER_AGAIN);
        return Ok(frame.message(texts::thanks(&title, thanks.as_deref()), again));
    }
    match &found {
        Found::State(state) => Ok(frame.message(texts::landing(&title, *state), None)),
        Found::Sheet(..) if asked == Asked::Later => {
            Ok(frame.message(texts::dismissed(&title), Some(texts::YES_NOW)))
        }
        Found::Sheet(sheet, _) => {
            let mark = if let Asked::Page(_, mark) = asked { mark } else { None };
            let view = View::of_answers(sheet, asked.page(), mark == Some(Mark::Check));
            let view = match mark {
                Some(Mark::Last) => view.with_notice(texts::LAST),
                Some(Mark::Check) | None => view,
            };
            Ok(frame.sheet(StatusCode::OK, &view))
        }
    }
}
