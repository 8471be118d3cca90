//! Downloads of responses over HTTP: content negotiation, and the response that streams the file.
//! `transfer::export` encodes it.
//!
//! | form | media type |
//! |---|---|
//! | NDJSON | `application/x-ndjson` |
//! | CSV | `text/csv` |
//! | Parquet | `application/vnd.apache.parquet` |

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Request};
use tower::{ServiceExt as _, service_fn};
use tower_http::CompressionLevel;
use tower_http::compression::Compression;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};

use crate::app::{App, Export, Place};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::export::Format;
use crate::transfer::export::{BYTE_ORDER_MARK, file};

/// Returns the form that a request accepts: a file, or `None` for the page of the list as JSON.
pub(super) fn accepted(headers: &HeaderMap) -> Result<Option<Format>> {
    const JSON: &str = "application/json";
    let mut best: Option<(u16, Option<Format>)> = None;
    let accept = accept_of(headers);
    let files = Format::ALL.iter().map(|format| (media_type(*format), Some(*format)));
    for (media_type, form) in std::iter::once((JSON, None)).chain(files) {
        let quality = accept.as_ref().map_or(1000, |accept| quality_of(accept, media_type));
        if quality > 0 && best.is_none_or(|(highest, _)| quality > highest) {
            best = Some((quality, form));
        }
    }
    best.map(|(_, form)| form).ok_or_else(|| {
        let offered: Vec<_> = Format::ALL.iter().map(|format| media_type(*format)).collect();
        let detail = format!("Accept must allow {JSON}, {}.", offered.join(", "));
        Error::new(Kind::NotAcceptable, detail)
    })
}

/// Returns the media type by which a request selects a form.
pub(super) fn media_type(format: Format) -> &'static str {
    match format {
        Format::Ndjson => "application/x-ndjson",
        Format::Csv => "text/csv",
        Format::Parquet => "application/vnd.apache.parquet",
    }
}

/// Returns the schema of a form: a text, or binary data.
pub(super) fn schema(format: Format) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    match format {
        Format::Ndjson | Format::Csv => text,
        Format::Parquet => text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))),
    }
}

/// Joins the values of all `Accept` headers. A value that is not text accepts nothing.
fn accept_of(headers: &HeaderMap) -> Option<String> {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_ascii_lowercase();
    let values: Vec<String> = headers.get_all(ACCEPT).iter().map(text).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Returns the quality of a media type in thousandths, from the most specific range that matches.
fn quality_of(accept: &str, media_type: &str) -> u16 {
    let (group, _) = media_type.split_once('/').unwrap_or_default();
    let mut narrowest = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let breadth = match name.split_once('/') {
            Some(_) if name == media_type => 3,
            Some((own, "*")) if own == group => 2,
            Some(("*", "*")) => 1,
            Some(_) | None => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
        if breadth > narrowest.0 {
            narrowest = (breadth, quality);
        }
    }
    narrowest.1
}

/// Reads `0`, `0.5` or `1.000`; anything malformed counts as 0.
fn thousandths(text: &str) -> u16 {
    let digits = match text.split_once('.') {
        Some((whole, part)) if part.len() <= 3 => format!("{whole}{part:0<3}"),
        Some(_) => return 0,
        None => format!("{text}000"),
    };
    digits.parse().unwrap_or(0).min(1000)
}

/// Returns the response that streams a file, with a byte order mark before it if `is_marked`.
/// `asked` are the headers of the request.
pub(super) async fn response(
    app: Arc<App>,
    asked: &HeaderMap,
    export: Export,
    format: Format,
    is_marked: bool,
) -> Response {
    // Without an internal cause, the client caused the error, so it is not logged.
    let noted = move |error: &Error| {
        if error.internal_text().is_some() {
            let _ = app.report(error, Place::Download);
        }
    };
    let bytes = file(export, format).inspect_err(noted).map_ok(|chunk| chunk.bytes);
    // An empty frame would carry nothing.
    let bytes = bytes.try_filter(|bytes| future::ready(!bytes.is_empty()));
    let mark = is_marked.then_some(Ok(Bytes::from_static(BYTE_ORDER_MARK)));
    // The compression layer polls the stream again after its end.
    let bytes = stream::iter(mark).chain(bytes).fuse();
    headed(asked, format, Body::from_stream(bytes)).await
}

/// Returns the response to HEAD. It reads no rows, so no export is recorded.
pub(super) async fn head(asked: &HeaderMap, format: Format) -> Response {
    headed(asked, format, Body::from_stream(stream::empty::<Result<Bytes>>())).await
}

/// Returns a response with a body of a form, and the headers of that form.
async fn headed(asked: &HeaderMap, format: Format, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(format)));
    match format {
        Format::Ndjson | Format::Csv => {
            headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
            packed(asked, response).await
        }
        // Parquet compresses its columns itself.
        Format::Parquet => {
            headers.insert(VARY, HeaderValue::from_static("Accept"));
            response
        }
    }
}

/// Compresses a file as gzip if the request prefers that.
async fn packed(asked: &HeaderMap, file: Response) -> Response {
    let mut request = Request::new(());
    for accepted in asked.get_all(ACCEPT_ENCODING) {
        request.headers_mut().append(ACCEPT_ENCODING, accepted.clone());
    }
    let mut file = Some(file);
    let unpacked = service_fn(move |_| ready(Ok::<_, Infallible>(file.take().unwrap_or_default())));
    let packing = Compression::new(unpacked).quality(CompressionLevel::Fastest);
    let Ok(response) = packing.oneshot(request).await;
    response.map(Body::new)
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Ndjson | Format::Parquet => media_type(format),
        Format::Csv => "text/csv; charset=utf-8; header=present",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &[&'static str]) -> Result<Option<Format>, Kind> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        accepted(&headers).map_err(|error| error.kind())
    }

    #[test]
    fn json_is_the_answer_unless_something_else_is_wanted_more() {
        for (accept, expected) in [
            (&[][..], None),
            (&["*/*"][..], None),
            (&["application/json"][..], None),
            (&["application/json, text/plain, */*"][..], None),
            (&["application/*"][..], None),
            (&["text/html, */*;q=0.1"][..], None),
            (&["application/x-ndjson"][..], Some(Format::Ndjson)),
            (&["Text/CSV"][..], Some(Format::Csv)),
            (&["text/*"][..], Some(Format::Csv)),
            (&["text/csv; header=present; q=0.5"][..], Some(Format::Csv)),
            (&["application/vnd.apache.parquet"][..], Some(Format::Parquet)),
            (&["text/csv, application/json;q=0.9"][..], Some(Format::Csv)),
            (&["text/csv;q=0.9, application/json"][..], None),
            (&["text/csv;q=0.5", "application/x-ndjson;q=0.8"][..], Some(Format::Ndjson)),
            (&["application/json;q=0, application/*"][..], Some(Format::Ndjson)),
            (&["*/*;q=0.1, application/json;q=0.05"][..], Some(Format::Ndjson)),
        ] {
            assert_eq!(chosen(accept), Ok(expected), "{accept:?}");
        }
    }

    #[test]
    fn what_names_nothing_that_there_is_is_not_acceptable() {
        for accept in
            ["text/tab-separated-values", "application/ndjson", "", "*/*;q=0", "text/csv;q=x", "*"]
        {
            assert_eq!(chosen(&[accept]), Err(Kind::NotAcceptable), "{accept}");
        }
    }
}
