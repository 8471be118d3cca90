//! A screener with every kind of question, and submissions to it over both transports.

use std::collections::HashMap;

use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::answer_value::Value as Answered;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::transfer;
use serde_json::{Value, json};

use super::calls::{Outcome, Transport, refusal_of, request};
use super::{PANEL, Reply, SPOT, Server};

/// The screener, open, in the project `proj_123` of the example data.
pub(crate) const LIFE: &str = "scr_life";

/// Adds the screener to the example data.
pub(crate) async fn add_life(server: &Server, allow_multiple_responses: bool) {
    import_text(server, life_file(allow_multiple_responses)).await;
}

/// Returns the screener as a file to import.
pub(crate) fn life_file(allow_multiple_responses: bool) -> String {
    let option = |id: &str, rule: &str| json!({ "id": id, "text": id, "rule": rule });
    let with = |mut option: Value, member: &str, value: Value| {
        option[member] = value;
        option
    };
    let other = |id: &str| with(option(id, "NEUTRAL"), "writeIn", json!(true));
    let pages = json!([
        { "id": "p_1", "questions": [
            { "id": "q_name", "kind": "TEXT", "prompt": "Your name?", "required": true,
              "minLength": 2, "maxLength": 50 },
            { "id": "q_years", "kind": "NUMERIC", "prompt": "Years?", "required": true,
              "min": 0, "max": 50, "step": 0.5, "qualifies": { "min": 2 } },
        ]},
        { "id": "p_2", "questions": [
            { "id": "q_size", "kind": "SINGLE_SELECT", "prompt": "Size?", "required": true,
              "options": [
                with(option("s_small", "DISQUALIFIES"), "goToEnd", json!(true)),
                option("s_mid", "QUALIFIES"),
                with(option("s_big", "QUALIFIES"), "goTo", json!("q_tools")),
                other("s_other"),
            ]},
            { "id": "q_team", "kind": "TEXT", "prompt": "Your team?", "multiLine": true },
        ]},
        { "id": "p_3", "questions": [
            { "id": "q_tools", "kind": "MULTI_SELECT", "prompt": "Tools?", "minChoices": 1,
              "maxChoices": 3, "options": [
                option("t_must", "REQUIRED"), option("t_may", "NEUTRAL"), other("t_other"),
                option("t_bad", "DISQUALIFIES"),
            ]},
            { "id": "q_code", "kind": "TEXT", "prompt": "Code?", "pattern": "[A-Z]{3}" },
        ]},
    ]);
    let lines = [
        json!({ "format": "screenerd-import", "version": 1 }),
        json!({ "type": "screener", "tenant": "acct_123", "id": LIFE, "projectId": "proj_123",
            "title": "A life", "status": "OPEN", "activePublicationId": "scpub_life",
            "allowMultipleResponses": allow_multiple_responses }),
        json!({ "type": "publication", "tenant": "acct_123", "id": "scpub_life",
            "screenerId": LIFE, "pages": pages }),
    ];
    file_of(&lines)
}

fn file_of(lines: &[Value]) -> String {
    let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

pub(crate) async fn import(server: &Server, lines: &[Value]) {
    import_text(server, file_of(lines)).await;
}

async fn import_text(server: &Server, text: String) {
    let reader = std::io::Cursor::new(text);
    transfer::import_lines(server.running.app(), &Operator::trusted(), reader, false)
        .await
        .expect("it imports");
}

/// Returns the public key of a panelist for a survey.
pub(crate) async fn public_key(server: &Server, survey: &str, panelist: &str) -> String {
    let path = format!("/tenant/surveys/{survey}/panelists/{panelist}");
    let access = server.send("GET", &path, PANEL).await.json();
    access["panelist"]["publicKey"].as_str().expect("a key").to_owned()
}

/// A submission. An answer is `{"text": …}`, `{"number": …}`, `{"option": id}` or `{"options": [id,
/// …]}`. An option with a write-in is `[id, text]`, and `null` leaves the question out.
#[derive(Clone, Debug)]
pub(crate) struct Submit {
    pub(crate) answers: Value,
    pub(crate) is_final: bool,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) publication: Option<String>,
}

impl Submit {
    pub(crate) fn some(answers: Value) -> Self {
        Self { answers, is_final: false, idempotency_key: None, publication: None }
    }

    pub(crate) fn last(answers: Value) -> Self {
        Self { is_final: true, ..Self::some(answers) }
    }

    pub(crate) fn under(self, idempotency_key: &str) -> Self {
        Self { idempotency_key: Some(idempotency_key.into()), ..self }
    }
}

/// Returns an option, and its write-in if it has one.
fn chosen(option: &Value) -> (String, Option<String>) {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    match option.as_array() {
        Some(pair) => (text(&pair[0]), Some(text(&pair[1]))),
        None => (text(option), None),
    }
}

/// Returns the REST body of a submission.
pub(crate) fn rest_body(answers: &serde_json::Map<String, Value>, is_final: bool) -> Value {
    let responses: serde_json::Map<_, _> =
        answers.iter().map(|(id, answer)| (id.clone(), rest_answer(answer))).collect();
    json!({ "responses": responses, "isFinal": is_final })
}

fn rest_answer(answer: &Value) -> Value {
    if let Some(text) = answer.get("text").or(answer.get("number")) {
        return json!({ "explanation": text });
    }
    if let Some(option) = answer.get("option") {
        let (id, typed) = chosen(option);
        return match typed {
            Some(typed) => json!({ "optionId": id, "explanation": typed }),
            None => json!({ "optionId": id }),
        };
    }
    let Some(options) = answer.get("options") else { return Value::Null };
    let options: Vec<_> = options.as_array().expect("a list").iter().map(chosen).collect();
    let ids: Vec<_> = options.iter().map(|(id, _)| id.clone()).collect();
    match options.into_iter().find_map(|(_, typed)| typed) {
        Some(typed) => json!({ "optionIds": ids, "explanation": typed }),
        None => json!({ "optionIds": ids }),
    }
}

fn grpc_answer(answer: &Value) -> pb::AnswerValue {
    let option = |option: &Value| {
        let (option_id, write_in) = chosen(option);
        pb::ChosenOption { option_id, write_in }
    };
    let value = if let Some(text) = answer.get("text") {
        Answered::Text(text.as_str().expect("a text").into())
    } else if let Some(number) = answer.get("number") {
        Answered::Number(number.as_f64().expect("a number"))
    } else if let Some(it) = answer.get("option") {
        Answered::Option(option(it))
    } else if let Some(options) = answer.get("options") {
        let options = options.as_array().expect("a list").iter().map(option).collect();
        Answered::Options(pb::ChosenOptions { options })
    } else {
        Answered::LeftOut(pb::LeftOut {})
    };
    pb::AnswerValue { value: Some(value) }
}

/// Returns a REST refusal in the terms of the contract.
pub(crate) fn refusal(reply: &Reply) -> Outcome {
    let problem = reply.json();
    let code = match problem["error"].as_str().expect("a code") {
        "invalid_response" => "invalid_argument".to_owned(),
        code => code.to_lowercase(),
    };
    let violations = problem["violations"].as_array().into_iter().flatten();
    let mut fields: Vec<_> = violations
        .map(|violation| match violation["field"].as_str().expect("a field") {
            "Idempotency-Key" => "request_id".to_owned(),
            "publicationId" => "screener_publication_id".to_owned(),
            field => field.replace("responses", "answers"),
        })
        .collect();
    fields.sort();
    Outcome::Refusal { code, fields }
}

/// Submits answers by key or link. On success, the outcome is the number of accepted answers.
pub(crate) async fn submit(
    server: &Server,
    transport: Transport,
    credential: &str,
    submit: &Submit,
) -> Outcome {
    let Submit { answers, is_final, idempotency_key, publication } = submit.clone();
    let answers = answers.as_object().expect("answers").clone();
    match transport {
        Transport::Rest => {
            let mut body = rest_body(&answers, is_final);
            if let Some(publication) = publication {
                body["publicationId"] = json!(publication);
            }
            let mut headers = vec![("authorization", credential)];
            headers.extend(idempotency_key.as_deref().map(|id| ("idempotency-key", id)));
            let body = body.to_string();
            let reply = server.send_body("POST", "/public/surveys/", &headers, Some(&body)).await;
            if reply.status == 200 {
                return Outcome::Answer(reply.json());
            }
            refusal(&reply)
        }
        Transport::Grpc => {
            let answers: HashMap<_, _> =
                answers.iter().map(|(id, answer)| (id.clone(), grpc_answer(answer))).collect();
            let message = pb::SubmitAnswersRequest {
                answers,
                is_final,
                request_id: idempotency_key,
                screener_publication_id: publication,
            };
            let mut client = PanelistSessionServiceClient::new(server.channel().await);
            let message = request(message, &[("authorization", credential)]);
            match client.submit_answers(message).await {
                Ok(answer) => Outcome::Answer(json!({ "count": answer.into_inner().count() })),
                Err(status) => refusal_of(&status),
            }
        }
    }
}

/// Lists the earlier answers of one session or of all over Connect: question, answer and reason.
pub(crate) async fn earlier_responses(
    server: &Server,
    session: Option<&str>,
) -> Vec<(String, Value, String)> {
    let path = "/screener.v1.ScreenerResponseService/ListEarlierResponses";
    let headers = [SPOT, &[("content-type", "application/json")]].concat();
    let body = session.map(|id| json!({ "filter": { "screenerSessionId": { "eq": id } } }));
    let body = body.unwrap_or(json!({})).to_string();
    let list = server.send_body("POST", path, &headers, Some(&body)).await.json();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    assert_eq!(list["total"], items.len());
    let read = |mut item: Value| {
        let members = item.as_object_mut().expect("an object");
        let mut text = |name: &str| {
            let value = members.remove(name).expect("it is there");
            value.as_str().expect("a text").to_owned()
        };
        let (session, question) = (text("screenerSessionId"), text("screenerQuestionId"));
        assert!(session.starts_with("scses_") && text("at").starts_with("2024-06-01T12:0"));
        assert!(text("questionType").starts_with("QUESTION_TYPE_"));
        let reason = text("reason");
        let reason = reason.strip_prefix("EARLIER_RESPONSE_REASON_").expect("a reason");
        (question, item, reason.to_owned())
    };
    items.into_iter().map(read).collect()
}
