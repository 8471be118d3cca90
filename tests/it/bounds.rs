//! Limits in bytes: the patterns of a draft, a page of a list, the answers of a session, and large
//! responses in flight.

use std::convert::Infallible;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use screenerd::app::{Operator, SEND_BUDGET_BYTES};
use screenerd::budget::{ANSWER_CHARGED_ABOVE_BYTES, Share};
use screenerd::client as pb;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::client::screener_response_service_client::ScreenerResponseServiceClient;
use screenerd::client::screener_service_client::ScreenerServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use screenerd::connect::{self, Connect};
use screenerd::domain::answer::{ANSWER_TEXT_MAX_BYTES, SESSION_ANSWERS_MAX_BYTES};
use screenerd::domain::list::PAGE_MAX_BYTES;
use screenerd::lane::Lane;
use screenerd::receive::Receiver;
use screenerd::serve::admit;
use screenerd::{grpc, rest, transfer};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tower::ServiceExt as _;

use crate::support::unary::{Refused, unary};
use crate::support::{RESPONDENT, SERVICE, SPOT, Server};

/// Questions of the large publication: the most with answers of full length in one session.
const QUESTIONS: usize = SESSION_ANSWERS_MAX_BYTES / ANSWER_TEXT_MAX_BYTES;
/// Sessions that answer all of them.
const SESSIONS: usize = 5;

/// Returns the import lines of a screener with large answers.
fn lines(answers: usize) -> String {
    let mut lines = vec![r#"{"format":"screenerd-import","version":1}"#.to_owned()];
    let mut add = |line: serde_json::Value| lines.push(line.to_string());
    add(json!({"type": "screener", "tenant": "acct_123", "id": "scr_large",
        "projectId": "proj_123", "title": "Large", "status": "OPEN",
        "allowMultipleResponses": true, "activePublicationId": "scpub_large"}));
    let questions: Vec<_> = (0..=QUESTIONS)
        .map(|number| json!({"id": format!("q{number}"), "kind": "TEXT", "prompt": "?"}))
        .collect();
    add(json!({"type": "publication", "tenant": "acct_123", "id": "scpub_large",
        "screenerId": "scr_large", "pages": [{"id": "p", "questions": questions}]}));
    let text = "x".repeat(ANSWER_TEXT_MAX_BYTES);
    for session in 0..SESSIONS {
        add(json!({"type": "screenerParticipant", "tenant": "acct_123",
            "id": format!("scpar_large{session}"), "screenerId": "scr_large",
            "participantId": format!("ptp_00{}", session + 1)}));
        add(json!({"type": "screenerSession", "tenant": "acct_123",
            "id": format!("scses_large{session}"), "screenerId": "scr_large",
            "screenerParticipantId": format!("scpar_large{session}"),
            "screenerPublicationId": "scpub_large", "linkSlug": format!("large-{session}"),
            "status": "ACTIVE", "createdAt": "2024-05-01T15:00:00Z",
            "startedAt": "2024-05-01T15:08:21Z", "lastActiveAt": "2024-05-01T15:16:55Z"}));
        for question in 0..answers {
            add(json!({"type": "screenerResponse", "tenant": "acct_123",
                "screenerSessionId": format!("scses_large{session}"),
                "screenerQuestionId": format!("q{question}"), "answer": text}));
        }
    }
    lines.join("\n")
}

/// Adds the screener and its full sessions to the example data.
pub(crate) async fn fill(server: &Server) {
    let file = Cursor::new(lines(QUESTIONS));
    let (app, operator) = (server.running.app(), Operator::trusted());
    transfer::import_lines(app, &operator, file, true).await.expect("it imports");
}

async fn large(answers: usize) -> Result<Server, String> {
    let server = Server::demo().await;
    let file = Cursor::new(lines(answers));
    let imported =
        transfer::import_lines(server.running.app(), &Operator::trusted(), file, true).await;
    imported.map(|_| server).map_err(|error| error.to_string())
}

fn responses(limit: i32, offset: i32) -> pb::ListScreenerResponsesRequest {
    let screener_id = Some(pb::IdEqFilter { eq: Some("scr_large".into()) });
    let filter = pb::ScreenerResponseFilter { screener_id, ..Default::default() };
    let pagination = Some(pb::Pagination { limit: Some(limit), offset: Some(offset) });
    pb::ListScreenerResponsesRequest { filter: Some(filter), pagination }
}

/// Returns the number in "At most 37 rows fit from this offset".
fn fitting(message: &str) -> i32 {
    let rest = message.strip_prefix("The page is larger than 4 MiB. At most ").expect(message);
    let (count, _) = rest.split_once(' ').expect(message);
    count.parse().expect(message)
}

#[tokio::test]
async fn a_page_above_its_bound_is_refused_with_the_rows_that_fit_on_every_transport() {
    let server = large(QUESTIONS).await.expect("it imports");
    let list = async |limit, offset| {
        let message = responses(limit, offset);
        unary!(server, SPOT, ScreenerResponseServiceClient.list_screener_responses(message))
    };
    let refused = list(500, 0).await.expect_err("320 rows of 16 KiB");
    refused.is("PAGE_TOO_LARGE", &[]);
    assert_eq!(refused.code, Code::ResourceExhausted);
    let fit = fitting(&refused.message);
    assert_eq!(refused.metadata["max_rows"], fit.to_string());
    let page = list(fit, 0).await.expect("so many fit");
    assert!(page.encoded_len() <= PAGE_MAX_BYTES);
    assert!(page.encoded_len() + 2 * ANSWER_TEXT_MAX_BYTES > PAGE_MAX_BYTES, "hardly more would");
    assert_eq!(fitting(&list(fit + 1, 0).await.expect_err("one more").message), fit);
    // At this offset fewer rows follow, so they fit.
    let rows = i32::try_from(QUESTIONS * SESSIONS).expect("a number");
    assert_eq!(list(500, rows - 10).await.expect("10 rows").items.len(), 10);

    let path = |limit| {
        format!("/screener-responses?filter[screenerId][eq]=scr_large&pagination[limit]={limit}")
    };
    let reply = server.send("GET", &path(500), SPOT).await;
    assert_eq!((reply.status, &reply.json()["error"]), (413, &json!("page_too_large")));
    assert_eq!(fitting(reply.json()["detail"].as_str().expect("a text")), fit);
    assert_eq!(reply.json()["maxRows"], fit);
    assert_eq!(server.send("GET", &path(fit), SPOT).await.status, 200);

    let headers = [SPOT, &[("content-type", "application/json")]].concat();
    let connect = async |limit: i32| {
        let body = json!({"filter": {"screenerId": {"eq": "scr_large"}},
            "pagination": {"limit": limit}});
        let path = "/screener.v1.ScreenerResponseService/ListScreenerResponses";
        server.send_body("POST", path, &headers, Some(&body.to_string())).await
    };
    let reply = connect(500).await;
    assert_eq!(reply.json()["code"], "resource_exhausted");
    assert_eq!(fitting(reply.json()["message"].as_str().expect("a text")), fit);
    let metadata = json!({"max_rows": fit.to_string()});
    assert_eq!((reply.status, &reply.json()["details"][0]["debug"]["metadata"]), (429, &metadata));
    assert_eq!(connect(fit).await.status, 200);
}

#[tokio::test]
async fn a_page_of_submissions_is_bounded_by_their_answers_and_one_is_always_served() {
    let server = large(QUESTIONS).await.expect("it imports");
    let list = async |limit| {
        let screener_id = Some(pb::IdEqFilter { eq: Some("scr_large".into()) });
        let filter = Some(pb::SubmissionFilter { screener_id, ..Default::default() });
        let pagination = Some(pb::Pagination { limit: Some(limit), offset: None });
        let message = pb::ListSubmissionsRequest { filter, pagination };
        unary!(server, RESPONDENT, SubmissionServiceClient.list_submissions(message))
    };
    let refused = list(5).await.expect_err("each has 1 MiB of answers");
    assert_eq!(fitting(&refused.message), 3);
    assert_eq!(list(3).await.expect("three fit").items.len(), 3);
    assert_eq!(fitting(&list(4).await.expect_err("four do not").message), 3);
    let one = list(1).await.expect("one is always served");
    assert_eq!(one.items[0].responses.len(), QUESTIONS);
}

#[tokio::test]
async fn the_answers_of_a_session_are_bounded_together() {
    let refused = large(QUESTIONS + 1).await.err().expect("one answer too many");
    // A header, a screener, a publication, an assignment, a session, and the answers.
    let refused_line = 5 + QUESTIONS + 1;
    assert_eq!(
        refused,
        format!("line {refused_line}: answer: At most 1 MiB for all answers of a session.")
    );
    let server = large(QUESTIONS - 1).await.expect("it imports");
    let link: &[(&str, &str)] = &[("authorization", "/s/large-0")];
    let text_answer = |number: usize, text: String| {
        let value = Some(pb::answer_value::Value::Text(text));
        (format!("q{number}"), pb::AnswerValue { value })
    };
    let submit = async |answers: Vec<_>| {
        let answers = answers.into_iter().collect();
        let message = pb::SubmitAnswersRequest { answers, ..Default::default() };
        unary!(server, link, PanelistSessionServiceClient.submit_answers(message))
    };
    let full = || "y".repeat(ANSWER_TEXT_MAX_BYTES);
    let last = || text_answer(QUESTIONS - 1, full());
    let both = submit(vec![last(), text_answer(QUESTIONS, "z".into())]).await;
    both.expect_err("a byte too many").is("INVALID_ARGUMENT", &[&format!("answers.q{QUESTIONS}")]);
    submit(vec![last()]).await.expect("it is just full");
    submit(vec![text_answer(0, full())]).await.expect("another answer of the same length");
    let question = format!("q{QUESTIONS}");
    let body = json!({"responses": {(question.clone()): {"explanation": "z"}}}).to_string();
    let headers = [link, &[("content-type", "application/json")]].concat();
    let reply = server.send_body("POST", "/public/surveys/", &headers, Some(&body)).await;
    assert_eq!(reply.json()["violations"][0]["field"], format!("responses.{question}"));
    assert_eq!(reply.status, 400, "{}", reply.text);
}

#[tokio::test]
async fn patterns_that_are_too_large_together_are_refused_by_name() {
    let server = Server::demo().await;
    let draft = |pattern: &str| {
        let question = |number: usize| pb::Question {
            id: format!("q{number}"),
            prompt: Some("?".into()),
            form: Some(pb::question::Form::Text(pb::TextForm {
                pattern: Some(pattern.into()),
                ..Default::default()
            })),
            ..Default::default()
        };
        let questions = (0..500).map(question).collect();
        let pages = vec![pb::Page { id: "p".into(), questions }];
        Some(pb::Questionnaire { pages, ..Default::default() })
    };
    let validate = async |pattern: &str| {
        let message = pb::ValidateDraftRequest { draft: draft(pattern) };
        let answer = unary!(server, SERVICE, ScreenerServiceClient.validate_draft(message));
        answer.expect("an answer").violations
    };
    assert_eq!(validate("[A-Z]{2}[0-9]{2,4}").await, []);
    let violations = validate("a{1,3000}").await;
    let [one] = &violations[..] else { panic!("one is named: {violations:?}") };
    assert!(one.field.starts_with("draft.pages[0].questions[2"), "{}", one.field);
    assert!(one.field.ends_with("].pattern"), "{}", one.field);
    let message = pb::CreateScreenerRequest {
        project_id: "proj_123".into(),
        title: "Patterns".into(),
        draft: draft("a{1,3000}"),
        ..Default::default()
    };
    let refused: Result<_, Refused> =
        unary!(server, SERVICE, ScreenerServiceClient.create_screener(message));
    refused.expect_err("it is refused").is("INVALID_ARGUMENT", &[&one.field]);
}

type AnyBody = http_body_util::combinators::UnsyncBoxBody<Bytes, String>;

/// The three transports on one application, without a socket, so that a test owns the bodies.
struct Transports {
    server: Server,
}

const TRANSPORTS: [&str; 3] = ["gRPC", "Connect", "REST"];

/// Returns a message with its flag and its length in front.
fn framed(message: &impl prost::Message) -> Bytes {
    let encoded = message.encode_to_vec();
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(encoded.len()).expect("a short message"));
    frame.put_slice(&encoded);
    frame.freeze()
}

impl Transports {
    async fn list(&self, transport: &str, limit: i32) -> Response<AnyBody> {
        let app = self.server.running.app();
        let (_, ready) = watch::channel(true);
        let deadline_max = Duration::from_secs(30);
        let gate = grpc::Gate::new(Arc::clone(app), Receiver::new(1 << 20));
        let shutdown = CancellationToken::new();
        let path = "/screener.v1.ScreenerResponseService/ListScreenerResponses";
        let message = responses(limit, 0);
        let mut request = Request::builder();
        for (name, value) in SPOT {
            request = request.header(*name, *value);
        }
        match transport {
            "gRPC" => {
                let request = request
                    .method("POST")
                    .version(http::Version::HTTP_2)
                    .uri(path)
                    .header("content-type", "application/grpc")
                    .body(Full::from(framed(&message)))
                    .expect("a request");
                let service = grpc::service(Arc::clone(app), gate, ready, shutdown, deadline_max);
                boxed(service.oneshot(request).await)
            }
            "Connect" => {
                let body = json!({"filter": {"screenerId": {"eq": "scr_large"}},
                    "pagination": {"limit": limit}});
                let request = request
                    .method("POST")
                    .uri(path)
                    .header("content-type", "application/json")
                    .body(Full::<Bytes>::from(body.to_string()))
                    .expect("a request");
                let grpc =
                    grpc::service(Arc::clone(app), gate.clone(), ready, shutdown, deadline_max);
                let settings = connect::Settings {
                    refuse: Arc::new(grpc::refusals(Arc::clone(app))),
                    admit: admit(gate),
                    lane: Arc::new(Lane::new("transcode").expect("threads")),
                    sending: app.sending().clone(),
                    deadline_max,
                };
                let connect = Connect::new(grpc, settings);
                boxed(connect.oneshot(request).await)
            }
            _ => {
                let query = format!("filter[screenerId][eq]=scr_large&pagination[limit]={limit}");
                let request = request
                    .uri(format!("/screener-responses?{query}"))
                    .body(axum::body::Body::empty())
                    .expect("a request");
                self.rest(request).await
            }
        }
    }

    async fn rest(&self, request: Request<axum::body::Body>) -> Response<AnyBody> {
        let gateway = rest::Gateway {
            app: Arc::clone(self.server.running.app()),
            descriptor: b"",
            ready: Arc::new(|| true),
            is_rpc_path: |_| false,
            body_max_bytes: 1 << 20,
            receiver: Receiver::new(1 << 20),
            deadline: Duration::from_secs(30),
        };
        boxed(rest::router(gateway).oneshot(request).await)
    }

    fn charged(&self) -> usize {
        self.server.running.app().sending().charged_bytes()
    }
}

fn boxed<B>(response: Result<Response<B>, Infallible>) -> Response<AnyBody>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    let Ok(response) = response;
    response.map(|body| body.map_err(|error| error.to_string()).boxed_unsync())
}

/// Returns the HTTP status of a response, mapped from the gRPC status if it has one.
fn status(response: &Response<AnyBody>) -> u16 {
    match response.headers().get("grpc-status").map(http::HeaderValue::as_bytes) {
        Some(b"14") => 503,
        Some(other) => panic!("{other:?}"),
        None => response.status().as_u16(),
    }
}

#[tokio::test]
async fn a_large_answer_is_charged_until_its_peer_has_taken_it_or_has_left() {
    let transports = Transports { server: large(QUESTIONS).await.expect("it imports") };
    for transport in TRANSPORTS {
        let small = transports.list(transport, 1).await;
        assert_eq!((status(&small), transports.charged()), (200, 0), "{transport}");
        for takes in [true, false] {
            let mut response = transports.list(transport, 100).await;
            assert_eq!(status(&response), 200, "{transport}");
            let size = 100 * ANSWER_TEXT_MAX_BYTES;
            assert!(transports.charged() > size, "{transport}: {}", transports.charged());
            if takes {
                let body = response.body_mut();
                let frame = body.frame().await.expect("a frame").expect("no error");
                assert!(frame.into_data().expect("data").len() > size, "{transport}");
                assert!(transports.charged() > size, "{transport}: it is not over yet");
                while body.frame().await.is_some() {}
                assert!(body.is_end_stream() || transport == "gRPC");
            }
            drop(response);
            assert_eq!(transports.charged(), 0, "{transport}: all of it is returned");
        }
    }
}

#[tokio::test]
async fn beyond_its_half_of_the_budget_a_tenants_large_answers_are_unavailable() {
    let transports = Transports { server: large(QUESTIONS).await.expect("it imports") };
    let mut held = Vec::new();
    loop {
        let response = transports.list("REST", 240).await;
        if status(&response) == 503 {
            break;
        }
        held.push(response);
        assert!(transports.charged() <= SEND_BUDGET_BYTES / 2);
    }
    assert!((14..=17).contains(&held.len()), "{}", held.len());
    let other = transports.server.running.app().sending().open(Share::of("other"));
    assert!(other.try_cover(SEND_BUDGET_BYTES / 2), "the others have the other half");
    for transport in TRANSPORTS {
        let refused = transports.list(transport, 240).await;
        assert_eq!(status(&refused), 503, "{transport}");
        let small = transports.list(transport, 1).await;
        assert_eq!(status(&small), 200, "{transport}");
    }
    drop(held);
    for transport in TRANSPORTS {
        assert_eq!(status(&transports.list(transport, 240).await), 200, "{transport}");
    }
    drop(other);
    assert_eq!(transports.charged(), 0);
}

#[tokio::test]
async fn what_is_in_memory_anyway_is_charged_to_nobody() {
    let transports = Transports { server: Server::demo().await };
    let document = Request::get("/openapi.json").body(axum::body::Body::empty());
    let document = transports.rest(document.expect("a request")).await;
    assert_eq!((status(&document), transports.charged()), (200, 0));
    let bytes = document.body().size_hint().exact().expect("a length");
    assert!(bytes > ANSWER_CHARGED_ABOVE_BYTES as u64, "it is a large one");
    transports.server.stop().await;
}

#[tokio::test]
async fn a_draft_of_many_empty_messages_is_refused_before_it_is_built() {
    let server = Server::demo().await;
    let pages = vec![pb::Page::default(); 65_537];
    let draft = Some(pb::Questionnaire { pages, ..Default::default() });
    let message = pb::ValidateDraftRequest { draft };
    let answer = unary!(server, SERVICE, ScreenerServiceClient.validate_draft(message));
    let refused = answer.expect_err("it has too many");
    refused.is("PAYLOAD_TOO_LARGE", &[]);
    assert_eq!(refused.message, "At most 65536 messages within this message.");
    server.stop().await;
}
