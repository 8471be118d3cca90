//! Messages as canonical JSON.
//!
//! If a message is invalid, a second pass checks it member by member, and the refusal lists every
//! violation. Violations use the field names of the contract, as all other refusals do.

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

/// The contract's type of timestamps.
const INSTANT: &str = "google.protobuf.Timestamp";

/// The field that a violation of the whole message names.
const WHOLE: &str = "message";

/// Transcodes a message from JSON to protobuf.
pub(super) fn read(descriptor: &MessageDescriptor, bytes: &[u8]) -> Result<Vec<u8>> {
    let value = receive::json::read(bytes).map_err(|flaw| flaw.refusal(WHOLE))?;
    if is_plain(descriptor, &value)
        && let Ok(message) = DynamicMessage::deserialize(descriptor.clone(), &value)
    {
        return Ok(message.encode_to_vec());
    }
    look_through(descriptor, value)
}

/// Returns whether the codec reads a message exactly as this module does, if at all. The codec
/// accepts another grammar of timestamps, and uses the last of two spellings of a field.
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

/// Returns whether a field would alter a number. The codec accepts numbers also as strings.
fn alters(kind: &Type, value: &Value) -> bool {
    matches!(kind, Type::Double)
        && match value {
            Value::Number(number) => is_altered(&number.to_string()),
            Value::String(text) => is_altered(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        }
}

/// Finds a field by either spelling.
fn field(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name))
}

/// Reads a message member by member. Fails with a violation for each invalid member.
fn look_through(descriptor: &MessageDescriptor, mut value: Value) -> Result<Vec<u8>> {
    let mut found = Violations::new();
    message(descriptor, &mut value, "", &mut found);
    found.finish()?;
    let message = DynamicMessage::deserialize(descriptor.clone(), value).map_err(|_| {
        // No other rule concerns several members.
        Error::invalid_field(WHOLE, "Must set only one of the members that exclude each other.")
    })?;
    Ok(message.encode_to_vec())
}

/// Transcodes a message from protobuf to JSON.
pub(super) fn write(descriptor: &MessageDescriptor, message: Bytes) -> Result<Vec<u8>> {
    let message = DynamicMessage::decode(descriptor.clone(), message).map_err(Error::internal)?;
    let mut bytes = serde_json::to_vec(&message).map_err(Error::internal)?;
    // A slow client may hold the response for long, spare capacity included.
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Returns an upper bound of the JSON values in a text, which may be malformed.
///
/// Reads each byte once and allocates nothing, so that a text can be rejected before it is parsed.
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

/// Checks a message, and normalizes its timestamps to the form that the codec accepts.
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
            found.add(path, unknown(descriptor));
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

/// Checks the entries of a map. The path of an entry ends in its key.
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

/// Checks a single value: an item of a list, a value of a map, or a field that is neither.
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
    // Deserialized in a message of its own, the value is read as in the whole message.
    let alone = if field.is_list() { json!([value]) } else { value.clone() };
    let alone = json!({ field.name(): alone });
    if DynamicMessage::deserialize(field.parent_message().clone(), alone).is_err() {
        found.add(path, expected(&kind));
    }
}

/// Returns the reason of a violation for a value of the wrong kind.
fn expected(kind: &Type) -> String {
    let needed = match kind {
        Type::Double | Type::Float => "a number",
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => "a 32-bit integer",
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => "a 64-bit integer",
        Type::Uint32 | Type::Fixed32 => "an unsigned 32-bit integer",
        Type::Uint64 | Type::Fixed64 => "an unsigned 64-bit integer",
        Type::Bool => "true or false",
        Type::String => "a string",
        Type::Bytes => "a string in base64",
        Type::Enum(of) => return format!("Must be the name of a value of {}.", of.name()),
        Type::Message(of) if of.full_name() == INSTANT => "an RFC 3339 timestamp",
        Type::Message(_) => "another value",
    };
    format!("Must be {needed}.")
}

/// The most fields that an error names.
const NAMED_MAX_FIELDS: usize = 12;

/// Returns why a field is refused, with the known ones if they are few.
fn unknown(descriptor: &MessageDescriptor) -> String {
    let names: Vec<_> = descriptor.fields().map(|field| field.name().to_owned()).collect();
    if names.is_empty() || names.len() > NAMED_MAX_FIELDS {
        return "Unknown field.".to_owned();
    }
    format!("Unknown field. Known fields are {}.", names.join(", "))
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
        let known = "Known fields are id, project_id, title, allow_multiple_responses, draft.";
        assert_eq!(
            reasons(text),
            [
                "draft.pages[0].questions[0].numeric.min: Must be a number.",
                "draft.pages[0].questions[0].numeric.steps: Unknown field. Known fields are slider, min, max, step, qualifies.",
                "draft.pages[1]: Must be a JSON object.",
                "draft.tags: Must be a JSON array.",
                "id: Must be a string.",
                &format!("opensAt: Unknown field. {known}"),
                &format!("projectID: Unknown field. {known}"),
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
            (r#"{"t": {"text": 5}, "u": {"text": "x"}}"#, "answers.t.text: Must be a string."),
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
