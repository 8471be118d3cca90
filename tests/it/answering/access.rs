//! One rule decides who may answer. An import creates every state of the rule, and each entry point
//! is compared with it: panelist access, keys and links over gRPC and REST, and their pages.

use screenerd::app::Operator;
use screenerd::client as pb;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::domain::access::{Denial, Presented, check_access};
use screenerd::domain::error::Kind;
use screenerd::domain::id::{ProjectId, PublicationId, ScreenerId, TenantId};
use screenerd::domain::panelist::Activity;
use screenerd::domain::screener::{Screener, ScreenerStatus};
use screenerd::domain::session::{SessionState, SessionStatus};
use screenerd::transfer;
use serde_json::{Value, json};

use super::sessions;
use crate::support::account::good;
use crate::support::browser::FORM;
use crate::support::calls::{Outcome, Transport};
use crate::support::panelist::{LIFE, Submit, add_life, public_key, submit};
use crate::support::unary::unary;
use crate::support::{PANEL, Reply, Server};

const TENANT: &str = "acct_123";

/// The state of one panelist in one screener.
struct Case {
    screener: Screener,
    /// Whether there is an earlier session, which is completed.
    has_earlier: bool,
    newest: Option<(SessionStatus, SessionState)>,
    epoch: u32,
    /// The part that its ids have in common.
    name: String,
    /// The key of epoch 0.
    key: String,
}

fn screeners() -> Vec<Screener> {
    let mut screeners = Vec::new();
    for status in ScreenerStatus::ALL {
        for is_published in [true, false] {
            for allow_multiple_responses in [true, false] {
                let id = format!("scr_{}", screeners.len());
                let publication =
                    is_published.then(|| good(PublicationId::parse(&format!("pub_{id}"))));
                screeners.push(Screener {
                    id: good(ScreenerId::parse(&id)),
                    project: good(ProjectId::parse("proj_123")),
                    title: "Rule".into(),
                    status: *status,
                    allow_multiple_responses,
                    active_publication: publication,
                    draft: None,
                });
            }
        }
    }
    screeners
}

fn cases() -> Vec<Case> {
    let mut newest = vec![None];
    for status in SessionStatus::ALL {
        newest.extend(SessionState::ALL.iter().map(|state| Some((*status, *state))));
    }
    let mut cases = Vec::new();
    for screener in screeners() {
        for (at, newest) in newest.iter().enumerate() {
            for (has_earlier, epoch) in [(false, 0), (true, 0), (false, 1)] {
                let name = format!("{}_{at}_{has_earlier}_{epoch}", screener.id);
                let (screener, newest, key) = (screener.clone(), *newest, String::new());
                cases.push(Case { screener, has_earlier, newest, epoch, name, key });
            }
        }
    }
    cases
}

async fn import(server: &Server, lines: impl IntoIterator<Item = Value>) {
    let head = json!({ "format": "screenerd-import", "version": 1 });
    let text: Vec<_> = [head].into_iter().chain(lines).map(|line| line.to_string()).collect();
    let reader = std::io::Cursor::new(text.join("\n"));
    let (app, operator) = (server.running.app(), Operator::trusted());
    transfer::import_lines(app, &operator, reader, true).await.expect("it imports");
}

fn screener_lines(it: &Screener) -> [Value; 2] {
    let mut screener = json!({ "type": "screener", "tenant": TENANT, "id": it.id.as_str(),
        "projectId": it.project.as_str(), "title": it.title, "status": it.status.as_str(),
        "allowMultipleResponses": it.allow_multiple_responses });
    if let Some(active) = &it.active_publication {
        screener["activePublicationId"] = json!(active.as_str());
    }
    let questions = json!([{ "id": "q", "kind": "TEXT", "prompt": "?", "required": false }]);
    let publication = json!({ "type": "publication", "tenant": TENANT,
        "id": format!("pub_{}", it.id), "screenerId": it.id.as_str(),
        "pages": [{ "id": "p", "questions": questions }] });
    [screener, publication]
}

impl Case {
    fn session_line(&self, id: &str, status: SessionStatus, state: SessionState) -> Value {
        let Self { screener, name, .. } = self;
        let at = "2024-05-01T15:00:00Z";
        let mut line = json!({ "type": "screenerSession", "tenant": TENANT, "id": id,
            "screenerId": screener.id.as_str(), "screenerParticipantId": format!("scpar_{name}"),
            "screenerPublicationId": format!("pub_{}", screener.id), "linkSlug": id,
            "status": status.as_str(), "createdAt": at });
        if state != SessionState::NotStarted {
            (line["startedAt"], line["lastActiveAt"]) = (json!(at), json!(at));
        }
        if state == SessionState::Completed {
            line["completedAt"] = json!(at);
        }
        line
    }

    fn lines(&self) -> Vec<Value> {
        let Self { screener, has_earlier, newest, epoch, name, key: _ } = self;
        let mut lines = vec![
            json!({ "type": "participant", "tenant": TENANT, "id": format!("ptp_{name}"),
                "externalUid": name }),
            json!({ "type": "screenerParticipant", "tenant": TENANT,
                "id": format!("scpar_{name}"), "screenerId": screener.id.as_str(),
                "participantId": format!("ptp_{name}"), "keyEpoch": epoch }),
        ];
        if *has_earlier {
            let (id, status) = (format!("earlier_{name}"), SessionStatus::Active);
            lines.push(self.session_line(&id, status, SessionState::Completed));
        }
        if let Some((status, state)) = newest {
            lines.push(self.session_line(&format!("newest_{name}"), *status, *state));
        }
        lines
    }

    /// Returns the decision of the rule for a credential.
    fn denied(&self, presented: Presented) -> Option<Denial> {
        let is_completed =
            |(_, state): &(SessionStatus, SessionState)| *state == SessionState::Completed;
        let earlier = (SessionStatus::Active, SessionState::Completed);
        let activity = Activity {
            newest: self.newest.or(self.has_earlier.then_some(earlier)),
            has_completed: self.has_earlier || self.newest.as_ref().is_some_and(is_completed),
            key_epoch: self.epoch,
            ..Activity::default()
        };
        check_access(&self.screener, &activity, presented).err()
    }
}

/// Returns the code of a refusal in lower case: this dialect capitalizes that of a disabled tenant.
fn code_of(reply: &Reply) -> String {
    reply.json()["error"].as_str().expect("a code").to_lowercase()
}

/// Asserts the outcome of every call with a key or a link. Over REST, every refusal is 403.
async fn calls(server: &Server, held: &str, expected: Option<Kind>, case: &str) {
    let own = &[("authorization", held)];
    let message = pb::GetQuestionnaireRequest {};
    let loaded = unary!(server, own, PanelistSessionServiceClient.get_questionnaire(message));
    let reason = expected.map(|kind| kind.mapping().code.to_uppercase());
    assert_eq!(loaded.err().map(|refused| refused.reason), reason, "{case}");
    let reply = server.send("GET", "/public/surveys/", own).await;
    let code = expected.map(|kind| (403, json!(kind.mapping().code)));
    let told = (reply.status != 200).then(|| (reply.status, json!(code_of(&reply))));
    assert_eq!(told, code, "{case}");
    // The submission is empty, so a holder with access gets the error for that.
    for transport in Transport::BOTH {
        let refused = submit(server, transport, held, &Submit::some(json!({}))).await;
        let expected = match expected {
            Some(kind) => Outcome::refusal(kind.mapping().code, &[]),
            None => Outcome::refusal("invalid_argument", &["answers"]),
        };
        assert_eq!(refused, expected, "{case}");
    }
    if expected.is_some() {
        let reply = server.send("POST", "/public/surveys/dismiss/", own).await;
        assert_eq!(reply.status, 403, "{case}");
    }
}

/// Asserts the response of the page behind a link to GET and to POST.
async fn page(server: &Server, path: &str, denied: Option<Denial>, case: &str) {
    let shown = server.send("GET", path, &[]).await;
    let sent = server.send_body("POST", path, &[FORM], Some("")).await;
    let (status, words) = match denied {
        None => (200, "<form"),
        Some(Denial::Removed | Denial::Revoked) => (410, "no longer valid"),
        Some(Denial::Completed | Denial::Exhausted) => (200, "Already answered"),
        Some(Denial::NotYetOpen | Denial::Unpublished) => (200, "Not yet open"),
        Some(Denial::Archived | Denial::Closed) => (200, "Closed"),
    };
    assert_eq!(shown.status, status, "{case}");
    assert!(shown.text.contains(words), "{case}: {}", shown.text);
    assert_eq!(shown.text.contains("<form"), denied.is_none(), "{case}");
    // A form without a publication is outdated. A denial redirects to the current state.
    let expected = match denied {
        None => 409,
        Some(Denial::Removed | Denial::Revoked) => 410,
        Some(_) => 303,
    };
    assert_eq!(sent.status, expected, "{case}");
}

async fn start() -> (Server, Vec<Case>) {
    let mut server = Server::demo().await;
    server.kept = Some(server.channel().await);
    import(&server, screeners().iter().flat_map(screener_lines)).await;
    let mut cases = cases();
    for case in &mut cases {
        case.key = public_key(&server, case.screener.id.as_str(), &case.name).await;
    }
    import(&server, cases.iter().flat_map(Case::lines)).await;
    (server, cases)
}

fn kind(denied: Option<Denial>) -> Option<Kind> {
    denied.map(|denial| denial.reason().0)
}

#[tokio::test]
async fn every_door_follows_the_one_rule() {
    let (server, cases) = start().await;
    for case in &cases {
        let Case { screener, newest, epoch, name, key, .. } = case;
        let path = format!("/tenant/surveys/{}/panelists/{name}", screener.id);
        let access = server.send("GET", &path, PANEL).await.json();
        let may_respond = case.denied(Presented::Key(*epoch)).is_none();
        assert_eq!(access["panelist"]["canRespond"], may_respond, "{name}");
        let denied = case.denied(Presented::Key(0));
        calls(&server, key, kind(denied), name).await;
        page(&server, &format!("/app/panelist/vote/?key={key}"), denied, name).await;
        let Some((status, state)) = newest else { continue };
        let denied = case.denied(Presented::Link(*status, *state));
        let link = format!("/screeners/{}/newest_{name}", screener.id);
        calls(&server, &link, kind(denied), name).await;
        page(&server, &link, denied, name).await;
        page(&server, &format!("/s/newest_{name}"), denied, name).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn nothing_of_a_disabled_tenant_is_answered() {
    let (server, cases) = start().await;
    let tenant = good(TenantId::parse(TENANT));
    let (app, operator) = (server.running.app(), Operator::trusted());
    app.set_tenant_disabled(&operator, tenant, true).await.expect("it is disabled");
    for case in &cases {
        let Case { screener, name, key, .. } = case;
        calls(&server, key, Some(Kind::Forbidden), name).await;
        let path = format!("/tenant/surveys/{}/panelists/{name}", screener.id);
        assert_eq!(server.send("GET", &path, PANEL).await.status, 403);
        let denied = case.denied(Presented::Key(0)).unwrap_or(Denial::Closed);
        page(&server, &format!("/app/panelist/vote/?key={key}"), Some(denied), name).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_submission_by_key_and_by_link_under_one_id_is_one() {
    for transport in Transport::BOTH {
        let server = Server::demo().await;
        add_life(&server, true).await;
        let key = public_key(&server, LIFE, "crm-new").await;
        let first = Submit::some(json!({ "q_name": { "text": "Ada" } })).under("click-1");
        let taken = submit(&server, transport, &key, &first).await;
        assert_eq!(taken, Outcome::Answer(json!({ "count": 1 })));
        let session = sessions(&server).await.remove(0);
        server.clock.advance_seconds(60);
        let text = |member: &str| session[member].as_str().expect("a text").to_owned();
        for link in [text("screenerSessionLink"), format!("/s/{}", text("linkSlug"))] {
            assert_eq!(submit(&server, transport, &link, &first).await, taken);
            let other = Submit::some(json!({ "q_name": { "text": "Eve" } })).under("click-1");
            let refused = submit(&server, transport, &link, &other).await;
            assert_eq!(refused, Outcome::refusal("conflict", &[]));
        }
        assert_eq!(sessions(&server).await, [session], "a repeat changes nothing");
        // The reverse: a final submission by link, retried by key. The retry creates no session.
        let session = sessions(&server).await.remove(0);
        let link = session["screenerSessionLink"].as_str().expect("a link");
        let last = Submit::last(super::everything()).under("click-2");
        let taken = submit(&server, transport, link, &last).await;
        assert_eq!(submit(&server, transport, &key, &last).await, taken);
        assert_eq!(sessions(&server).await.len(), 1);
        server.stop().await;
    }
}
