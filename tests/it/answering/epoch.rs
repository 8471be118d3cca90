//! A higher epoch revokes the keys of lower epochs. Keys of an earlier epoch open nothing, and the
//! current key opens everything that they did.

use screenerd::client as pb;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use serde_json::json;
use tonic::Code;

use super::{life, responses, sessions};
use crate::support::browser::FORM;
use crate::support::panelist::{LIFE, import, public_key};
use crate::support::unary::unary;
use crate::support::{PANEL, Server};

const PANELIST: &str = "crm-new";

/// Assigns the participant to the screener in this epoch.
async fn assign(server: &Server, epoch: u32) {
    import(
        server,
        &[
            json!({ "format": "screenerd-import", "version": 1 }),
            json!({ "type": "participant", "tenant": "acct_123", "id": "ptp_new",
                "externalUid": PANELIST }),
            json!({ "type": "screenerParticipant", "tenant": "acct_123", "id": "scpar_new",
                "screenerId": LIFE, "participantId": "ptp_new", "keyEpoch": epoch }),
        ],
    )
    .await;
}

/// Makes every call that a key opens, over REST, gRPC and Connect, and on the page behind its link.
/// Asserts that each is refused because the key is revoked.
async fn is_revoked_everywhere(server: &Server, key: &str) {
    let json = [("authorization", key), ("content-type", "application/json")];
    for (method, path, body) in [
        ("GET", "/public/surveys/", None),
        ("POST", "/public/surveys/", Some(r#"{"responses": {}, "isFinal": false}"#)),
        ("POST", "/public/surveys/dismiss/", None),
    ] {
        let reply = server.send_body(method, path, &json, body).await;
        assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("gone")), "{path}");
    }
    let own = &[("authorization", key)];
    let service = "/screener.v1.PanelistSessionService";
    let (load, submit, dismiss) = (
        pb::GetQuestionnaireRequest {},
        pb::SubmitAnswersRequest::default(),
        pb::DismissRequest {},
    );
    let refused = [
        unary!(server, own, PanelistSessionServiceClient.get_questionnaire(load)).map(drop),
        unary!(server, own, PanelistSessionServiceClient.submit_answers(submit)).map(drop),
        unary!(server, own, PanelistSessionServiceClient.dismiss(dismiss)).map(drop),
    ];
    for refused in refused {
        let refused = refused.expect_err("the key is revoked");
        assert_eq!((&refused.reason[..], refused.code), ("GONE", Code::NotFound));
    }
    for method in ["GetQuestionnaire", "SubmitAnswers", "Dismiss"] {
        let path = format!("{service}/{method}");
        let reply = server.send_body("POST", &path, &json, Some("{}")).await;
        assert_eq!((reply.status, &reply.json()["code"]), (404, &json!("not_found")), "{path}");
        assert!(reply.text.contains("\"GONE\""), "{path}: {}", reply.text);
    }
    let page = format!("/app/panelist/vote/?key={key}");
    assert_eq!(server.send("GET", &page, &[]).await.status, 410);
    assert_eq!(server.send_body("POST", &page, &[FORM], Some("")).await.status, 410);
}

/// Returns the statuses of loading the questionnaire and of opening the page with a key.
async fn loads(server: &Server, key: &str) -> [u16; 2] {
    let page = format!("/app/panelist/vote/?key={key}");
    let load = server.send("GET", "/public/surveys/", &[("authorization", key)]).await;
    [load.status, server.send("GET", &page, &[]).await.status]
}

#[tokio::test]
async fn a_key_of_an_earlier_epoch_opens_nothing_and_the_next_one_everything() {
    let server = life().await;
    let earlier = public_key(&server, LIFE, PANELIST).await;
    let elsewhere = public_key(&server, "survey-123", PANELIST).await;
    assert_eq!(loads(&server, &earlier).await, [200, 200]);
    assign(&server, 1).await;
    is_revoked_everywhere(&server, &earlier).await;
    assert_eq!(sessions(&server).await, [json!(null); 0], "a refused call wrote nothing");
    // The epoch revokes the key, not the participant, and applies to one screener only.
    let path = format!("/tenant/surveys/{LIFE}/panelists/{PANELIST}");
    let access = server.send("GET", &path, PANEL).await.json();
    assert_eq!(access["panelist"]["canRespond"], true);
    assert!(access["panelist"]["dismissedMostRecentUnixTs"].is_null());
    assert_eq!(loads(&server, &elsewhere).await, [200, 200]);
    let now = public_key(&server, LIFE, PANELIST).await;
    assert_ne!(now, earlier);
    assert_eq!(loads(&server, &now).await, [200, 200]);
    let body = json!({ "responses": { "q_name": { "explanation": "Ada" } }, "isFinal": false });
    let headers = [("authorization", &now[..]), ("content-type", "application/json")];
    let body = body.to_string();
    let taken = server.send_body("POST", "/public/surveys/", &headers, Some(&body)).await;
    assert_eq!((taken.status, taken.json()), (200, json!({ "count": 1 })));
    // The new session does not restore the earlier key.
    is_revoked_everywhere(&server, &earlier).await;
    assert_eq!(responses(&server).await, [("q_name".into(), json!("Ada"))]);
    server.stop().await;
}

#[tokio::test]
async fn a_key_of_the_epoch_of_its_assignment_stays_valid() {
    let server = life().await;
    let key = public_key(&server, LIFE, PANELIST).await;
    assign(&server, 0).await;
    assert_eq!(public_key(&server, LIFE, PANELIST).await, key, "the same panelist, the same key");
    assert_eq!(loads(&server, &key).await, [200, 200]);
    server.stop().await;
}
