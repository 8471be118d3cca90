//! Responses to single questions.

use std::sync::Arc;

use axum::extract::State;
use http::Method;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::schema::Object;

use super::dialect::{self, admit, versioned};
use super::json::Listed;
use super::query::{Field, Mark, Operator};
use super::route::{Operation, Routes};
use super::{Answer, export, json, query, schema};
use crate::app::{App, ReadResponses, ResponseFilter};
use crate::domain::error::Kind;
use crate::domain::export::Format;
use crate::domain::list::IdSet;
use crate::domain::question::QuestionKind;
use crate::domain::response::{Asked, Origin, ScreenerResponse};
use crate::transfer::export::{AnswerBody, type_names};

const FIELDS: [Field; 4] = [
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
    let list = Operation::new(
        HttpMethod::Get,
        "/screener-responses",
        "listResponses",
        "Lists responses, question by question.",
    );
    let mut list = list
        .versioned()
        .saying(
            "As another media type than JSON, everything that matches streams out as a file, and \
             `pagination` is refused.",
        )
        .permitted::<ReadResponses>()
        .refusing(&[Kind::NotAcceptable])
        .listing(&FIELDS)
        .querying(query::mark())
        .answering::<Listed<ResponseBody<'_>>>();
    for format in Format::ALL {
        list = list.answering_as(200, export::media_type(*format), export::schema(*format));
    }
    Routes::of(&dialect::SESSIONS).add(list, list_responses)
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

fn response_types() -> Object {
    schema::words(QuestionKind::ALL, |kind| type_names(kind).0)
}

fn question_types() -> Object {
    schema::words(QuestionKind::ALL, |kind| type_names(kind).1)
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
            external_participant_uid: external_uid.as_ref().map(AsRef::as_ref),
            screener_participant_id: assignment.as_str(),
            screener_question_prompt: prompt,
            answer: AnswerBody::from(&**answer),
        }
    }
}

async fn list_responses(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<ReadResponses>(&app, &parts).await?;
    let answer = async {
        let filter_of = |[screeners, publications, sessions, assignments]: [IdSet; 4]| {
            ResponseFilter { screeners, publications, sessions, assignments }
        };
        let Some(format) = export::accepted(&parts.headers)? else {
            let (ids, pagination) = query::list(parts.uri.query(), &FIELDS, Mark::Refused)?;
            let page = app.list_responses(&caller, &filter_of(ids), pagination).await?;
            return json::charged::<_, Listed<ResponseBody<'_>>>(&page);
        };
        let (ids, is_marked) = query::file(parts.uri.query(), &FIELDS, format)?;
        if parts.method == Method::HEAD {
            return Ok(export::head(&parts.headers, format).await);
        }
        let export = app.export_responses(&caller, &filter_of(ids), None, Some(format)).await?;
        Ok(export::response(Arc::clone(&app), &parts.headers, export, format, is_marked).await)
    };
    Ok(versioned(answer.await))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Answer as Answered;
    use crate::transfer::export::{encoder, tests::row};

    #[test]
    fn a_line_of_ndjson_is_an_item_of_the_list() {
        let text = |text: &str| Answered::Text(text.to_owned());
        let mut rows = vec![
            row(0, QuestionKind::Text, text("say \"a\"\n")),
            row(1, QuestionKind::Numeric, Answered::Numeric(5.5)),
            row(2, QuestionKind::MultiSelect, Answered::MultiSelect(Vec::new())),
            row(3, QuestionKind::Text, Answered::Skipped),
        ];
        // The session and the question of earlier rows, with another answer.
        let again = rows[0].clone();
        let (origin, asked) = (Arc::clone(&rows[1].origin), Arc::clone(&again.asked));
        rows.push(ScreenerResponse { origin, asked, ..again });
        let items = rows.iter().map(|row| serde_json::to_string(&ResponseBody::from(row)));
        let expected: Vec<String> = items.map(|item| item.expect("JSON") + "\n").collect();
        let lines = encoder(Format::Ndjson).encode(rows).expect("it is encoded");
        assert_eq!(String::from_utf8(lines).expect("UTF-8"), expected.concat());
    }
}
