"""HTTP/1.1 over a plain socket: sends prepared bytes and reads one response."""

import json

from .server import connect


class Broken(Exception):
    """The peer closed the connection or sent an invalid response."""


def head(method, path, headers=(), length=None):
    """Returns the bytes of a request's head."""
    lines = [f"{method} {path} HTTP/1.1", "Host: screenerd"]
    lines += [f"{name}: {value}" for name, value in headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Answer:
    """A status, the headers with lower-case names, and the body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        """Parses the body as JSON."""
        return json.loads(self.body)


def read_head(connection, kept=b""):
    """Reads the head of a response. Returns its status, its headers, and the bytes after it."""
    data = kept
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            raise Broken("closed before an answer")
        data += part
    first, _, rest = data.partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/1.1 "):
        raise Broken(f"no answer: {lines[0][:40]!r}")
    pairs = (line.partition(":") for line in lines[1:])
    return int(lines[0][9:12]), {name.lower(): value.strip() for name, _, value in pairs}, rest


def unchunked(body):
    """Returns the content of a chunked body."""
    parts = []
    while body:
        length, _, body = body.partition(b"\r\n")
        size = int(length, 16)
        parts.append(body[:size])
        body = body[size + 2:]
    return b"".join(parts)


def read(connection):
    """Reads one whole response, up to its length or to the end of the connection."""
    status, headers, body = read_head(connection)
    if "content-length" in headers:
        length = int(headers["content-length"])
        while len(body) < length:
            part = connection.recv(262_144)
            if not part:
                raise Broken("closed within an answer")
            body += part
    elif headers.get("transfer-encoding") == "chunked":
        while not body.endswith(b"0\r\n\r\n"):
            part = connection.recv(262_144)
            if not part:
                raise Broken("closed within an answer")
            body += part
        body = unchunked(body)
    return Answer(status, headers, body)


def call(address, method, path, headers=(), body=None, seconds=10.0, source=None):
    """Makes one request on a new connection. Without a response, the status is 0."""
    length = None if body is None else len(body)
    try:
        with connect(address, source, seconds) as connection:
            connection.sendall(head(method, path, headers, length) + (body or b""))
            return read(connection)
    except (OSError, Broken):
        return Answer(0, {}, b"")


def rpc(address, service, method, message, key=None, seconds=10.0, headers=()):
    """Makes one call over Connect in JSON, like `call`."""
    sent = [("Content-Type", "application/json"), *headers]
    if key:
        sent.append(("Authorization", f"Bearer {key}"))
    body = json.dumps(message).encode()
    return call(address, "POST", f"/screener.v1.{service}/{method}", sent, body, seconds)
