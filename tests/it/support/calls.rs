//! One description of a call, two drivers: REST and gRPC.
//!
//! Both return the same [`Outcome`], so that one case covers both transports and fails if they
//! differ.

pub(crate) mod printed;
mod reviews;

use screenerd::client as pb;
use screenerd::client::panelist_service_client::PanelistServiceClient;
use screenerd::client::screener_response_service_client::ScreenerResponseServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use serde_json::{Value, json};
use tonic::metadata::{AsciiMetadataKey, MetadataValue};
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use super::Server;
use printed::{access_json, session_json};

pub(crate) use printed::response_json;

/// The operators of a filter on ids. Some fields support only some of the four.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) eq: Option<String>,
    pub(crate) ne: Option<String>,
    pub(crate) is_in: Option<Vec<String>>,
    pub(crate) not_in: Option<Vec<String>>,
}

impl Ids {
    pub(crate) fn eq(id: &str) -> Self {
        Self { eq: Some(id.into()), ..Self::default() }
    }

    pub(crate) fn ne(id: &str) -> Self {
        Self { ne: Some(id.into()), ..Self::default() }
    }

    pub(crate) fn is_in(ids: &[&str]) -> Self {
        Self { is_in: Some(ids.iter().map(ToString::to_string).collect()), ..Self::default() }
    }

    pub(crate) fn not_in(ids: &[&str]) -> Self {
        Self { not_in: Some(ids.iter().map(ToString::to_string).collect()), ..Self::default() }
    }
}

/// A call of the documented surface.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    ListSessions {
        id: Ids,
        screener: Ids,
        limit: Option<i32>,
        offset: Option<i32>,
    },
    GetSession(String),
    RemoveSession(String),
    ListResponses {
        screener: Option<String>,
        publication: Option<String>,
        session: Ids,
        participant: Ids,
        limit: Option<i32>,
        offset: Option<i32>,
    },
    Reject {
        project: String,
        id: String,
        message: Option<String>,
    },
    GetSubmission {
        project: String,
        id: String,
    },
    /// A verb of the review by its REST name, with the members of its REST body.
    Review {
        verb: &'static str,
        project: String,
        id: String,
        body: Value,
    },
    Access {
        survey: String,
        panelist: String,
    },
}

impl Call {
    pub(crate) fn list_sessions(id: Ids, screener: Ids) -> Self {
        Self::ListSessions { id, screener, limit: None, offset: None }
    }

    pub(crate) fn page(limit: Option<i32>, offset: Option<i32>) -> Self {
        Self::ListSessions { id: Ids::default(), screener: Ids::default(), limit, offset }
    }

    pub(crate) fn responses_of(session: &str) -> Self {
        Self::ListResponses {
            screener: None,
            publication: None,
            session: Ids::eq(session),
            participant: Ids::default(),
            limit: None,
            offset: None,
        }
    }

    pub(crate) fn reject(project: &str, id: &str) -> Self {
        Self::Reject { project: project.into(), id: id.into(), message: None }
    }

    pub(crate) fn submission(project: &str, id: &str) -> Self {
        Self::GetSubmission { project: project.into(), id: id.into() }
    }

    pub(crate) fn review(verb: &'static str, project: &str, id: &str, body: Value) -> Self {
        Self::Review { verb, project: project.into(), id: id.into(), body }
    }

    pub(crate) fn access(survey: &str, panelist: &str) -> Self {
        Self::Access { survey: survey.into(), panelist: panelist.into() }
    }
}

/// The outcome of a call in the words of the documents, independent of the transport.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Answer(Value),
    Refusal { code: String, fields: Vec<String> },
}

impl Outcome {
    pub(crate) fn refusal(code: &str, fields: &[&str]) -> Self {
        let fields = fields.iter().map(ToString::to_string).collect();
        Self::Refusal { code: code.into(), fields }
    }

    pub(crate) fn answer(self) -> Value {
        match self {
            Self::Answer(value) => value,
            Self::Refusal { code, fields } => panic!("refused: {code} {fields:?}"),
        }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Answer(_) => "ok",
            Self::Refusal { code, .. } => code,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Rest,
    Grpc,
}

impl Transport {
    pub(crate) const BOTH: [Self; 2] = [Self::Rest, Self::Grpc];
}

/// Makes a call over one transport.
pub(crate) async fn make(
    server: &Server,
    transport: Transport,
    credential: &[(&str, &str)],
    call: &Call,
) -> Outcome {
    match transport {
        Transport::Rest => over_rest(server, credential, call).await,
        Transport::Grpc => match over_grpc(server, credential, call).await {
            Ok(answer) => Outcome::Answer(answer),
            Err(status) => refusal_of(&status),
        },
    }
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn query_of(fields: &[(&str, &Ids)], limit: Option<i32>, offset: Option<i32>) -> String {
    let mut pairs = Vec::new();
    for (field, ids) in fields {
        for (operator, value) in [("eq", &ids.eq), ("ne", &ids.ne)] {
            pairs.extend(
                value.iter().map(|id| format!("filter[{field}][{operator}]={}", encode(id))),
            );
        }
        for (operator, values) in [("in", &ids.is_in), ("nin", &ids.not_in)] {
            let values = values.iter().flatten();
            pairs.extend(values.map(|id| format!("filter[{field}][{operator}][]={}", encode(id))));
        }
    }
    pairs.extend(limit.map(|limit| format!("pagination[limit]={limit}")));
    pairs.extend(offset.map(|offset| format!("pagination[offset]={offset}")));
    pairs.join("&")
}

fn one(id: Option<&String>) -> Ids {
    Ids { eq: id.cloned(), ..Ids::default() }
}

fn submission_path(project: &str, id: &str, verb: &str) -> String {
    format!("/v1/projects/{}/screener-responses/{}{verb}", encode(project), encode(id))
}

async fn over_rest(server: &Server, credential: &[(&str, &str)], call: &Call) -> Outcome {
    let (method, path, body) = match call {
        Call::ListSessions { id, screener, limit, offset } => {
            let query = query_of(&[("id", id), ("screenerId", screener)], *limit, *offset);
            ("GET", format!("/screener-sessions?{query}"), None)
        }
        Call::GetSession(id) => ("GET", format!("/screener-sessions/{}", encode(id)), None),
        Call::RemoveSession(id) => ("DELETE", format!("/screener-sessions/{}", encode(id)), None),
        Call::ListResponses { screener, publication, session, participant, limit, offset } => {
            let fields = [
                ("screenerId", &one(screener.as_ref())),
                ("screenerPublicationId", &one(publication.as_ref())),
                ("screenerSessionId", session),
                ("screenerParticipantId", participant),
            ];
            let query = query_of(&fields, *limit, *offset);
            ("GET", format!("/screener-responses?{query}"), None)
        }
        Call::Reject { project, id, message } => {
            let body = message.as_ref().map(|it| json!({ "message": it }).to_string());
            ("PATCH", submission_path(project, id, "/reject"), body)
        }
        Call::GetSubmission { project, id } => ("GET", submission_path(project, id, ""), None),
        Call::Review { verb, project, id, body } => {
            let body = (!body.is_null()).then(|| body.to_string());
            let method = if *verb == "payouts" { "POST" } else { "PATCH" };
            (method, submission_path(project, id, &format!("/{verb}")), body)
        }
        Call::Access { survey, panelist } => {
            let path = format!("/tenant/surveys/{}/panelists/{}", encode(survey), encode(panelist));
            ("GET", path, None)
        }
    };
    let reply = server.send_body(method, &path, credential, body.as_deref()).await;
    if reply.status == 200 {
        return Outcome::Answer(reply.json());
    }
    let problem = reply.json();
    let code = problem["error"].as_str().expect("a code").to_lowercase();
    let mut fields: Vec<String> = problem["violations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|violation| plain_field(violation["field"].as_str().expect("a field")))
        .collect();
    fields.sort();
    Outcome::Refusal { code, fields }
}

/// Returns the common name of a field: `filter[screenerId][eq]` is `filter.screener_id.eq`.
fn plain_field(field: &str) -> String {
    let mut plain = String::new();
    for character in field.replace('[', ".").replace(']', "").chars() {
        if character.is_ascii_uppercase() {
            plain.push('_');
        }
        plain.push(character.to_ascii_lowercase());
    }
    plain
}

pub(crate) fn refusal_of(status: &Status) -> Outcome {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "screenerd");
    let mut fields: Vec<String> = details
        .bad_request()
        .into_iter()
        .flat_map(|bad| &bad.field_violations)
        .map(|violation| plain_field(&violation.field))
        .collect();
    fields.sort();
    Outcome::Refusal { code: info.reason.to_lowercase(), fields }
}

/// Returns a request with a credential in its metadata.
pub(crate) fn request<T>(message: T, credential: &[(&str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in credential {
        let name: AsciiMetadataKey = name.parse().expect("a metadata name");
        let value = MetadataValue::try_from(*value).expect("a metadata value");
        request.metadata_mut().append(name, value);
    }
    request
}

fn filter_of(ids: &Ids) -> pb::IdFilter {
    let list = |values: &Option<Vec<String>>| values.clone().map(|values| pb::IdList { values });
    pb::IdFilter {
        eq: ids.eq.clone(),
        ne: ids.ne.clone(),
        r#in: list(&ids.is_in),
        nin: list(&ids.not_in),
    }
}

fn eq_or_in(ids: &Ids) -> pb::IdEqInFilter {
    let pb::IdFilter { eq, r#in, .. } = filter_of(ids);
    pb::IdEqInFilter { eq, r#in }
}

async fn over_grpc(
    server: &Server,
    credential: &[(&str, &str)],
    call: &Call,
) -> Result<Value, Status> {
    let channel = server.channel().await;
    match call.clone() {
        Call::ListSessions { id, screener, limit, offset } => {
            let filter = pb::ScreenerSessionFilter {
                id: Some(filter_of(&id)),
                screener_id: Some(filter_of(&screener)),
            };
            let pagination = Some(pb::Pagination { limit, offset });
            let message = pb::ListScreenerSessionsRequest { filter: Some(filter), pagination };
            let answer = ScreenerSessionServiceClient::new(channel)
                .list_screener_sessions(request(message, credential))
                .await?
                .into_inner();
            let items: Vec<Value> = answer.items.iter().map(session_json).collect();
            Ok(page_json(answer.total(), answer.limit, answer.offset(), &items))
        }
        Call::GetSession(id) => {
            let message = pb::GetScreenerSessionRequest { id };
            let answer = ScreenerSessionServiceClient::new(channel)
                .get_screener_session(request(message, credential))
                .await?;
            Ok(session_json(&answer.into_inner().screener_session.expect("a session")))
        }
        Call::RemoveSession(id) => {
            let message = pb::RemoveScreenerSessionRequest { id };
            let answer = ScreenerSessionServiceClient::new(channel)
                .remove_screener_session(request(message, credential))
                .await?;
            Ok(session_json(&answer.into_inner().screener_session.expect("a session")))
        }
        Call::ListResponses { screener, publication, session, participant, limit, offset } => {
            let eq = |id: Option<String>| Some(pb::IdEqFilter { eq: id });
            let filter = pb::ScreenerResponseFilter {
                screener_id: eq(screener),
                screener_publication_id: eq(publication),
                screener_session_id: Some(eq_or_in(&session)),
                screener_participant_id: Some(eq_or_in(&participant)),
            };
            let pagination = Some(pb::Pagination { limit, offset });
            let message = pb::ListScreenerResponsesRequest { filter: Some(filter), pagination };
            let answer = ScreenerResponseServiceClient::new(channel)
                .list_screener_responses(request(message, credential))
                .await?
                .into_inner();
            let items: Vec<Value> = answer.items.iter().map(response_json).collect();
            Ok(page_json(answer.total(), answer.limit, answer.offset(), &items))
        }
        Call::Reject { project, id, message } => {
            let body = json!({ "message": message });
            reviews::over_grpc(channel, credential, "reject", [project, id], &body).await
        }
        Call::GetSubmission { project, id } => reviews::get(channel, credential, project, id).await,
        Call::Review { verb, project, id, body } => {
            reviews::over_grpc(channel, credential, verb, [project, id], &body).await
        }
        Call::Access { survey, panelist } => {
            let message = pb::GetPanelistAccessRequest { survey_id: survey, panelist_id: panelist };
            let answer = PanelistServiceClient::new(channel)
                .get_panelist_access(request(message, credential))
                .await?;
            Ok(access_json(&answer.into_inner().panelist_access.expect("an access")))
        }
    }
}

fn page_json(total: i32, limit: i32, offset: i32, items: &[Value]) -> Value {
    json!({ "total": total, "limit": limit, "offset": offset, "items": items })
}
