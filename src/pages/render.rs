//! Pages as HTML, with headers that isolate them from other sites.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use data_encoding::BASE64;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::assets::SCRIPT_NAME;
use super::question::{Control, Layout};
use super::texts::{self, Text};
use super::view::View;
use super::{Pages, address};
use crate::budget::Share;
use crate::domain::error::Kind;
use crate::domain::id::{TenantId, mint};
use crate::domain::link::Held;
use crate::domain::look::Look;

/// The style of all pages. It is inline: it costs no second request, and no other style may load.
pub(super) const STYLE: &str = include_str!("../../templates/page.css");

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Returns the digest of a style, as a content security policy contains it.
fn digest(style: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::digest(style)))
}

static STYLE_DIGEST: LazyLock<String> = LazyLock::new(|| digest(STYLE));

/// Returns the content security policy: scripts and connections of this server, inline styles by
/// their digests, and no framing. Images may be inline: an empty icon saves a request.
fn policy(accent: Option<&str>) -> HeaderValue {
    let accent = accent.map(|style| format!(" {}", digest(style))).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src {}{accent}; script-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_DIGEST
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The longest title that is set in large letters: it takes three lines of a phone.
const TITLE_LARGE_MAX_CHARS: usize = 60;

/// The elements around a page.
#[derive(Default)]
pub(super) struct Frame<'a> {
    title: &'a str,
    /// The language of the author's words, if known.
    language: Option<&'a str>,
    /// The prefix of the addresses of assets.
    base: &'a str,
    name: Option<&'a str>,
    logo: Option<String>,
    /// The colors of the look, as a style.
    accent: Option<String>,
    privacy_text: Option<&'a str>,
    privacy_url: Option<&'a str>,
    /// The action of a form without another one.
    start: String,
    idempotency_key: String,
    dismissible: bool,
    held: Option<&'a Held>,
    /// The share of the budget to which its pages are charged.
    share: Share,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: &'a Frame<'a>,
    text: Text<'a>,
    /// The label of the link back, if there is one.
    again: Option<&'a str>,
    /// The sentence before a fault's request id, and the id.
    reference: Option<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "sheet.html")]
struct Questions<'a> {
    frame: &'a Frame<'a>,
    view: &'a View<'a>,
    action: String,
    script: &'static str,
}

/// The name of the server and the places of its contract.
#[derive(Serialize)]
pub(super) struct About {
    pub name: &'static str,
    pub version: &'static str,
    pub openapi: String,
    pub contract: String,
    pub ready: String,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: &'a Frame<'a>,
    about: &'a About,
}

impl<'a> Frame<'a> {
    /// Returns the frame of the pages of a tenant's link.
    pub(super) fn new(
        pages: &'a Pages,
        (tenant, held): (&TenantId, &'a Held),
        (title, language): (&'a str, Option<&'a str>),
        look: &'a Look,
        dismissible: bool,
    ) -> Self {
        let Look { display_name, logo, accent, privacy_text, privacy_url } = look;
        let app = &pages.app;
        let base = app.links().base_path();
        let accent = accent.as_ref();
        Self {
            title,
            language,
            base,
            name: display_name.as_deref(),
            logo: logo.map(|hash| format!("{base}/look/{hash}")),
            accent: accent.map(|it| format!(":root{{--fill:{it};--on-fill:{}}}", it.text_color())),
            privacy_text: privacy_text.as_deref(),
            privacy_url: privacy_url.as_deref(),
            start: address::start(held),
            idempotency_key: mint("req", app.now(), app.entropy()),
            dismissible,
            held: Some(held),
            share: Share::of(tenant.as_str()),
        }
    }

    /// Returns whether the title needs smaller letters to leave room for the questions.
    fn has_long_title(&self) -> bool {
        self.title.chars().count() > TITLE_LARGE_MAX_CHARS
    }

    /// Returns a page without questions.
    pub(super) fn message(&self, text: Text<'_>, again: Option<&str>) -> Response {
        page(StatusCode::OK, self, &Message { frame: self, text, again, reference: None })
    }

    /// Returns a page of questions.
    pub(super) fn sheet(&self, status: StatusCode, view: &View<'_>) -> Response {
        let action = self.held.map(|held| address::page(held, view.page, None)).unwrap_or_default();
        page(status, self, &Questions { frame: self, view, action, script: &SCRIPT_NAME })
    }
}

/// Returns the status of a refusal or a fault.
pub(super) fn status_of(kind: Kind) -> StatusCode {
    StatusCode::from_u16(kind.mapping().http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns the page of a refusal or a fault.
pub(super) fn refusal(kind: Kind, request_id: &str) -> Response {
    let status = status_of(kind);
    let reference = status.is_server_error().then_some((texts::REFERENCE, request_id));
    let text = texts::refusal(kind);
    let frame = Frame::default();
    let mut response =
        page(status, &frame, &Message { frame: &frame, text, again: None, reference });
    if let Some(seconds) = kind.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The page at the root.
pub(super) fn home(about: &About) -> Response {
    let frame = Frame::default();
    page(StatusCode::OK, &frame, &Home { frame: &frame, about })
}

/// Returns the page for a link over its rate limit, which ends in so many seconds.
pub(super) fn too_often(seconds: i64) -> Response {
    let mut response = refusal(Kind::RateLimited, "");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Redirects to a page that can be reloaded.
pub(super) fn see_other(location: &str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    let location = HeaderValue::try_from(location).unwrap_or(HeaderValue::from_static("?"));
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Returns a response without a body, for the script or the browser.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn page(status: StatusCode, frame: &Frame<'_>, page: &impl Template) -> Response {
    // Writing to a string does not fail, and the template calls no fallible function.
    let html = page.render().unwrap_or_default();
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.extensions_mut().insert(frame.share);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy(frame.accent.as_deref()));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Adds the headers that every response has, unless it has its own.
pub(super) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert_with(|| policy(None));
    for (name, value) in [
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_ROBOTS_TAG, "noindex"),
        (OPENER_POLICY, "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::LandingState;
    use crate::domain::look::Accent;

    async fn html(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(body.to_vec()).expect("UTF-8")
    }

    fn landing(title: &str, state: LandingState, accent: Option<&str>) -> Response {
        let accent = accent.map(str::to_owned);
        let frame = Frame { title, accent, ..Frame::default() };
        frame.message(texts::landing(title, state), None)
    }

    #[tokio::test]
    async fn a_title_stays_text() {
        let title = r#"</h1><script>alert("1")</script>&amp;"#;
        let html = html(landing(title, LandingState::Closed, None)).await;
        assert!(!html.contains("<script"), "{html}");
        let escaped = "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;amp;";
        assert_eq!(html.matches(escaped).count(), 2, "in the title and the heading: {html}");
    }

    #[tokio::test]
    async fn the_policy_allows_exactly_the_served_styles() {
        let accent = Accent::parse("#ffcc00").expect("a colour").to_string();
        for (accent, count) in [(None, 1), (Some(format!(":root{{--fill:{accent}}}")), 2)] {
            let response = landing("T", LandingState::Closed, accent.as_deref());
            let policy = response.headers()[CONTENT_SECURITY_POLICY].clone();
            let policy = policy.to_str().expect("a text").to_owned();
            let html = html(response).await;
            let styles: Vec<_> = html
                .split("<style>")
                .skip(1)
                .map(|rest| rest.split("</style>").next().unwrap_or_default())
                .map(digest)
                .collect();
            assert_eq!(styles.len(), count);
            assert!(policy.contains(&format!("style-src {};", styles.join(" "))), "{policy}");
            assert!(!html.contains("style=") && !policy.contains("unsafe"), "{html}");
        }
    }

    #[tokio::test]
    async fn every_state_is_named_in_words() {
        for (state, words) in [
            (LandingState::Open, "Open"),
            (LandingState::InProgress, "In progress"),
            (LandingState::Completed, "Already answered"),
            (LandingState::NotYetOpen, "Not yet open"),
            (LandingState::Closed, "Closed"),
        ] {
            let response = landing("A study", state, None);
            assert_eq!(response.status(), StatusCode::OK);
            let html = html(response).await;
            assert!(html.contains(words) && html.contains("A study"), "{html}");
        }
    }

    #[tokio::test]
    async fn every_refusal_is_a_page_with_its_status() {
        for kind in Kind::ALL {
            let response = refusal(kind, "req_1");
            assert_eq!(response.status(), kind.mapping().http);
            let is_fault = response.status().is_server_error();
            assert_eq!(html(response).await.contains("req_1"), is_fault, "{kind:?}");
        }
        assert!(html(refusal(Kind::Gone, "")).await.contains("no longer valid"));
    }
}
