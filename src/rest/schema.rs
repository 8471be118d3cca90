//! Schemas of what no type of ours says by itself: words, ids, times.

use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use crate::domain::id::ID_MAX_BYTES;
use crate::domain::review::{
    Actor, CancellationReason, DisqualificationReason, ReportReason, ReviewStatus, Visibility,
};
use crate::domain::screener::ScreenerStatus;
use crate::domain::session::{SessionState, SessionStatus};

/// A text that is not empty. The bound is in bytes, the schema's in characters: a text of other
/// than ASCII may be too long although it fits.
pub(super) fn text(bytes_max: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(bytes_max))
}

/// An id, opaque.
pub(super) fn id() -> Object {
    text(ID_MAX_BYTES).pattern(Some(r"^[^\x00]+$")).build()
}

/// One of some words.
pub(super) fn words<T: Copy>(members: &[T], word: impl Fn(T) -> &'static str) -> Object {
    let words = members.iter().map(|member| word(*member));
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// Always this word.
pub(super) fn word(word: &'static str) -> Object {
    words(&[word], |word| word)
}

/// An instant, or a day.
pub(super) fn time(format: KnownFormat) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .build()
}

/// The words of enums, under the names that fields ask for.
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
