//! The questionnaire as panelists load it. It does not reveal which answers qualify.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema as _, ToSchema};

use crate::domain::answer::{Answer, Selected};
use crate::domain::answering::Sheet;
use crate::domain::publication::Publication;
use crate::domain::question::{
    Choice, GoTo, MultiSelectForm, NumericForm, Question, QuestionForm, TextForm, number_text,
};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::rest::schema;
use crate::transfer::Number;

/// The questionnaire, and how far the panelist has come.
#[derive(Serialize, ToSchema)]
#[schema(as = Questionnaire)]
#[serde(rename_all = "camelCase")]
pub(super) struct SheetBody<'a> {
    survey: Survey<'a>,
    #[schema(required)]
    session: Option<SessionBody<'a>>,
    publication_id: &'a str,
    /// The language that the questions are written in, as a BCP 47 tag.
    #[schema(required)]
    language: Option<&'a str>,
    /// The author's text before the first question.
    #[schema(required)]
    introduction: Option<&'a str>,
    pages: Vec<Page<'a>>,
    /// The answers by question, in the shape in which they are submitted.
    #[schema(schema_with = answers)]
    responses: BTreeMap<&'a str, Option<Response<'a>>>,
    path: Vec<&'a str>,
}

fn answers() -> Object {
    let answer = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .item(Response::schema());
    ObjectBuilder::new().additional_properties(Some(Schema::OneOf(answer.build()))).build()
}

/// The survey, which is a screener.
#[derive(Serialize, ToSchema)]
#[schema(as = AnsweredSurvey)]
struct Survey<'a> {
    id: &'a str,
    #[schema(schema_with = schema::screener_status)]
    status: &'static str,
    title: &'a str,
}

/// The session of the panelist.
#[derive(Serialize, ToSchema)]
#[schema(as = AnsweringSession)]
#[serde(rename_all = "camelCase")]
struct SessionBody<'a> {
    id: &'a str,
    #[schema(schema_with = schema::session_state)]
    state: &'static str,
    #[schema(required)]
    activity_started_unix_ts: Option<i64>,
    #[schema(required)]
    activity_most_recent_unix_ts: Option<i64>,
}

/// A page of questions.
#[derive(Serialize, ToSchema)]
#[schema(as = QuestionnairePage)]
struct Page<'a> {
    id: &'a str,
    questions: Vec<QuestionBody<'a>>,
}

/// A question. It does not tell which answers qualify.
#[derive(Serialize, ToSchema)]
#[schema(as = Question)]
#[serde(rename_all = "camelCase")]
struct QuestionBody<'a> {
    id: &'a str,
    prompt: &'a str,
    required: bool,
    #[serde(flatten)]
    form: FormBody<'a>,
}

/// The form of the answer to a question, by its kind.
#[derive(Serialize, ToSchema)]
#[schema(as = QuestionForm)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
enum FormBody<'a> {
    #[serde(rename_all = "camelCase")]
    Text {
        multi_line: bool,
        #[schema(required)]
        min_length: Option<u32>,
        #[schema(required)]
        max_length: Option<u32>,
        #[schema(required)]
        pattern: Option<&'a str>,
        #[schema(required)]
        pattern_hint: Option<&'a str>,
    },
    #[serde(rename_all = "camelCase")]
    Numeric {
        slider: bool,
        #[schema(required)]
        min: Option<Number>,
        #[schema(required)]
        max: Option<Number>,
        #[schema(required)]
        step: Option<Number>,
    },
    #[serde(rename_all = "camelCase")]
    SingleSelect { options: Vec<OptionBody<'a>> },
    #[serde(rename_all = "camelCase")]
    MultiSelect {
        options: Vec<OptionBody<'a>>,
        #[schema(required)]
        min_choices: Option<u32>,
        #[schema(required)]
        max_choices: Option<u32>,
    },
}

/// An option to choose.
#[derive(Serialize, ToSchema)]
#[schema(as = QuestionOption)]
#[serde(rename_all = "camelCase")]
struct OptionBody<'a> {
    id: &'a str,
    text: &'a str,
    is_write_in: bool,
    #[schema(required)]
    go_to_question_id: Option<&'a str>,
    go_to_end: bool,
}

/// An answer in the shape in which it is submitted.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenAnswer)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    option_id: Option<&'a str>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    option_ids: Option<Vec<&'a str>>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    explanations: Option<BTreeMap<&'a str, &'a str>>,
}

impl<'a> From<&'a Sheet> for SheetBody<'a> {
    fn from(sheet: &'a Sheet) -> Self {
        let Sheet { screener, session, publication, hash: _, answers, path } = sheet;
        let answers = answers.iter();
        Self {
            survey: Survey {
                id: screener.id.as_str(),
                status: screener.status.as_str(),
                title: &screener.title,
            },
            session: session.as_ref().map(SessionBody::from),
            publication_id: publication.id.as_str(),
            language: publication.wording.language.as_deref(),
            introduction: publication.wording.introduction.as_deref(),
            pages: pages(publication),
            responses: answers.map(|(id, answer)| (id.as_str(), response(answer))).collect(),
            path: path.iter().map(AsRef::as_ref).collect(),
        }
    }
}

impl<'a> From<&'a Session> for SessionBody<'a> {
    fn from(session: &'a Session) -> Self {
        let progress = session.progress;
        Self {
            id: session.id.as_str(),
            state: progress.state().as_str(),
            activity_started_unix_ts: progress.started().map(Timestamp::unix_seconds),
            activity_most_recent_unix_ts: progress.last_active().map(Timestamp::unix_seconds),
        }
    }
}

fn pages(publication: &Publication) -> Vec<Page<'_>> {
    publication
        .pages()
        .map(|(id, questions)| Page {
            id: id.as_str(),
            questions: questions.iter().map(QuestionBody::from).collect(),
        })
        .collect()
}

impl<'a> From<&'a Question> for QuestionBody<'a> {
    fn from(question: &'a Question) -> Self {
        let Question { id, page: _, prompt, required, form } = question;
        let form = match form {
            QuestionForm::Text(form) => {
                let TextForm { multi_line, min_length, max_length, pattern, pattern_hint } = form;
                FormBody::Text {
                    multi_line: *multi_line,
                    min_length: *min_length,
                    max_length: *max_length,
                    pattern: pattern.as_ref().map(AsRef::as_ref),
                    pattern_hint: pattern_hint.as_deref(),
                }
            }
            QuestionForm::Numeric(NumericForm { slider, bounds, step, qualifies: _ }) => {
                FormBody::Numeric {
                    slider: *slider,
                    min: bounds.min.map(Number::from),
                    max: bounds.max.map(Number::from),
                    step: step.map(Number::from),
                }
            }
            QuestionForm::SingleSelect(choices) => {
                FormBody::SingleSelect { options: choices.iter().map(OptionBody::from).collect() }
            }
            QuestionForm::MultiSelect(MultiSelectForm { choices, min_choices, max_choices }) => {
                FormBody::MultiSelect {
                    options: choices.iter().map(OptionBody::from).collect(),
                    min_choices: *min_choices,
                    max_choices: *max_choices,
                }
            }
        };
        Self { id: id.as_str(), prompt, required: *required, form }
    }
}

impl<'a> From<&'a Choice> for OptionBody<'a> {
    fn from(choice: &'a Choice) -> Self {
        let Choice { id, text, rule: _, write_in, go_to } = choice;
        let question = go_to.as_ref().and_then(GoTo::question);
        Self {
            id: id.as_str(),
            text,
            is_write_in: *write_in,
            go_to_question_id: question.map(AsRef::as_ref),
            go_to_end: *go_to == Some(GoTo::End),
        }
    }
}

/// Returns the response for an answer; `None` for a question that was left out.
fn response(answer: &Answer) -> Option<Response<'_>> {
    let mut response =
        Response { option_id: None, option_ids: None, explanation: None, explanations: None };
    match answer {
        Answer::Text(text) => response.explanation = Some(text.clone()),
        Answer::Numeric(number) => response.explanation = Some(number_text(*number)),
        Answer::SingleSelect(selected) => {
            response.option_id = Some(selected.option.as_str());
            response.explanation.clone_from(&selected.write_in);
        }
        Answer::MultiSelect(selected) => {
            response.option_ids = Some(selected.iter().map(|it| it.option.as_str()).collect());
            let typed = |it: &'_ Selected| it.write_in.is_some();
            if selected.iter().filter(|it| typed(it)).count() > 1 {
                let texts = selected.iter();
                let texts =
                    texts.filter_map(|it| Some((it.option.as_str(), it.write_in.as_deref()?)));
                response.explanations = Some(texts.collect());
            } else {
                response.explanation = selected.iter().find_map(|it| it.write_in.clone());
            }
        }
        Answer::Skipped => return None,
    }
    Some(response)
}
