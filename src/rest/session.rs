//! Sessions.

use std::sync::Arc;

use axum::extract::State;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::schema::Object;

use super::dialect::{self, admit, versioned};
use super::json::Listed;
use super::query::{Field, Mark, Operator};
use super::route::{Operation, Routes};
use super::{Answer, json, path, query, schema};
use crate::app::{App, ReadSessions, SessionFilter, SessionView, WriteSessions};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::SessionId;
use crate::domain::session::Session;
use crate::domain::tag::Tag;
use crate::domain::time::Timestamp;

const FIELDS: [Field; 2] = [
    Field { name: "id", operators: Operator::ALL, example: "scses_789" },
    Field { name: "screenerId", operators: Operator::ALL, example: "scr_123" },
];

pub(super) fn routes() -> Routes {
    let one = |method, id, summary| {
        let description = "The id of a session.";
        Operation::new(method, "/screener-sessions/{id}", id, summary)
            .versioned()
            .at("id", "scses_789", description)
            .refusing(&[Kind::NotFound])
            .answering::<SessionBody<'_>>()
    };
    let list = Operation::new(
        HttpMethod::Get,
        "/screener-sessions",
        "listSessions",
        "Lists sessions, the oldest first.",
    );
    Routes::of(&dialect::SESSIONS)
        .add(
            list.versioned()
                .permitted::<ReadSessions>()
                .listing(&FIELDS)
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
                    "The link stops working. The session and its responses stay readable, the session \
                     as REMOVED. Idempotent.",
                )
                .permitted::<WriteSessions>()
                .refusing(&[Kind::Conflict]),
            remove_session,
        )
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

fn session_type() -> Object {
    schema::word("ScreenerSession")
}

fn tag_type() -> Object {
    schema::word("Tag")
}

fn session_id(parts: &Parts) -> Result<SessionId> {
    path::id(parts, 1, SessionId::parse, || Error::not_found("screener session"))
}

async fn list_sessions(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<ReadSessions>(&app, &parts).await?;
    let answer = async {
        let ([ids, screeners], pagination) =
            query::list(parts.uri.query(), &FIELDS, Mark::Unknown)?;
        let filter = SessionFilter { ids, screeners };
        let page = app.list_sessions(&caller, &filter, pagination).await?;
        json::charged::<_, Listed<SessionBody<'_>>>(&page)
    };
    Ok(versioned(answer.await))
}

async fn get_session(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<ReadSessions>(&app, &parts).await?;
    let answer = async {
        query::none(parts.uri.query())?;
        let session = app.get_session(&caller, &session_id(&parts)?).await?;
        json::of(caller.tenant(), &SessionBody::from(&session))
    };
    Ok(versioned(answer.await))
}

async fn remove_session(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<WriteSessions>(&app, &parts).await?;
    let answer = async {
        query::none(parts.uri.query())?;
        let session = app.remove_session(&caller, session_id(&parts)?).await?;
        json::of(caller.tenant(), &SessionBody::from(&session))
    };
    Ok(versioned(answer.await))
}
