// A client in Java, against the example data of `screenerd serve --demo`.
//
//     java Story 127.0.0.1:8080

import static io.grpc.stub.MetadataUtils.newAttachHeadersInterceptor;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.Timestamps;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.AbstractStub;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import screener.v1.AnswerValue;
import screener.v1.GetPanelistAccessRequest;
import screener.v1.GetScreenerSessionRequest;
import screener.v1.IdFilter;
import screener.v1.IdList;
import screener.v1.ListScreenerSessionsRequest;
import screener.v1.ListScreenerSessionsResponse;
import screener.v1.Pagination;
import screener.v1.Panelist;
import screener.v1.PanelistServiceGrpc;
import screener.v1.PanelistSessionServiceGrpc;
import screener.v1.RejectSubmissionRequest;
import screener.v1.ScreenerSession;
import screener.v1.ScreenerSessionFilter;
import screener.v1.ScreenerSessionServiceGrpc;
import screener.v1.ScreenerSessionServiceGrpc.ScreenerSessionServiceBlockingStub;
import screener.v1.ScreenerSessionState;
import screener.v1.Submission;
import screener.v1.SubmissionServiceGrpc;
import screener.v1.SubmissionServiceGrpc.SubmissionServiceBlockingStub;
import screener.v1.SubmitAnswersRequest;
import screener.v1.SubmitAnswersResponse;

public final class Story {
  // The service token of the example data. It authorizes every call except a panelist's own.
  private static final ClientInterceptor KEY = authorization("Bearer sdk_demo_acct_123");

  private static ClientInterceptor authorization(String value) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), value);
    return newAttachHeadersInterceptor(headers);
  }

  /** Returns a stub with the key. Its deadline starts now, so create a stub for each call. */
  private static <S extends AbstractStub<S>> S ready(S stub) {
    return stub.withInterceptors(KEY).withDeadlineAfter(5, TimeUnit.SECONDS);
  }

  private static void read(ScreenerSessionServiceBlockingStub sessions) {
    List<String> wanted = List.of("scses_790", "scses_792", "scses_793", "scses_none");
    ScreenerSessionFilter filter =
        ScreenerSessionFilter.newBuilder()
            .setScreenerId(IdFilter.newBuilder().setEq("scr_124"))
            .setId(IdFilter.newBuilder().setIn(IdList.newBuilder().addAllValues(wanted)))
            .build();
    List<String> ids = new ArrayList<>();
    int pages = 0;
    ListScreenerSessionsResponse page;
    do {
      // The server may lower the limit, so advance by the number of items received.
      Pagination pagination = Pagination.newBuilder().setLimit(2).setOffset(ids.size()).build();
      page =
          ready(sessions)
              .listScreenerSessions(
                  ListScreenerSessionsRequest.newBuilder()
                      .setFilter(filter)
                      .setPagination(pagination)
                      .build());
      page.getItemsList().forEach(session -> ids.add(session.getId()));
      pages++;
    } while (page.getItemsCount() > 0 && ids.size() < page.getTotal());
    System.out.printf(
        "sessions: %s (%d in %d pages)%n", String.join(", ", ids), page.getTotal(), pages);

    ScreenerSession session =
        ready(sessions)
            .getScreenerSession(GetScreenerSessionRequest.newBuilder().setId("scses_790").build())
            .getScreenerSession();
    String completed = Timestamps.toString(session.getCompletedAt());
    System.out.printf("session: %s, completed at %s%n", session.getId(), completed);
  }

  private static void answer(Channel channel) {
    Panelist panelist =
        ready(PanelistServiceGrpc.newBlockingStub(channel))
            .getPanelistAccess(
                GetPanelistAccessRequest.newBuilder()
                    .setSurveyId("survey-123")
                    .setPanelistId("customer-456")
                    .build())
            .getPanelistAccess()
            .getPanelist();
    String can = panelist.getCanRespond() ? "can respond" : "cannot respond";
    // Its has method distinguishes an unset time from 1970-01-01T00:00:00Z.
    String active = panelist.hasActivityStartedAt() ? "active" : "never active";
    System.out.printf("panelist: customer-456 %s, %s before%n", can, active);

    // The participant gets the panelist key, the only credential of these calls.
    SubmitAnswersResponse submitted =
        PanelistSessionServiceGrpc.newBlockingStub(channel)
            .withInterceptors(authorization(panelist.getPublicKey()))
            .withDeadlineAfter(5, TimeUnit.SECONDS)
            .submitAnswers(
                SubmitAnswersRequest.newBuilder()
                    .putAnswers("scq_satisfaction", AnswerValue.newBuilder().setNumber(4).build())
                    .setIsFinal(true)
                    // An id of your choice makes a repeated call idempotent.
                    .setRequestId("customer-456-first")
                    .build());
    boolean done =
        submitted.getState() == ScreenerSessionState.SCREENER_SESSION_STATE_COMPLETED;
    System.out.printf("answered: %s%n", done ? "completed" : "in progress");
  }

  private static void reject(SubmissionServiceBlockingStub submissions) {
    RejectSubmissionRequest request =
        RejectSubmissionRequest.newBuilder()
            .setProjectId("proj_123")
            .setId("scses_790")
            .setMessage("The answers contradict each other.")
            .build();
    Submission submission = ready(submissions).rejectSubmission(request).getSubmission();
    System.out.printf("rejected: %s%n", submission.getRejection().getMessage());
    Submission again = ready(submissions).rejectSubmission(request).getSubmission();
    String changed = again.equals(submission) ? "nothing" : "something";
    System.out.printf("rejected again: %s changed%n", changed);
  }

  /** Returns a detail of a refusal: the stable reason, or the fields with violations. */
  private static <T extends Message> T detail(StatusRuntimeException error, Class<T> type)
      throws InvalidProtocolBufferException {
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(type)) {
        return detail.unpack(type);
      }
    }
    throw error;
  }

  private static void refused(ScreenerSessionServiceBlockingStub sessions)
      throws InvalidProtocolBufferException {
    GetScreenerSessionRequest none =
        GetScreenerSessionRequest.newBuilder().setId("scses_none").build();
    try {
      ready(sessions).getScreenerSession(none);
    } catch (StatusRuntimeException error) {
      if (error.getStatus().getCode() != Status.Code.NOT_FOUND) throw error;
      System.out.printf("not found: %s%n", detail(error, ErrorInfo.class).getReason());
    }
    try {
      sessions.withDeadlineAfter(5, TimeUnit.SECONDS).getScreenerSession(none);
    } catch (StatusRuntimeException error) {
      if (error.getStatus().getCode() != Status.Code.UNAUTHENTICATED) throw error;
      System.out.printf("no key: %s%n", detail(error, ErrorInfo.class).getReason());
    }
    try {
      Pagination pagination = Pagination.newBuilder().setLimit(0).setOffset(-1).build();
      ready(sessions)
          .listScreenerSessions(
              ListScreenerSessionsRequest.newBuilder().setPagination(pagination).build());
    } catch (StatusRuntimeException error) {
      if (error.getStatus().getCode() != Status.Code.INVALID_ARGUMENT) throw error;
      for (BadRequest.FieldViolation it :
          detail(error, BadRequest.class).getFieldViolationsList()) {
        System.out.printf("invalid: %s: %s%n", it.getField(), it.getDescription());
      }
    }
  }

  private static void watch(Channel channel) {
    // The server ends this stream only at shutdown, so the deadline ends it.
    try {
      HealthGrpc.newBlockingStub(channel)
          .withDeadlineAfter(2, TimeUnit.SECONDS)
          .watch(HealthCheckRequest.getDefaultInstance())
          .forEachRemaining(
              health -> {
                boolean serving =
                    health.getStatus() == HealthCheckResponse.ServingStatus.SERVING;
                System.out.printf("watch: %s%n", serving ? "serving" : "not serving");
              });
    } catch (StatusRuntimeException error) {
      if (error.getStatus().getCode() != Status.Code.DEADLINE_EXCEEDED) throw error;
      System.out.println("deadline: exceeded");
    }
  }

  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel =
        ManagedChannelBuilder.forTarget(arguments[0]).usePlaintext().build();
    try {
      ScreenerSessionServiceBlockingStub sessions =
          ScreenerSessionServiceGrpc.newBlockingStub(channel);
      read(sessions);
      answer(channel);
      reject(SubmissionServiceGrpc.newBlockingStub(channel));
      refused(sessions);
      watch(channel);
    } finally {
      channel.shutdownNow();
    }
  }
}
