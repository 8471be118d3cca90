"""A small client in Python, against the example data of `screenerd serve --demo`.

    python3 -m grpc_tools.protoc -I proto --python_out=gen --grpc_python_out=gen \
        proto/screener/v1/*.proto
    PYTHONPATH=gen python3 clients/python/story.py 127.0.0.1:8080

It needs grpcio, grpcio-tools and grpcio-status.
"""

import sys
from datetime import datetime, timezone

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from screener.v1.filter_pb2 import IdFilter, IdList
from screener.v1.pagination_pb2 import Pagination
from screener.v1.panelist_access_pb2 import SurveyStatus
from screener.v1.panelist_service_pb2 import GetPanelistAccessRequest
from screener.v1.panelist_service_pb2_grpc import PanelistServiceStub
from screener.v1.screener_session_pb2 import ScreenerSessionState
from screener.v1.screener_session_service_pb2 import (
    GetScreenerSessionRequest,
    ListScreenerSessionsRequest,
    ScreenerSessionFilter,
)
from screener.v1.screener_session_service_pb2_grpc import ScreenerSessionServiceStub
from screener.v1.submission_pb2 import SubmissionStatus
from screener.v1.submission_service_pb2 import RejectSubmissionRequest
from screener.v1.submission_service_pb2_grpc import SubmissionServiceStub

SERVICE_TOKEN = [("authorization", "Bearer sdk_demo_acct_123")]
PANEL_TOKEN = [("x-api-key", "vtt_your_api_key")]


def expect(what, expected, came):
    if came != expected:
        sys.exit(f"FAILED {what}\nexpected: {expected!r}\ncame:     {came!r}")
    print(f"ok {what}")


def list_all(sessions, wanted, page_size):
    """All sessions that match, fetched page by page."""
    offset = 0
    while True:
        pagination = Pagination(limit=page_size, offset=offset)
        page = sessions.ListScreenerSessions(
            ListScreenerSessionsRequest(filter=wanted, pagination=pagination),
            metadata=SERVICE_TOKEN,
        )
        yield from page.items
        offset += len(page.items)
        if not page.items or offset >= page.total:
            return


def refusal(call, request, **options):
    """The code, the ErrorInfo and the BadRequest of a call that is refused."""
    info, bad_request = ErrorInfo(), BadRequest()
    try:
        call(request, **options)
    except grpc.RpcError as error:
        # A deadline that passes on the client's side brings no details.
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            detail.Unpack(info) or detail.Unpack(bad_request)
        return error.code(), info, bad_request
    return grpc.StatusCode.OK, info, bad_request


def story(channel):
    sessions = ScreenerSessionServiceStub(channel)
    panelists = PanelistServiceStub(channel)
    submissions = SubmissionServiceStub(channel)

    # `in` is a keyword of Python, so its field is given by name.
    wanted = ScreenerSessionFilter(
        screener_id=IdFilter(eq="scr_124"),
        id=IdFilter(**{"in": IdList(values=["scses_790", "scses_792", "scses_793", "scses_none"])}),
    )
    ids = [session.id for session in list_all(sessions, wanted, page_size=2)]
    expect("a filtered list in two pages", ["scses_790", "scses_792", "scses_793"], ids)

    session = sessions.GetScreenerSession(
        GetScreenerSessionRequest(id="scses_790"), metadata=SERVICE_TOKEN
    ).screener_session
    expect(
        "one session",
        (ScreenerSessionState.SCREENER_SESSION_STATE_COMPLETED, "onboarding-002-sam"),
        (session.state, session.link_slug),
    )
    expect(
        "its instants",
        datetime(2024, 5, 1, 15, 16, 55, tzinfo=timezone.utc),
        session.completed_at.ToDatetime(timezone.utc),
    )

    access = panelists.GetPanelistAccess(
        GetPanelistAccessRequest(survey_id="survey-123", panelist_id="customer-456"),
        metadata=PANEL_TOKEN,
    ).panelist_access
    expect(
        "the access of a panelist who was never seen",
        (True, 0, False, SurveyStatus.SURVEY_STATUS_OPEN),
        (
            access.panelist.can_respond,
            access.panelist.session_count,
            access.panelist.HasField("activity_started_at"),
            access.survey.status,
        ),
    )

    reject = RejectSubmissionRequest(
        project_id="proj_123", id="scses_790", message="The answers contradict each other."
    )
    submission = submissions.RejectSubmission(reject, metadata=SERVICE_TOKEN).submission
    expect(
        "a rejection",
        (SubmissionStatus.SUBMISSION_STATUS_REJECTEDQUALITY, reject.message, False),
        (submission.status, submission.rejection.message, submission.is_new),
    )
    again = submissions.RejectSubmission(reject, metadata=SERVICE_TOKEN).submission
    expect("a repeated rejection", submission, again)

    code, info, _ = refusal(
        sessions.GetScreenerSession,
        GetScreenerSessionRequest(id="scses_none"),
        metadata=SERVICE_TOKEN,
    )
    expect(
        "NOT_FOUND and its reason",
        (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", "screenerd"),
        (code, info.reason, info.domain),
    )

    code, info, bad_request = refusal(
        sessions.ListScreenerSessions,
        ListScreenerSessionsRequest(pagination=Pagination(limit=0, offset=-1)),
        metadata=SERVICE_TOKEN,
    )
    expect(
        "INVALID_ARGUMENT and all its violations",
        (
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
            ["pagination.limit", "pagination.offset"],
        ),
        (code, info.reason, [violation.field for violation in bad_request.field_violations]),
    )

    code, info, _ = refusal(
        sessions.GetScreenerSession, GetScreenerSessionRequest(id="scses_790")
    )
    expect(
        "UNAUTHENTICATED without a key",
        (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHORIZED"),
        (code, info.reason),
    )

    # A stream that does not end by itself, so that only the deadline can end it.
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
    code, _, _ = refusal(lambda *call, **options: list(watch(*call, **options)), b"", timeout=0.2)
    expect("DEADLINE_EXCEEDED", grpc.StatusCode.DEADLINE_EXCEEDED, code)


if __name__ == "__main__":
    with grpc.insecure_channel(sys.argv[1]) as channel:
        story(channel)
