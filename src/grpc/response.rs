//! `ScreenerResponseService`.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::auth::{admitted, versioned};
use super::convert::{ListQuery, charged, id_set, list_response, timestamp, wire_words};
use super::refusal::Refusals;
use super::rpcs;
use crate::app::{App, EarlierFilter, Part, Piece, ResponseFilter};
use crate::domain::error::{Error, Result, Violations};
use crate::domain::export::Position;
use crate::domain::response::{Asked, EarlierReason, EarlierResponse, Origin, ScreenerResponse};
use crate::pb::screener::v1;
use crate::pb::screener::v1::earlier_response::Answer as EarlierAnswer;
use crate::pb::screener::v1::screener_response::Answer as ProtoAnswer;
use crate::pb::screener::v1::screener_response_service_server::ScreenerResponseService;

/// The service.
pub(super) struct Responses(pub(super) Arc<App>);

/// The target size of an export's message: large enough to amortize its overhead, and far below the
/// limits of clients and of the buffer for a slow one.
const EXPORT_MESSAGE_BYTES: usize = 128 * 1024;

#[tonic::async_trait]
impl ScreenerResponseService for Responses {
    async fn list_screener_responses(
        &self,
        request: Request<v1::ListScreenerResponsesRequest>,
    ) -> Result<Response<v1::ListScreenerResponsesResponse>, Status> {
        let (caller, message) = admitted(request);
        let ListQuery { filter, pagination } = list(message)?;
        let page = self.0.list_responses(&caller, &filter, pagination).await?;
        Ok(charged(page, |page| versioned(page.into())))
    }

    async fn list_earlier_responses(
        &self,
        request: Request<v1::ListEarlierResponsesRequest>,
    ) -> Result<Response<v1::ListEarlierResponsesResponse>, Status> {
        let (caller, message) = admitted(request);
        let ListQuery { filter, pagination } = list_earlier(message)?;
        let page = self.0.list_earlier_responses(&caller, &filter, pagination).await?;
        Ok(charged(page, |page| versioned(page.into())))
    }

    type ExportScreenerResponsesStream =
        BoxStream<'static, Result<v1::ExportScreenerResponsesResponse, Status>>;

    async fn export_screener_responses(
        &self,
        request: Request<v1::ExportScreenerResponsesRequest>,
    ) -> Result<Response<Self::ExportScreenerResponsesStream>, Status> {
        let rpc = rpcs::find("/screener.v1.ScreenerResponseService/ExportScreenerResponses");
        let (caller, message) = admitted(request);
        let (filter, token) = export(message)?;
        let export = self.0.export_responses(&caller, &filter, token.as_deref(), None).await?;
        let messages = export.parts(|piece| Ok(messages_of(piece)));
        Ok(versioned(Refusals(Arc::clone(&self.0)).end(messages, rpc)))
    }
}

/// Groups rows into messages of moderate size.
fn messages_of(piece: Piece) -> Vec<v1::ExportScreenerResponsesResponse> {
    let mut messages = Vec::new();
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut behind = None;
    for (after, row) in piece {
        let item = v1::ScreenerResponse::from(&row);
        let length = item.encoded_len();
        if bytes + length > EXPORT_MESSAGE_BYTES {
            messages.extend(message_of(mem::take(&mut items), behind));
            bytes = 0;
        }
        bytes += length;
        items.push(item);
        behind = Some(after);
    }
    messages.extend(message_of(items, behind));
    messages
}

/// Returns a message of some rows, if any, with the position after them.
fn message_of(
    mut items: Vec<v1::ScreenerResponse>,
    behind: Option<Position>,
) -> Option<v1::ExportScreenerResponsesResponse> {
    let resume_token = behind.filter(|_| !items.is_empty())?.token();
    items.shrink_to_fit();
    Some(v1::ExportScreenerResponsesResponse { items, resume_token })
}

impl Part for v1::ExportScreenerResponsesResponse {
    fn length(&self) -> usize {
        // Each item has nearly a dozen short texts with an allocation each.
        self.encoded_len() + self.items.len() * size_of::<v1::ScreenerResponse>() * 3 / 2
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn from_bytes(bytes: Bytes) -> Result<Self> {
        Self::decode(bytes).map_err(Error::internal)
    }
}

/// Reads the filter of an export, and the position to resume from.
fn export(message: v1::ExportScreenerResponsesRequest) -> Result<(ResponseFilter, Option<String>)> {
    let v1::ExportScreenerResponsesRequest { filter, resume_token: token } = message;
    let mut violations = Violations::new();
    let filter = response_filter(filter, &mut violations);
    violations.finish()?;
    Ok((filter, token))
}

/// Reads a filter of responses.
pub(super) fn response_filter(
    filter: Option<v1::ScreenerResponseFilter>,
    found: &mut Violations,
) -> ResponseFilter {
    let v1::ScreenerResponseFilter {
        screener_id,
        screener_publication_id,
        screener_session_id,
        screener_participant_id,
    } = filter.unwrap_or_default();
    ResponseFilter {
        screeners: id_set(screener_id, "filter.screener_id", found),
        publications: id_set(screener_publication_id, "filter.screener_publication_id", found),
        sessions: id_set(screener_session_id, "filter.screener_session_id", found),
        assignments: id_set(screener_participant_id, "filter.screener_participant_id", found),
    }
}

fn list(message: v1::ListScreenerResponsesRequest) -> Result<ListQuery<ResponseFilter>> {
    let v1::ListScreenerResponsesRequest { filter, pagination } = message;
    ListQuery::read(pagination, |violations| response_filter(filter, violations))
}

fn list_earlier(message: v1::ListEarlierResponsesRequest) -> Result<ListQuery<EarlierFilter>> {
    let v1::ListEarlierResponsesRequest { filter, pagination } = message;
    ListQuery::read(pagination, |violations| {
        let v1::EarlierResponseFilter { screener_session_id } = filter.unwrap_or_default();
        let sessions = id_set(screener_session_id, "filter.screener_session_id", violations);
        EarlierFilter { sessions }
    })
}

list_response!(ScreenerResponse => ListScreenerResponsesResponse);
list_response!(EarlierResponse => ListEarlierResponsesResponse);

wire_words!(EarlierReason => EarlierResponseReason { Replaced, Dropped });

impl From<EarlierResponse> for v1::EarlierResponse {
    fn from(response: EarlierResponse) -> Self {
        let EarlierResponse { session, question, kind, answer, at, reason } = response;
        let answer = match ProtoAnswer::from(&answer) {
            ProtoAnswer::Text(text) => EarlierAnswer::Text(text),
            ProtoAnswer::Number(number) => EarlierAnswer::Number(number),
            ProtoAnswer::Option(option) => EarlierAnswer::Option(option),
            ProtoAnswer::Options(options) => EarlierAnswer::Options(options),
            ProtoAnswer::Skipped(skipped) => EarlierAnswer::Skipped(skipped),
        };
        Self {
            screener_session_id: session.to_string(),
            screener_question_id: question.to_string(),
            question_type: v1::QuestionType::from(kind).into(),
            at: Some(timestamp(at)),
            reason: v1::EarlierResponseReason::from(reason).into(),
            answer: Some(answer),
        }
    }
}

impl From<ScreenerResponse> for v1::ScreenerResponse {
    fn from(response: ScreenerResponse) -> Self {
        Self::from(&response)
    }
}

impl From<&ScreenerResponse> for v1::ScreenerResponse {
    fn from(response: &ScreenerResponse) -> Self {
        let ScreenerResponse { origin, asked, answer } = response;
        let Origin { session, screener, publication, participant, external_uid, assignment } =
            &**origin;
        let Asked { page, question, prompt, kind } = &**asked;
        // Much faster than formatting an id, and each row of an export has eight.
        let text = |id: &str| id.to_owned();
        Self {
            screener_session_id: text(session.as_str()),
            screener_page_id: text(page.as_str()),
            screener_question_id: text(question.as_str()),
            screener_id: text(screener.as_str()),
            screener_publication_id: text(publication.as_str()),
            participant_id: text(participant.as_str()),
            external_participant_uid: external_uid.as_ref().map(ToString::to_string),
            screener_participant_id: text(assignment.as_str()),
            screener_question_prompt: Some(prompt.clone()),
            question_type: v1::QuestionType::from(*kind).into(),
            answer: Some(ProtoAnswer::from(&**answer)),
        }
    }
}
