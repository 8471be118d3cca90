"""The common parts of the peers: a process on the server's core, and the rows of sessions."""

import json
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

from server import SERVER_CORE, check

# The fields of a session for a client, and its place in the list.
COLUMNS = ("seq", "screener_id", "publication_id", "assignment_id", "link_slug", "status",
           "started_at", "last_active_at", "completed_at", "created_at")  # fmt: skip
EMAIL, PASSWORD = "bench@example.com", "a-password-for-the-bench"


def rows(database):
    """The sessions, in the order of arrival."""
    source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    return source.execute(f"SELECT {', '.join(COLUMNS)} FROM sessions ORDER BY seq")


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def ask(server, path, body=None, method=None):
    """Makes one call, which must succeed."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{server.address}{path}", data, method=method)
    request.add_header("Content-Type", "application/json")
    for header in server.headers:
        request.add_header(*header.split(": ", 1))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        check(False, server.name, path, error.code, error.read().decode())
    return json.loads(text) if text else None


class Peer:
    """A peer that is set up, filled, and then started as in production."""

    def __init__(self, options):
        self.options = options
        self.headers = []
        self.folder = options.raw / type(self).__name__.lower()
        self.folder.mkdir()
        self.process = None

    def start(self, command, environment, health):
        self.address = f"127.0.0.1:{free_port()}"
        log = open(self.folder / "log.txt", "a")
        command = ["taskset", "-c", SERVER_CORE, *map(str, command(self.address))]
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=environment(self.address), stdout=log, stderr=log
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            check(self.process.poll() is None, self.name, "ended; see", self.folder)
            try:
                urllib.request.urlopen(f"http://{self.address}{health}", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        check(False, self.name, "does not start; see", self.folder)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def __enter__(self):
        self.set_up()
        return self

    def __exit__(self, *_):
        self.stop()
