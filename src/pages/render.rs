//! Pages as HTML, with the headers that keep them to themselves.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use data_encoding::BASE64;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

use super::texts::{self, Text};
use crate::app::Landing;
use crate::domain::error::Kind;

/// The one style of all pages, in the page itself: no second request, and nothing else may load.
const STYLE: &str = include_str!("../../templates/page.css");

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// Nothing may load, run, frame the page or be framed by it; only this style applies.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    style: &'static str,
    text: Text<'a>,
    /// The sentence before a fault's id, and the id.
    reference: Option<(&'a str, &'a str)>,
}

/// The page of a screener and how it stands.
pub(super) fn landing(landing: &Landing) -> Response {
    let Landing { title, state } = landing;
    let text = texts::landing(title, *state);
    page(StatusCode::OK, &Page { style: STYLE, text, reference: None })
}

/// The page of a refusal or a fault.
pub(super) fn refusal(kind: Kind, request_id: &str) -> Response {
    let status =
        StatusCode::from_u16(kind.mapping().http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reference = status.is_server_error().then_some((texts::REFERENCE, request_id));
    let mut response = page(status, &Page { style: STYLE, text: texts::refusal(kind), reference });
    if kind == Kind::Unavailable {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn page(status: StatusCode, page: &Page<'_>) -> Response {
    // Writing into a string does not fail, and the template calls nothing that could.
    let html = page.render().unwrap_or_default();
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_ROBOTS_TAG, "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::LandingState;

    async fn html(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(body.to_vec()).expect("UTF-8")
    }

    #[tokio::test]
    async fn a_title_stays_text() {
        let title = r#"</h1><script>alert("1")</script>&amp;"#.to_owned();
        let html = html(landing(&Landing { title, state: LandingState::Open })).await;
        assert!(!html.contains("<script"), "{html}");
        let escaped = "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;amp;";
        assert_eq!(html.matches(escaped).count(), 2, "in the title and the heading: {html}");
    }

    #[tokio::test]
    async fn the_policy_allows_exactly_the_served_style() {
        let response = landing(&Landing { title: "T".into(), state: LandingState::Open });
        let policy = response.headers()[CONTENT_SECURITY_POLICY].clone();
        let html = html(response).await;
        let (_, rest) = html.split_once("<style>").expect("a style");
        let (style, rest) = rest.split_once("</style>").expect("an end of the style");
        assert!(!rest.contains("<style") && !rest.contains("style="));
        let expected = format!(
            "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'",
            BASE64.encode(&Sha256::digest(style))
        );
        assert_eq!(policy, expected);
    }

    #[tokio::test]
    async fn every_state_is_named_in_words() {
        for (state, words) in [
            (LandingState::Open, "Open"),
            (LandingState::InProgress, "In progress"),
            (LandingState::Completed, "Completed"),
            (LandingState::NotYetOpen, "Not yet open"),
            (LandingState::Closed, "Closed"),
        ] {
            let response = landing(&Landing { title: "A study".into(), state });
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
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            let is_fault = response.status().is_server_error();
            assert_eq!(html(response).await.contains("req_1"), is_fault, "{kind:?}");
        }
        assert!(html(refusal(Kind::Gone, "")).await.contains("no longer valid"));
    }
}
