"""Floods and crashes that the first release withstood and that must not harm later ones."""

import itertools
import json
import os
import struct
import time
from pathlib import Path

from lib import attack, http1, http2
from lib.data import KEY, SESSION
from lib.report import mib
from lib.server import MIB, Server, wait_until

FLOOD_SECONDS = 2.0
FLOODED_BYTES_MAX = 64 * MIB
ADDED_BYTES_MAX = 48 * MIB
OPENING_SECONDS_MAX = 12
REQUEST_SECONDS_MAX = 32
WRITE_SECONDS = 2.5
DISK_BYTES = 48 * MIB
SERVED_AGAIN_SECONDS_MAX = 5


def resets(block):
    """Opens and resets streams at once, 200 in one write."""
    for burst in itertools.count():
        yield b"".join(http2.frame(http2.HEADERS, http2.END_HEADERS, it, block)
                       + http2.frame(http2.RST_STREAM, 0, it, struct.pack(">I", 8))
                       for it in range(burst * 400 + 1, burst * 400 + 401, 2))


def continuations(block):
    """Sends one header block that never ends."""
    yield http2.frame(http2.HEADERS, 0, 1, block)
    part = http2.frame(http2.CONTINUATION, 0, 1, http2.block([("x-flood", "x" * 8_000)]))
    while True:
        yield part


def expansions(block):
    """Puts a header of 3.9 KB into the dynamic table, and then names it 8 000 times a block."""
    value = b"x" * 3_900
    entry = b"\x40\x01a\x7f" + bytes([(len(value) - 127) % 128 + 128, (len(value) - 127) // 128])
    for number in itertools.count(1, 2):
        yield http2.frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, number,
                          block + (entry + value if number == 1 else b"\xbe" * 8_000))


def settings(block):
    """Sends settings whose acknowledgements are never read."""
    one = http2.settings({http2.INITIAL_WINDOW_SIZE: 65_535, http2.HEADER_TABLE_SIZE: 4_096})
    while True:
        yield one * 500


def pings(block):
    """Sends pings whose responses are never read."""
    while True:
        yield http2.frame(http2.PING, 0, 0, b"flooding") * 500


def empty_data(block):
    """Sends a body of empty frames."""
    yield http2.frame(http2.HEADERS, http2.END_HEADERS, 1, block)
    while True:
        yield http2.frame(http2.DATA, 0, 1) * 500


FLOODS = {"reset": resets, "CONTINUATION": continuations, "HPACK": expansions,
          "SETTINGS": settings, "PING": pings, "DATA": empty_data}


def flood(server, make, source):
    """Runs one attacker, who reconnects when the server ends the connection. Returns the number of
    connections."""
    block = http2.grpc_block("ScreenerSessionService/GetScreenerSession")
    end, sent, connections = time.monotonic() + FLOOD_SECONDS, 0, 0
    while time.monotonic() < end and sent < FLOODED_BYTES_MAX:
        connections += 1
        try:
            with server.connect(source, 0.3, receive_bytes=4_096) as connection:
                connection.sendall(http2.PREFACE + http2.settings({}))
                for part in make(block):
                    connection.sendall(part)
                    sent += len(part)
                    if time.monotonic() >= end or sent >= FLOODED_BYTES_MAX:
                        break
        except OSError:
            pass
        time.sleep(0.02)
    return connections


def http2_floods(row):
    """Runs every flood on one server, one after another."""
    server = Server(row.suite.binary, row.suite.data.copy("HTTP2"))
    row.begin(server, KEY, SESSION)
    for name, make in FLOODS.items():
        server.forget_rss_max()
        with row.client.phase(name):
            attack.run(lambda number, _, make=make: flood(
                server, make, f"127.0.1.{number + 1}"), 2)
        row.judge_memory(server, ADDED_BYTES_MAX, f"{name}: memory")
        time.sleep(0.3)
    row.check(server.alive(), "the server lives")
    for name in FLOODS:
        row.judge_delays(name, f"{name}: ")
    row.close(server)


def trickle(connections, seconds, parts):
    """Sends one part a second on each. Returns when each was closed, and the responses."""
    began, closed, answers = time.monotonic(), {}, {}
    for connection in connections:
        connection.setblocking(False)
    while time.monotonic() - began < seconds and len(closed) < len(connections):
        part = next(parts)
        for number, connection in enumerate(connections):
            if number in closed:
                continue
            try:
                connection.send(part)
                data = connection.recv(4_096)
                if data:
                    answers.setdefault(number, time.monotonic() - began)
                else:
                    closed[number] = time.monotonic() - began
            except BlockingIOError:
                continue
            except OSError:
                closed[number] = time.monotonic() - began
        time.sleep(1.0)
    return closed, answers


def trickled(name):
    """Yields the remaining bytes one at a time."""
    if name == "prefaces":
        yield from (bytes([it]) for it in http2.PREFACE[1:])
    yield from itertools.repeat(b"x")


def slow(row):
    """Sends heads and bodies byte by byte."""
    server = Server(row.suite.binary, row.suite.data.copy("slow"))
    row.begin(server, KEY, SESSION)
    authorization = [("Authorization", f"Bearer {KEY}"), ("Content-Type", "application/json")]
    path = "/screener.v1.ScreenerSessionService/GetScreenerSession"
    kinds = {
        "heads": (400, b"GET /livez HTTP/1.1\r\nX-Slow: ", OPENING_SECONDS_MAX),
        "prefaces": (100, http2.PREFACE[:1], OPENING_SECONDS_MAX),
        "bodies with a key": (100, http1.head("POST", path, authorization, 1_000) + b'{"id": "',
                              REQUEST_SECONDS_MAX),
        "bodies without": (100, http1.head("POST", path, authorization[1:], 1_000), 2),
    }
    opened = {}
    for name, (count, begin, _) in kinds.items():
        opened[name] = [server.connect(f"127.0.5.{number % 8 + 1}") for number in range(count)]
        for connection in opened[name]:
            connection.sendall(begin)
    names = list(kinds)
    threads = attack.Attack(lambda number, _: (names[number], trickle(
        opened[names[number]], kinds[names[number]][2] + 3, trickled(names[number]))), len(kinds))
    with threads:
        with row.client.phase("load"):
            time.sleep(FLOOD_SECONDS * 2)
        row.end_client()
        row.suite.machine.rest(REQUEST_SECONDS_MAX + 4)
        results = dict(threads.join())
    for name, (count, _, limit) in kinds.items():
        closed, answers = results.get(name, ({}, {}))
        over = {**closed, **answers}
        row.check(len(over) == count and max(over.values(), default=0) <= limit,
                  f"{name}: {len(over)} of {count} ended, the last after "
                  f"{max(over.values(), default=0):.0f} s (at most {limit} s)")
        for connection in opened[name]:
            connection.close()
    row.judge_memory(server, ADDED_BYTES_MAX)
    row.judge_delays()
    row.close(server)


INNER = b"GET /livez HTTP/1.1\r\nHost: screenerd\r\nX-Inner: 1\r\n\r\n"
SMUGGLED = {
    "both lengths": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 54\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 54\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: cow\r\n\r\n",
    "a coding behind a tab": b"Transfer-Encoding:\tchunked, identity\r\n\r\n",
    "a folded header": b"Content-Length: 0\r\n Transfer-Encoding: chunked\r\n\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n",
    "a chunk of a signed size": b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a chunk beyond 64 bits": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
}


def smuggling(row):
    """Sends ambiguous requests. The server must never respond to a second request in them."""
    server = Server(row.suite.binary, row.suite.data.copy("smuggling"))
    row.servers.append(server)
    let_in = []
    for name, rest in SMUGGLED.items():
        with server.connect(seconds=1.0) as connection:
            connection.sendall(b"POST /public/surveys/ HTTP/1.1\r\nHost: screenerd\r\n" + rest
                               + INNER)
            data = b""
            try:
                while part := connection.recv(65_536):
                    data += part
            except OSError:
                pass
        statuses = [it[:3] for it in data.split(b"HTTP/1.1 ")[1:]]
        if len(statuses) > 1 or b"200" in statuses:
            let_in.append(f"{name} {statuses}")
    row.check(not let_in, f"{len(SMUGGLED)} requests of two readings, second request served in "
              f"{len(let_in)}{': ' if let_in else ''}{', '.join(let_in)}")
    row.check(http1.call(server.address, "GET", "/livez").status == 200, "the server lives")
    row.close(server)


class Writer:
    """Creates sessions and records the acknowledged ones."""

    def __init__(self, server, name):
        self.server, self.name, self.ids = server, name, []

    def create(self, number):
        """Creates a session. Returns the status, or 0 if the connection broke."""
        answer = http1.rpc(self.server.address, "ScreenerSessionService", "CreateScreenerSession",
                           {"screenerId": "scr_generated", "externalUid": f"{self.name}-{number}"},
                           KEY)
        if answer.status == 200:
            self.ids.append(answer.json()["screenerSession"]["id"])
        return answer.status

    def until(self, stopping):
        """Creates sessions until told to stop, or until the connection breaks."""
        for number in itertools.count():
            if stopping.is_set() or self.create(number) == 0:
                return


def missing(server, ids):
    """Returns the number of acknowledged sessions that do not exist."""
    found = 0
    for place in range(0, len(ids), 400):
        part = ids[place:place + 400]
        message = {"filter": {"id": {"in": {"values": part}}}, "pagination": {"limit": 500}}
        answer = http1.rpc(server.address, "ScreenerSessionService", "ListScreenerSessions",
                           message, KEY)
        found += len(json.loads(answer.body).get("items", []))
    return len(ids) - found


def kill(row):
    """Kills the server with SIGKILL while sessions are created, twice."""
    database = row.suite.data.copy("kill")
    acknowledged = []
    for life in range(2):
        server = Server(row.suite.binary, database)
        row.servers.append(server)
        writers = [Writer(server, f"kill-{life}-{number}") for number in range(4)]
        with attack.Attack(lambda number, stopping, it=writers: it[number].until(stopping), 4):
            time.sleep(WRITE_SECONDS)
            server.kill()
        acknowledged += [it for writer in writers for it in writer.ids]
    server = Server(row.suite.binary, database)
    row.servers.append(server)
    lost = missing(server, acknowledged)
    row.check(acknowledged and lost == 0,
              f"{len(acknowledged)} sessions acknowledged, killed twice, {lost} lost")
    row.close(server)


def disk(row):
    """Fills the disk: a small file system in a mount namespace of the server's own."""
    database = row.suite.data.copy("disk")
    folder = database.parent / "small"
    folder.mkdir()
    script = ('mount -t tmpfs -o size="$1" tmpfs "$2" && cp "$3" "$2" && shift 3 && exec "$@"')
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else \
        ["unshare", "--user", "--map-root-user", "--mount"]
    prefix = [*namespace, "sh", "-c", script, "sh", str(DISK_BYTES), str(folder), str(database)]
    server = Server(row.suite.binary, folder / database.name, prefix=prefix)
    row.begin(server, KEY, SESSION)
    inside = Path(f"/proc/{server.pid}/root") / folder.relative_to("/")
    filler, writer = inside / "filler", Writer(server, "disk")
    with row.client.phase("load"):
        writer.create(0)
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 65_536):
                    pass
            except OSError:
                pass
        statuses = [writer.create(number) for number in range(1, 200)]
        row.check(503 in statuses and set(statuses) <= {200, 503},
                  f"full: writes are {sorted(set(statuses))}")
        filler.unlink()
        again = wait_until(lambda: writer.create(f"again-{time.monotonic()}") == 200,
                           SERVED_AGAIN_SECONDS_MAX)
        row.check(again is not None, f"room again: writes succeed after {again or 0:.1f} s")
        lost = missing(server, writer.ids)
        row.check(lost == 0, f"{len(writer.ids)} acknowledged, {lost} lost")
    row.judge_delays()
    row.note(f"{mib(DISK_BYTES)} of disk")
    row.close(server)


ROWS = [
    ("slow", "heads and prefaces within 10 s, requests within 30 s, however slowly bytes come",
     slow),
    ("HTTP/2", "rapid reset, CONTINUATION, HPACK, SETTINGS, PING and DATA floods: memory + 48 MiB, "
     "p99 ≤ 3 × idle + 10 ms", http2_floods),
    ("smuggling", "a request of two readings is refused, and nothing behind it is served",
     smuggling),
    ("kill", "kill -9: every acknowledged write survives", kill),
    ("disk", "a full disk: writes are unavailable, reads continue, nothing acknowledged is lost",
     disk),
]
