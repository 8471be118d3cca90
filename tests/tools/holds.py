"""Whether a response has the expected content.

    holds.py EXPECTED < ANSWER

An object may have more members than expected, and an expected null requires a null member. Lists
and all other values must be equal. The error details that `buf curl` prints are decoded first.
"""

import base64
import json
import sys

from google.protobuf import json_format
from google.rpc import error_details_pb2


def decoded(value):
    """Returns a JSON value with decoded error details in place of base64."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    # Connect adds a readable form, which is not compared.
    if value.keys() - {"debug"} == {"type", "value"} and value["type"].startswith("google.rpc."):
        message = getattr(error_details_pb2, value["type"].removeprefix("google.rpc."))()
        padded = value["value"] + "=" * (-len(value["value"]) % 4)
        message.ParseFromString(base64.b64decode(padded))
        return {"type": value["type"], **json_format.MessageToDict(message)}
    return {name: decoded(member) for name, member in value.items()}


def holds(expected, came):
    """Whether a JSON value has the expected content."""
    if isinstance(expected, dict) and isinstance(came, dict):
        return all(name in came and holds(item, came[name]) for name, item in expected.items())
    if isinstance(expected, list) and isinstance(came, list):
        return len(expected) == len(came) and all(map(holds, expected, came))
    # 1 differs from 1.0 and from true: other clients see the difference.
    return type(expected) is type(came) and expected == came


if __name__ == "__main__":
    sys.exit(0 if holds(json.loads(sys.argv[1]), decoded(json.load(sys.stdin))) else 1)
