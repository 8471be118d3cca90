// A client in Go, against the example data of `screenerd serve --demo`.
//
//	story 127.0.0.1:8080
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	screener "github.com/screenerd/screenerd/gen/go/screener/v1"
)

// The service token of the example data. It authorizes every call except a panelist's own.
const key = "Bearer sdk_demo_acct_123"

// with returns a context that carries a credential.
func with(ctx context.Context, authorization string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
}

func read(ctx context.Context, sessions screener.ScreenerSessionServiceClient) error {
	wanted := []string{"scses_790", "scses_792", "scses_793", "scses_none"}
	request := &screener.ListScreenerSessionsRequest{
		Filter: &screener.ScreenerSessionFilter{
			ScreenerId: &screener.IdFilter{Eq: proto.String("scr_124")},
			Id:         &screener.IdFilter{In: &screener.IdList{Values: wanted}},
		},
		Pagination: &screener.Pagination{Limit: proto.Int32(2)},
	}
	var ids []string
	var total, pages int
	for {
		// The server may lower the limit, so advance by the number of items received.
		request.Pagination.Offset = proto.Int32(int32(len(ids)))
		page, err := sessions.ListScreenerSessions(ctx, request)
		if err != nil {
			return err
		}
		for _, session := range page.Items {
			ids = append(ids, session.Id)
		}
		total, pages = int(page.GetTotal()), pages+1
		if len(page.Items) == 0 || len(ids) >= total {
			break
		}
	}
	fmt.Printf("sessions: %s (%d in %d pages)\n", strings.Join(ids, ", "), total, pages)

	got, err := sessions.GetScreenerSession(ctx, &screener.GetScreenerSessionRequest{Id: "scses_790"})
	if err != nil {
		return err
	}
	session := got.ScreenerSession
	completed := session.CompletedAt.AsTime().Format(time.RFC3339)
	fmt.Printf("session: %s, completed at %s\n", session.Id, completed)
	return nil
}

func answer(ctx context.Context, conn grpc.ClientConnInterface) error {
	access, err := screener.NewPanelistServiceClient(conn).GetPanelistAccess(
		with(ctx, key),
		&screener.GetPanelistAccessRequest{SurveyId: "survey-123", PanelistId: "customer-456"},
	)
	if err != nil {
		return err
	}
	panelist := access.PanelistAccess.Panelist
	can, active := "cannot respond", "active"
	if panelist.GetCanRespond() {
		can = "can respond"
	}
	// An unset time is nil.
	if panelist.ActivityStartedAt == nil {
		active = "never active"
	}
	fmt.Printf("panelist: customer-456 %s, %s before\n", can, active)

	// The participant gets the panelist key, the only credential of these calls.
	submitted, err := screener.NewPanelistSessionServiceClient(conn).SubmitAnswers(
		with(ctx, panelist.PublicKey),
		&screener.SubmitAnswersRequest{
			Answers: map[string]*screener.AnswerValue{
				"scq_satisfaction": {Value: &screener.AnswerValue_Number{Number: 4}},
			},
			IsFinal: true,
			// An id of your choice makes a repeated call idempotent.
			RequestId: proto.String("customer-456-first"),
		},
	)
	if err != nil {
		return err
	}
	done := "in progress"
	if submitted.State == screener.ScreenerSessionState_SCREENER_SESSION_STATE_COMPLETED {
		done = "completed"
	}
	fmt.Printf("answered: %s\n", done)
	return nil
}

func reject(ctx context.Context, submissions screener.SubmissionServiceClient) error {
	request := &screener.RejectSubmissionRequest{
		ProjectId: "proj_123",
		Id:        "scses_790",
		Message:   proto.String("The answers contradict each other."),
	}
	rejected, err := submissions.RejectSubmission(ctx, request)
	if err != nil {
		return err
	}
	fmt.Printf("rejected: %s\n", rejected.Submission.Rejection.GetMessage())
	again, err := submissions.RejectSubmission(ctx, request)
	if err != nil {
		return err
	}
	changed := "something"
	if proto.Equal(again.Submission, rejected.Submission) {
		changed = "nothing"
	}
	fmt.Printf("rejected again: %s changed\n", changed)
	return nil
}

// reason returns the reason of a refusal. It is stable; the message is for people.
func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.Reason
		}
	}
	return "unknown"
}

func refused(ctx context.Context, sessions screener.ScreenerSessionServiceClient) error {
	none := &screener.GetScreenerSessionRequest{Id: "scses_none"}
	_, err := sessions.GetScreenerSession(with(ctx, key), none)
	if status.Code(err) != codes.NotFound {
		return err
	}
	fmt.Printf("not found: %s\n", reason(err))

	_, err = sessions.GetScreenerSession(ctx, none)
	if status.Code(err) != codes.Unauthenticated {
		return err
	}
	fmt.Printf("no key: %s\n", reason(err))

	_, err = sessions.ListScreenerSessions(with(ctx, key), &screener.ListScreenerSessionsRequest{
		Pagination: &screener.Pagination{Limit: proto.Int32(0), Offset: proto.Int32(-1)},
	})
	if status.Code(err) != codes.InvalidArgument {
		return err
	}
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range bad.FieldViolations {
				fmt.Printf("invalid: %s: %s\n", violation.Field, violation.Description)
			}
		}
	}
	return nil
}

func watch(healths health.HealthClient) error {
	// The server ends this stream only at shutdown, so the deadline ends it.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	stream, err := healths.Watch(ctx, &health.HealthCheckRequest{})
	for err == nil {
		var update *health.HealthCheckResponse
		if update, err = stream.Recv(); err == nil {
			fmt.Printf("watch: %s\n", strings.ToLower(update.Status.String()))
		}
	}
	if status.Code(err) != codes.DeadlineExceeded {
		return err
	}
	fmt.Println("deadline: exceeded")
	return nil
}

func story(conn grpc.ClientConnInterface) error {
	// The context sets one deadline for all of these calls.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	sessions := screener.NewScreenerSessionServiceClient(conn)
	if err := read(with(ctx, key), sessions); err != nil {
		return err
	}
	if err := answer(ctx, conn); err != nil {
		return err
	}
	if err := reject(with(ctx, key), screener.NewSubmissionServiceClient(conn)); err != nil {
		return err
	}
	if err := refused(ctx, sessions); err != nil {
		return err
	}
	return watch(health.NewHealthClient(conn))
}

func main() {
	// Later versions of gRPC have grpc.WithTransportCredentials(insecure.NewCredentials()).
	conn, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := story(conn); err != nil {
		log.Fatal(err)
	}
}
