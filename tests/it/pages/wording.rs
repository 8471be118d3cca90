//! The author's words around the questions: language, introduction, hints and thanks.

use screenerd::client as pb;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use serde_json::{Value, json};

use super::link::panelist_link;
use crate::support::browser::Browser;
use crate::support::panelist::import;
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
        let marked = r#"<span dir="auto" lang="de">Postleitzahl?</span>"#;
        assert!(browser.text().contains(marked), "{}", browser.text());
        assert_eq!(browser.press("next", &[("a0", "abc"), ("a1", option)]).await, 422);
        browser.hides("Check the format.");
        let error = r#"<p class="error" id="e0" dir="auto">5 Ziffern, wie 10115</p>"#;
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
