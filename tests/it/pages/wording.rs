//! The author's words around the questions: language, introduction, hints and thanks.

use screenerd::client as pb;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use serde_json::{Value, json};

use super::link::panelist_link;
use crate::support::browser::Browser;
use crate::support::panelist::{import, public_key};
use crate::support::unary::unary;
use crate::support::{SERVICE, Server};

const WORDED: &str = "scr_worded";

fn publication(more: &Value) -> Value {
    let mut line = json!({ "type": "publication", "tenant": "acct_123", "id": "scpub_worded",
    "screenerId": WORDED, "pages": [
        { "id": "p_1", "questions": [
            { "id": "q_zip", "kind": "TEXT", "prompt": "Postleitzahl?", "pattern": r"\d{5}",
              "patternHint": "5 Ziffern, wie 10115" },
            { "id": "q_fit", "kind": "SINGLE_SELECT", "prompt": "Passt es?", "required": true,
              "options": [
                { "id": "o_yes", "text": "Ja", "rule": "QUALIFIES" },
                { "id": "o_no", "text": "Nein", "rule": "DISQUALIFIES" },
                { "id": "o_other", "text": "Andere", "writeIn": true },
            ]},
        ]},
        { "id": "p_2", "questions": [{ "id": "q_end", "kind": "TEXT", "prompt": "Noch etwas?" }]},
    ]});
    let members = more.as_object().expect("members").clone();
    line.as_object_mut().expect("a line").extend(members);
    line
}

async fn server(more: &Value) -> Server {
    let server = Server::demo().await;
    let lines = [
        json!({ "format": "screenerd-import", "version": 1 }),
        json!({ "type": "screener", "tenant": "acct_123", "id": WORDED, "projectId": "proj_123",
            "title": "Umfrage", "status": "OPEN", "activePublicationId": "scpub_worded" }),
        publication(more),
    ];
    import(&server, &lines).await;
    server
}

fn words() -> Value {
    json!({ "language": "de", "introduction": "Hallo.\n<b>Los</b> geht es.",
        "thanksQualified": "Danke, wir melden uns.", "thanksDisqualified": "Trotzdem danke." })
}

#[tokio::test]
async fn pages_say_what_the_author_says_in_the_author_s_language() {
    let server = server(&words()).await;
    for (panelist, option, thanks, other) in [
        ("crm-yes", "0", "Danke, wir melden uns.", "Trotzdem danke."),
        ("crm-no", "1", "Trotzdem danke.", "Danke, wir melden uns."),
    ] {
        let link = panelist_link(&server, WORDED, panelist).await;
        let mut browser = Browser::open(&server, &link).await;
        browser.says("Hallo.\n<b>Los</b> geht es.");
        browser.says("5 Ziffern, wie 10115");
        assert_eq!(browser.press("next", &[("a0", "abc"), ("a1", option)]).await, 422);
        browser.hides("Check the format.");
        let error = r#"<p class="error" id="e0" dir="auto" lang="de">5 Ziffern, wie 10115</p>"#;
        assert!(browser.text().contains(error), "{}", browser.text());
        assert_eq!(browser.press("next", &[("a0", "10115")]).await, 303);
        browser.hides("Hallo.");
        assert_eq!(browser.press("finish", &[]).await, 303);
        browser.says("Thank you!");
        browser.says(thanks);
        browser.hides(other);
        browser.hides("You can close this page now.");
        let again = Browser::open(&server, &link).await;
        again.says("Already answered");
    }
    server.stop().await;
}

/// All texts of the author, in the order of the pages that show them.
const AUTHOR: [&str; 10] = [
    "Umfrage",
    "Hallo.",
    "Postleitzahl?",
    "5 Ziffern, wie 10115",
    "Passt es?",
    "Ja",
    "Nein",
    "Andere",
    "Noch etwas?",
    "Danke, wir melden uns.",
];

/// Asserts that the author's texts in the body have the author's language. The title mixes two
/// languages and cannot mark them.
fn is_marked(browser: &Browser<'_>, expected: &[&str]) {
    let (_, body) = browser.text().split_once("<body>").expect("a body");
    for words in AUTHOR {
        let mut begin = 0;
        while let Some(place) = body[begin..].find(words) {
            let (_, tag) = body[..begin + place].rsplit_once('<').expect("a tag is before it");
            let (tag, _) = tag.split_once('>').expect("it is in no attribute");
            assert!(tag.contains(" lang=\"de\""), "{words} in <{tag}>");
            begin += place + words.len();
        }
        assert_eq!(begin > 0, expected.contains(&words), "{words}: {body}");
    }
}

#[tokio::test]
async fn all_words_of_the_author_carry_the_author_s_language() {
    let server = server(&words()).await;
    let link = panelist_link(&server, WORDED, "crm-words").await;
    let mut browser = Browser::open(&server, &link).await;
    let first = &AUTHOR[..8];
    is_marked(&browser, first);
    assert_eq!(browser.press("next", &[("a0", "abc"), ("a1", "2")]).await, 422);
    browser.says("Enter your answer for “<bdi lang=\"de\">Andere</bdi>”");
    assert_eq!(browser.text().matches("5 Ziffern, wie 10115").count(), 3, "hint, error, summary");
    is_marked(&browser, first);
    assert_eq!(browser.press("dismiss", &[]).await, 303);
    browser.says("No problem.");
    is_marked(&browser, &["Umfrage"]);
    let mut browser = Browser::open(&server, &link).await;
    assert_eq!(browser.press("next", &[("a0", ""), ("a1", "0")]).await, 303);
    is_marked(&browser, &["Umfrage", "Noch etwas?"]);
    assert_eq!(browser.press("finish", &[]).await, 303);
    browser.says("Thank you!");
    is_marked(&browser, &["Umfrage", "Danke, wir melden uns."]);
    let again = Browser::open(&server, &link).await;
    again.says("Already answered");
    is_marked(&again, &["Umfrage"]);
    // Without a session, the newest publication determines the language.
    let close = pb::CloseScreenerRequest { id: WORDED.into() };
    unary!(server, SERVICE, ScreenerServiceClient.close_screener(close)).expect("it is closed");
    let late = panelist_link(&server, WORDED, "crm-late").await;
    let closed = Browser::open(&server, &late).await;
    closed.says("This survey is closed.");
    is_marked(&closed, &["Umfrage"]);
    server.stop().await;
}

#[tokio::test]
async fn a_question_begins_where_its_language_does() {
    for (language, direction) in [(json!("ar"), "rtl"), (json!("de"), "ltr"), (json!(null), "ltr")]
    {
        let server = server(&json!({ "language": language })).await;
        let link = panelist_link(&server, WORDED, "crm-side").await;
        let browser = Browser::open(&server, &link).await;
        for class in ["question", "question boxes"] {
            browser.says(&format!("class=\"{class}\" dir=\"{direction}\""));
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn without_words_the_pages_speak_for_themselves() {
    let server = server(&json!({})).await;
    let link = panelist_link(&server, WORDED, "crm-plain").await;
    let mut browser = Browser::open(&server, &link).await;
    browser.hides("lang=\"de\"");
    assert_eq!(browser.press("next", &[("a1", "1")]).await, 303);
    assert_eq!(browser.press("finish", &[]).await, 303);
    browser.says("You can close this page now.");
    server.stop().await;
}

#[tokio::test]
async fn a_participant_s_program_learns_the_words_but_not_the_thanks() {
    let server = server(&words()).await;
    let link = panelist_link(&server, WORDED, "crm-program").await;
    let (_, key) = link.split_once("key=").expect("a key");
    let sheet = server.send("GET", "/public/surveys/", &[("authorization", key)]).await;
    assert!(!sheet.text.contains("melden uns"), "{}", sheet.text);
    let sheet_of = |body: &Value| (body["language"].clone(), body["introduction"].clone());
    let told = sheet_of(&sheet.json());
    assert_eq!(told, (json!("de"), json!("Hallo.\n<b>Los</b> geht es.")), "{}", sheet.text);
    let key = public_key(&server, "survey-123", "crm-program").await;
    let plain = server.send("GET", "/public/surveys/", &[("authorization", &key)]).await;
    assert_eq!(sheet_of(&plain.json()), (Value::Null, Value::Null));
    assert!(plain.text.contains(r#""language":null,"introduction":null"#), "{}", plain.text);
    let first = sheet.json()["pages"][0]["questions"][0].clone();
    assert_eq!(first["patternHint"], "5 Ziffern, wie 10115", "{}", sheet.text);
    let get = pb::GetPublicationRequest { id: "scpub_worded".into() };
    let told = unary!(server, SERVICE, ScreenerServiceClient.get_publication(get));
    let publication = told.expect("an answer").publication.expect("a publication");
    let told = publication.questionnaire.expect("a questionnaire");
    assert_eq!(told.language.as_deref(), Some("de"));
    assert_eq!(told.thanks_qualified.as_deref(), Some("Danke, wir melden uns."));
    assert_eq!(told.thanks_disqualified.as_deref(), Some("Trotzdem danke."));
    server.stop().await;
}
