//! The pages behind the links that are issued.
//!
//! A link is the only credential, and mail scanners open links, too. So GET and HEAD change
//! nothing. A link opens the questionnaire itself, one page of questions at a time. If there is
//! nothing to answer, the page states the reason. Pages set no cookie and require no script: all
//! their state is in the address and the form.
//!
//! Unknown parameters are ignored here, unlike on the documented routes: programs that pass a link
//! on may append some.

mod address;
mod answer;
mod assets;
mod direction;
mod form;
mod home;
mod limit;
mod open;
mod question;
mod render;
mod sheet;
mod texts;
mod view;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get};
use futures_util::FutureExt as _;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode, Uri};
use tower_http::compression::CompressionLayer;

use crate::app::{App, Place};
use crate::domain::error::{Error, Kind, Result};
use crate::meter::Call;
use crate::receive::Receiver;
use form::Form;
use limit::Limit;

/// The deadline of a page: a person who waits longer for a link has closed it.
const PAGE_DEADLINE_MS: u64 = 10_000;

/// The state of the pages.
struct Pages {
    app: Arc<App>,
    limit: Limit,
    /// The budget to which the bytes of forms are charged.
    receiver: Receiver,
}

/// Returns the routes of the pages, without a fallback, so that a router with one can include them.
pub fn router(app: Arc<App>, receiver: Receiver) -> Router {
    let pages = Arc::new(Pages { app: Arc::clone(&app), limit: Limit::default(), receiver });
    let link = || get(open).post(send);
    Router::new()
        .route(home::PATH, get(home::home))
        .route(address::SESSION, link())
        .route(address::SLUG, link())
        .route(address::PANELIST, link())
        .route(assets::SCRIPT, get(assets::script))
        .route(assets::LOGO, get(assets::logo))
        .merge(
            address::BESIDE
                .iter()
                .fold(Router::new(), |routes, path| routes.route(path, any(beside))),
        )
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app, watch))
        .layer(CompressionLayer::new())
        .with_state(pages)
}

fn absent() -> Error {
    Error::not_found("page")
}

async fn open(State(pages): State<Arc<Pages>>, route: MatchedPath, uri: Uri) -> Response {
    show(&pages.app, route.as_str(), open::page(&pages, &uri).await)
}

async fn send(State(pages): State<Arc<Pages>>, route: MatchedPath, request: Request) -> Response {
    let sent = async {
        let (parts, body) = request.into_parts();
        // Defense in depth: the link is the only authority and there are no cookies, so an attacker
        // who could make a browser send this form could also send it directly.
        if parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
            return Err(Error::new(Kind::Forbidden, "Send the form from its own page."));
        }
        let form = async |tab| Form::read(&parts.headers, body, &tab).await;
        answer::answer(&pages, &parts.uri, form).await
    };
    show(&pages.app, route.as_str(), sent.await)
}

/// Returns the page, or reports the error and returns a page that explains it.
fn show(app: &App, route: &str, page: Result<Response>) -> Response {
    let error = match page {
        Ok(page) => return page,
        Err(error) => error,
    };
    let id = app.report(&error, Place::Page(route));
    render::refusal(error.kind(), &id)
}

/// Redirects a misspelled address to its link, or returns a page for an unknown link.
async fn beside(State(pages): State<Arc<Pages>>, route: MatchedPath, uri: Uri) -> Response {
    let link = address::respelled(&uri).and_then(|to| HeaderValue::try_from(to).ok());
    let Some(link) = link else { return show(&pages.app, route.as_str(), Err(absent())) };
    let mut response = render::empty(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, link);
    response
}

async fn wrong_method(State(pages): State<Arc<Pages>>, route: Option<MatchedPath>) -> Response {
    let error = Error::new(Kind::MethodNotAllowed, "Must be GET, HEAD or POST.");
    show_on(&pages.app, route.as_ref(), error)
}

fn show_on(app: &App, route: Option<&MatchedPath>, error: Error) -> Response {
    show(app, route.map_or("none", MatchedPath::as_str), Err(error))
}

/// Enforces the deadline, catches panics, and adds the headers that every response has.
async fn watch(
    State(app): State<Arc<App>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    if let (Some(call), Some(route)) = (Call::of(request.extensions()), &route) {
        call.set_route(route.as_str());
    }
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response =
        match tokio::time::timeout(Duration::from_millis(PAGE_DEADLINE_MS), work).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => show_on(&app, route.as_ref(), Error::internal("a handler panicked")),
            Err(_) => {
                let error = Error::new(Kind::DeadlineExceeded, "The page took too long.");
                show_on(&app, route.as_ref(), error)
            }
        };
    if !app.sending().try_charge_response(&mut response) {
        response = show_on(&app, route.as_ref(), Error::sending());
    }
    render::guarded(response)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::header::{ALLOW, CONTENT_TYPE};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn links_that_lead_nowhere_are_pages_too() {
        let (_folder, app) = crate::app::tests::new_app().await;
        let router = router(Arc::new(app), Receiver::unbounded());
        let long = format!("/s/{}", "x".repeat(129));
        for (method, uri, status) in [
            ("GET", "/screeners/scr_1/scses_1", 404),
            ("HEAD", "/screeners/scr_1/scses_1", 404),
            ("GET", "/screeners/%FF/scses_1", 404),
            ("GET", "/screeners/scr_1/%00", 404),
            ("GET", "/s/nobody", 404),
            ("GET", "/s/a%2Fb", 404),
            ("GET", &long, 404),
            ("GET", "/app/panelist/vote/?key=a:b", 404),
            ("GET", "/app/panelist/vote/", 404),
            ("GET", "/assets/page.js", 404),
            ("GET", "/assets/%FF", 404),
            ("GET", "/look/0", 404),
            ("POST", "/s/nobody", 404),
            ("PUT", "/s/nobody", 405),
            ("POST", "/look/0", 405),
        ] {
            let request = Request::builder().method(method).uri(uri);
            let request = request.body(Body::empty()).expect("a request");
            let Ok(response) = router.clone().oneshot(request).await;
            assert_eq!(response.status(), status, "{method} {uri}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(response.headers().contains_key(ALLOW), status == 405);
        }
    }
}
