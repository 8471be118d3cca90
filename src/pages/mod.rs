//! The pages behind the links that are handed out.
//!
//! Whoever holds a link needs no other credential, and mail scanners open links, too: so GET and
//! HEAD change nothing. A page says which screener it is about and how it stands; when there is
//! nothing to say that about, it says so in words.
//!
//! Parameters that a link does not have are ignored here, unlike on the documented routes: whoever
//! passes a link on may append some.

mod render;
mod texts;

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{MatchedPath, Path, RawQuery, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use futures_util::FutureExt as _;
use percent_encoding::percent_decode_str;

use crate::app::{App, Landing};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{ScreenerId, SessionId, mint};
use crate::domain::session::check_slug;

/// How long a page may take: whoever waits longer for a link has closed it.
const PAGE_DEADLINE_MS: u64 = 10_000;

const SESSION: &str = "/screeners/{screenerId}/{sessionId}";
const SLUG: &str = "/s/{slug}";
const PANELIST: &str = "/app/panelist/vote/";

/// The pages' routes; without a fallback, so that they can be merged into a router with one.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(SESSION, get(session))
        .route(SLUG, get(slug))
        .route(PANELIST, get(panelist))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), watch))
        .with_state(app)
}

type Segments<T> = Result<Path<T>, PathRejection>;

fn absent() -> Error {
    Error::not_found("page")
}

async fn session(State(app): State<Arc<App>>, path: Segments<(String, String)>) -> Response {
    let landing = async {
        let Path((screener, session)) = path.map_err(|_| absent())?;
        let screener = ScreenerId::parse(&screener).map_err(|_| absent())?;
        let session = SessionId::parse(&session).map_err(|_| absent())?;
        app.open_session_link(&screener, &session).await
    };
    show(&app, SESSION, landing.await)
}

async fn slug(State(app): State<Arc<App>>, path: Segments<String>) -> Response {
    let landing = async {
        let Path(slug) = path.map_err(|_| absent())?;
        check_slug(&slug).map_err(|_| absent())?;
        app.open_slug(&slug).await
    };
    show(&app, SLUG, landing.await)
}

async fn panelist(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let landing = async {
        let key = key(query.as_deref()).ok_or_else(absent)?;
        app.open_panelist_link(&key).await
    };
    show(&app, PANELIST, landing.await)
}

/// The key of a panelist's link; mail programs may have encoded its colon.
fn key(query: Option<&str>) -> Option<Cow<'_, str>> {
    let raw = query?.split('&').find_map(|pair| pair.strip_prefix("key="))?;
    percent_decode_str(raw).decode_utf8().ok()
}

/// The page of what was found, or of why nothing was. Faults that are ours are logged here.
fn show(app: &App, route: &str, landing: Result<Landing>) -> Response {
    let error = match landing {
        Ok(landing) => return render::landing(&landing),
        Err(error) => error,
    };
    let internal = || error.internal_text().unwrap_or_else(|| error.detail().to_owned());
    let id = mint("req", app.now(), app.entropy());
    // The template of the route, never the path or the query: they open the link.
    if error.kind() == Kind::Internal {
        tracing::error!(
            request.id = %id,
            http.route = route,
            error.internal = internal(),
            "a page failed"
        );
    } else if error.kind() == Kind::Unavailable {
        tracing::warn!(
            request.id = %id,
            http.route = route,
            error.internal = internal(),
            "a page could not be served"
        );
    }
    render::refusal(error.kind(), &id)
}

async fn wrong_method(State(app): State<Arc<App>>, route: Option<MatchedPath>) -> Response {
    show_on(&app, route.as_ref(), Error::new(Kind::MethodNotAllowed, "A page is only read."))
}

fn show_on(app: &App, route: Option<&MatchedPath>, error: Error) -> Response {
    show(app, route.map_or("none", MatchedPath::as_str), Err(error))
}

/// The deadline and the net under panics.
async fn watch(
    State(app): State<Arc<App>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(Duration::from_millis(PAGE_DEADLINE_MS), work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => show_on(&app, route.as_ref(), Error::internal("a handler panicked")),
        Err(_) => {
            let error = Error::new(Kind::DeadlineExceeded, "The page took too long.");
            show_on(&app, route.as_ref(), error)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::header::{ALLOW, CONTENT_TYPE};
    use tower::ServiceExt as _;

    use super::*;
    use crate::app::{Environment, Location};
    use crate::domain::link::Links;
    use crate::domain::time::Timestamp;

    #[tokio::test]
    async fn links_that_lead_nowhere_are_pages_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = Environment {
            now: Arc::new(|| Timestamp::from_micros(0)),
            random: Arc::new(|| [7; 32]),
        };
        let location = Location::Sqlite(folder.path().join("pages.db"));
        let app = App::open(&location, environment, Links::new("http://host"), None).await;
        let router = router(Arc::new(app.expect("an app")));
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
            ("POST", "/s/nobody", 405),
        ] {
            let request = Request::builder().method(method).uri(uri);
            let request = request.body(Body::empty()).expect("a request");
            let Ok(response) = router.clone().oneshot(request).await;
            assert_eq!(response.status(), status, "{method} {uri}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(response.headers().contains_key(ALLOW), status == 405);
        }
    }

    #[test]
    fn the_key_is_found_among_what_others_append_and_decoded_once() {
        for (query, expected) in [
            (Some("key=a:b"), Some("a:b")),
            (Some("key=a%3Ab&utm_source=mail"), Some("a:b")),
            (Some("fbclid=1&key=a:b"), Some("a:b")),
            (Some("key=a%253Ab"), Some("a%3Ab")),
            (Some("key=%FF"), None),
            (Some("monkey=a:b"), None),
            (Some(""), None),
            (None, None),
        ] {
            assert_eq!(key(query).as_deref(), expected, "{query:?}");
        }
    }
}
