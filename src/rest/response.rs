//! Responses, question by question.

use std::sync::Arc;

use axum::extract::State;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::schema::Object;

use super::dialect::{self, admit, versioned};
use super::json::{Listed, Number};
use super::query::{Field, Operator};
use super::route::{Operation, Routes};
use super::{Answer, export, json, query, schema};
use crate::app::{App, ReadResponses, ResponseFilter};
use crate::domain::error::Kind;
use crate::domain::export::Format;
use crate::domain::list::IdSet;
use crate::domain::publication::QuestionKind;
use crate::domain::response::{Answer as Answered, Asked, Origin, ScreenerResponse, Selected};

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

async fn list_responses(State(app): State<Arc<App>>, parts: Parts) -> Answer {
    let caller = admit::<ReadResponses>(&app, &parts).await?;
    let answer = async {
        let filter_of = |[screeners, publications, sessions, assignments]: [IdSet; 4]| {
            ResponseFilter { screeners, publications, sessions, assignments }
        };
        let Some(format) = export::accepted(&parts.headers)? else {
            let (ids, pagination) = query::list(parts.uri.query(), &FIELDS)?;
            let page = app.list_responses(&caller, &filter_of(ids), pagination).await?;
            return json::ok(&Listed::<ResponseBody<'_>>::from(&page));
        };
        let filter = filter_of(query::filters(parts.uri.query(), &FIELDS)?);
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
}
