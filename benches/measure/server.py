"""Servers on the server's core, and single calls to them that check the responses."""

import json
import pathlib
import re
import socket
import subprocess
import sys
import time

from wire import CREDENTIALS, frame

# One core for the server, one for the load generator, so that neither takes from the other.
SERVER_CORE, LOAD_CORE = "0", "1"
GRPC_HEADERS = ["content-type: application/grpc", "te: trailers"]


def check(truth, *words):
    if not truth:
        sys.exit("benches: " + " ".join(str(word) for word in words))


def pinned(arguments, core):
    """The command on a core of its own, or on any."""
    return [*(["taskset", "-c", core] if core else []), *map(str, arguments)]


class Server:
    """A server on the server's core, which always ends with the run."""

    def __init__(self, arguments, log, core=SERVER_CORE):
        command = pinned(arguments, core)
        began = time.perf_counter()
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        line = self.process.stdout.readline()
        self.addresses = re.findall(r"127\.0\.0\.1:\d+", line)
        check(self.addresses, arguments[0], "did not start; see", log)
        self.began = began

    def memory_mib(self, what="VmRSS"):
        """Its current memory, or with VmHWM its peak."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+)", status)[1]) / 1024

    def ready_seconds(self):
        """The time from the exec until it first reports readiness."""
        host, port = self.addresses[0].split(":")
        request = f"GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        while time.perf_counter() - self.began < 60:
            try:
                with socket.create_connection((host, int(port))) as connection:
                    connection.sendall(request)
                    if b" 200 " in connection.recv(64):
                        return time.perf_counter() - self.began
            except ConnectionError:
                pass
            time.sleep(0.001)
        check(False, "the server does not become ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def screenerd(program, database, raw, name):
    """screenerd on a file, as in production."""
    serve = ["serve", "--listen", "127.0.0.1:0", "--database", f"sqlite://{database}"]
    return Server([program, *serve], raw / f"{name}.log")


def header_options(headers):
    return [option for header in headers for option in ("-H", header)]


def curl(url, headers, options, out):
    """Calls once. Returns the body, and the headers and trailers."""
    heads = out.with_suffix(".heads")
    subprocess.run(
        ["curl", "-sS", *options, *header_options(headers), "-D", heads, "-o", out, url], check=True
    )
    return out.read_bytes(), heads.read_text().lower()


def call_grpc(address, method, request, out, credentials=CREDENTIALS):
    """Calls once and returns the message. Checks the status, which the load does not see."""
    request_file = out.with_suffix(".request")
    request_file.write_bytes(frame(request))
    options = ["--http2-prior-knowledge", "--data-binary", f"@{request_file}"]
    headers = GRPC_HEADERS + credentials
    body, heads = curl(f"http://{address}/screener.v1.{method}", headers, options, out)
    check(re.search(r"^grpc-status: 0\s*$", heads, re.M), method, "failed:", heads)
    check(body[:1] == b"\0" and len(body) == 5 + int.from_bytes(body[1:5], "big"), "no frame")
    return body[5:]


def call_rest(address, path, out, credentials=CREDENTIALS):
    body, heads = curl(f"http://{address}{path}", credentials, [], out)
    check(" 200 " in heads.splitlines()[0], path, "failed:", heads)
    return json.loads(body)
