//! Typed answers are stored as they were typed or refused by field: numbers, line ends, blanks.

use serde_json::{Value, json};

use crate::support::calls::{Outcome, Transport};
use crate::support::panelist::{Submit, public_key, submit};
use crate::support::typed::{TYPED, add_typed};
use crate::support::{SPOT, Server};

async fn stored(server: &Server, question: &str) -> Value {
    let path = format!("/screener-responses?filter[screenerId][eq]={TYPED}");
    let list = server.send("GET", &path, SPOT).await.json();
    let items = list["items"].as_array().expect("items");
    let item = items.iter().find(|item| item["screenerQuestionId"] == question);
    item.map_or(json!("nothing"), |item| item["answer"].clone())
}

async fn server() -> (Server, String) {
    let server = Server::demo().await;
    add_typed(&server).await;
    let key = public_key(&server, TYPED, "crm-typed").await;
    (server, key)
}

#[tokio::test]
async fn an_answer_is_stored_as_it_was_given_over_every_transport() {
    for transport in Transport::BOTH {
        let (server, key) = server().await;
        for (question, given, expected) in [
            ("q_any", json!({ "number": -0.1 }), json!(-0.1)),
            ("q_any", json!({ "number": 999_999_999_999_999_u64 }), json!(999_999_999_999_999_u64)),
            ("q_any", json!({ "number": 1e22 }), json!(1e22)),
            // A parser with rounding errors would return more than 15 digits for these.
            ("q_any", json!({ "number": 1.9891e30 }), json!(1.9891e30)),
            ("q_any", json!({ "number": 3e27 }), json!(3e27)),
            ("q_any", json!({ "number": 1e-23 }), json!(1e-23)),
            ("q_money", json!({ "number": 229_065_917.39 }), json!(229_065_917.39)),
            ("q_money", json!({ "number": 0.3 }), json!(0.3)),
            ("q_ten", json!({ "text": "1234\r\n56789" }), json!("1234\n56789")),
            ("q_ten", json!({ "text": "😀".repeat(10) }), json!("😀".repeat(10))),
            ("q_zip", json!({ "text": "10115" }), json!("10115")),
        ] {
            let submitted = Submit::some(json!({ question: given }));
            let taken = submit(&server, transport, &key, &submitted).await;
            assert_eq!(taken, Outcome::Answer(json!({ "count": 1 })), "{given}");
            assert_eq!(stored(&server, question).await, expected, "{given}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_stored_unchanged_is_refused_by_name() {
    for transport in Transport::BOTH {
        let (server, key) = server().await;
        for (question, given) in [
            ("q_any", json!({ "number": 9_007_199_254_740_993_u64 })),
            ("q_any", json!({ "number": 0.1 + 0.2 })),
            ("q_count", json!({ "number": 1e-9 })),
            ("q_money", json!({ "number": 229_065_917.395 })),
            ("q_ten", json!({ "number": 5 })),
            ("q_ten", json!({ "text": "12345\r\n67890" })),
            ("q_ten", json!({ "text": "😀".repeat(11) })),
            ("q_zip", json!({ "text": "١٠١١٥" })),
            ("q_name", json!({ "text": "\u{200B}" })),
            ("q_name", json!({ "text": " \u{3164}\u{2800}" })),
            ("q_pick", json!({ "option": ["o_other", "\u{2060}"] })),
        ] {
            let submitted = Submit::some(json!({ question: given }));
            let refused = submit(&server, transport, &key, &submitted).await;
            let field = format!("answers.{question}");
            assert_eq!(refused, Outcome::refusal("invalid_argument", &[&field]), "{given}");
            assert_eq!(stored(&server, question).await, "nothing", "{given}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn json_numbers_and_texts_are_not_taken_for_each_other() {
    let (server, key) = server().await;
    for (question, answer, status) in [
        ("q_any", r#"{"explanation": 1.50}"#, 200),
        ("q_any", r#"{"explanation": "1.50"}"#, 200),
        ("q_any", r#"{"explanation": "1,50"}"#, 400),
        ("q_any", r#"{"explanation": "12h"}"#, 400),
        ("q_any", r#"{"explanation": "inf"}"#, 400),
        ("q_any", r#"{"explanation": 9007199254740993}"#, 400),
        ("q_any", r#"{"explanation": 10000000000000001}"#, 400),
        ("q_any", r#"{"explanation": "0.1234567890123456"}"#, 400),
        ("q_any", r#"{"explanation": true}"#, 400),
        ("q_ten", r#"{"explanation": 1.10}"#, 400),
        ("q_ten", r#"{"explanation": "1.10"}"#, 200),
        ("q_pick", r#"{"optionId": "o_other", "explanation": 5}"#, 400),
        ("q_pick", r#"{"optionId": "o_other", "explanation": "5"}"#, 200),
    ] {
        let body = format!(r#"{{"responses": {{"{question}": {answer}}}}}"#);
        let headers = [("authorization", &*key)];
        let reply = server.send_body("POST", "/public/surveys/", &headers, Some(&body)).await;
        assert_eq!(reply.status, status, "{answer}: {}", reply.text);
        if status == 400 {
            assert_eq!(reply.json()["violations"][0]["field"], format!("responses.{question}"));
        }
    }
    assert_eq!(stored(&server, "q_ten").await, "1.10");
    assert_eq!(stored(&server, "q_any").await, 1.5);
    server.stop().await;
}
