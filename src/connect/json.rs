//! Messages as canonical JSON.
//!
//! Reading names everything that is wrong: a message that cannot be read is gone through once more,
//! member by member. Fields are named as the contract names them, as in every other refusal.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, MessageDescriptor};
use serde_json::{Value, json};

use crate::domain::error::{Error, Result, Violations};
use crate::domain::time::Timestamp;
use crate::receive::{
    self,
    json::{ALTERED, TWICE, is_altered},
};

/// The contract's type of instants.
const INSTANT: &str = "google.protobuf.Timestamp";

/// What a violation names that is about the message as a whole.
const WHOLE: &str = "message";

/// The protobuf form of a message in JSON.
pub(super) fn read(descriptor: &MessageDescriptor, bytes: &[u8]) -> Result<Vec<u8>> {
    let value = receive::json::read(bytes).map_err(|flaw| flaw.refusal(WHOLE))?;
    if is_plain(descriptor, &value)
        && let Ok(message) = DynamicMessage::deserialize(descriptor.clone(), &value)
    {
        return Ok(message.encode_to_vec());
    }
    look_through(descriptor, value)
}

/// Whether the codec reads a message as we do, if it reads it at all. It reads instants in another
/// grammar, and of two spellings of a field it takes the last.
fn is_plain(descriptor: &MessageDescriptor, value: &Value) -> bool {
    let Value::Object(members) = value else { return true };
    let mut seen = Vec::with_capacity(members.len());
    members.iter().all(|(name, value)| {
        let Some(field) = field(descriptor, name).filter(|it| !seen.contains(&it.number())) else {
            return false;
        };
        seen.push(field.number());
        let Type::Message(inner) = field.kind() else { return !alters(&field.kind(), value) };
        if inner.full_name() == INSTANT {
            return false;
        }
        if let Value::Array(items) = value {
            return items.iter().all(|item| is_plain(&inner, item));
        }
        if !field.is_map() {
            return is_plain(&inner, value);
        }
        // The members of a map are keys, each with a value of the map's own kind.
        let (Type::Message(inner), Value::Object(entries)) =
            (inner.map_entry_value_field().kind(), value)
        else {
            return true;
        };
        entries.values().all(|entry| is_plain(&inner, entry))
    })
}

/// Whether a number is one that its field alters. Both forms of it are numbers to the codec.
fn alters(kind: &Type, value: &Value) -> bool {
    matches!(kind, Type::Double)
        && match value {
            Value::Number(number) => is_altered(&number.to_string()),
            Value::String(text) => is_altered(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        }
}

/// A field by either spelling.
fn field(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name))
}

/// Reads a message member by member, and names all of them that cannot be read.
fn look_through(descriptor: &MessageDescriptor, mut value: Value) -> Result<Vec<u8>> {
    let mut found = Violations::new();
    message(descriptor, &mut value, "", &mut found);
    found.finish()?;
    let message = DynamicMessage::deserialize(descriptor.clone(), value).map_err(|_| {
        // The only rule that is not about one member.
        Error::invalid_field(WHOLE, "Must set only one of the members that exclude each other.")
    })?;
    Ok(message.encode_to_vec())
}

/// The JSON form of a message in protobuf.
pub(super) fn write(descriptor: &MessageDescriptor, message: Bytes) -> Result<Vec<u8>> {
    let message = DynamicMessage::decode(descriptor.clone(), message).map_err(Error::internal)?;
    let mut bytes = serde_json::to_vec(&message).map_err(Error::internal)?;
    // Its peer may take it slowly, and room to grow would stay with it.
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// How many values a text in JSON has at most, whether it is well formed or not.
///
/// It costs a look at each byte and no memory, so that a text can be refused before it is read.
pub(super) fn count_values(bytes: &[u8]) -> usize {
    let (mut count, mut is_text, mut is_escaped) = (1, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => count += 1,
            _ => {}
        }
    }
    count
}

/// Looks at a message, and writes its instants as every reader takes them.
fn message(descriptor: &MessageDescriptor, value: &mut Value, path: &str, found: &mut Violations) {
    let mut seen = BTreeSet::new();
    let Value::Object(members) = value else {
        let path = if path.is_empty() { WHOLE } else { path };
        found.add(path, "Must be a JSON object.");
        return;
    };
    for (name, value) in members {
        if found.is_full() {
            return;
        }
        let field = field(descriptor, name);
        let own_name = field.as_ref().map_or(name.as_str(), FieldDescriptor::name);
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{own_name}");
        let Some(field) = field else {
            found.add(path, "Unknown field.");
            continue;
        };
        if !seen.insert(field.number()) {
            found.add(path, TWICE);
            continue;
        }
        if value.is_null() {
            continue;
        }
        if field.is_map() {
            entries(&field, value, &path, found);
        } else if !field.is_list() {
            single(&field, value, &path, found);
        } else if let Value::Array(items) = value {
            for (position, item) in items.iter_mut().enumerate() {
                if found.is_full() {
                    return;
                }
                single(&field, item, &format!("{path}[{position}]"), found);
            }
        } else {
            found.add(path, "Must be a JSON array.");
        }
    }
}

/// The entries of a map, each named by its key.
fn entries(field: &FieldDescriptor, value: &mut Value, path: &str, found: &mut Violations) {
    let (Type::Message(entry), Value::Object(entries)) = (field.kind(), value) else {
        found.add(path, "Must be a JSON object.");
        return;
    };
    let of = entry.map_entry_value_field();
    for (key, value) in entries {
        if found.is_full() {
            return;
        }
        single(&of, value, &format!("{path}.{key}"), found);
    }
}

/// A value that is not in an array, or one of those that are.
fn single(field: &FieldDescriptor, value: &mut Value, path: &str, found: &mut Violations) {
    let kind = field.kind();
    if let Type::Message(descriptor) = &kind
        && !descriptor.full_name().starts_with("google.protobuf.")
    {
        message(descriptor, value, path, found);
        return;
    }
    if let (Type::Message(descriptor), Value::String(text)) = (&kind, &mut *value)
        && descriptor.full_name() == INSTANT
    {
        if let Some(instant) = found.keep(path, Timestamp::parse_rfc3339(text)) {
            *text = instant.rfc3339();
        }
        return;
    }
    if alters(&kind, value) {
        found.add(path, ALTERED);
        return;
    }
    // Alone in its message it is read as it was before.
    let alone = if field.is_list() { json!([value]) } else { value.clone() };
    let alone = json!({ field.name(): alone });
    if DynamicMessage::deserialize(field.parent_message().clone(), alone).is_err() {
        found.add(path, expected(&kind));
    }
}

/// What is needed in place of a value that cannot be read.
fn expected(kind: &Type) -> String {
    let needed = match kind {
        Type::Double | Type::Float => "a number",
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => "a whole number of 32 bits",
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => "a whole number of 64 bits",
        Type::Uint32 | Type::Fixed32 => "a whole number of 32 bits without a sign",
        Type::Uint64 | Type::Fixed64 => "a whole number of 64 bits without a sign",
        Type::Bool => "true or false",
        Type::String => "a text",
        Type::Bytes => "a text in base64",
        Type::Enum(of) => return format!("Must be the name of a value of {}.", of.name()),
        Type::Message(of) if of.full_name() == INSTANT => "an RFC 3339 timestamp",
        Type::Message(_) => "another value",
    };
    format!("Must be {needed}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::schema::Schema;
    use crate::domain::error::VIOLATIONS_MAX;

    fn reasons(text: &str) -> Vec<String> {
        let schema = Schema::contract();
        let descriptor = schema
            .pool
            .get_message_by_name("screener.v1.CreateScreenerRequest")
            .expect("it is in the contract");
        let error = read(&descriptor, text.as_bytes()).expect_err("it cannot be read");
        let violations = error.violations().iter();
        violations.map(|violation| format!("{}: {}", violation.field, violation.reason)).collect()
    }

    #[test]
    fn every_member_that_cannot_be_read_is_named_and_no_value_is_told() {
        let text = r#"{"id": 5, "projectID": "p", "project_id": "p", "opensAt": "soon",
            "draft": {"pages": [{"questions": [{"numeric": {"min": "secret", "steps": 1}}]}, "a"],
                      "tags": {}}}"#;
        assert_eq!(
            reasons(text),
            [
                "draft.pages[0].questions[0].numeric.min: Must be a number.",
                "draft.pages[0].questions[0].numeric.steps: Unknown field.",
                "draft.pages[1]: Must be a JSON object.",
                "draft.tags: Must be a JSON array.",
                "id: Must be a text.",
                "opensAt: Unknown field.",
                "projectID: Unknown field.",
            ]
        );
    }

    #[test]
    fn what_is_no_json_or_no_object_is_refused_as_a_whole() {
        for (text, reason) in [
            ("", "This is not JSON: line 1, column 0."),
            ("{", "This is not JSON: line 1, column 1."),
            ("{} {}", "This is not JSON: line 1, column 4."),
            ("[]", "Must be a JSON object."),
            ("null", "Must be a JSON object."),
        ] {
            assert_eq!(reasons(text), [format!("message: {reason}")], "{text}");
        }
    }

    #[test]
    fn a_field_is_given_once_in_one_of_its_spellings() {
        for (text, path) in [
            (r#"{"id": "a", "id": "b"}"#, "id"),
            (r#"{"project_id": "a", "projectId": "a"}"#, "project_id"),
            (r#"{"draft": {"pages": [{"id": "a", "id": "b"}]}}"#, "draft.pages[0].id"),
        ] {
            assert_eq!(reasons(text), [format!("{path}: Must be given only once.")], "{text}");
        }
        let both = r#"{"draft": {"pages": [{"questions": [{"text": {}, "numeric": {}}]}]}}"#;
        assert!(reasons(both)[0].starts_with("message: Must set only one of the members"));
    }

    #[test]
    fn the_entries_of_a_map_are_read_as_any_other_message() {
        let schema = Schema::contract();
        let descriptor = schema.pool.get_message_by_name("screener.v1.SubmitAnswersRequest");
        let descriptor = descriptor.expect("it is in the contract");
        for (answers, expected) in [
            (
                r#"{"s": {"option": {"optionId": "a", "option_id": "b"}}}"#,
                "answers.s.option.option_id: Must be given only once.",
            ),
            (r#"{"t": {"text": 5}, "u": {"text": "x"}}"#, "answers.t.text: Must be a text."),
            (r#"{"t": null}"#, "answers.t: Must be a JSON object."),
            ("[]", "answers: Must be a JSON object."),
            (
                r#"{"n": {"number": 1000000000000000001}}"#,
                "answers.n.number: The number has more digits than can be stored.",
            ),
            (
                r#"{"n": {"number": "0.1000000000000000055"}}"#,
                "answers.n.number: The number has more digits than can be stored.",
            ),
        ] {
            let text = format!(r#"{{"answers": {answers}}}"#);
            let error = read(&descriptor, text.as_bytes()).expect_err("it cannot be read");
            let found = error.violations().iter().map(|it| format!("{}: {}", it.field, it.reason));
            assert_eq!(found.collect::<Vec<_>>(), [expected], "{text}");
        }
        let text = r#"{"answers": {"t": {"text": "5"}, "n": {"number": "1.5"}}}"#;
        assert!(read(&descriptor, text.as_bytes()).is_ok());
    }

    #[test]
    fn values_are_counted_without_reading_them() {
        for (text, expected) in [
            ("", 1),
            ("{}", 2),
            (r#"{"a": [1, 2, 3]}"#, 5),
            (r#"{"a": ",[{\",", "b": "\\"}"#, 3),
            ("[0,0,0", 4),
        ] {
            assert_eq!(count_values(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn no_more_violations_are_named_than_are_collected() {
        let text = format!(r#"{{"draft": {{"pages": [{}0]}}}}"#, "0,".repeat(1_000));
        let found = reasons(&text);
        assert_eq!(found.len(), VIOLATIONS_MAX);
        assert!(found[0].starts_with("draft.pages[0]: "));
        assert!(found[VIOLATIONS_MAX - 1].starts_with("request: "), "the last says so");
    }
}
