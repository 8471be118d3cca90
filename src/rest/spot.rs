//! Sessions and their responses, as the session dialect has them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, Object, OneOfBuilder};

use super::guard::Dialect;
use super::json::{Listed, Number};
use super::query::{Field, Operator};
use super::route::{Operation, Routes};
use super::{Answer, export, json, path, query, schema};
use crate::app::{
    App, Caller, Permission, ReadResponses, ReadSessions, ResponseFilter, SessionFilter,
    SessionView, WriteSessions,
};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::export::Format;
use crate::domain::id::SessionId;
use crate::domain::list::IdSet;
use crate::domain::publication::QuestionKind;
use crate::domain::response::{Answer as Answered, Asked, Origin, ScreenerResponse, Selected};
use crate::domain::session::Session;
use crate::domain::tag::Tag;
use crate::domain::time::Timestamp;
use crate::domain::version::{API_VERSION, check_api_version};

pub(super) const DIALECT: Dialect = Dialect {
    tag: "sessions",
    about: "Sessions and their responses.",
    credential_headers: Some("X-Spot-Api-Key, X-Spot-Api-Secret"),
    ..Dialect::PLAIN
};

const VERSION_HEADER: HeaderName = HeaderName::from_static("x-spot-api-version");

const SESSION_FIELDS: [Field; 2] = [
    Field {
        name: "id",
        operators: &[Operator::Eq, Operator::Ne, Operator::In, Operator::Nin],
        example: "scses_789",
    },
    Field {
        name: "screenerId",
        operators: &[Operator::Eq, Operator::Ne, Operator::In, Operator::Nin],
        example: "scr_123",
    },
];

const RESPONSE_FIELDS: [Field; 4] = [
    Field { name: "screenerId", operators: &[Operator::Eq], example: "scr_123" },
    Field { name: "screenerPublicationId", operators: &[Operator::Eq], example: "scpub_456" },
    Field {
        name: "screenerSessionId",
        operators: &[Operator::Eq, Operator::In],
        example: "scses_789",
    },
    Field {
        name: "screenerParticipantId",
        operators: &[Operator::Eq, Operator::In],
        example: "scpar_123",
    },
];

pub(super) fn routes() -> Routes {
    let one = |method, id, summary| {
        let description = "The id of a session.";
        versioned_operation(method, "/screener-sessions/{id}", id, summary)
            .at("id", "scses_789", description)
            .refusing(&[Kind::NotFound])
            .answering::<SessionBody<'_>>()
    };
    let list = |path, id, summary| versioned_operation(HttpMethod::Get, path, id, summary);
    let mut responses =
        list("/screener-responses", "listResponses", "Lists responses, question by question.")
            .saying(
                "As another media type than JSON, everything that matches streams out as a file, \
                 and `pagination` is refused.",
            )
            .permitted::<ReadResponses>()
            .refusing(&[Kind::NotAcceptable])
            .listing(&RESPONSE_FIELDS)
            .answering::<Listed<ResponseBody<'_>>>();
    for format in Format::ALL {
        let media_type = export::media_type(*format);
        responses = responses.answering_as(200, media_type, export::schema(*format));
    }
    Routes::of(&DIALECT)
        .add(
            list("/screener-sessions", "listSessions", "Lists sessions, the oldest first.")
                .permitted::<ReadSessions>()
                .listing(&SESSION_FIELDS)
                .answering::<Listed<SessionBody<'_>>>(),
            list_sessions,
        )
        .add(
            one(HttpMethod::Get, "getSession", "Gets a session.").permitted::<ReadSessions>(),
            get_session,
        )
        .add(
            one(HttpMethod::Delete, "removeSession", "Removes a session.")
                .saying(
                    "The link is dead from then on. The session stays readable, as REMOVED, and so \
                     do its responses. A repeat changes nothing.",
                )
                .permitted::<WriteSessions>()
                .refusing(&[Kind::Conflict]),
            remove_session,
        )
        .add(responses, list_responses)
}

/// An operation that is answered in a version that may be asked for.
fn versioned_operation(
    method: HttpMethod,
    path: &str,
    id: &str,
    summary: &'static str,
) -> Operation {
    let versions =
        OneOfBuilder::new().item(schema::word(API_VERSION)).item(schema::time(KnownFormat::Date));
    let description = "The version to answer in; any date means today's.";
    let name = "X-Spot-Api-Version";
    Operation::new(method, path, id, summary)
        .parameter(ParameterIn::Header, name, API_VERSION, description, versions)
        .refusing(&[Kind::UnsupportedApiVersion])
}

/// One way of a participant through a screener.
#[derive(Serialize, ToSchema)]
#[schema(as = ScreenerSession)]
#[serde(rename_all = "camelCase")]
struct SessionBody<'a> {
    #[schema(schema_with = session_type)]
    #[serde(rename = "_type")]
    kind: &'static str,
    id: &'a str,
    screener_id: &'a str,
    screener_participant_id: &'a str,
    /// The version of the questionnaire to which the session is pinned.
    screener_publication_id: &'a str,
    /// Where the participant answers.
    #[schema(format = "uri")]
    screener_session_link: &'a str,
    link_slug: &'a str,
    /// Whether the session can receive responses.
    #[schema(schema_with = schema::session_status)]
    status: &'static str,
    /// How far the participant has come.
    #[schema(schema_with = schema::session_state)]
    state: &'static str,
    /// The first submission.
    #[schema(required, format = DateTime)]
    started_at: Option<String>,
    /// The latest activity.
    #[schema(required, format = DateTime)]
    last_active_at: Option<String>,
    /// The final submission.
    #[schema(required, format = DateTime)]
    completed_at: Option<String>,
    /// The tags of the publication.
    assigned_tags: Vec<TagBody<'a>>,
}

impl<'a> From<&'a SessionView> for SessionBody<'a> {
    fn from(view: &'a SessionView) -> Self {
        let SessionView { session, link } = view;
        let Session {
            id,
            screener,
            assignment,
            publication,
            slug,
            status,
            progress,
            tags,
            link_trusted: _,
            created: _,
        } = session;
        Self {
            kind: "ScreenerSession",
            id: id.as_str(),
            screener_id: screener.as_str(),
            screener_participant_id: assignment.as_str(),
            screener_publication_id: publication.as_str(),
            screener_session_link: link,
            link_slug: slug,
            status: status.as_str(),
            state: progress.state().as_str(),
            started_at: progress.started().map(Timestamp::rfc3339_seconds),
            last_active_at: progress.last_active().map(Timestamp::rfc3339_seconds),
            completed_at: progress.completed().map(Timestamp::rfc3339_seconds),
            assigned_tags: tags.iter().map(TagBody::from).collect(),
        }
    }
}

/// A tag of a publication.
#[derive(Serialize, ToSchema)]
#[schema(as = Tag)]
struct TagBody<'a> {
    #[schema(schema_with = tag_type)]
    #[serde(rename = "_type")]
    kind: &'static str,
    id: &'a str,
    #[schema(required)]
    category: Option<&'a str>,
    value: &'a str,
}

impl<'a> From<&'a Tag> for TagBody<'a> {
    fn from(tag: &'a Tag) -> Self {
        let Tag { id, category, value } = tag;
        Self { kind: "Tag", id: id.as_str(), category: category.as_deref(), value }
    }
}

/// The answer to one question in one session.
#[derive(Serialize, ToSchema)]
#[schema(as = ScreenerResponse)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResponseBody<'a> {
    #[schema(schema_with = response_types)]
    #[serde(rename = "_type")]
    kind: &'static str,
    #[schema(schema_with = question_types)]
    question_type: &'static str,
    screener_session_id: &'a str,
    screener_page_id: &'a str,
    screener_question_id: &'a str,
    screener_id: &'a str,
    screener_publication_id: &'a str,
    participant_id: &'a str,
    #[schema(required)]
    external_participant_uid: Option<&'a str>,
    screener_participant_id: &'a str,
    screener_question_prompt: &'a str,
    answer: AnswerBody<'a>,
}

fn session_type() -> Object {
    schema::word("ScreenerSession")
}

fn tag_type() -> Object {
    schema::word("Tag")
}

fn response_types() -> Object {
    schema::words(QuestionKind::ALL, |kind| type_names(kind).0)
}

fn question_types() -> Object {
    schema::words(QuestionKind::ALL, |kind| type_names(kind).1)
}

/// The dialect's names of a response and of its question.
pub(super) fn type_names(kind: QuestionKind) -> (&'static str, &'static str) {
    match kind {
        QuestionKind::Text => ("ScreenerTextResponse", "ScreenerTextQuestion"),
        QuestionKind::Numeric => ("ScreenerNumericResponse", "ScreenerNumericQuestion"),
        QuestionKind::SingleSelect => {
            ("ScreenerSingleSelectResponse", "ScreenerSingleSelectQuestion")
        }
        QuestionKind::MultiSelect => ("ScreenerMultiSelectResponse", "ScreenerMultiSelectQuestion"),
    }
}

impl<'a> From<&'a ScreenerResponse> for ResponseBody<'a> {
    fn from(response: &'a ScreenerResponse) -> Self {
        let ScreenerResponse { origin, asked, answer } = response;
        let Origin { session, screener, publication, participant, external_uid, assignment } =
            &**origin;
        let Asked { page, question, prompt, kind } = &**asked;
        let (kind, question_type) = type_names(*kind);
        Self {
            kind,
            question_type,
            screener_session_id: session.as_str(),
            screener_page_id: page.as_str(),
            screener_question_id: question.as_str(),
            screener_id: screener.as_str(),
            screener_publication_id: publication.as_str(),
            participant_id: participant.as_str(),
            external_participant_uid: external_uid.as_deref(),
            screener_participant_id: assignment.as_str(),
            screener_question_prompt: prompt,
            answer: AnswerBody::from(&**answer),
        }
    }
}

/// A text, a number, an option, a list of options, or null for a question that was skipped.
#[derive(Serialize, ToSchema)]
#[schema(as = ScreenerAnswer)]
#[serde(untagged)]
pub(super) enum AnswerBody<'a> {
    Text(&'a str),
    Number(Number),
    Option(OptionBody<'a>),
    Options(Vec<OptionBody<'a>>),
    Null,
}

impl<'a> From<&'a Answered> for AnswerBody<'a> {
    fn from(answer: &'a Answered) -> Self {
        match answer {
            Answered::Text(text) => Self::Text(text),
            Answered::Numeric(number) => Self::Number(Number::from(*number)),
            Answered::SingleSelect(selected) => Self::Option(OptionBody::from(selected)),
            Answered::MultiSelect(selected) => {
                Self::Options(selected.iter().map(OptionBody::from).collect())
            }
            Answered::Skipped => Self::Null,
        }
    }
}

/// A chosen option.
#[derive(Serialize, ToSchema)]
#[schema(as = SelectedOption)]
#[serde(rename_all = "camelCase")]
pub(super) struct OptionBody<'a> {
    /// Its text, and behind a colon what was typed.
    text: &'a str,
    is_write_in: bool,
}

impl<'a> From<&'a Selected> for OptionBody<'a> {
    fn from(selected: &'a Selected) -> Self {
        let Selected { text, write_in, option: _ } = selected;
        Self { text, is_write_in: write_in.is_some() }
    }
}

/// Authenticates, then checks the version: what follows is answered in that version.
async fn admit<P: Permission>(app: &App, parts: &Parts) -> Result<Caller<P>> {
    let caller = app.authenticate::<P>(&parts.headers).await?;
    check_version(&parts.headers)?;
    Ok(caller)
}

fn check_version(headers: &HeaderMap) -> Result<()> {
    let mut values = headers.get_all(VERSION_HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => check_api_version(None),
        // What is no text is no version either.
        (Some(value), None) => check_api_version(Some(value.to_str().unwrap_or_default())),
        (Some(_), Some(_)) => check_api_version(Some("")),
    }
}

/// Says in which version something is answered, a refusal as well.
fn versioned(answer: Answer) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(API_VERSION));
    response
}

fn session_id(parts: &Parts) -> Result<SessionId> {
    path::id(parts, 1, SessionId::parse, || Error::not_found("screener session"))
}

async fn list_sessions(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<ReadSessions>(&app, &parts).await?;
    let answer = async {
        let ([ids, screeners], pagination) = query::list(parts.uri.query(), &SESSION_FIELDS)?;
        let filter = SessionFilter { ids, screeners };
        let page = app.list_sessions(&caller, &filter, pagination).await?;
        json::ok(&Listed::<SessionBody<'_>>::from(&page))
    };
    Ok(versioned(answer.await))
}

async fn get_session(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<ReadSessions>(&app, &parts).await?;
    let answer = async {
        query::none(parts.uri.query())?;
        let session = app.get_session(&caller, &session_id(&parts)?).await?;
        json::ok(&SessionBody::from(&session))
    };
    Ok(versioned(answer.await))
}

async fn remove_session(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<WriteSessions>(&app, &parts).await?;
    let answer = async {
        query::none(parts.uri.query())?;
        let session = app.remove_session(&caller, session_id(&parts)?).await?;
        json::ok(&SessionBody::from(&session))
    };
    Ok(versioned(answer.await))
}

async fn list_responses(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<ReadResponses>(&app, &parts).await?;
    let answer = async {
        let filter_of = |[screeners, publications, sessions, assignments]: [IdSet; 4]| {
            ResponseFilter { screeners, publications, sessions, assignments }
        };
        let Some(format) = export::accepted(&parts.headers)? else {
            let (ids, pagination) = query::list(parts.uri.query(), &RESPONSE_FIELDS)?;
            let page = app.list_responses(&caller, &filter_of(ids), pagination).await?;
            return json::ok(&Listed::<ResponseBody<'_>>::from(&page));
        };
        let filter = filter_of(query::filters(parts.uri.query(), &RESPONSE_FIELDS)?);
        let export = app.export_responses(&caller, &filter, None).await?;
        Ok(export::response(Arc::clone(&app), export, format))
    };
    Ok(versioned(answer.await))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::OptionId;

    #[test]
    fn an_answer_is_a_text_a_number_an_option_options_or_null() {
        let selected = |text: &str, write_in: Option<&str>| Selected {
            option: OptionId::parse("sco_1").expect("an id"),
            text: text.to_owned(),
            write_in: write_in.map(str::to_owned),
        };
        for (answer, expected) in [
            (Answered::Text("5".into()), r#""5""#),
            (Answered::Numeric(5.0), "5"),
            (Answered::Numeric(5.5), "5.5"),
            (
                Answered::SingleSelect(selected("11-200", None)),
                r#"{"text":"11-200","isWriteIn":false}"#,
            ),
            (
                Answered::MultiSelect(vec![selected("Other: Hub", Some("Hub"))]),
                r#"[{"text":"Other: Hub","isWriteIn":true}]"#,
            ),
            (Answered::MultiSelect(Vec::new()), "[]"),
            (Answered::Skipped, "null"),
        ] {
            let body = serde_json::to_string(&AnswerBody::from(&answer)).expect("JSON");
            assert_eq!(body, expected);
        }
    }

    #[test]
    fn one_version_header_is_read_and_two_are_refused() {
        for (values, is_good) in [
            (&[][..], true),
            (&["1.0.0"][..], true),
            (&["2024-11-15"][..], true),
            (&["9.9.9"][..], false),
            (&["\u{fc}"][..], false),
            (&["1.0.0", "1.0.0"][..], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
                headers.append(VERSION_HEADER, value);
            }
            assert_eq!(check_version(&headers).is_ok(), is_good, "{values:?}");
        }
    }
}
