"""Load generators on their core. Each checks that every call succeeded."""

import json
import pathlib
import random
import re
import subprocess

from server import GRPC_HEADERS, LOAD_CORE, check, header_options, pinned
from wire import CREDENTIALS, frame

# Enough requests in flight to keep the server's core busy, few enough not to measure queues.
GRPC_CONNECTIONS, GRPC_STREAMS, REST_CONNECTIONS = 8, 8, 64
# Requests in a file of random ones: more than any cache of pages holds.
RANDOM_REQUESTS = 50_000
HERE = pathlib.Path(__file__).parent.parent


def start_load(command, raw, name, core=LOAD_CORE):
    output = open(raw / f"{name}.txt", "w")
    command = pinned(command, core)
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True)


def end_load(process, raw, name):
    """The output of the generator."""
    check(process.wait() == 0, name, "failed; see", raw)
    return (raw / f"{name}.txt").read_text()


def run_load(command, raw, name):
    return end_load(start_load(command, raw, name), raw, name)


def h2load(address, method, request, seconds, raw, name, credentials=CREDENTIALS):
    """The command. All of a run are the same request: h2load has one body a run."""
    request_file = raw / f"{name}.request"
    request_file.write_bytes(frame(request))
    command = ["h2load", "-t", 1, "-c", GRPC_CONNECTIONS, "-m", GRPC_STREAMS, "-D", seconds]
    command += ["-d", request_file]
    command += header_options(GRPC_HEADERS + credentials)
    return command + [f"http://{address}/screener.v1.{method}"]


def h2load_rate(printed, body_bytes, name):
    """Requests per second, if every response has a message of this size."""
    done = int(re.search(r"(\d+) succeeded", printed)[1])
    check("0 4xx, 0 5xx" in printed and done > 0, name, "had errors")
    # A refused call is HTTP 200 as well, but has no message.
    data = int(re.search(r"\((\d+)\) data", printed)[1])
    check(0.98 < data / done / body_bytes < 1.02, name, "had answers of another size")
    return float(re.search(r"([\d.]+) req/s", printed)[1])


def load_grpc(address, method, request, body_bytes, seconds, raw, name, credentials=CREDENTIALS):
    """Requests per second, one request again and again."""
    command = h2load(address, method, request, seconds, raw, name, credentials)
    return h2load_rate(run_load(command, raw, name), body_bytes, name)


def load_random(calls, address, method, requests, body_bytes, seconds, raw, name, credentials):
    """Requests per second, from a file of random ones."""
    command = [calls, "--address", address, "--path", f"/screener.v1.{method}"]
    command += ["--requests", requests, "--seconds", seconds]
    command += ["--connections", GRPC_CONNECTIONS, "--streams", GRPC_STREAMS]
    for header in credentials:
        command += ["--header", header]
    counted = json.loads(run_load(command, raw, name))
    check(counted["refused"] == 0 and counted["answered"] > 0, name, "had refusals")
    mean = counted["bytes"] / counted["answered"]
    check(0.95 < mean / body_bytes < 1.05, name, "had answers of another size")
    return counted["answered"] / counted["seconds"]


def random_requests(request_of, sessions, out):
    """A file of requests about random sessions."""
    numbers = (random.randrange(sessions) for _ in range(RANDOM_REQUESTS))
    out.write_bytes(b"".join(frame(request_of(number)) for number in numbers))
    return out


def load_rest(address, path, seconds, raw, name, random_of=None, credentials=CREDENTIALS):
    """Requests per second. With a number of sessions, `path` is a format for random ones."""
    command = ["wrk", "-t", 1, "-c", REST_CONNECTIONS, "-d", f"{seconds}s", "--timeout", "60s"]
    command += header_options(credentials)
    if random_of:
        command += ["-s", HERE / "random.lua", f"http://{address}", "--", random_of]
        command += [random.randrange(1 << 30), path]
    else:
        command += [f"http://{address}{path}"]
    return wrk_rate(run_load(command, raw, name), name)


def wrk_rate(printed, name):
    check("Non-2xx" not in printed and "Socket errors" not in printed, name, "had errors")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])
