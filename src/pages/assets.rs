//! The assets of pages: the script, and logos. The name of each contains a digest of its content,
//! so that it never changes and browsers load it once.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use data_encoding::HEXLOWER;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest as _, Sha256};

use super::{Pages, absent, show};
use crate::domain::content_hash::ContentHash;

type Segment = Result<Path<String>, PathRejection>;

pub(super) const SCRIPT: &str = "/assets/{file}";
pub(super) const LOGO: &str = "/look/{hash}";

/// The optional script: the pages work without it.
const SCRIPT_TEXT: &str = include_str!("../../templates/page.js");

/// The name of the script, with the digest of its text.
pub(super) static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| {
    let digest = HEXLOWER.encode(&Sha256::digest(SCRIPT_TEXT));
    format!("page-{}.js", &digest[..16])
});

fn lasting(content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(CACHE_CONTROL, forever);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) async fn script(State(pages): State<Arc<Pages>>, file: Segment) -> Response {
    if file.is_ok_and(|Path(file)| file == *SCRIPT_NAME) {
        return lasting("text/javascript; charset=utf-8", SCRIPT_TEXT);
    }
    show(&pages.app, SCRIPT, Err(absent()))
}

pub(super) async fn logo(State(pages): State<Arc<Pages>>, hash: Segment) -> Response {
    let found = async {
        let Path(hash) = hash.map_err(|_| absent())?;
        let hash = ContentHash::parse(&hash).map_err(|_| absent())?;
        let logo = pages.app.find_logo(hash).await?;
        Ok(lasting(logo.content_type(), logo.bytes().to_vec()))
    };
    show(&pages.app, LOGO, found.await)
}
