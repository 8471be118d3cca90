"""Runs the story with connectrpc, Connect's own client for Python, which compresses every request.

python3 story.py ADDRESS [connect|grpc|grpc_web]
"""

import sys

from connectrpc.errors import ConnectError
from connectrpc.protocol import ProtocolType
from gen.google.rpc.error_details_pb import BadRequest, ErrorInfo
from gen.screener.v1.pagination_pb import Pagination
from gen.screener.v1.screener_response_service_connect import ScreenerResponseServiceClientSync
from gen.screener.v1.screener_response_service_pb import ExportScreenerResponsesRequest
from gen.screener.v1.screener_session_service_connect import ScreenerSessionServiceClientSync
from gen.screener.v1.screener_session_service_pb import (
    GetScreenerSessionRequest,
    ListScreenerSessionsRequest,
)
from gen.screener.v1.submission_service_connect import SubmissionServiceClientSync
from gen.screener.v1.submission_service_pb import RejectSubmissionRequest
from pyqwest import HTTPVersion, SyncClient, SyncHTTPTransport

address = sys.argv[1]
protocol = ProtocolType[(sys.argv[2:] or ["connect"])[0].upper()]
# gRPC requires HTTP/2. Without TLS there is no negotiation, so the client must select it.
http_client = None
if protocol is ProtocolType.GRPC:
    http_client = SyncClient(SyncHTTPTransport(http_version=HTTPVersion.HTTP2))
key = {"authorization": "Bearer sdk_demo_acct_123"}

with ScreenerSessionServiceClientSync(address, protocol=protocol, http_client=http_client) as sessions:
    page = sessions.list_screener_sessions(
        ListScreenerSessionsRequest(pagination=Pagination(limit=2)), headers=key
    )
    print("list:", *(session.id for session in page.items), "of", page.total)
    answer = sessions.get_screener_session(GetScreenerSessionRequest(id="scses_789"), headers=key)
    print("get:", answer.screener_session.id, answer.screener_session.state.name)

with SubmissionServiceClientSync(address, protocol=protocol, http_client=http_client) as submissions:
    try:
        submissions.reject_submission(RejectSubmissionRequest(project_id="proj_123"), headers=key)
    except ConnectError as refused:
        details = {detail.type_name: detail for detail in refused.details}
        info = details["google.rpc.ErrorInfo"].value(ErrorInfo)
        broken = details["google.rpc.BadRequest"].value(BadRequest)
        fields = [violation.field for violation in broken.field_violations]
        print("reject:", refused.code.name, info.reason, *fields)

with ScreenerResponseServiceClientSync(address, protocol=protocol, http_client=http_client) as responses:
    rows = responses.export_screener_responses(ExportScreenerResponsesRequest(), headers=key)
    print("export:", sum(len(part.items) for part in rows), "answers")
