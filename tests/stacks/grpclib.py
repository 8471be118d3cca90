"""Runs the story with grpclib: gRPC in pure Python, on asyncio and h2.

python3 grpclib_story.py ADDRESS
"""

import asyncio
import sys
from urllib.parse import urlsplit

from google.rpc import error_details_pb2
from grpclib.client import Channel
from grpclib.exceptions import GRPCError
from screener.v1 import (
    pagination_pb2,
    screener_response_service_pb2,
    screener_session_pb2,
    screener_session_service_pb2,
    submission_service_pb2,
)
from screener.v1.screener_response_service_grpc import ScreenerResponseServiceStub
from screener.v1.screener_session_service_grpc import ScreenerSessionServiceStub
from screener.v1.submission_service_grpc import SubmissionServiceStub

KEY = {"authorization": "Bearer sdk_demo_acct_123"}


async def story(channel: Channel) -> None:
    sessions = ScreenerSessionServiceStub(channel)
    page = await sessions.ListScreenerSessions(
        screener_session_service_pb2.ListScreenerSessionsRequest(
            pagination=pagination_pb2.Pagination(limit=2)
        ),
        metadata=KEY,
    )
    print("list:", *(session.id for session in page.items), "of", page.total)
    answer = await sessions.GetScreenerSession(
        screener_session_service_pb2.GetScreenerSessionRequest(id="scses_789"), metadata=KEY
    )
    state = screener_session_pb2.ScreenerSessionState.Name(answer.screener_session.state)
    print("get:", answer.screener_session.id, state.removeprefix("SCREENER_SESSION_STATE_"))
    try:
        await SubmissionServiceStub(channel).RejectSubmission(
            submission_service_pb2.RejectSubmissionRequest(project_id="proj_123"), metadata=KEY
        )
    except GRPCError as refused:
        info = next(it for it in refused.details if isinstance(it, error_details_pb2.ErrorInfo))
        broken = next(it for it in refused.details if isinstance(it, error_details_pb2.BadRequest))
        fields = [violation.field for violation in broken.field_violations]
        print("reject:", refused.status.name, info.reason, *fields)
    rows = await ScreenerResponseServiceStub(channel).ExportScreenerResponses(
        screener_response_service_pb2.ExportScreenerResponsesRequest(), metadata=KEY
    )
    print("export:", sum(len(part.items) for part in rows), "answers")


async def main() -> None:
    address = urlsplit(sys.argv[1])
    async with Channel(address.hostname, address.port) as channel:
        await story(channel)


asyncio.run(main())
