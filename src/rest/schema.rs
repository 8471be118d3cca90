//! Schemas that cannot be derived from a type: words, ids, times.

use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use crate::domain::id::ID_MAX_BYTES;
use crate::domain::review::{
    Actor, CancellationReason, DisqualificationReason, ReportReason, ReviewStatus, Visibility,
};
use crate::domain::screener::ScreenerStatus;
use crate::domain::session::{SessionState, SessionStatus};

/// Returns the schema of a non-empty text. The bound is in bytes and the schema's in characters, so
/// a text with non-ASCII characters may fit the schema and still be too long.
pub(super) fn text(bytes_max: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(bytes_max))
}

/// Returns the schema of an opaque id.
pub(super) fn id() -> Object {
    text(ID_MAX_BYTES).pattern(Some(r"^[^\x00]+$")).build()
}

/// Returns the schema of an enumeration of words.
pub(super) fn words<T: Copy>(members: &[T], word: impl Fn(T) -> &'static str) -> Object {
    let words = members.iter().map(|member| word(*member));
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// Returns the schema of a constant word.
pub(super) fn word(word: &'static str) -> Object {
    words(&[word], |word| word)
}

/// Returns the schema of a time or a date.
pub(super) fn time(format: KnownFormat) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .build()
}

/// Defines a schema for each enum, under the name that `schema_with` attributes use.
macro_rules! enums {
    ($($name:ident: $type:ident;)*) => {$(
        pub(super) fn $name() -> Object {
            words($type::ALL, $type::as_str)
        }
    )*};
}

enums! {
    session_status: SessionStatus;
    session_state: SessionState;
    screener_status: ScreenerStatus;
    review_status: ReviewStatus;
    visibility: Visibility;
    actor: Actor;
    cancellation_reason: CancellationReason;
    disqualification_reason: DisqualificationReason;
    report_reason: ReportReason;
}
