//! The bodies of reviews: optional JSON objects of few members.

use std::collections::BTreeSet;

use http::HeaderMap;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema, Type,
};

use crate::domain::error::{Result, Violations};
use crate::domain::review::{Decision, MESSAGE_MAX_CHARS, Verb, parse_text};
use crate::rest::{body, schema};

/// A verb, the members of its body, and the decision that they result in.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) verb: Verb,
    pub(super) summary: &'static str,
    pub(super) members: &'static [(&'static str, Shape)],
    /// The required members.
    pub(super) required: &'static [&'static str],
    /// An example body, as JSON.
    pub(super) example: &'static str,
    /// Reads the decision from the members; `None` if the verb alone determines it.
    pub(super) read: Option<fn(&mut Members, &mut Violations) -> Option<Decision>>,
}

/// The shape of a member's value.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A message or a link.
    Text,
    /// A word of the enumeration that the schema describes.
    Word(fn() -> Object),
    /// Several words of the enumeration.
    Words(fn() -> Object),
    /// An RFC 3339 timestamp, or a local time.
    Time,
    Flag,
    /// A whole number from the minimum to the maximum, if any.
    Whole(u32, Option<u32>),
}

impl Shape {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text | Self::Word(_) | Self::Time => value.is_string(),
            Self::Words(_) => value.as_array().is_some_and(|it| it.iter().all(Value::is_string)),
            Self::Flag => value.is_boolean(),
            Self::Whole(least, most) => value.as_f64().is_some_and(|it| {
                it.fract() == 0.0 && it >= least.into() && most.is_none_or(|most| it <= most.into())
            }),
        }
    }

    fn needed(self) -> String {
        match self {
            Self::Text | Self::Word(_) | Self::Time => "Must be a string.".into(),
            Self::Words(_) => "Must be a list of strings.".into(),
            Self::Flag => "Must be true or false.".into(),
            Self::Whole(least, None) => format!("Must be a whole number, {least} or more."),
            Self::Whole(least, Some(most)) => {
                format!("Must be a whole number from {least} to {most}.")
            }
        }
    }

    fn schema(self) -> Schema {
        match self {
            Self::Text => ObjectBuilder::new()
                .schema_type(Type::String)
                .max_length(Some(MESSAGE_MAX_CHARS))
                .pattern(Some(r"^[^\x00]*$"))
                .into(),
            Self::Word(word) => word().into(),
            Self::Words(word) => Schema::Array(ArrayBuilder::new().items(word()).build()),
            Self::Time => schema::time(KnownFormat::DateTime).into(),
            Self::Flag => ObjectBuilder::new().schema_type(Type::Boolean).into(),
            Self::Whole(least, most) => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(least))
                .maximum(most)
                .into(),
        }
    }
}

/// The members of a body. A member of the wrong shape was reported, but is still present.
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns a message or a link. If it is invalid, the violation is reported.
    pub(super) fn checked(&mut self, name: &str, violations: &mut Violations) -> Option<String> {
        violations.keep(name, parse_text(self.text(name))).flatten()
    }

    /// Returns the first non-empty link. Validates all of them.
    pub(super) fn link(&mut self, names: &[&str], violations: &mut Violations) -> Option<String> {
        let links = names.iter().map(|name| self.checked(name, violations));
        links.collect::<Vec<_>>().into_iter().flatten().next()
    }

    /// Returns the members of a set, or `None` if a member was reported.
    pub(super) fn words<T: Ord>(
        &mut self,
        name: &str,
        parse: fn(&str) -> Result<T, String>,
        violations: &mut Violations,
    ) -> Option<BTreeSet<T>> {
        let values = match self.0.remove(name) {
            None => return Some(BTreeSet::new()),
            Some(Value::Array(values)) => values,
            Some(_) => return None,
        };
        let words: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
        let words: Result<BTreeSet<T>, String> = words?.into_iter().map(parse).collect();
        violations.keep(name, words)
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name).as_ref().and_then(Value::as_bool)
    }
}

impl Form {
    /// Returns the schema of the body, as far as a schema can describe it.
    pub(super) fn schema(&self) -> Schema {
        let mut schema =
            ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
        for (name, shape) in self.members {
            schema = schema.property(*name, shape.schema());
        }
        for name in self.required {
            schema = schema.required(*name);
        }
        schema.into()
    }

    /// Returns an example body that has an effect.
    pub(super) fn example(&self) -> Option<Value> {
        serde_json::from_str(self.example).ok()
    }

    /// Reads a body, or reports every violation in it.
    pub(super) fn parse(&self, headers: &HeaderMap, body: &[u8]) -> Result<Decision> {
        let mut violations = Violations::new();
        let mut members = Members(body::members(headers, body)?);
        for (name, value) in &members.0 {
            match self.members.iter().find(|(known, _)| known == name) {
                Some((_, shape)) if shape.fits(value) => {}
                Some((_, shape)) => violations.add(name, shape.needed()),
                None => violations.add(name, "Unknown member."),
            }
        }
        let decision = match self.read {
            Some(read) => read(&mut members, &mut violations),
            None => self.verb.alone(),
        };
        violations.finish_with(decision)
    }
}
