//! Lists of responses over both transports.

use serde_json::{Value, json};

use super::{case, check, no_ids};
use crate::support::calls::{Call, Ids};

fn responses(
    screener: Option<&str>,
    publication: Option<&str>,
    session: Ids,
    participant: Ids,
) -> Call {
    Call::ListResponses {
        screener: screener.map(Into::into),
        publication: publication.map(Into::into),
        session,
        participant,
        limit: None,
        offset: None,
    }
}

#[tokio::test]
async fn response_filters_combine() {
    let count =
        |name: &'static str, call: Call, total: i64| case(name, call, "/total", json!(total));
    check(vec![
        count("no filter", responses(None, None, no_ids(), no_ids()), 12),
        count("screener", responses(Some("scr_124"), None, no_ids(), no_ids()), 8),
        count("publication", responses(None, Some("scpub_456"), no_ids(), no_ids()), 2),
        count(
            "a publication of the screener",
            responses(Some("scr_123"), Some("scpub_456"), no_ids(), no_ids()),
            2,
        ),
        count(
            "a publication of another screener",
            responses(Some("scr_124"), Some("scpub_456"), no_ids(), no_ids()),
            0,
        ),
        count("session eq", responses(None, None, Ids::eq("scses_790"), no_ids()), 6),
        count(
            "session in",
            responses(None, None, Ids::is_in(&["scses_789", "scses_792"]), no_ids()),
            3,
        ),
        count("participant eq", responses(None, None, no_ids(), Ids::eq("scpar_124")), 6),
        count(
            "participant in",
            responses(None, None, no_ids(), Ids::is_in(&["scpar_124", "scpar_127"])),
            7,
        ),
        count(
            "all four",
            responses(
                Some("scr_124"),
                Some("scpub_457"),
                Ids::eq("scses_790"),
                Ids::eq("scpar_124"),
            ),
            6,
        ),
        count(
            "session and another participant",
            responses(None, None, Ids::eq("scses_790"), Ids::eq("scpar_123")),
            0,
        ),
        count("another tenant's screener", responses(Some("scr_999"), None, no_ids(), no_ids()), 0),
    ])
    .await;
}

#[tokio::test]
async fn every_kind_of_answer_is_told_as_documented() {
    let answer = |position: usize| format!("/items/{position}/answer");
    let call = || Call::responses_of("scses_790");
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    check(vec![
        case("a text", call(), leak(answer(0)), json!("Research Ops")),
        case("a whole number", call(), leak(answer(1)), json!(5)),
        case("a fraction", call(), leak(answer(2)), json!(5.5)),
        case(
            "a single select",
            call(),
            leak(answer(3)),
            json!({"text": "11-200", "isWriteIn": false}),
        ),
        case("a multi select without a choice", call(), leak(answer(4)), json!([])),
        case("a question that was skipped", call(), leak(answer(5)), Value::Null),
        case("its type", call(), "/items/5/_type", json!("ScreenerTextResponse")),
        case("a numeric type", call(), "/items/1/questionType", json!("ScreenerNumericQuestion")),
        case(
            "a single select type",
            call(),
            "/items/3/_type",
            json!("ScreenerSingleSelectResponse"),
        ),
        case(
            "a write-in",
            Call::responses_of("scses_789"),
            "/items/1/answer/1",
            json!({"text": "Other: Insights Hub", "isWriteIn": true}),
        ),
    ])
    .await;
}
