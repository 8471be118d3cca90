"""A client in Python, against the example data of `screenerd serve --demo`.

python3 story.py 127.0.0.1:8080
"""

import sys
from collections.abc import Iterator
from datetime import timezone

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_status import rpc_status

from screener.v1.filter_pb2 import IdFilter
from screener.v1.pagination_pb2 import Pagination
from screener.v1.panelist_service_pb2 import GetPanelistAccessRequest
from screener.v1.panelist_service_pb2_grpc import PanelistServiceStub
from screener.v1.panelist_session_service_pb2 import AnswerValue, SubmitAnswersRequest
from screener.v1.panelist_session_service_pb2_grpc import PanelistSessionServiceStub
from screener.v1.screener_session_pb2 import ScreenerSession, ScreenerSessionState
from screener.v1.screener_session_service_pb2 import (
    GetScreenerSessionRequest,
    ListScreenerSessionsRequest,
    ListScreenerSessionsResponse,
    ScreenerSessionFilter,
)
from screener.v1.screener_session_service_pb2_grpc import ScreenerSessionServiceStub
from screener.v1.submission_service_pb2 import RejectSubmissionRequest
from screener.v1.submission_service_pb2_grpc import SubmissionServiceStub

# The service token of the example data. It authorizes every call except a panelist's own.
KEY = (("authorization", "Bearer sdk_demo_acct_123"),)
# The deadline of every call.
SECONDS = 5.0


def pages(
    sessions: ScreenerSessionServiceStub, wanted: ScreenerSessionFilter, limit: int
) -> Iterator[ListScreenerSessionsResponse]:
    """Yields the pages of a list. Counts the items, because the server may lower the limit."""
    offset = 0
    while True:
        pagination = Pagination(limit=limit, offset=offset)
        request = ListScreenerSessionsRequest(filter=wanted, pagination=pagination)
        page = sessions.ListScreenerSessions(request, metadata=KEY, timeout=SECONDS)
        yield page
        offset += len(page.items)
        if not page.items or offset >= page.total:
            return


def details(error: grpc.RpcError) -> tuple[ErrorInfo, BadRequest]:
    """Returns the details of a refusal: the stable reason, and the violations by field."""
    info, bad_request = ErrorInfo(), BadRequest()
    # The exception of a stub is also its call, which has the trailers.
    if isinstance(error, grpc.Call) and (status := rpc_status.from_call(error)):
        for detail in status.details:
            detail.Unpack(info) or detail.Unpack(bad_request)
    return info, bad_request


def read(sessions: ScreenerSessionServiceStub) -> None:
    wanted = ScreenerSessionFilter(screener_id=IdFilter(eq="scr_124"))
    # `in` is a Python keyword, so access the field by name.
    getattr(wanted.id, "in").values.extend(["scses_790", "scses_792", "scses_793", "scses_none"])
    got = list(pages(sessions, wanted, limit=2))
    ids = [session.id for page in got for session in page.items]
    print(f"sessions: {', '.join(ids)} ({got[0].total} in {len(got)} pages)")

    request = GetScreenerSessionRequest(id="scses_790")
    session: ScreenerSession = sessions.GetScreenerSession(
        request, metadata=KEY, timeout=SECONDS
    ).screener_session
    completed = session.completed_at.ToDatetime(timezone.utc)
    print(f"session: {session.id}, completed at {completed:%Y-%m-%dT%H:%M:%SZ}")


def answer(channel: grpc.Channel) -> None:
    request = GetPanelistAccessRequest(survey_id="survey-123", panelist_id="customer-456")
    panelist = PanelistServiceStub(channel).GetPanelistAccess(
        request, metadata=KEY, timeout=SECONDS
    ).panelist_access.panelist
    can = "can respond" if panelist.can_respond else "cannot respond"
    # HasField distinguishes an unset time from 1970-01-01T00:00:00Z.
    active = "active" if panelist.HasField("activity_started_at") else "never active"
    print(f"panelist: customer-456 {can}, {active} before")

    # The participant gets the panelist key, the only credential of these calls.
    submitted = PanelistSessionServiceStub(channel).SubmitAnswers(
        SubmitAnswersRequest(
            answers={"scq_satisfaction": AnswerValue(number=4)},
            is_final=True,
            # An id of your choice makes a repeated call idempotent.
            request_id="customer-456-first",
        ),
        metadata=(("authorization", panelist.public_key),),
        timeout=SECONDS,
    )
    done = submitted.state == ScreenerSessionState.SCREENER_SESSION_STATE_COMPLETED
    print(f"answered: {'completed' if done else 'in progress'}")


def reject(submissions: SubmissionServiceStub) -> None:
    request = RejectSubmissionRequest(
        project_id="proj_123", id="scses_790", message="The answers contradict each other."
    )
    submission = submissions.RejectSubmission(request, metadata=KEY, timeout=SECONDS).submission
    print(f"rejected: {submission.rejection.message}")
    again = submissions.RejectSubmission(request, metadata=KEY, timeout=SECONDS).submission
    print(f"rejected again: {'nothing' if again == submission else 'something'} changed")


def refused(sessions: ScreenerSessionServiceStub) -> None:
    request = GetScreenerSessionRequest(id="scses_none")
    try:
        sessions.GetScreenerSession(request, metadata=KEY, timeout=SECONDS)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        print(f"not found: {details(error)[0].reason}")
    try:
        sessions.GetScreenerSession(request, timeout=SECONDS)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
            raise
        print(f"no key: {details(error)[0].reason}")
    try:
        page = ListScreenerSessionsRequest(pagination=Pagination(limit=0, offset=-1))
        sessions.ListScreenerSessions(page, metadata=KEY, timeout=SECONDS)
    except grpc.RpcError as error:
        for violation in details(error)[1].field_violations:
            print(f"invalid: {violation.field}: {violation.description}")


def watch(channel: grpc.Channel) -> None:
    # The server ends this stream only at shutdown, so the deadline ends it.
    try:
        for health in HealthStub(channel).Watch(HealthCheckRequest(), timeout=2):
            serving = health.status == HealthCheckResponse.SERVING
            print(f"watch: {'serving' if serving else 'not serving'}")
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        print("deadline: exceeded")


if __name__ == "__main__":
    with grpc.insecure_channel(sys.argv[1]) as channel:
        sessions = ScreenerSessionServiceStub(channel)
        read(sessions)
        answer(channel)
        reject(SubmissionServiceStub(channel))
        refused(sessions)
        watch(channel)
