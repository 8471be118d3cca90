//! Schemas to the extent that the documents define them: members and the types of their values.

use screenerd::domain::time::Timestamp;
use serde_json::Value;

/// Whether a member is required.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Text,
    Number,
    /// A number without a fraction.
    Whole,
    Flag,
    /// An RFC 3339 instant in UTC with whole seconds.
    Instant,
    Word(&'static [&'static str]),
    List(&'static Shape),
    OrNull(&'static Shape),
    /// An object of exactly these members.
    Object(&'static [(&'static str, Need, Shape)]),
    /// One of these types.
    Either(&'static [Shape]),
}

/// Panics if a value does not match a schema.
pub(super) fn check(value: &Value, shape: &Shape, place: &str) {
    if let Err(reason) = fits(value, shape) {
        panic!("{place}: {reason} in {value}");
    }
}

fn fits(value: &Value, shape: &Shape) -> Result<(), String> {
    let is =
        |is_so: bool, what: &str| if is_so { Ok(()) } else { Err(format!("no {what}: {value}")) };
    match shape {
        Shape::Text => is(value.is_string(), "text"),
        Shape::Number => is(value.is_number(), "number"),
        Shape::Whole => is(value.is_i64() || value.is_u64(), "whole number"),
        Shape::Flag => is(value.is_boolean(), "flag"),
        Shape::Instant => {
            let text = value.as_str().unwrap_or_default();
            is(Timestamp::parse_rfc3339(text).is_ok() && text.len() == 20, "instant")
        }
        Shape::Word(words) => is(value.as_str().is_some_and(|it| words.contains(&it)), "word"),
        Shape::List(of) => match value.as_array() {
            Some(items) => items.iter().try_for_each(|item| fits(item, of)),
            None => is(false, "list"),
        },
        Shape::OrNull(of) => {
            if value.is_null() {
                Ok(())
            } else {
                fits(value, of)
            }
        }
        Shape::Either(shapes) => {
            is(shapes.iter().any(|shape| fits(value, shape).is_ok()), "value of any shape")
        }
        Shape::Object(members) => {
            let Some(object) = value.as_object() else { return is(false, "object") };
            for (name, need, shape) in *members {
                match object.get(*name) {
                    Some(member) => {
                        fits(member, shape).map_err(|reason| format!("{name}: {reason}"))?;
                    }
                    None if *need == Need::Required => return Err(format!("no member {name}")),
                    None => {}
                }
            }
            let known = |name: &String| members.iter().any(|(known, ..)| known == name);
            match object.keys().find(|name| !known(name)) {
                Some(name) => Err(format!("a member that no schema has: {name}")),
                None => Ok(()),
            }
        }
    }
}

#[test]
fn a_value_of_another_shape_is_found() {
    use Need::{Optional, Required};
    const ONE: Shape = Shape::Object(&[
        ("a", Required, Shape::Instant),
        ("b", Optional, Shape::List(&Shape::OrNull(&Shape::Word(&["x"])))),
    ]);
    let fits = |text: &str| fits(&serde_json::from_str(text).expect("JSON"), &ONE).is_ok();
    assert!(fits(r#"{"a": "2024-05-01T15:08:21Z"}"#));
    assert!(fits(r#"{"a": "2024-05-01T15:08:21Z", "b": ["x", null]}"#));
    for bad in [
        "[]",
        "{}",
        r#"{"a": null}"#,
        r#"{"a": "2024-05-01T15:08:21.5Z"}"#,
        r#"{"a": "2024-05-01T15:08:21Z", "b": null}"#,
        r#"{"a": "2024-05-01T15:08:21Z", "b": ["y"]}"#,
        r#"{"a": "2024-05-01T15:08:21Z", "c": 1}"#,
    ] {
        assert!(!fits(bad), "{bad}");
    }
}
