//! Guarantees of both transports below the calls: health, reflection, deadlines, limits, and
//! refusals of the framework itself.

use std::collections::BTreeSet;
use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use screenerd::client as pb;
use screenerd::domain::error::Kind;
use serde_json::json;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{
    ExtensionRequest, ServerReflectionRequest, ServerReflectionResponse,
};
use tonic_reflection::pb::v1alpha::ServerReflectionRequest as ServerReflectionRequestAlpha;
use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient as ServerReflectionClientAlpha;
use tonic_types::StatusExt as _;

use crate::support::calls::request;
use crate::support::{RESPONDENT, SERVICE, SPOT, Server};

type Sessions =
    pb::screener_session_service_client::ScreenerSessionServiceClient<tonic::transport::Channel>;

async fn sessions(server: &Server) -> Sessions {
    Sessions::new(server.channel().await)
}

fn watch(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

#[tokio::test]
async fn health_knows_its_services_and_follows_the_server() {
    let server = Server::demo().await;
    let mut health = HealthClient::new(server.channel().await);
    for service in [
        "",
        "screener.v1.ScreenerSessionService",
        "screener.v1.ProjectService",
        "screener.v1.ParticipantService",
        "screener.v1.HistoryService",
        "grpc.health.v1.Health",
    ] {
        let answer = health.check(watch(service)).await.expect("it is known").into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let unknown = health.check(watch("nothing.v1.Nothing")).await.expect_err("it is unknown");
    assert_eq!(unknown.code(), Code::NotFound);
    let mut unknown =
        health.watch(watch("nothing.v1.Nothing")).await.expect("it is watched").into_inner();
    let first = unknown.message().await.expect("a message").expect("one");
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    let mut known = health.watch(watch("")).await.expect("it is watched").into_inner();
    let first = known.message().await.expect("a message").expect("one");
    assert_eq!(first.status(), ServingStatus::Serving);
    let stopping = tokio::spawn(server.stop());
    // The stream ends, perhaps after `NotServing`, and does not delay the stop.
    if let Ok(Some(last)) = known.message().await {
        assert_eq!(last.status(), ServingStatus::NotServing);
    }
    drop((known, unknown, health));
    stopping.await.expect("it stops");
}

async fn reflect(server: &Server, question: MessageRequest) -> ServerReflectionResponse {
    let mut client = ServerReflectionClient::new(server.channel().await);
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let stream = client.server_reflection_info(tokio_stream::iter([request])).await;
    let mut stream = stream.expect("it answers").into_inner();
    stream.message().await.expect("a message").expect("one")
}

#[tokio::test]
async fn reflection_lists_the_public_services_and_has_the_error_details() {
    let server = Server::demo().await;
    let answer = reflect(&server, MessageRequest::ListServices(String::new())).await;
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("not a list: {answer:?}");
    };
    let names: BTreeSet<String> = list.service.into_iter().map(|it| it.name).collect();
    for service in [
        "ScreenerSessionService",
        "ScreenerResponseService",
        "SubmissionService",
        "PanelistService",
        "ProjectService",
        "ParticipantService",
        "HistoryService",
    ] {
        assert!(names.contains(&format!("screener.v1.{service}")), "{names:?}");
    }
    assert!(!names.contains("screener.v1.AdminService"), "{names:?}");
    for symbol in ["google.rpc.BadRequest", "google.rpc.ErrorInfo", "screener.v1.ErrorReason"] {
        let answer = reflect(&server, MessageRequest::FileContainingSymbol(symbol.into())).await;
        let found =
            matches!(answer.message_response, Some(MessageResponse::FileDescriptorResponse(_)));
        assert!(found, "{symbol}");
    }
    server.stop().await;
}

/// Sends several questions in one stream, over version 1 and over v1alpha.
async fn reflect_all(server: &Server, questions: &[MessageRequest]) -> [Vec<MessageResponse>; 2] {
    let questions: Vec<_> = questions
        .iter()
        .map(|question| ServerReflectionRequest {
            host: "a.example".into(),
            message_request: Some(question.clone()),
        })
        .collect();
    let mut client = ServerReflectionClient::new(server.channel().await);
    let stream = client.server_reflection_info(tokio_stream::iter(questions.clone())).await;
    let mut stream = stream.expect("it answers").into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await.expect("no refusal") {
        assert_eq!(answer.valid_host, "a.example");
        assert_eq!(answer.original_request.as_ref(), questions.get(answers.len()));
        answers.push(answer.message_response.expect("an answer"));
    }
    let mut alpha = ServerReflectionClientAlpha::new(server.channel().await);
    let questions = questions.iter().map(recoded::<_, ServerReflectionRequestAlpha>);
    let questions: Vec<_> = questions.collect();
    let stream = alpha.server_reflection_info(tokio_stream::iter(questions)).await;
    let mut stream = stream.expect("it answers").into_inner();
    let mut again = Vec::new();
    while let Some(answer) = stream.message().await.expect("no refusal") {
        let answer: ServerReflectionResponse = recoded(&answer);
        again.push(answer.message_response.expect("an answer"));
    }
    [answers, again]
}

/// Returns the same message in another version of its protocol.
fn recoded<A: Message, B: Message + Default>(message: &A) -> B {
    B::decode(&message.encode_to_vec()[..]).expect("the versions have the same messages")
}

#[tokio::test]
async fn a_look_up_that_fails_is_an_answer_and_the_stream_goes_on() {
    let server = Server::demo().await;
    let symbol = |name: &str| MessageRequest::FileContainingSymbol(name.into());
    let file = |name: &str| MessageRequest::FileByFilename(name.into());
    let extension = |name: &str, number: i32| {
        MessageRequest::FileContainingExtension(ExtensionRequest {
            containing_type: name.into(),
            extension_number: number,
        })
    };
    let numbers = |name: &str| MessageRequest::AllExtensionNumbersOfType(name.into());
    let questions = [
        (symbol("screener.v1.Nothing"), "none"),
        (symbol("screener.v1.ERROR_REASON_GONE"), "file"),
        (symbol("screener.v1.ErrorReason"), "file"),
        (symbol("screener.v1.ErrorReason.ERROR_REASON_GONE"), "file"),
        (symbol("screener.v1.ScreenerSession.id"), "file"),
        (symbol("screener.v1.Question.form"), "file"),
        (symbol("screener.v1.ScreenerSessionService.GetScreenerSession"), "file"),
        (symbol("grpc.health.v1.HealthCheckResponse.SERVING"), "file"),
        (symbol("google.rpc.ErrorInfo.MetadataEntry"), "file"),
        (symbol(""), "none"),
        (file("screener/v1/error_reason.proto"), "file"),
        (file("nothing.proto"), "none"),
        (extension("google.protobuf.MethodOptions", 1), "none"),
        (extension("nothing.Nothing", -1), "none"),
        (numbers("screener.v1.ScreenerSession"), "numbers"),
        (numbers("nothing.Nothing"), "none"),
        (MessageRequest::ListServices(String::new()), "list"),
    ];
    let asked: Vec<_> = questions.iter().map(|(question, _)| question.clone()).collect();
    for answers in reflect_all(&server, &asked).await {
        assert_eq!(answers.len(), questions.len());
        for (answer, (question, expected)) in answers.iter().zip(&questions) {
            let found = match answer {
                MessageResponse::FileDescriptorResponse(found) => {
                    assert_eq!(found.file_descriptor_proto.len(), 1);
                    "file"
                }
                MessageResponse::AllExtensionNumbersResponse(_) => "numbers",
                MessageResponse::ListServicesResponse(list) => {
                    assert!(list.service.len() > 10);
                    "list"
                }
                MessageResponse::ErrorResponse(error) => {
                    assert_eq!(error.error_code, i32::from(Code::NotFound));
                    "none"
                }
            };
            assert_eq!(found, *expected, "{question:?}");
        }
    }
    server.stop().await;
}

/// Sends one frame without the checks of a gRPC client.
async fn send_frame(
    server: &Server,
    method: &str,
    headers: &[(&str, &str)],
    frame: &[u8],
) -> reqwest::Response {
    let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
    let mut request = client
        .post(server.url(&format!("/screener.v1.ScreenerSessionService/{method}")))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", "Bearer sdk_demo_acct_123")
        .body(frame.to_vec());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("it answers")
}

const EMPTY_MESSAGE: &[u8] = &[0, 0, 0, 0, 0];

#[tokio::test]
async fn an_expired_deadline_is_deadline_exceeded_also_when_the_server_notices_first() {
    let server = Server::demo().await;
    for (timeout, status) in [("1n", "4"), ("0S", "4"), ("nonsense", "3")] {
        let headers = [("grpc-timeout", timeout)];
        let reply = send_frame(&server, "ListScreenerSessions", &headers, EMPTY_MESSAGE).await;
        assert_eq!(reply.headers()["grpc-status"], status, "{timeout}");
        assert!(reply.headers().contains_key("grpc-status-details-bin"));
    }
    let mut message = request(pb::ListScreenerSessionsRequest::default(), SERVICE);
    message.set_timeout(Duration::from_secs(20));
    sessions(&server).await.list_screener_sessions(message).await.expect("in time");
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_rpc_is_unimplemented_in_our_shape() {
    let server = Server::demo().await;
    for path in ["/screener.v1.ScreenerSessionService/Nothing", "/nothing.v1.Nothing/Nothing"] {
        let mut grpc = tonic::client::Grpc::new(server.channel().await);
        grpc.ready().await.expect("the channel is ready");
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        let path = PathAndQuery::from_static(path);
        let answer = grpc.unary(request((), SERVICE), path, codec).await;
        let status = answer.expect_err("it is unknown");
        assert_eq!(status.code(), Code::Unimplemented);
        let info = status.get_details_error_info().expect("details");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("NOT_FOUND", "screenerd"));
    }
    server.stop().await;
}

#[tokio::test]
async fn an_oversized_message_is_refused_by_name() {
    let server = Server::demo().await;
    let message = pb::RejectSubmissionRequest {
        project_id: "proj_123".into(),
        id: "scses_789".into(),
        message: Some("x".repeat(8 * 1024 * 1024)),
    };
    let mut client =
        pb::submission_service_client::SubmissionServiceClient::new(server.channel().await);
    let status =
        client.reject_submission(request(message, RESPONDENT)).await.expect_err("it is too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
    let reason = status.get_details_error_info().expect("details").reason;
    assert_eq!(reason, "PAYLOAD_TOO_LARGE");
    server.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_message_are_an_invalid_argument() {
    let server = Server::demo().await;
    // A frame of two bytes that are not the start of any message.
    let reply = send_frame(&server, "GetScreenerSession", &[], &[0, 0, 0, 0, 2, 0xff, 0xff]).await;
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(reply.headers()["grpc-status"], "3");
    assert!(reply.headers().contains_key("grpc-status-details-bin"));
    server.stop().await;
}

#[tokio::test]
async fn rest_refuses_unknown_paths_methods_and_types_in_one_shape() {
    let server = Server::demo().await;
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/screener-sessions/", 404, "not_found"),
        ("POST", "/screener-sessions", 405, "method_not_allowed"),
        ("DELETE", "/screener-responses", 405, "method_not_allowed"),
        ("POST", "/screener.v1.ScreenerSessionService/Nothing", 415, "unsupported_media_type"),
    ] {
        let reply = server.send(method, path, SPOT).await;
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        let problem = reply.json();
        assert_eq!((&problem["error"], &problem["status"]), (&json!(code), &json!(status)));
        let id = problem["requestId"].as_str().expect("a request id");
        assert!(id.starts_with("req_"), "{id}");
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "{member}");
        }
        if status == 405 {
            assert!(reply.header("allow").is_some_and(|allow| allow.contains("GET")), "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn liveness_readiness_and_the_descriptor_need_no_credential() {
    let server = Server::demo().await;
    assert_eq!(server.send("GET", "/livez", &[]).await.status, 200);
    assert_eq!(server.send("GET", "/readyz", &[]).await.status, 200);
    let reply = reqwest::get(server.url("/descriptor.binpb")).await.expect("it answers");
    let bytes = reply.bytes().await.expect("it arrives");
    assert_eq!(&bytes[..], screenerd::pb::DESCRIPTOR);
    server.stop().await;
}

#[test]
fn one_table_says_code_grpc_status_and_http_status() {
    let table: Vec<String> = Kind::ALL
        .iter()
        .map(|kind| {
            let row = kind.mapping();
            format!("{} {:?} {}", row.code, Code::from_i32(row.grpc), row.http)
        })
        .collect();
    let expected = "\
invalid_argument InvalidArgument 400
unsupported_api_version InvalidArgument 400
unauthorized Unauthenticated 401
forbidden PermissionDenied 403
not_found NotFound 404
survey_not_found NotFound 404
already_exists AlreadyExists 409
invalid_status_transition FailedPrecondition 409
not_visible FailedPrecondition 409
not_open FailedPrecondition 409
exhausted FailedPrecondition 409
conflict Aborted 409
method_not_allowed Unimplemented 405
gone NotFound 410
payload_too_large ResourceExhausted 413
page_too_large ResourceExhausted 413
unsupported_media_type InvalidArgument 415
not_acceptable InvalidArgument 406
rate_limited ResourceExhausted 429
unavailable Unavailable 503
deadline_exceeded DeadlineExceeded 504
internal Internal 500";
    assert_eq!(table.join("\n"), expected);
}

#[test]
fn every_kind_is_a_reason_of_the_contract() {
    for kind in Kind::ALL {
        let name = format!("ERROR_REASON_{}", kind.mapping().code.to_uppercase());
        assert!(pb::ErrorReason::from_str_name(&name).is_some(), "{name}");
    }
}
