// A client in C++, against the example data of `screenerd serve --demo`.
//
//     story 127.0.0.1:8080

#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "screener/v1/panelist_service.grpc.pb.h"
#include "screener/v1/panelist_session_service.grpc.pb.h"
#include "screener/v1/screener_session_service.grpc.pb.h"
#include "screener/v1/submission_service.grpc.pb.h"

namespace {

using namespace screener::v1;

// The service token of the example data. It authorizes every call except a panelist's own.
constexpr char kKey[] = "Bearer sdk_demo_acct_123";

// The context of a single call: a deadline and, unless it is empty, a credential.
std::unique_ptr<grpc::ClientContext> Context(const std::string& authorization,
                                             std::chrono::seconds patience) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + patience);
  if (!authorization.empty()) context->AddMetadata("authorization", authorization);
  return context;
}

// Calls a method of a stub, and returns the message in `response`.
template <typename Stub, typename Request, typename Response>
grpc::Status Try(Stub& stub,
                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 const Request& request, Response* response,
                 const std::string& authorization = kKey) {
  auto context = Context(authorization, std::chrono::seconds(5));
  return (stub.*method)(context.get(), request, response);
}

// Calls a method of a stub, and throws if the call fails.
template <typename Stub, typename Request, typename Response>
Response Call(Stub& stub,
              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request, const std::string& authorization = kKey) {
  Response response;
  grpc::Status status = Try(stub, method, request, &response, authorization);
  if (!status.ok()) throw std::runtime_error(status.error_message());
  return response;
}

void Read(ScreenerSessionService::Stub& sessions) {
  ListScreenerSessionsRequest request;
  request.mutable_filter()->mutable_screener_id()->set_eq("scr_124");
  for (const char* id : {"scses_790", "scses_792", "scses_793", "scses_none"}) {
    request.mutable_filter()->mutable_id()->mutable_in()->add_values(id);
  }
  request.mutable_pagination()->set_limit(2);
  ListScreenerSessionsResponse page;
  std::string ids;
  int count = 0, pages = 0;
  do {
    // The server may lower the limit, so advance by the number of items received.
    request.mutable_pagination()->set_offset(count);
    page = Call(sessions, &ScreenerSessionService::Stub::ListScreenerSessions, request);
    for (const ScreenerSession& session : page.items()) {
      ids += (ids.empty() ? "" : ", ") + session.id();
    }
    count += page.items_size();
    ++pages;
  } while (page.items_size() > 0 && count < page.total());
  std::cout << "sessions: " << ids << " (" << page.total() << " in " << pages << " pages)\n";

  GetScreenerSessionRequest get;
  get.set_id("scses_790");
  auto got = Call(sessions, &ScreenerSessionService::Stub::GetScreenerSession, get);
  const ScreenerSession& session = got.screener_session();
  std::cout << "session: " << session.id() << ", completed at "
            << google::protobuf::util::TimeUtil::ToString(session.completed_at()) << "\n";
}

void Answer(PanelistService::Stub& panelists, PanelistSessionService::Stub& answers) {
  GetPanelistAccessRequest ask;
  ask.set_survey_id("survey-123");
  ask.set_panelist_id("customer-456");
  auto access = Call(panelists, &PanelistService::Stub::GetPanelistAccess, ask);
  const Panelist& panelist = access.panelist_access().panelist();
  // Its has method distinguishes an unset time from 1970-01-01T00:00:00Z.
  std::cout << "panelist: customer-456 "
            << (panelist.can_respond() ? "can respond" : "cannot respond") << ", "
            << (panelist.has_activity_started_at() ? "active" : "never active") << " before\n";

  SubmitAnswersRequest request;
  (*request.mutable_answers())["scq_satisfaction"].set_number(4);
  request.set_is_final(true);
  // An id of your choice makes a repeated call idempotent.
  request.set_request_id("customer-456-first");
  // The participant gets the panelist key, the only credential of these calls.
  auto submitted = Call(answers, &PanelistSessionService::Stub::SubmitAnswers, request,
                        panelist.public_key());
  bool done = submitted.state() == SCREENER_SESSION_STATE_COMPLETED;
  std::cout << "answered: " << (done ? "completed" : "in progress") << "\n";
}

void Reject(SubmissionService::Stub& submissions) {
  RejectSubmissionRequest request;
  request.set_project_id("proj_123");
  request.set_id("scses_790");
  request.set_message("The answers contradict each other.");
  auto rejected = Call(submissions, &SubmissionService::Stub::RejectSubmission, request);
  std::cout << "rejected: " << rejected.submission().rejection().message() << "\n";
  auto again = Call(submissions, &SubmissionService::Stub::RejectSubmission, request);
  bool same = google::protobuf::util::MessageDifferencer::Equals(again, rejected);
  std::cout << "rejected again: " << (same ? "nothing" : "something") << " changed\n";
}

// Returns a detail of a refusal: the stable reason, or the fields with violations.
template <typename Detail>
Detail Find(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  Detail found;
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&found)) break;
  }
  return found;
}

void Refused(ScreenerSessionService::Stub& sessions) {
  GetScreenerSessionRequest none;
  none.set_id("scses_none");
  GetScreenerSessionResponse got;
  auto get = &ScreenerSessionService::Stub::GetScreenerSession;
  grpc::Status status = Try(sessions, get, none, &got);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    std::cout << "not found: " << Find<google::rpc::ErrorInfo>(status).reason() << "\n";
  }
  status = Try(sessions, get, none, &got, "");
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
    std::cout << "no key: " << Find<google::rpc::ErrorInfo>(status).reason() << "\n";
  }
  ListScreenerSessionsRequest list;
  list.mutable_pagination()->set_limit(0);
  list.mutable_pagination()->set_offset(-1);
  ListScreenerSessionsResponse page;
  status = Try(sessions, &ScreenerSessionService::Stub::ListScreenerSessions, list, &page);
  if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
    const auto bad_request = Find<google::rpc::BadRequest>(status);
    for (const auto& it : bad_request.field_violations()) {
      std::cout << "invalid: " << it.field() << ": " << it.description() << "\n";
    }
  }
}

void Watch(grpc::health::v1::Health::Stub& healths) {
  // The server ends this stream only at shutdown, so the deadline ends it.
  auto context = Context("", std::chrono::seconds(2));
  auto stream = healths.Watch(context.get(), grpc::health::v1::HealthCheckRequest());
  grpc::health::v1::HealthCheckResponse health;
  while (stream->Read(&health)) {
    bool serving = health.status() == grpc::health::v1::HealthCheckResponse::SERVING;
    std::cout << "watch: " << (serving ? "serving" : "not serving") << "\n";
  }
  if (stream->Finish().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    std::cout << "deadline: exceeded\n";
  }
}

}  // namespace

int main(int, char** arguments) {
  auto channel = grpc::CreateChannel(arguments[1], grpc::InsecureChannelCredentials());
  ScreenerSessionService::Stub sessions(channel);
  PanelistService::Stub panelists(channel);
  PanelistSessionService::Stub answers(channel);
  SubmissionService::Stub submissions(channel);
  grpc::health::v1::Health::Stub healths(channel);
  Read(sessions);
  Answer(panelists, answers);
  Reject(submissions);
  Refused(sessions);
  Watch(healths);
}
