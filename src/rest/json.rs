//! JSON responses.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http_body::Body as _;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Ref, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::Answer;
use crate::budget::{ANSWER_CHARGED_ABOVE_BYTES, Held, Share};
use crate::domain::error::Error;
use crate::domain::id::TenantId;
use crate::domain::list::Page;

/// A size that most responses fit into.
const SMALL_BYTES: usize = 1024;

/// Returns a 200 with a small JSON body.
pub(super) fn ok(body: &impl Serialize) -> Answer {
    sized(body, SMALL_BYTES)
}

/// Returns a 200 with a JSON body. If the body is large, it is charged to the tenant.
pub(super) fn of(tenant: &TenantId, body: &impl Serialize) -> Answer {
    let mut response = ok(body)?;
    if response.body().size_hint().lower() > ANSWER_CHARGED_ABOVE_BYTES as u64 {
        response.extensions_mut().insert(Share::of(tenant.as_str()));
    }
    Ok(response)
}

/// Returns a 200 with a body of about this size. Spare capacity is released, because a slow peer
/// may keep the body in memory for long.
fn sized(body: &impl Serialize, about_bytes: usize) -> Answer {
    let mut bytes = Vec::with_capacity(about_bytes);
    serde_json::to_writer(&mut bytes, body).map_err(Error::internal)?;
    // Keeps the prompt of a shell off the last line of the body.
    bytes.push(b'\n');
    bytes.shrink_to_fit();
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Returns a 200 with a charged value. The charge moves to the body, and the guard adds none.
pub(super) fn charged<'a, T, U>(held: &'a Held<T>) -> Answer
where
    U: From<&'a T> + Serialize,
{
    // Half of the charge is for the encoded body.
    let about_bytes = SMALL_BYTES + held.charge.bytes() / 2;
    let mut response = sized(&U::from(&held.value), about_bytes)?;
    if held.charge.bytes() > 0 {
        response.extensions_mut().insert(Arc::clone(&held.charge));
    }
    Ok(response)
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct Listed<T> {
    total: i64,
    limit: i64,
    offset: i64,
    items: Vec<T>,
}

impl<'a, T, U: From<&'a T>> From<&'a Page<T>> for Listed<U> {
    fn from(page: &'a Page<T>) -> Self {
        let Page { items, total, pagination } = page;
        Self {
            total: *total,
            limit: pagination.limit(),
            offset: pagination.offset(),
            items: items.iter().map(U::from).collect(),
        }
    }
}

// Implemented by hand, because all lists would share the derived name.
impl<T: ToSchema> ToSchema for Listed<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Listed<T> {
    fn schema() -> RefOr<Schema> {
        let whole = |description: &str, minimum: i64| {
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(minimum))
                .description(Some(description))
        };
        let mut list = ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property("total", whole("How many items match, on whatever page.", 0))
            .property("limit", whole("How many items a page has at most.", 1))
            .property("offset", whole("How many items the server skipped.", 0))
            .property("items", ArrayBuilder::new().items(Ref::from_schema_name(T::name())));
        for member in ["total", "limit", "offset", "items"] {
            list = list.required(member);
        }
        list.into()
    }
}
