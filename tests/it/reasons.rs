//! Every reason of the contract: a real server refuses for it and exposes no internals.

use screenerd::client as pb;
use screenerd::client::ErrorReason;
use screenerd::client::create_screener_session_request::Participant;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::client::project_service_client::ProjectServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::domain::error::Kind;
use screenerd::net::limits::REST_BODY_MAX_BYTES;
use sqlx::{Connection as _, Executor as _};
use tonic::Code;

use crate::bounds::fill;
use crate::support::audit::demo_on_file;
use crate::support::browser::Browser;
use crate::support::unary::{Refused, unary};
use crate::support::{PANEL, RESPONDENT, Reply, SERVICE, SPOT, Server};

/// The link of a session that accepts answers.
const LINK: &[(&str, &str)] = &[("authorization", "/s/onboarding-003-kim")];

/// A session with a damaged row.
const DAMAGED: &str = "scses_done_multi";

/// The status of a refusal: the gRPC code, or the HTTP status.
#[derive(Debug, Eq, PartialEq)]
enum Status {
    Grpc(Code),
    Http(u16),
}

/// A refusal, with all the text that its caller can read.
struct Refusal {
    reason: String,
    status: Status,
    text: String,
}

impl Refusal {
    fn of(status: u16, reason: &str, text: String) -> Self {
        Self { reason: reason.to_uppercase(), status: Status::Http(status), text }
    }

    fn grpc<T: std::fmt::Debug>(answer: Result<T, Refused>) -> Self {
        let Refused { reason, message, code, .. } = answer.expect_err("it is refused");
        Self { reason, status: Status::Grpc(code), text: message }
    }

    fn problem(reply: Reply) -> Self {
        let problem = reply.json();
        Self::of(reply.status, problem["error"].as_str().expect("a code"), reply.text)
    }

    /// Returns the refusal of a page, which has a status and no code.
    fn page(reply: &Reply) -> Self {
        let mut kinds = Kind::ALL.iter().filter(|kind| kind.mapping().http == reply.status);
        let reason = kinds.next().expect("a kind of this status").mapping().code;
        assert!(kinds.next().is_none(), "the status tells the reason");
        // The style is not visible text.
        let (_, body) = reply.text.rsplit_once("</head>").expect("a page");
        Self::of(reply.status, reason, body.to_owned())
    }

    fn connect(reply: Reply) -> Self {
        let body = reply.json();
        let reason = body["details"][0]["debug"]["reason"].as_str().expect("a reason");
        Self::of(reply.status, reason, reply.text)
    }
}

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Refusal {
    Refusal::problem(server.send("GET", path, headers).await)
}

async fn reject(server: &Server, id: &str) -> Refusal {
    let path = format!("/v1/projects/proj_123/screener-responses/{id}/reject");
    Refusal::problem(server.send("PATCH", &path, RESPONDENT).await)
}

/// Submits a participant's answers in this content type.
async fn answer(server: &Server, content_type: &str, body: &str) -> Refusal {
    let headers = [LINK, &[("content-type", content_type)]].concat();
    Refusal::problem(server.send_body("POST", "/public/surveys/", &headers, Some(body)).await)
}

/// Sends a page until the rate limit refuses it.
async fn hurry(server: &Server) -> Refusal {
    let browser = Browser::open(server, LINK[0].1).await;
    let body = browser.filled("save", &[("a0", "Kim")]);
    loop {
        let reply = browser.send(&body).await;
        if reply.status != 200 {
            return Refusal::page(&reply);
        }
    }
}

/// Requests a page of large answers.
async fn list_too_much(server: &Server) -> Refusal {
    fill(server).await;
    let path = "/screener-responses?filter[screenerId][eq]=scr_large&pagination[limit]=500";
    get(server, path, SPOT).await
}

async fn wait_for_nothing(server: &Server) -> Refusal {
    let headers =
        [SPOT, &[("content-type", "application/json"), ("connect-timeout-ms", "0")]].concat();
    let path = "/screener.v1.ScreenerSessionService/ListScreenerSessions";
    Refusal::connect(server.send_body("POST", path, &headers, Some("{}")).await)
}

/// Returns a request for a project with an existing id.
fn taken() -> pb::CreateProjectRequest {
    let (id, name) = (Some("proj_123".into()), "Another".into());
    pb::CreateProjectRequest { id, name, ..pb::CreateProjectRequest::default() }
}

/// Makes the server refuse for a reason. `None` for the value that is not a reason. The match is
/// exhaustive, so that a new reason requires an arm.
async fn refuse(server: &Server, reason: ErrorReason) -> Option<Refusal> {
    use ErrorReason as R;
    let sessions = "/screener-sessions";
    let closed = pb::CreateScreenerSessionRequest {
        screener_id: "survey-closed".into(),
        participant: Some(Participant::ExternalUid("somebody".into())),
    };
    Some(match reason {
        R::Unspecified => return None,
        R::InvalidArgument => get(server, "/screener-sessions?pagination[limit]=0", SPOT).await,
        R::UnsupportedApiVersion => {
            let headers = [SPOT, &[("x-spot-api-version", "9.9.9")]].concat();
            get(server, sessions, &headers).await
        }
        R::Unauthorized => get(server, sessions, &[]).await,
        R::Forbidden => {
            let headers = [("x-api-key", "vtt_no_panel_scope")];
            get(server, "/tenant/surveys/survey-123/panelists/somebody", &headers).await
        }
        R::NotFound => get(server, "/screener-sessions/nobody", SPOT).await,
        R::SurveyNotFound => get(server, "/tenant/surveys/nothing/panelists/somebody", PANEL).await,
        R::AlreadyExists => {
            Refusal::grpc(unary!(server, SERVICE, ProjectServiceClient.create_project(taken())))
        }
        R::InvalidStatusTransition => reject(server, "scses_792").await,
        R::NotVisible => reject(server, "scses_793").await,
        R::NotOpen => Refusal::grpc(unary!(
            server,
            SERVICE,
            ScreenerSessionServiceClient.create_screener_session(closed)
        )),
        R::Exhausted => Refusal::grpc(unary!(
            server,
            &[("authorization", "/s/satisfaction-done")],
            PanelistSessionServiceClient.submit_answers(pb::SubmitAnswersRequest::default())
        )),
        R::Conflict => Refusal::grpc(unary!(
            server,
            LINK,
            PanelistSessionServiceClient.submit_answers(pb::SubmitAnswersRequest {
                screener_publication_id: Some("scpub_456".into()),
                is_final: true,
                ..pb::SubmitAnswersRequest::default()
            })
        )),
        R::MethodNotAllowed => Refusal::problem(server.send("PUT", sessions, SPOT).await),
        R::Gone => Refusal::grpc(unary!(
            server,
            &[("authorization", "/s/satisfaction-revoked")],
            PanelistSessionServiceClient.get_questionnaire(pb::GetQuestionnaireRequest {})
        )),
        R::PayloadTooLarge => {
            answer(server, "application/json", &" ".repeat(REST_BODY_MAX_BYTES + 1)).await
        }
        R::PageTooLarge => list_too_much(server).await,
        R::UnsupportedMediaType => answer(server, "text/plain", "{}").await,
        R::RateLimited => hurry(server).await,
        R::Unavailable => {
            server.running.app().close().await;
            get(server, sessions, SPOT).await
        }
        R::DeadlineExceeded => wait_for_nothing(server).await,
        R::Internal => get(server, &format!("{sessions}/{DAMAGED}"), SPOT).await,
        R::NotAcceptable => {
            let headers = [SPOT, &[("accept", "text/plain")]].concat();
            get(server, "/screener-responses", &headers).await
        }
    })
}

/// Starts a server on the example data with an invalid status in one row.
async fn damaged(folder: &tempfile::TempDir) -> Server {
    let (server, file) = demo_on_file(folder).await;
    server.stop().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut raw = sqlx::SqliteConnection::connect_with(&options).await.expect("it opens");
    let damage = sqlx::query("UPDATE sessions SET status = 'BROKEN' WHERE id = $1").bind(DAMAGED);
    let edited = raw.execute(damage).await.expect("it is edited").rows_affected();
    assert_eq!(edited, 1);
    raw.close().await.expect("it closes");
    Server::on_file(&file).await
}

/// Internal words: of libraries, the database, the sources, and the damaged row.
const INTERNAL: [&str; 11] =
    ["sql", "store", "tonic", "axum", "hyper", "serde", "panick", "::", ".rs", "broken", "column"];

#[tokio::test]
async fn every_reason_is_met_and_tells_nothing_internal() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = damaged(&folder).await;
    let mut reasons: Vec<_> =
        (0..).map_while(|number| ErrorReason::try_from(number).ok()).collect();
    // `Unavailable` is last, because it closes the application.
    reasons.sort_by_key(|reason| *reason == ErrorReason::Unavailable);
    let mut met = 0;
    for reason in reasons {
        let Some(refusal) = refuse(&server, reason).await else { continue };
        let Refusal { reason: said, status, text } = refusal;
        assert_eq!(format!("ERROR_REASON_{said}"), reason.as_str_name());
        let mut kinds = Kind::ALL.iter().map(|kind| kind.mapping());
        let mapping = kinds.find(|it| it.code.to_uppercase() == said).expect("a kind");
        let expected = match status {
            Status::Grpc(_) => Status::Grpc(Code::from_i32(mapping.grpc)),
            Status::Http(_) => Status::Http(mapping.http),
        };
        assert_eq!(status, expected, "{said}");
        let text = text.to_lowercase();
        for word in INTERNAL {
            assert!(!text.contains(word), "{said} tells of {word}: {text}");
        }
        met += 1;
    }
    assert_eq!(met, Kind::ALL.len(), "every kind of error is a reason, and every reason is met");
    server.stop().await;
}
