"""Reads that ride out a restart of the server, by a service config with a retry policy.

python3 retry.py 127.0.0.1:8080 service_config.json

For each line that it is given it makes a hundred calls.
"""

import sys
from pathlib import Path

import grpc

from screener.v1.screener_session_service_pb2 import GetScreenerSessionRequest
from screener.v1.screener_session_service_pb2_grpc import ScreenerSessionServiceStub

KEY = (("authorization", "Bearer sdk_demo_acct_123"),)
CALLS = 100

if __name__ == "__main__":
    # Only calls that change nothing are in the policy, so nothing is done twice.
    policy = Path(sys.argv[2]).read_text()
    options = [("grpc.service_config", policy)]
    with grpc.insecure_channel(sys.argv[1], options=options) as channel:
        sessions = ScreenerSessionServiceStub(channel)
        for _ in sys.stdin:
            for _ in range(CALLS):
                # The deadline is of all attempts together.
                request = GetScreenerSessionRequest(id="scses_790")
                sessions.GetScreenerSession(request, metadata=KEY, timeout=30)
            print(f"answered: {CALLS}", flush=True)
