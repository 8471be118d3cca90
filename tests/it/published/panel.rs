//! The clients of panelist access and of the participants themselves.

use serde_json::{Value, json};

use super::schema::Need::{self, Required};
use super::schema::Shape::{self, Flag, Object, OrNull, Text, Whole, Word};
use super::schema::check;
use crate::support::{PANEL, Server};

const ACCESS: &[(&str, Need, Shape)] = &[
    (
        "panelist",
        Required,
        Object(&[
            ("canRespond", Required, Flag),
            ("sessionCount", Required, Whole),
            ("activityStartedUnixTs", Required, OrNull(&Whole)),
            ("activityMostRecentUnixTs", Required, OrNull(&Whole)),
            ("dismissedMostRecentUnixTs", Required, OrNull(&Whole)),
            ("publicKey", Required, Text),
            ("hostedResponseUrl", Required, Text),
        ]),
    ),
    (
        "survey",
        Required,
        Object(&[
            ("status", Required, Word(&["DRAFT", "OPEN", "CLOSED"])),
            ("title", Required, Text),
        ]),
    ),
];

async fn access(server: &Server, survey: &str, panelist: &str) -> Value {
    let path = format!("/tenant/surveys/{survey}/panelists/{panelist}");
    let reply = server.send("GET", &path, PANEL).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    check(&reply.json(), &Object(ACCESS), &path);
    let key = reply.json()["panelist"]["publicKey"].as_str().expect("a key").to_owned();
    assert_eq!(key.matches(':').count(), 1, "{key}");
    let link = reply.json()["panelist"]["hostedResponseUrl"].as_str().expect("a link").to_owned();
    assert!(link.ends_with(&format!("/app/panelist/vote/?key={key}")), "{link}");
    reply.json()
}

#[tokio::test]
async fn access_is_answered_by_its_schema_for_every_survey_and_panelist() {
    let server = Server::demo().await;
    let mut statuses = Vec::new();
    for survey in ["survey-123", "survey-draft", "survey-closed", "survey-multi"] {
        for panelist in [
            "customer-456",
            "customer-done",
            "customer-dismissed",
            "customer-revoked",
            "nobody%20yet",
        ] {
            let found = access(&server, survey, panelist).await;
            statuses.push(found["survey"]["status"].as_str().expect("a word").to_owned());
            if found["survey"]["status"] != "OPEN" {
                assert_eq!(found["panelist"]["canRespond"], false, "{survey} {panelist}");
            }
        }
    }
    for status in ["DRAFT", "OPEN", "CLOSED"] {
        assert!(statuses.iter().any(|it| it == status), "{status} is met");
    }
    for (headers, survey, status, error) in [
        (&[][..], "survey-123", 401, "Unauthorized"),
        (&[("X-API-Key", "vtt_wrong")][..], "survey-123", 401, "Unauthorized"),
        (PANEL, "survey-999", 404, "survey_not_found"),
    ] {
        let path = format!("/tenant/surveys/{survey}/panelists/customer-456");
        let reply = server.send("GET", &path, headers).await;
        assert_eq!((reply.status, &reply.json()["error"]), (status, &json!(error)), "{survey}");
    }
    server.stop().await;
}

#[tokio::test]
async fn panelists_answer_in_every_documented_form_and_are_refused_by_the_documented_codes() {
    let server = Server::demo().await;
    let found = access(&server, "scr_124", "published-client").await;
    let key = found["panelist"]["publicKey"].as_str().expect("a key").to_owned();
    let authorization = [("authorization", key.as_str())];
    let sheet = server.send("GET", "/public/surveys/", &authorization).await;
    assert_eq!(sheet.status, 200, "{}", sheet.text);
    let sheet = sheet.json();
    let pages = sheet["pages"].as_array().expect("pages").iter();
    let questions: Vec<&Value> =
        pages.flat_map(|page| page["questions"].as_array().expect("questions")).collect();
    let of_kind = |kind: &str| {
        let found = questions.iter().find(|it| it["kind"] == kind).expect(kind);
        let options = found["options"].as_array().into_iter().flatten();
        let options: Vec<_> = options.map(|option| option["id"].clone()).collect();
        (found["id"].as_str().expect("an id").to_owned(), options)
    };
    let (text, _) = of_kind("TEXT");
    let (single, options) = of_kind("SINGLE_SELECT");
    let (multi, several) = of_kind("MULTI_SELECT");
    let post = async |path: &str, headers: &[(&str, &str)], body: &Value| {
        server.send_body("POST", path, headers, Some(&body.to_string())).await
    };
    // A single choice may be an option or a list of one. A text may have an empty list.
    for (id, answer) in [
        (&text, json!({ "explanation": "VP of Research" })),
        (&text, json!({ "optionIds": [], "explanation": "VP of Sales" })),
        (&single, json!({ "optionId": options[0] })),
        (&single, json!({ "optionIds": [options[0]] })),
        (&multi, json!({ "optionIds": [several[0]] })),
        (&multi, json!({ "optionIds": several[..2] })),
    ] {
        let body = json!({ "responses": { id: answer }, "isFinal": false });
        let reply = post("/public/surveys/", &authorization, &body).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text);
        check(&reply.json(), &Object(&[("count", Required, Whole)]), "a submission");
        assert_eq!(reply.json()["count"], 1, "{body}");
    }
    let dismissed = server.send("POST", "/public/surveys/dismiss/", &authorization).await;
    assert!(dismissed.status < 300, "{}", dismissed.text);
    let found = access(&server, "scr_124", "published-client").await;
    assert!(found["panelist"]["dismissedMostRecentUnixTs"].is_i64());
    let closed = access(&server, "survey-closed", "published-client").await;
    let closed = closed["panelist"]["publicKey"].as_str().expect("a key").to_owned();
    let body = json!({ "responses": {}, "isFinal": true });
    for (headers, body, status, error) in [
        (&[][..], &body, 401, "Unauthorized"),
        (&[("authorization", "abc123:xyz789")][..], &body, 401, "Unauthorized"),
        (&[("authorization", closed.as_str())][..], &body, 403, "Forbidden"),
        (&authorization[..], &json!({ "responses": { &text: 5 } }), 400, "invalid_response"),
        (&authorization[..], &json!({ "responses": { "none": {} } }), 400, "invalid_response"),
    ] {
        let reply = post("/public/surveys/", headers, body).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        if status != 403 {
            assert_eq!(reply.json()["error"], error, "{body}");
        }
    }
    server.stop().await;
}
