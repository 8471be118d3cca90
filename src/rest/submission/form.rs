//! The bodies of reviews: optional JSON objects of few members.

use http::HeaderMap;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, Type,
};

use crate::domain::error::{Result, Violations};
use crate::domain::review::{
    Decision, Disqualification, DisqualificationReason, MESSAGE_MAX_CHARS, RejectionMessage, Verb,
};
use crate::domain::time::Timestamp;
use crate::rest::{body, schema};

/// A verb with what its body may hold, and what that comes to.
#[derive(Clone, Copy)]
pub(super) struct Form {
    verb: Verb,
    pub(super) summary: &'static str,
    members: &'static [(&'static str, Shape)],
    /// The members that must be there.
    required: &'static [&'static str],
    /// A body, as JSON.
    example: &'static str,
    /// What the members come to; absent where the verb says it all.
    read: Option<fn(&mut Members, &mut Violations) -> Option<Decision>>,
}

/// What the value of a member is.
#[derive(Clone, Copy)]
enum Shape {
    Message,
    Reason,
    Reasons,
    Time,
    Flag,
}

impl Shape {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Message | Self::Reason | Self::Time => value.is_string(),
            Self::Reasons => value.as_array().is_some_and(|it| it.iter().all(Value::is_string)),
            Self::Flag => value.is_boolean(),
        }
    }

    const fn needed(self) -> &'static str {
        match self {
            Self::Message | Self::Reason | Self::Time => "A text is needed here.",
            Self::Reasons => "A list of texts is needed here.",
            Self::Flag => "True or false is needed here.",
        }
    }

    fn schema(self) -> Schema {
        match self {
            Self::Message => ObjectBuilder::new()
                .schema_type(Type::String)
                .max_length(Some(MESSAGE_MAX_CHARS))
                .pattern(Some(r"^[^\x00]*$"))
                .into(),
            Self::Reason => schema::disqualification_reason().into(),
            Self::Reasons => Schema::Array(
                ArrayBuilder::new()
                    .items(schema::disqualification_reason())
                    .max_items(Some(1))
                    .build(),
            ),
            Self::Time => schema::time(KnownFormat::DateTime).into(),
            Self::Flag => ObjectBuilder::new().schema_type(Type::Boolean).into(),
        }
    }
}

/// The forms with members. Every other verb that needs no argument has an empty one.
const WITH_MEMBERS: [Form; 6] = [REJECT, QUALIFY, DISQUALIFY, SCHEDULE, HIDE, FAVORITE];

const REJECT: Form = Form {
    verb: Verb::Reject,
    summary: Verb::Reject.row().summary,
    members: &[("message", Shape::Message)],
    required: &[],
    example: r#"{"message": "The answers contradict each other."}"#,
    read: Some(read_rejection),
};
const QUALIFY: Form = Form {
    verb: Verb::Qualify,
    summary: "Says that a participant qualifies, or does not, whatever the answers say.",
    members: &[
        ("qualifyStatus", Shape::Flag),
        ("disqualifyReasons", Shape::Reasons),
        ("message", Shape::Message),
    ],
    required: &[],
    example: r#"{"qualifyStatus": false, "disqualifyReasons": ["CONTEXT"], "message": "Too junior."}"#,
    read: Some(read_qualification),
};
const DISQUALIFY: Form = Form {
    verb: Verb::Disqualify,
    summary: Verb::Disqualify.row().summary,
    members: &[("reason", Shape::Reason), ("message", Shape::Message)],
    required: &["reason"],
    example: r#"{"reason": "MISREPRESENTED", "message": "Another role than was claimed."}"#,
    read: Some(read_disqualification),
};
const SCHEDULE: Form = Form {
    verb: Verb::Schedule,
    summary: "Books a meeting, or another time for it. Either of the two members says when.",
    members: &[("scheduledAt", Shape::Time), ("bookedDate", Shape::Time)],
    required: &[],
    example: r#"{"scheduledAt": "2024-07-01T09:00:00Z"}"#,
    read: Some(read_schedule),
};
const HIDE: Form = Form {
    verb: Verb::Hide,
    summary: "Hides a submission, or shows it again.",
    members: &[("hidden", Shape::Flag)],
    required: &[],
    example: r#"{"hidden": true}"#,
    read: Some(|members, _| {
        let is_hidden = members.flag("hidden").unwrap_or(true);
        Some(if is_hidden { Decision::Hide } else { Decision::Unhide })
    }),
};
const FAVORITE: Form = Form {
    verb: Verb::Favorite,
    summary: Verb::Favorite.row().summary,
    members: &[("favorite", Shape::Flag)],
    required: &[],
    example: r#"{"favorite": true}"#,
    read: Some(|members, _| Some(Decision::Favorite(members.flag("favorite").unwrap_or(true)))),
};

/// The members of a body. One of the wrong shape has been named, but is there still.
struct Members(Map<String, Value>);

impl Members {
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// None if it was named already.
    fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        match self.0.remove(name) {
            None => Some(Vec::new()),
            Some(Value::Array(values)) => {
                values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
            }
            Some(_) => None,
        }
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name).as_ref().and_then(Value::as_bool)
    }
}

impl Form {
    /// The form of a verb; `None` if the document does not have the verb.
    pub(super) fn of(verb: Verb) -> Option<Self> {
        let with_members = WITH_MEMBERS.into_iter().find(|form| form.verb == verb);
        with_members.or_else(|| {
            verb.alone()?;
            let summary = verb.row().summary;
            Some(Self { verb, summary, members: &[], required: &[], example: "", read: None })
        })
    }

    /// What the body may hold, as far as a schema can say it.
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

    /// A body that does something.
    pub(super) fn example(&self) -> Option<Value> {
        serde_json::from_str(self.example).ok()
    }

    /// Reads a body, or names everything that is wrong with it.
    pub(super) fn parse(&self, headers: &HeaderMap, body: &[u8]) -> Result<Decision> {
        let mut violations = Violations::new();
        let mut members = Members(body::members(headers, body)?);
        for (name, value) in &members.0 {
            match self.members.iter().find(|(known, _)| known == name) {
                Some((_, shape)) if shape.fits(value) => {}
                Some((_, shape)) => violations.add(name, shape.needed()),
                None => violations.add(name, "There is no such member."),
            }
        }
        let decision = match self.read {
            Some(read) => read(&mut members, &mut violations),
            None => self.verb.alone(),
        };
        violations.finish_with(decision)
    }
}

fn read_rejection(members: &mut Members, violations: &mut Violations) -> Option<Decision> {
    let message = RejectionMessage::parse(members.text("message"));
    violations.keep("message", message).map(Decision::Reject)
}

fn read_qualification(members: &mut Members, violations: &mut Violations) -> Option<Decision> {
    let is_qualified = members.flag("qualifyStatus").unwrap_or(true);
    let message = Disqualification::parse_message(members.text("message"));
    let message = violations.keep("message", message).flatten();
    let reasons = members.texts("disqualifyReasons")?;
    if is_qualified {
        // What comes with it would be lost.
        if !reasons.is_empty() {
            violations.add("disqualifyReasons", "Whoever qualifies has none.");
        }
        if message.is_some() {
            violations.add("message", "It is for whoever does not qualify.");
        }
        return Some(Decision::Qualify);
    }
    let [reason] = reasons.as_slice() else {
        violations.add("disqualifyReasons", "One reason is needed here.");
        return None;
    };
    let reason = violations.keep("disqualifyReasons", DisqualificationReason::parse(reason))?;
    Some(Decision::Disqualify(Disqualification { reason, message }))
}

fn read_disqualification(members: &mut Members, violations: &mut Violations) -> Option<Decision> {
    if !members.has("reason") {
        violations.add("reason", "A reason is needed here.");
    }
    let reason = members.text("reason");
    let reason = reason.map(|reason| DisqualificationReason::parse(&reason));
    let reason = reason.and_then(|reason| violations.keep("reason", reason));
    let message = Disqualification::parse_message(members.text("message"));
    let message = violations.keep("message", message);
    let why = reason.zip(message);
    why.map(|(reason, message)| Decision::Disqualify(Disqualification { reason, message }))
}

/// The time is `scheduledAt`, as the answer calls it, or `bookedDate`, as the document does.
fn read_schedule(members: &mut Members, violations: &mut Violations) -> Option<Decision> {
    let is_booked_date = members.has("bookedDate");
    if is_booked_date && members.has("scheduledAt") {
        violations.add("bookedDate", "Either this is given or scheduledAt, not both.");
        return None;
    }
    let name = if is_booked_date { "bookedDate" } else { "scheduledAt" };
    if !members.has(name) {
        violations.add(name, "A time is needed here.");
        return None;
    }
    let at = Timestamp::parse_rfc3339(&members.text(name)?);
    violations.keep(name, at).map(Decision::Schedule)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    fn plain(verb: Verb) -> Form {
        Form::of(verb).expect("a form")
    }

    fn outcome(content_type: Option<&str>, body: &str) -> Result<Decision, Vec<String>> {
        outcome_of(&REJECT, content_type, body)
    }

    fn outcome_of(
        form: &Form,
        content_type: Option<&str>,
        body: &str,
    ) -> Result<Decision, Vec<String>> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a type"));
        }
        form.parse(&headers, body.as_bytes()).map_err(|error| {
            let code = error.kind().mapping().code.to_owned();
            let fields = error.violations().iter().map(|violation| violation.field.clone());
            std::iter::once(code).chain(fields).collect()
        })
    }

    #[test]
    fn a_body_is_optional_and_needs_no_content_type() {
        let default = RejectionMessage::parse(None).map(Decision::Reject);
        let given = RejectionMessage::parse(Some("Too short.".into())).map(Decision::Reject);
        let text = r#"{"message": "Too short."}"#;
        for (content_type, body, expected) in [
            (None, "", &default),
            (Some("application/x-www-form-urlencoded"), "", &default),
            (None, "{}", &default),
            (None, text, &given),
            (Some("application/json"), text, &given),
            (Some("Application/JSON; charset=utf-8"), text, &given),
            (Some("application/merge-patch+json"), text, &given),
        ] {
            assert_eq!(outcome(content_type, body).as_ref().ok(), expected.as_ref().ok());
        }
    }

    #[test]
    fn a_body_that_does_not_fit_is_refused_by_name() {
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(2001));
        for (content_type, body, expected) in [
            (Some("text/plain"), "{}", &["unsupported_media_type"][..]),
            (Some("application/jsonp"), "{}", &["unsupported_media_type"][..]),
            (None, "{", &["invalid_argument", "body"][..]),
            (None, " ", &["invalid_argument", "body"][..]),
            (None, "null", &["invalid_argument", "body"][..]),
            (None, r#""text""#, &["invalid_argument", "body"][..]),
            (None, r#"{"message": 5}"#, &["invalid_argument", "message"][..]),
            (None, r#"{"message": null}"#, &["invalid_argument", "message"][..]),
            (None, &long, &["invalid_argument", "message"][..]),
            (
                None,
                r#"{"a": 1, "message": [], "b": 2}"#,
                &["invalid_argument", "a", "b", "message"],
            ),
        ] {
            assert_eq!(outcome(content_type, body).expect_err(body), expected, "{body}");
        }
    }

    #[test]
    fn the_documented_members_mean_what_they_say() {
        let reason = DisqualificationReason::Context;
        let why = |message: Option<&str>| {
            let message = message.map(str::to_owned);
            Decision::Disqualify(Disqualification { reason, message })
        };
        let at = Timestamp::parse_rfc3339("2026-02-01T10:00:00Z").expect("a time");
        for (form, body, expected) in [
            (&QUALIFY, "", Decision::Qualify),
            (&QUALIFY, r#"{"qualifyStatus": true, "disqualifyReasons": []}"#, Decision::Qualify),
            (
                &QUALIFY,
                r#"{"qualifyStatus": false, "disqualifyReasons": ["CONTEXT"], "message": "m"}"#,
                why(Some("m")),
            ),
            (&DISQUALIFY, r#"{"reason": "CONTEXT"}"#, why(None)),
            (&DISQUALIFY, r#"{"reason": "CONTEXT", "message": "m"}"#, why(Some("m"))),
            (&SCHEDULE, r#"{"scheduledAt": "2026-02-01T10:00:00Z"}"#, Decision::Schedule(at)),
            (&SCHEDULE, r#"{"bookedDate": "2026-02-01T11:00:00+01:00"}"#, Decision::Schedule(at)),
            (&FAVORITE, "", Decision::Favorite(true)),
            (&FAVORITE, r#"{"favorite": false}"#, Decision::Favorite(false)),
            (&HIDE, "{}", Decision::Hide),
            (&HIDE, r#"{"hidden": false}"#, Decision::Unhide),
            (&plain(Verb::Unhide), "", Decision::Unhide),
        ] {
            assert_eq!(outcome_of(form, None, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_a_decision_needs_is_asked_for_by_name() {
        let long = format!(r#"{{"message": "{}"}}"#, "x".repeat(2001));
        for (form, body, fields) in [
            (&DISQUALIFY, "", &["reason"][..]),
            (&DISQUALIFY, r#"{"reason": "context"}"#, &["reason"]),
            (&DISQUALIFY, r#"{"reason": 1, "other": 1}"#, &["other", "reason"]),
            (&DISQUALIFY, &*long, &["reason", "message"]),
            (&SCHEDULE, "{}", &["scheduledAt"]),
            (&SCHEDULE, r#"{"scheduledAt": "tomorrow"}"#, &["scheduledAt"]),
            (
                &SCHEDULE,
                r#"{"bookedDate": "tomorrow", "timezone": "UTC"}"#,
                &["timezone", "bookedDate"],
            ),
            (
                &SCHEDULE,
                r#"{"scheduledAt": "2026-02-01T10:00:00Z", "bookedDate": "2026-02-01T10:00:00Z"}"#,
                &["bookedDate"],
            ),
            (&QUALIFY, r#"{"qualifyStatus": "yes"}"#, &["qualifyStatus"]),
            (&QUALIFY, r#"{"qualifyStatus": false}"#, &["disqualifyReasons"]),
            (
                &QUALIFY,
                r#"{"qualifyStatus": false, "disqualifyReasons": ["OTHER", "CONTEXT"]}"#,
                &["disqualifyReasons"],
            ),
            (
                &QUALIFY,
                r#"{"disqualifyReasons": ["OTHER"], "message": "m"}"#,
                &["disqualifyReasons", "message"],
            ),
            (&FAVORITE, r#"{"favorite": 1}"#, &["favorite"]),
            (&plain(Verb::Invite), r#"{"message": "m"}"#, &["message"]),
        ] {
            let refused = outcome_of(form, None, body).expect_err(body);
            assert_eq!(refused[0], "invalid_argument");
            assert_eq!(refused[1..], *fields, "{body}");
        }
    }
}
