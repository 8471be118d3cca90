//! The examples of the three documents, requested as they show them.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::support::{PANEL, PUBLIC_URL, RESPONDENT, SPOT, Server, config};
use screenerd::app::Location;
use screenerd::app::Operator;
use screenerd::transfer;

fn session_789() -> Value {
    json!({
        "_type": "ScreenerSession",
        "id": "scses_789",
        "screenerId": "scr_123",
        "screenerParticipantId": "scpar_123",
        "screenerPublicationId": "scpub_456",
        "screenerSessionLink": format!("{PUBLIC_URL}/screeners/scr_123/scses_789"),
        "linkSlug": "onboarding-001-alex",
        "status": "ACTIVE",
        "state": "IN_PROGRESS",
        "startedAt": "2024-05-01T15:08:21Z",
        "lastActiveAt": "2024-05-01T15:14:44Z",
        "completedAt": null,
        "assignedTags": [
            {"_type": "Tag", "id": "tag_qual", "category": "qualification", "value": "priority"}
        ],
    })
}

const SPOT_HEADERS: &[(&str, &str)] = &[
    ("X-Spot-Api-Key", "acct_123"),
    ("X-Spot-Api-Secret", "sk_live_abcd"),
    ("X-Spot-Api-Version", "1.0.0"),
];

/// Returns the keys of a JSON object in the order of the text.
fn members(text: &str, first: &str, count: usize) -> Vec<String> {
    let start = text.find(first).expect("the first member");
    let mut names = Vec::new();
    for part in text[start..].split("\":").take(count) {
        let name = part.rsplit('"').next().expect("a name");
        names.push(name.to_owned());
    }
    names
}

#[tokio::test]
async fn the_printed_list_of_sessions_answers_member_for_member() {
    let server = Server::demo().await;
    let raw = "/screener-sessions?filter[screenerId][eq]=scr_123&pagination[limit]=25&pagination[offset]=0";
    let encoded = "/screener-sessions?filter%5BscreenerId%5D%5Beq%5D=scr_123\
                   &pagination%5Blimit%5D=25&pagination%5Boffset%5D=0";
    for path in [raw, encoded] {
        let reply = server.send("GET", path, SPOT_HEADERS).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("x-spot-api-version"), Some("1.0.0"));
        let expected = json!({"total": 1, "limit": 25, "offset": 0, "items": [session_789()]});
        assert_eq!(reply.json(), expected);
        let order = ["total", "limit", "offset", "items", "_type", "id", "screenerId"];
        assert_eq!(members(&reply.text, "\"total", 7), order);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_printed_list_of_responses_answers_member_for_member() {
    let server = Server::demo().await;
    let raw = "/screener-responses?filter[screenerId][eq]=scr_123\
               &filter[screenerSessionId][in][]=scses_789&pagination[limit]=100";
    let common = |kind: &str, page: &str, question: &str, prompt: &str, answer: Value| {
        json!({
            "_type": format!("Screener{kind}Response"),
            "questionType": format!("Screener{kind}Question"),
            "screenerSessionId": "scses_789",
            "screenerPageId": page,
            "screenerQuestionId": question,
            "screenerId": "scr_123",
            "screenerPublicationId": "scpub_456",
            "participantId": "ptp_001",
            "externalParticipantUid": "crm-001",
            "screenerParticipantId": "scpar_123",
            "screenerQuestionPrompt": prompt,
            "answer": answer,
        })
    };
    let expected = json!({"total": 2, "limit": 100, "offset": 0, "items": [
        common("Text", "scp_intro", "scq_role", "What is your role?", json!("VP of Research")),
        common(
            "MultiSelect",
            "scp_focus",
            "scq_channels",
            "Which teams will use Spot Thought?",
            json!([
                {"text": "Sales", "isWriteIn": false},
                {"text": "Other: Insights Hub", "isWriteIn": true},
            ]),
        ),
    ]});
    let encoded = raw.replace('[', "%5B").replace(']', "%5D");
    for path in [raw, &encoded] {
        let reply = server.send("GET", path, SPOT_HEADERS).await;
        assert_eq!(reply.json(), expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_printed_session_can_be_got_and_removed() {
    let server = Server::demo().await;
    let path = "/screener-sessions/scses_789";
    let reply = server.send("GET", path, SPOT_HEADERS).await;
    assert_eq!((reply.status, reply.json()), (200, session_789()));
    let reply = server.send("DELETE", path, SPOT_HEADERS).await;
    let mut expected = session_789();
    expected["status"] = json!("REMOVED");
    assert_eq!((reply.status, reply.json()), (200, expected));
    server.stop().await;
}

/// Starts a server on the example data with `scses_789` as its only session, at these instants.
async fn with_session_789(instants: &Value) -> (Server, tempfile::TempDir) {
    let mut file = Vec::new();
    for line in transfer::demo::FILE.lines() {
        let mut record: Value = serde_json::from_str(line).expect("a record");
        let is_other = record["screenerSessionId"].is_string()
            || record["type"] == "screenerSession" && record["id"] != "scses_789";
        if is_other {
            continue;
        }
        if record["id"] == "scses_789" {
            for name in ["startedAt", "lastActiveAt", "completedAt"] {
                record[name] = instants[name].clone();
            }
        }
        writeln!(file, "{record}").expect("it is written");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let location = Location::Sqlite(folder.path().join("documents.db"));
    let server = Server::start(&config(Some(location), false)).await;
    let reader = std::io::Cursor::new(file);
    transfer::import_lines(server.running.app(), &Operator::trusted(), reader, true)
        .await
        .expect("it imports");
    (server, folder)
}

#[tokio::test]
async fn the_printed_completed_session_is_a_matter_of_data() {
    let instants = json!({"startedAt": "2024-05-01T15:08:21Z",
        "lastActiveAt": "2024-05-01T15:16:55Z", "completedAt": "2024-05-01T15:16:55Z"});
    let (server, _folder) = with_session_789(&instants).await;
    let reply = server.send("GET", "/screener-sessions/scses_789", SPOT_HEADERS).await;
    let mut expected = session_789();
    expected["state"] = json!("COMPLETED");
    for name in ["startedAt", "lastActiveAt", "completedAt"] {
        expected[name] = instants[name].clone();
    }
    assert_eq!(reply.json(), expected);
    server.stop().await;
}

#[tokio::test]
async fn the_printed_removed_session_is_a_matter_of_data() {
    let nulls = json!({"startedAt": null, "lastActiveAt": null, "completedAt": null});
    let (server, _folder) = with_session_789(&nulls).await;
    let reply = server.send("DELETE", "/screener-sessions/scses_789", SPOT_HEADERS).await;
    let mut expected = session_789();
    expected["status"] = json!("REMOVED");
    expected["state"] = json!("NOT_STARTED");
    for name in ["startedAt", "lastActiveAt"] {
        expected[name] = Value::Null;
    }
    assert_eq!(reply.json(), expected);
    server.stop().await;
}

#[tokio::test]
async fn a_rejected_submission_has_every_required_member_and_no_null_but_two() {
    let server = Server::demo().await;
    let path = "/v1/projects/proj_123/screener-responses/scses_790/reject";
    let reply = server.send("PATCH", path, RESPONDENT).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    for member in [
        "qualified",
        "percentage",
        "status",
        "responses",
        "totalTime",
        "matching",
        "visibility",
        "id",
        "projectId",
        "userId",
    ] {
        assert!(body.get(member).is_some(), "{member} is required");
    }
    assert_no_null(&body, "");
    for absent in ["inviteSentAt", "ndaUrl", "invitation", "externalProject", "task", "message"] {
        assert!(body.get(absent).is_none(), "{absent} is not stored");
    }
    let types: Vec<&str> = body["responses"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| line["questionType"].as_str().expect("a text"))
        .collect();
    let expected =
        ["singleLineTextbox", "numericBox", "numericBox", "radio", "checkbox", "multiLineTextbox"];
    assert_eq!(types, expected);
    assert_eq!(body["responses"][2]["answers"][0]["text"], "5.5");
    assert_eq!(body["responses"][3]["answers"][0]["answerValue"], 1);
    assert_eq!(body["responses"][5]["answers"], json!([]));
    assert_eq!(body["percentage"], 100);
    server.stop().await;
}

fn assert_no_null(value: &Value, path: &str) {
    match value {
        Value::Null => {
            assert!(path.ends_with("/goToQuestionUid"), "{path} is null");
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                assert_no_null(item, &format!("{path}/{position}"));
            }
        }
        Value::Object(object) => {
            for (name, member) in object {
                assert_no_null(member, &format!("{path}/{name}"));
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn a_reject_body_may_be_absent_empty_or_a_message() {
    let path = "/v1/projects/proj_123/screener-responses/scses_789/reject";
    let json_type = ("content-type", "application/json");
    for (content_type, body, message) in [
        (None, None, "Rejected for low quality."),
        (Some(json_type), None, "Rejected for low quality."),
        (Some(json_type), Some("{}"), "Rejected for low quality."),
        (None, Some("{}"), "Rejected for low quality."),
        (Some(json_type), Some(r#"{"message": "No."}"#), "No."),
        (None, Some(r#"{"message": "No."}"#), "No."),
    ] {
        let server = Server::demo().await;
        let mut headers = RESPONDENT.to_vec();
        headers.extend(content_type);
        let reply = server.send_body("PATCH", path, &headers, body).await;
        assert_eq!(reply.status, 200, "{content_type:?} {body:?}: {}", reply.text);
        assert_eq!(reply.json()["rejection"]["message"], message);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_reject_body_that_is_something_else_changes_nothing() {
    let server = Server::demo().await;
    let path = "/v1/projects/proj_123/screener-responses/scses_789/reject";
    let too_long = json!({ "message": "x".repeat(2001) }).to_string();
    for (body, field) in [
        (r#"{"reason": "x"}"#, "reason"),
        (r#"{"message": 5}"#, "message"),
        ("[]", "body"),
        ("{", "body"),
        (too_long.as_str(), "message"),
    ] {
        let reply = server.send_body("PATCH", path, RESPONDENT, Some(body)).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.json()["violations"][0]["field"], field, "{body}");
    }
    let mut form = RESPONDENT.to_vec();
    form.push(("content-type", "application/x-www-form-urlencoded"));
    let reply = server.send_body("PATCH", path, &form, Some("message=x")).await;
    assert_eq!((reply.status, &reply.json()["error"]), (415, &"unsupported_media_type".into()));
    let huge = "x".repeat(5 * 1024 * 1024);
    let reply = server.send_body("PATCH", path, RESPONDENT, Some(&huge)).await;
    assert_eq!((reply.status, &reply.json()["error"]), (413, &"payload_too_large".into()));
    let reply = server.send("PATCH", path, RESPONDENT).await;
    assert_eq!(reply.json()["rejection"]["message"], "Rejected for low quality.");
    server.stop().await;
}

#[tokio::test]
async fn the_printed_panelist_access_answers_member_for_member() {
    let server = Server::demo().await;
    let path = "/tenant/surveys/survey-123/panelists/customer-456";
    let reply = server.send("GET", path, PANEL).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    let key = body["panelist"]["publicKey"].as_str().expect("a key");
    let expected = json!({
        "panelist": {
            "canRespond": true,
            "sessionCount": 0,
            "activityStartedUnixTs": null,
            "activityMostRecentUnixTs": null,
            "dismissedMostRecentUnixTs": null,
            "publicKey": key,
            "hostedResponseUrl": format!("{PUBLIC_URL}/app/panelist/vote/?key={key}"),
        },
        "survey": {"status": "OPEN", "title": "Customer Satisfaction Survey"},
    });
    assert_eq!(body, expected);
    assert_eq!(members(&reply.text, "\"panelist", 2), ["panelist", "canRespond"]);
    server.stop().await;
}

#[tokio::test]
async fn a_panelist_id_is_decoded_once() {
    let server = Server::demo().await;
    let key = async |segment: &str| {
        let path = format!("/tenant/surveys/survey-123/panelists/{segment}");
        let reply = server.send("GET", &path, PANEL).await;
        assert_eq!(reply.status, 200, "{segment}");
        reply.json()["panelist"]["publicKey"].as_str().expect("a key").to_owned()
    };
    assert_eq!(key("a%2Fb").await, key("%61%2fb").await);
    assert_ne!(key("a%2Fb").await, key("a%252Fb").await);
    assert_eq!(key("x@y.z").await, key("x%40y.z").await);
    let reply = server.send("GET", "/tenant/surveys/survey-123/panelists/%FF", PANEL).await;
    assert_eq!(
        (reply.status, &reply.json()["violations"][0]["field"]),
        (400, &"panelistId".into())
    );
    server.stop().await;
}

#[tokio::test]
async fn the_panel_dialect_spells_its_codes_as_printed() {
    let server = Server::demo().await;
    let path = "/tenant/surveys/survey-123/panelists/customer-456";
    for (headers, status, code) in [
        (&[][..], 401, "Unauthorized"),
        (&[("X-API-Key", "acct_123")][..], 401, "Unauthorized"),
        (&[("X-API-Key", "vtt_no_panel_scope")][..], 403, "Forbidden"),
        (&[("X-API-Key", "vtt_other_tenant")][..], 404, "survey_not_found"),
    ] {
        let reply = server.send("GET", path, headers).await;
        assert_eq!((reply.status, &reply.json()["error"]), (status, &code.into()));
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    server.stop().await;
}

#[tokio::test]
async fn versions_are_absent_current_dated_or_refused() {
    let server = Server::demo().await;
    for (version, status) in
        [(None, 200), (Some("1.0.0"), 200), (Some("2024-11-15"), 200), (Some("9.9.9"), 400)]
    {
        let mut headers = SPOT.to_vec();
        headers.extend(version.map(|version| ("X-Spot-Api-Version", version)));
        let reply = server.send("GET", "/screener-sessions/scses_789", &headers).await;
        assert_eq!(reply.status, status, "{version:?}");
        if status == 200 {
            assert_eq!(reply.header("x-spot-api-version"), Some("1.0.0"));
        } else {
            assert_eq!(reply.json()["error"], "unsupported_api_version");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_query_grammar_refuses_what_it_does_not_know() {
    let server = Server::demo().await;
    for (query, field) in [
        ("filter[screenerId][like]=x", "filter[screenerId][like]"),
        ("filter[nothing][eq]=x", "filter[nothing][eq]"),
        ("nonsense=1", "nonsense"),
        ("limit=5", "limit"),
        ("filter[screenerId]=x", "filter[screenerId]"),
        ("filter[screenerId][eq]=", "filter[screenerId][eq]"),
        ("filter[screenerId][eq]=a&filter[screenerId][eq]=b", "filter[screenerId][eq]"),
        ("filter[id][in][]=a&filter[id][in][]=", "filter[id][in]"),
        ("pagination[limit]=abc", "pagination[limit]"),
        ("pagination[limit]=", "pagination[limit]"),
        ("pagination[limit]=1&pagination[limit]=2", "pagination[limit]"),
        ("pagination[limit]=1.5", "pagination[limit]"),
        ("pagination[page]=1", "pagination[page]"),
    ] {
        let reply = server.send("GET", &format!("/screener-sessions?{query}"), SPOT).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.text);
        let named = reply.json()["violations"][0]["field"].as_str().map(str::to_owned);
        let named = named.expect("a field");
        assert!(named.starts_with(field), "{query} names {named}");
    }
    for (query, field) in [
        ("filter[screenerId][ne]=x", "filter[screenerId][ne]"),
        ("filter[screenerId][in][]=x", "filter[screenerId][in]"),
        ("filter[screenerSessionId][nin][]=x", "filter[screenerSessionId][nin]"),
        ("filter[participantId][eq]=x", "filter[participantId][eq]"),
    ] {
        let reply = server.send("GET", &format!("/screener-responses?{query}"), SPOT).await;
        assert_eq!(reply.status, 400, "{query}");
        let named = reply.json()["violations"][0]["field"].as_str().map(str::to_owned);
        assert!(named.expect("a field").starts_with(field), "{query}");
    }
    for query in [
        "filter[id][in][]=scses_789&filter[id][in][]=scses_790",
        "filter[id][in][0]=scses_789&filter[id][in][1]=scses_790",
        "filter[id][in]=scses_789&filter[id][in]=scses_790",
        "filter%5Bid%5D%5Bin%5D%5B%5D=scses_789&filter[id][in][]=scses%5F790",
    ] {
        let reply = server.send("GET", &format!("/screener-sessions?{query}"), SPOT).await;
        assert_eq!(reply.json()["total"], 2, "{query}");
    }
    let commas = "filter[id][in][]=scses_789,scses_790";
    let reply = server.send("GET", &format!("/screener-sessions?{commas}"), SPOT).await;
    assert_eq!(reply.json()["total"], 0, "a comma separates nothing");
    server.stop().await;
}

#[tokio::test]
async fn an_id_that_is_too_long_is_400_in_a_filter_and_404_in_a_path() {
    let server = Server::demo().await;
    let long = "x".repeat(129);
    let path = format!("/screener-sessions?filter[id][eq]={long}");
    assert_eq!(server.send("GET", &path, SPOT).await.status, 400);
    let path = format!("/screener-sessions/{long}");
    assert_eq!(server.send("GET", &path, SPOT).await.json()["error"], "not_found");
    let path = format!("/tenant/surveys/{long}/panelists/x");
    assert_eq!(server.send("GET", &path, PANEL).await.json()["error"], "survey_not_found");
    server.stop().await;
}
