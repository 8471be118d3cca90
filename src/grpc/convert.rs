//! Conversions that several nouns share.

use prost_types::Timestamp as ProtoTimestamp;

use tonic::Response;

use crate::budget::Held;
use crate::domain::error::{Result, Violations};
use crate::domain::label::check_label;
use crate::domain::list::{FieldStyle, IdFilter, IdSet, Pagination};
use crate::domain::time::Timestamp;
use crate::pb::screener::v1;

/// Converts a count to the contract's type, saturating.
pub(super) fn saturated(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(if count < 0 { i32::MIN } else { i32::MAX })
}

/// Converts a count of records to the signed type that protobuf clients handle best.
pub(super) fn saturated_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Converts an instant at full precision.
pub(super) fn timestamp(instant: Timestamp) -> ProtoTimestamp {
    ProtoTimestamp {
        seconds: instant.unix_seconds(),
        nanos: saturated(instant.subsecond_micros() * 1_000),
    }
}

/// Reads an instant, truncated to microseconds.
pub(super) fn instant(message: &ProtoTimestamp) -> Result<Timestamp, String> {
    let ProtoTimestamp { seconds, nanos } = message;
    let micros = seconds.checked_mul(1_000_000).filter(|_| (0..1_000_000_000).contains(nanos));
    let micros = micros.and_then(|micros| micros.checked_add(i64::from(nanos / 1_000)));
    micros
        .and_then(Timestamp::checked_from_micros)
        .ok_or_else(|| "Must be a time from the year 0001 to the year 9999.".to_owned())
}

fn values(list: v1::IdList) -> Vec<String> {
    let v1::IdList { values } = list;
    values
}

impl From<v1::IdFilter> for IdFilter {
    fn from(filter: v1::IdFilter) -> Self {
        let v1::IdFilter { eq, ne, r#in, nin } = filter;
        Self { eq, ne, is_in: r#in.map(values), not_in: nin.map(values) }
    }
}

impl From<v1::IdEqInFilter> for IdFilter {
    fn from(filter: v1::IdEqInFilter) -> Self {
        let v1::IdEqInFilter { eq, r#in } = filter;
        Self { eq, is_in: r#in.map(values), ..Self::default() }
    }
}

impl From<v1::IdEqFilter> for IdFilter {
    fn from(filter: v1::IdEqFilter) -> Self {
        let v1::IdEqFilter { eq } = filter;
        Self { eq, ..Self::default() }
    }
}

/// Returns the ids that a filter selects; all, if it is unset.
pub(super) fn id_set(
    filter: Option<impl Into<IdFilter>>,
    field: &str,
    violations: &mut Violations,
) -> IdSet {
    let filter: IdFilter = filter.map(Into::into).unwrap_or_default();
    filter.parse(field, FieldStyle::Dotted, violations)
}

/// Converts a domain enum to the contract's, word by word. Words that differ follow a semicolon.
macro_rules! wire_words {
    ($ours:ident => $wire:ident {
        $($same:ident),+ $(; $($word:ident = $theirs:ident),+)?
    }) => {
        impl From<$ours> for $crate::pb::screener::v1::$wire {
            fn from(word: $ours) -> Self {
                match word {
                    $($ours::$same => Self::$same,)+
                    $($($ours::$word => Self::$theirs,)+)?
                }
            }
        }
    };
}
pub(super) use wire_words;

/// Returns the domain enum's word for a number of the contract, or refuses the number.
pub(super) fn word<Ours: Copy, Wire: From<Ours> + Into<i32>>(
    words: &[Ours],
    number: i32,
    refusal: &str,
) -> Result<Ours, String> {
    let found = words.iter().find(|word| Wire::from(**word).into() == number);
    found.copied().ok_or_else(|| refusal.to_owned())
}

/// Converts requests that contain only an id.
macro_rules! id_requests {
    ($id:ty: $($request:ident),+) => {$(
        impl TryFrom<$crate::pb::screener::v1::$request> for $id {
            type Error = $crate::domain::error::Error;

            fn try_from(
                message: $crate::pb::screener::v1::$request,
            ) -> $crate::domain::error::Result<Self> {
                let $crate::pb::screener::v1::$request { id } = message;
                Self::parse(&id)
                    .map_err(|reason| $crate::domain::error::Error::invalid_field("id", reason))
            }
        }
    )+};
}
pub(super) use id_requests;

/// Converts a page to the response of a list.
macro_rules! list_response {
    ($item:ty => $response:ident) => {
        impl From<$crate::domain::list::Page<$item>> for $crate::pb::screener::v1::$response {
            fn from(page: $crate::domain::list::Page<$item>) -> Self {
                let $crate::domain::list::Page { items, total, pagination } = page;
                Self {
                    items: items.into_iter().map(Into::into).collect(),
                    total: Some($crate::grpc::convert::saturated(total)),
                    limit: $crate::grpc::convert::saturated(pagination.limit()),
                    offset: Some($crate::grpc::convert::saturated(pagination.offset())),
                }
            }
        }
    };
}
pub(super) use list_response;

/// Returns a response with a charged value. [`Front`](super::front::Front) moves the charge to the
/// body, and encodes the message during its turn.
pub(super) fn charged<T, M>(held: Held<T>, respond: impl FnOnce(T) -> Response<M>) -> Response<M> {
    let Held { value, charge, turn } = held;
    let mut response = respond(value);
    if charge.bytes() > 0 {
        response.extensions_mut().insert(charge);
    }
    if let Some(turn) = turn {
        response.extensions_mut().insert(turn);
    }
    response
}

/// Validates a short text for people.
pub(super) fn label(violations: &mut Violations, field: &str, text: String) -> Option<String> {
    violations.keep(field, check_label(&text)).map(|()| text)
}

/// Validates an optional text for people. A violation refuses the request, so `None` is safe then.
pub(super) fn opt_label(
    violations: &mut Violations,
    field: &str,
    text: Option<String>,
) -> Option<String> {
    label(violations, field, text?)
}

/// The filter and the page of a list request.
#[derive(Debug)]
pub(super) struct ListQuery<F> {
    pub(super) filter: F,
    pub(super) pagination: Pagination,
}

impl<F> ListQuery<F> {
    /// Reads the filter and the page, or reports every violation in them.
    pub(super) fn read(
        page: Option<v1::Pagination>,
        filter: impl FnOnce(&mut Violations) -> F,
    ) -> Result<Self> {
        let mut violations = Violations::new();
        let filter = filter(&mut violations);
        let pagination = pagination(page, &mut violations);
        violations.finish()?;
        Ok(Self { filter, pagination })
    }
}

/// Reads the page of a list without a filter.
pub(super) fn page_of(message: Option<v1::Pagination>) -> Result<Pagination> {
    ListQuery::read(message, |_| ()).map(|query| query.pagination)
}

/// Reads the requested page; the default is the first.
pub(super) fn pagination(
    message: Option<v1::Pagination>,
    violations: &mut Violations,
) -> Pagination {
    let v1::Pagination { limit, offset } = message.unwrap_or_default();
    let fields = ["pagination.limit", "pagination.offset"];
    Pagination::parse(limit.map(i64::from), offset.map(i64::from), fields, violations)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::domain::change::Subject;
    use crate::domain::credential::CredentialKind;
    use crate::domain::export::Format;
    use crate::domain::participant::IdVerification;
    use crate::domain::question::Rule;
    use crate::domain::review::{DisqualificationReason, ReviewStatus, Visibility};

    fn list(values: &[&str]) -> v1::IdList {
        v1::IdList { values: values.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn an_instant_keeps_its_microseconds_also_before_the_epoch() {
        let at = |micros| timestamp(Timestamp::from_micros(micros));
        assert_eq!(at(1_500_001), ProtoTimestamp { seconds: 1, nanos: 500_001_000 });
        assert_eq!(at(-1), ProtoTimestamp { seconds: -1, nanos: 999_999_000 });
    }

    #[test]
    fn an_instant_is_read_as_it_is_written_and_one_out_of_range_is_refused() {
        for micros in [0, 1_500_001, -1] {
            let written = timestamp(Timestamp::from_micros(micros));
            assert_eq!(instant(&written), Ok(Timestamp::from_micros(micros)));
        }
        let fine = ProtoTimestamp { seconds: 1, nanos: 1_999 };
        assert_eq!(instant(&fine), Ok(Timestamp::from_micros(1_000_001)));
        for (seconds, nanos) in
            [(i64::MAX, 0), (i64::MIN, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000)]
        {
            assert!(instant(&ProtoTimestamp { seconds, nanos }).is_err(), "{seconds} {nanos}");
        }
    }

    #[test]
    fn a_word_is_read_as_it_is_written_and_every_other_number_is_refused() {
        fn check<Ours, Wire>(words: &[Ours])
        where
            Ours: Copy + Debug + PartialEq,
            Wire: From<Ours> + Into<i32> + TryFrom<i32>,
        {
            for known in words {
                assert_eq!(word::<_, Wire>(words, Wire::from(*known).into(), "…"), Ok(*known));
            }
            for number in [-1, 0, i32::MAX] {
                assert_eq!(word::<_, Wire>(words, number, "…"), Err("…".to_owned()));
            }
            // The first number of the contract, UNSPECIFIED, has no word.
            let numbers = (0..100).filter(|number| Wire::try_from(*number).is_ok());
            assert_eq!(numbers.count(), words.len() + 1, "{words:?}");
        }
        check::<_, v1::ChangeSubject>(Subject::ALL);
        check::<_, v1::CredentialKind>(CredentialKind::ALL);
        check::<_, v1::DisqualificationReason>(DisqualificationReason::ALL);
        check::<_, v1::ExportFormat>(Format::ALL);
        check::<_, v1::IdVerification>(IdVerification::ALL);
        check::<_, v1::OptionRule>(Rule::ALL);
        check::<_, v1::SubmissionStatus>(ReviewStatus::ALL);
        check::<_, v1::Visibility>(Visibility::ALL);
    }

    #[test]
    fn counts_saturate() {
        assert_eq!(saturated(7), 7);
        assert_eq!(saturated(i64::from(i32::MAX) + 1), i32::MAX);
    }

    #[test]
    fn an_empty_in_matches_nothing_and_an_empty_nin_everything() {
        let mut violations = Violations::new();
        let filter = v1::IdFilter { r#in: Some(list(&[])), ..v1::IdFilter::default() };
        assert!(!id_set(Some(filter), "f", &mut violations).contains("a"));
        let filter = v1::IdFilter { nin: Some(list(&[])), ..v1::IdFilter::default() };
        assert!(id_set(Some(filter), "f", &mut violations).is_everything());
        assert!(id_set(None::<v1::IdFilter>, "f", &mut violations).is_everything());
        violations.finish().expect("nothing is wrong with empty lists");
    }

    #[test]
    fn violations_name_the_path_of_the_field() {
        let mut violations = Violations::new();
        let filter = v1::IdFilter {
            eq: Some(String::new()),
            ne: Some("a".repeat(129)),
            r#in: Some(list(&["a", ""])),
            nin: Some(list(&["\0"])),
        };
        id_set(Some(filter), "filter.id", &mut violations);
        pagination(Some(v1::Pagination { limit: Some(0), offset: Some(-1) }), &mut violations);
        let error = violations.finish().expect_err("everything is wrong");
        let fields: Vec<_> = error.violations().iter().map(|it| it.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "filter.id.eq",
                "filter.id.ne",
                "filter.id.in",
                "filter.id.nin",
                "pagination.limit",
                "pagination.offset"
            ]
        );
    }
}
