//! The body of a submission: `{"responses": {questionId: …}, "isFinal": true}`.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

use crate::domain::answer::{Given, GivenAnswers, GivenOption};
use crate::domain::answering::{Submit, given_answers};
use crate::domain::error::{Result, Violations};
use crate::domain::id::{OptionId, PublicationId};
use crate::domain::idempotency_key::check_idempotency_key;
use crate::domain::publication::QUESTIONS_MAX;
use crate::domain::question::parse_number;
use crate::header::{self, Repeated};
use crate::rest::schema;

/// Returns the schema of a submission. Which answers fit depends on the questionnaire.
pub(super) fn schema() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let typed = OneOfBuilder::new()
        .item(text())
        .item(ObjectBuilder::new().schema_type(Type::Number))
        .description(Some(
            "The typed text. The answer to a numeric question may be a JSON number.",
        ));
    let options = ArrayBuilder::new().items(schema::id());
    let answer = closed()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("One option, several, or a text; null for a question left out."))
        .property("optionId", schema::id())
        .property("optionIds", options)
        .property("explanation", typed)
        .property(
            "explanations",
            ObjectBuilder::new()
                .additional_properties(Some(Schema::from(text())))
                .description(Some("The typed texts, by option.")),
        );
    let responses = ObjectBuilder::new()
        .property_names(Some(schema::id()))
        .max_properties(Some(QUESTIONS_MAX))
        .additional_properties(Some(Schema::from(answer)))
        .description(Some("The answers by question."));
    let publication = ObjectBuilder::from(schema::id())
        .description(Some("Rejects the answers unless they are for this version."));
    let is_final = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .default(Some(false.into()))
        .description(Some("Whether this completes the session."));
    closed()
        .property("responses", responses)
        .property("isFinal", is_final)
        .property("publicationId", publication)
        .into()
}

/// Returns an object schema that refuses members of other names.
fn closed() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// Returns a submission that fits the example data.
pub(super) fn example() -> Value {
    json!({"responses": {"scq_role": {"explanation": "VP of Research"}}, "isFinal": false})
}

/// Reads a submission, or reports every violation in it.
pub(super) fn parse(mut members: Map<String, Value>, headers: &HeaderMap) -> Result<Submit> {
    let mut violations = Violations::new();
    let key = violations.keep("Idempotency-Key", idempotency_key(headers));
    let responses = members.remove("responses");
    let is_final = match members.remove("isFinal") {
        None => false,
        Some(Value::Bool(is_final)) => is_final,
        Some(_) => {
            violations.add("isFinal", "Must be true or false.");
            false
        }
    };
    let publication = members.remove("publicationId").and_then(|value| {
        let parsed = text(&value).and_then(|id| PublicationId::parse(&id));
        violations.keep("publicationId", parsed)
    });
    for name in members.keys() {
        violations.add(name, "Unknown member.");
    }
    let answers = answers(responses, &mut violations);
    violations.finish()?;
    let idempotency_key = key.flatten();
    Ok(Submit {
        answers,
        is_final,
        is_provisional: false,
        publication,
        idempotency_key,
        field: "responses",
    })
}

/// Reads the key that makes a repeated submission idempotent.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, String> {
    let value = header::once(headers, "idempotency-key")
        .map_err(|Repeated| "Must be sent only once.".to_owned())?;
    let Some(value) = value else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    check_idempotency_key(text).map(|()| Some(text.to_owned()))
}

fn answers(value: Option<Value>, violations: &mut Violations) -> GivenAnswers {
    match value {
        None => GivenAnswers::new(),
        Some(Value::Object(values)) => given_answers("responses", values, given, violations),
        Some(_) => {
            violations.add("responses", "Must be a JSON object.");
            GivenAnswers::new()
        }
    }
}

/// Reads an answer; `null` means that the question was left out.
fn given(value: Value) -> Result<Given, String> {
    let mut members = match value {
        Value::Null => return Ok(Given::Skipped),
        Value::Object(members) => members,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err("Must be an object or null.".into());
        }
    };
    let typed = members.remove("explanation").map(typed).transpose()?;
    let texts = members.remove("explanations").map(write_ins).transpose()?;
    let option = members.remove("optionId").map(|value| option(&value)).transpose()?;
    let options = members.remove("optionIds").map(options).transpose()?;
    if let Some(name) = members.keys().next() {
        let known = "optionId, optionIds, explanation and explanations";
        return Err(format!("Unknown member {name}. Known members are {known}."));
    }
    // In the documented examples, the answer to an open question also has an empty list.
    let options = options.filter(|options| !options.is_empty() || typed.is_none());
    let text = match (option.is_some() || options.is_some(), typed) {
        (false, Some(typed)) if texts.is_none() => return Ok(typed),
        (true, Some(Given::Typed(text))) => Some(text),
        (true, None) => None,
        (true, Some(_)) => return Err("Must be a string: the explanation of an option.".into()),
        (false, _) => return Err(FORMS.into()),
    };
    match (option, options, text, texts) {
        (Some(option), None, text, None) => Ok(Given::Chosen(vec![option], text)),
        (None, Some(options), text, None) => Ok(Given::Chosen(options, text)),
        (None, Some(options), None, Some(mut texts)) => {
            let given = |option: OptionId| {
                let write_in = texts.remove(option.as_str());
                GivenOption { option, write_in }
            };
            let options = options.into_iter().map(given).collect();
            if !texts.is_empty() {
                return Err("Must explain a chosen option.".into());
            }
            Ok(Given::Options(options))
        }
        _ => Err(FORMS.into()),
    }
}

/// The accepted forms of an answer, as an error text.
const FORMS: &str = "Must have optionId, optionIds, or an explanation alone.";

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| "Must be a string.".to_owned())
}

/// Reads what was typed. The answer to a numeric question may be a JSON number.
fn typed(value: Value) -> Result<Given, String> {
    match value {
        Value::Number(number) => parse_number(&number.to_string()).map(Given::Number),
        Value::String(text) => Ok(Given::Typed(text)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err("Must be a string or a number.".into())
        }
    }
}

fn option(value: &Value) -> Result<OptionId, String> {
    let id = value.as_str().ok_or("Must be the id of an option.")?;
    OptionId::parse(id)
}

fn options(value: Value) -> Result<Vec<OptionId>, String> {
    let Value::Array(values) = value else { return Err("optionIds: Must be a list.".into()) };
    values.iter().map(option).collect()
}

fn write_ins(value: Value) -> Result<BTreeMap<String, String>, String> {
    let Value::Object(members) = value else {
        return Err("explanations: Must be an object.".into());
    };
    members.into_iter().map(|(id, value)| Ok((id, text(&value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Error;

    fn parsed(body: Value) -> Result<Submit, Vec<String>> {
        let Value::Object(members) = body else { panic!("a body is an object") };
        let fields = |error: Error| {
            error.violations().iter().map(|violation| violation.field.clone()).collect()
        };
        parse(members, &HeaderMap::new()).map_err(fields)
    }

    #[test]
    fn an_answer_is_typed_or_chosen_or_left_out() {
        let option = |id: &str| OptionId::parse(id).expect("an id");
        let given_option = |id: &str, text: Option<&str>| GivenOption {
            option: option(id),
            write_in: text.map(str::to_owned),
        };
        for (body, expected) in [
            (json!(null), Given::Skipped),
            (json!({"explanation": "five"}), Given::Typed("five".into())),
            (json!({"explanation": 5.5}), Given::Number(5.5)),
            (json!({"explanation": 1e300}), Given::Number(1e300)),
            (json!({"explanation": -20}), Given::Number(-20.0)),
            (json!({"explanation": "a\r\nb"}), Given::Typed("a\nb".into())),
            (json!({"optionId": "a"}), Given::Chosen(vec![option("a")], None)),
            (
                json!({"optionId": "a", "explanation": "x"}),
                Given::Chosen(vec![option("a")], Some("x".into())),
            ),
            (json!({"optionIds": []}), Given::Chosen(vec![], None)),
            (json!({"optionIds": [], "explanation": "x"}), Given::Typed("x".into())),
            (
                json!({"optionIds": ["a", "b"], "explanations": {"b": "x"}}),
                Given::Options(vec![given_option("a", None), given_option("b", Some("x"))]),
            ),
        ] {
            let submit = parsed(json!({"responses": {"q": body}})).expect("an answer");
            let given: Vec<_> = submit.answers.into_values().collect();
            assert_eq!(given, [expected]);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let bad = [
            json!("text"),
            json!({}),
            json!({"optionId": 5}),
            json!({"optionId": "a", "optionIds": []}),
            json!({"optionIds": ["a"], "explanations": {"b": "x"}}),
            json!({"answer": "x"}),
            json!({"explanation": true}),
            json!({"explanation": 9_007_199_254_740_993_u64}),
            json!({"explanation": 10_000_000_000_000_001_u64}),
            json!({"optionId": "a", "explanation": 5}),
            json!({"optionIds": ["a"], "explanations": {"a": 5}}),
        ];
        for value in bad {
            let refused = parsed(json!({"responses": {"q": value}}));
            assert_eq!(refused.expect_err("it is wrong"), ["responses.q"]);
        }
        let body = json!({"responses": [], "isFinal": "yes", "publicationId": "", "more": 1});
        let expected = ["isFinal", "publicationId", "more", "responses"];
        assert_eq!(parsed(body).expect_err("it is wrong"), expected);
        assert!(!parsed(json!({})).expect("it may be empty").is_final);
    }
}
