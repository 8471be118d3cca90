//! Tests of errors.

use super::*;

#[test]
fn a_hundred_violations_are_listed_and_the_last_says_that_there_are_more() {
    let of = |count: usize| {
        let mut found = Violations::new();
        for number in 0..count {
            found.add(format!("field_{number}"), "Required.");
        }
        found.finish().expect_err("something is wrong")
    };
    let whole = of(VIOLATIONS_MAX);
    assert_eq!(whole.detail(), "100 fields of the request are invalid.");
    assert_eq!(whole.violations()[VIOLATIONS_MAX - 1].field, "field_99");
    let cut = of(VIOLATIONS_MAX + 1);
    assert_eq!(cut.violations().len(), VIOLATIONS_MAX);
    assert_eq!(cut.violations()[VIOLATIONS_MAX - 2].field, "field_98");
    assert_eq!(cut.violations()[VIOLATIONS_MAX - 1].field, "request");
    assert_eq!(cut.detail(), "More than 100 fields of the request are invalid.");
    assert_eq!(of(5_000).violations(), cut.violations());
}

#[test]
fn a_fault_is_of_the_server_and_everything_else_of_the_request() {
    use Kind::{DeadlineExceeded, Internal, Unavailable};
    for kind in Kind::ALL {
        let expected = [DeadlineExceeded, Internal, Unavailable].contains(&kind);
        assert_eq!(kind.is_fault(), expected, "{kind:?}");
    }
}

#[test]
fn one_violation_is_told_in_full_and_of_several_only_how_many() {
    let one = Error::invalid_field("limit", "Must be at least 1.");
    assert_eq!(one.kind(), Kind::InvalidArgument);
    assert_eq!(one.detail(), "limit: Must be at least 1.");
    assert_eq!(one.to_string(), one.detail());
    assert_eq!(one.violations(), [Violation::new("limit", "Must be at least 1.")]);
    let two = Error::invalid(vec![Violation::new("a", "Required."); 2]);
    assert_eq!(two.detail(), "2 fields of the request are invalid.");
    assert_eq!(two.violations().len(), 2);
}

#[test]
fn a_refusal_about_something_tells_the_first_and_how_many_more() {
    let about = |count: usize| {
        let found = (0..count).map(|number| Violation::new(format!("ids[{number}]"), "Taken."));
        Error::about(Kind::AlreadyExists, found.collect())
    };
    let one = Error::taken("id", "Taken.");
    assert_eq!((one.kind(), one.detail()), (Kind::AlreadyExists, "id: Taken."));
    assert_eq!(one.violations(), [Violation::new("id", "Taken.")]);
    let three = about(3);
    assert_eq!(three.detail(), "ids[0]: Taken. 2 more violations.");
    assert_eq!(three.violations().len(), 3);
    let whole = about(VIOLATIONS_MAX);
    assert_eq!(whole.violations()[VIOLATIONS_MAX - 1].field, "ids[99]");
    let cut = about(5_000);
    assert_eq!(cut.detail(), "ids[0]: Taken. 4999 more violations.");
    assert_eq!(cut.violations().len(), VIOLATIONS_MAX);
    assert_eq!(cut.violations()[VIOLATIONS_MAX - 1].field, "request");
}

#[test]
fn a_page_that_is_too_large_says_how_many_rows_fit() {
    let refused = Error::page_too_large("At most 4 MiB.".into(), 7);
    assert_eq!((refused.kind(), refused.max_rows()), (Kind::PageTooLarge, Some(7)));
    assert_eq!(Error::not_found("session").max_rows(), None);
}

/// A fault with an optional cause.
#[derive(Debug)]
struct Fault(Option<Box<Fault>>);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a read failed" } else { "the disk is gone" })
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|fault| fault as _)
    }
}

#[test]
fn the_operator_reads_every_cause_and_the_caller_none() {
    let fault = Error::internal(Fault(Some(Box::new(Fault(None)))));
    assert_eq!(fault.kind(), Kind::Internal);
    assert_eq!(fault.internal_text().as_deref(), Some("a read failed: the disk is gone"));
    for text in [fault.detail(), &fault.to_string()] {
        assert!(!text.contains("read") && !text.contains("disk"), "{text}");
    }
    let source = std::error::Error::source(&fault).expect("a cause");
    assert_eq!(source.to_string(), "a read failed");
    let plain = Error::not_found("session");
    assert_eq!((plain.kind(), plain.detail()), (Kind::NotFound, "No such session."));
    assert!(plain.internal_text().is_none() && std::error::Error::source(&plain).is_none());
    let caused = plain.caused_by(Fault(None));
    assert_eq!((caused.kind(), caused.detail()), (Kind::NotFound, "No such session."));
    assert_eq!(caused.internal_text().as_deref(), Some("the disk is gone"));
}

#[test]
fn a_large_answer_that_has_to_wait_is_refused_for_now() {
    assert_eq!(Error::sending().kind(), Kind::Unavailable);
}

#[test]
fn violations_are_all_counted_and_no_more_kept_than_an_error_needs() {
    let of = |count: usize| {
        let mut found = Violations::up_to(2);
        for number in 1..=count {
            found.add(number.to_string(), "Required.");
        }
        found
    };
    let fields = |violations: Vec<Violation>| {
        violations.into_iter().map(|it| it.field).collect::<Vec<_>>().join(" ")
    };
    for (count, is_full, listed, kept) in [
        (0, false, "", ""),
        (1, false, "1", "1"),
        (2, false, "1 2", "1 2"),
        (3, true, "1 2", "1 2 3"),
        (9, true, "1 2", "1 2 3"),
    ] {
        assert_eq!(of(count).total(), count);
        assert_eq!(of(count).is_full(), is_full, "{count}");
        assert_eq!(fields(of(count).into_listed()), listed, "{count}");
        assert_eq!(fields(of(count).into_inner()), kept, "{count}");
    }
}

#[test]
fn a_value_is_there_if_nothing_was_wrong_with_it() {
    let mut found = Violations::new();
    assert_eq!(found.keep("limit", Ok(7)), Some(7));
    assert_eq!(found.finish_with(Some(7)).expect("nothing is wrong"), 7);
    let mut found = Violations::new();
    assert_eq!(found.keep("limit", Err::<i64, _>("Required.".into())), None);
    let refused = found.finish_with(Some(7)).expect_err("the limit is wrong");
    assert_eq!(refused.violations(), [Violation::new("limit", "Required.")]);
    // A missing value without a violation is a fault of the server, not of the caller.
    let fault = Violations::new().finish_with(None::<i64>).expect_err("there is no value");
    assert_eq!(fault.kind(), Kind::Internal);
    assert!(Violations::new().finish().is_ok());
}

#[test]
fn only_a_server_that_cannot_serve_now_asks_to_come_again_in_a_second() {
    for kind in Kind::ALL {
        let expected = (kind == Kind::Unavailable).then_some(1);
        assert_eq!(kind.retry_after(), expected, "{kind:?}");
    }
}
