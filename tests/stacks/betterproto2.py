"""Runs the story with betterproto2: messages as dataclasses, over grpcio.

python3 betterproto2_story.py ADDRESS
"""

import sys
from urllib.parse import urlsplit

import grpc
from gen.google.rpc import BadRequest, ErrorInfo
from gen.google.rpc import Status
from gen.screener.v1 import (
    ExportScreenerResponsesRequest,
    GetScreenerSessionRequest,
    ListScreenerSessionsRequest,
    Pagination,
    RejectSubmissionRequest,
    ScreenerResponseServiceStub,
    ScreenerSessionServiceStub,
    SubmissionServiceStub,
)


class Key(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Adds the credential to each call, because the stubs accept no metadata."""

    def intercept_unary_unary(self, continuation, details, request):
        return continuation(self.with_key(details), request)

    def intercept_unary_stream(self, continuation, details, request):
        return continuation(self.with_key(details), request)

    def with_key(self, details):
        metadata = [*(details.metadata or []), ("authorization", "Bearer sdk_demo_acct_123")]
        return details._replace(metadata=metadata)


with grpc.insecure_channel(urlsplit(sys.argv[1]).netloc) as bare:
    channel = grpc.intercept_channel(bare, Key())
    sessions = ScreenerSessionServiceStub(channel)
    page = sessions.list_screener_sessions(
        ListScreenerSessionsRequest(pagination=Pagination(limit=2))
    )
    print("list:", *(session.id for session in page.items), "of", page.total)
    session = sessions.get_screener_session(
        GetScreenerSessionRequest(id="scses_789")
    ).screener_session
    print("get:", session.id, session.state.name)
    try:
        SubmissionServiceStub(channel).reject_submission(
            RejectSubmissionRequest(project_id="proj_123")
        )
    except grpc.RpcError as refused:
        details = dict(refused.trailing_metadata())["grpc-status-details-bin"]
        details = {it.type_url.rsplit("/")[-1]: it.value for it in Status.parse(details).details}
        info = ErrorInfo.parse(details["google.rpc.ErrorInfo"])
        broken = BadRequest.parse(details["google.rpc.BadRequest"])
        fields = [violation.field for violation in broken.field_violations]
        print("reject:", refused.code().name, info.reason, *fields)
    rows = ScreenerResponseServiceStub(channel).export_screener_responses(
        ExportScreenerResponsesRequest()
    )
    print("export:", sum(len(part.items) for part in rows), "answers")
