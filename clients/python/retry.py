"""Reads that survive a restart of the server, with a retry policy in the service config.

python3 retry.py 127.0.0.1:8080 service_config.json

Makes a hundred calls for each line of the standard input.
"""

import sys
from pathlib import Path

import grpc

from screener.v1.screener_session_service_pb2 import GetScreenerSessionRequest
from screener.v1.screener_session_service_pb2_grpc import ScreenerSessionServiceStub

KEY = (("authorization", "Bearer sdk_demo_acct_123"),)
CALLS = 100

if __name__ == "__main__":
    # The policy retries only reads, so no change is made twice.
    policy = Path(sys.argv[2]).read_text()
    options = [("grpc.service_config", policy)]
    with grpc.insecure_channel(sys.argv[1], options=options) as channel:
        sessions = ScreenerSessionServiceStub(channel)
        for _ in sys.stdin:
            for _ in range(CALLS):
                # The deadline covers all attempts together.
                request = GetScreenerSessionRequest(id="scses_790")
                sessions.GetScreenerSession(request, metadata=KEY, timeout=30)
            print(f"answered: {CALLS}", flush=True)
