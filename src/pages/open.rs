//! Opening a link: which page its visitor finds.

use axum::response::Response;
use http::{StatusCode, Uri};

use super::address::{Asked, Mark};
use super::render::Frame;
use super::view::View;
use super::{Pages, absent, address, texts};
use crate::app::{Found, LandingState, Visit};
use crate::domain::error::Result;

/// The page that an address asks for.
pub(super) async fn page(pages: &Pages, uri: &Uri) -> Result<Response> {
    let held = address::held(uri).ok_or_else(absent)?;
    let asked = Asked::of(uri);
    let Visit { tenant, title, look, found, thanks } = pages.app.visit(held.clone()).await?;
    let holds_key = matches!(&found, Found::Sheet(_, holder) if holder.holds_key());
    let frame = Frame::new(pages, (&tenant, &held), &title, &look, holds_key);
    let text = match &found {
        Found::State(LandingState::Completed) if asked == Asked::End => {
            texts::thanks(&title, thanks.as_ref())
        }
        Found::State(state) => texts::landing(&title, *state),
        // Somebody who answers several times is at the end of one and before the next.
        Found::Sheet(sheet, _)
            if asked == Asked::End
                && sheet.session.is_none()
                && sheet.screener.allow_multiple_responses =>
        {
            return Ok(
                frame.message(texts::thanks(&title, thanks.as_ref()), Some(texts::ANSWER_AGAIN))
            );
        }
        Found::Sheet(..) if asked == Asked::Later => {
            return Ok(frame.message(texts::dismissed(&title), Some(texts::YES_NOW)));
        }
        Found::Sheet(sheet, _) => {
            let mark = if let Asked::Page(_, mark) = asked { mark } else { None };
            let view = View::of_answers(sheet, asked.page(), mark == Some(Mark::Check));
            let view = match mark {
                Some(Mark::Last) => view.with_notice(texts::LAST),
                Some(Mark::Check) | None => view,
            };
            return Ok(frame.sheet(StatusCode::OK, &view));
        }
    };
    Ok(frame.message(text, None))
}
