"""Strangers: callers without a credential, and clients that never read (S1 to S4, S6)."""

import base64
import json
import threading
import time

from lib import attack, http1, http2
from lib.data import KEY, SESSION, tenant
from lib.measure import FACTOR_MAX
from lib.report import mib
from lib.server import MIB, Refused, Server, wait_until

ATTACK_SECONDS = 3.0
# The largest cost in memory of 3.9 MB bodies without a credential.
STRANGER_ADDED_BYTES_MAX = 48 * MIB
RECEIVE_BUDGET_BYTES = 256 * MIB
UPLOAD_BYTES = 3_900_000
# The suite stops sending here, which suffices to show that there is no bound.
UPLOADED_BYTES_MAX = 400 * MIB
STREAMS = 200
SEND_ADDED_BYTES_MAX = 200 * MIB
SOCKETS_MAX = 4_096
CONNECTING_SECONDS_MAX = 10
CONNECTED_WITHIN_SECONDS = 25
STALL_SECONDS_MAX = 25
ANSWERED_SECONDS_MAX = 15
# A narrow socket, like one across a network: loopback would buffer megabytes that are never read.
NARROW = {"receive_bytes": 4_096, "segment_bytes": 1_400}
# JSON values of two bytes each in one message: 3.8 MB of them, and nearly the most that are parsed.
UNREADABLE_VALUES, READABLE_VALUES = 1_900_000, 262_000
VIOLATIONS_MAX = 100
# The HTTP status of a too large message over Connect.
RESOURCE_EXHAUSTED = 429
UNAUTHENTICATED, UNAVAILABLE = 16, 14


def uploads(server, source, key, method, seconds, connections_total):
    """Opens a connection with 200 calls whose last byte never comes. Returns the statuses of the
    responses, and the number of bytes sent in bodies."""
    connection = http2.Connection(server.address, source)
    connection.take(1.0)
    body = memoryview(http2.message(b"\x0a" + bytes(UPLOAD_BYTES), UPLOAD_BYTES + 2))
    places, end, sent = {}, time.monotonic() + seconds, 0
    block = http2.grpc_block(method, key, timeout="30S")
    for _ in range(STREAMS):
        places[connection.open(block, end=False)] = 0
    try:
        while time.monotonic() < end and not connection.closed:
            moved = 0
            for number, place in places.items():
                if not connection.streams[number].over() and sent < UPLOADED_BYTES_MAX / \
                        connections_total:
                    part = connection.upload(number, body[place:place + 65_536])
                    places[number] = place + part
                    moved += part
            sent += moved
            connection.take(0.0005 if moved else 0.02)
    except OSError:
        pass
    statuses = [http2.grpc_status(it) for it in connection.streams.values() if it.over()]
    return connection, statuses, sent


def s1_upload(row, server, key, connections, method="ScreenerService/ValidateDraft"):
    """Uploads over several connections concurrently. Returns the statuses and the bytes sent."""
    kept = attack.run(
        lambda number, _: uploads(server, f"127.0.1.{number + 1}", key, method, ATTACK_SECONDS,
                                  connections), connections)
    statuses = [status for _, of_one, _ in kept for status in of_one]
    sent = sum(it[2] for it in kept)
    for connection, _, _ in kept:
        connection.close()
    return statuses, sent


def connect_bodies(server, number, stopping):
    """Sends bodies over Connect and HTTP/1.1 whose last byte never comes."""
    head = http1.head("POST", "/screener.v1.ScreenerService/ValidateDraft",
                      [("Content-Type", "application/json")], UPLOAD_BYTES)
    body, kept, statuses = b" " * (UPLOAD_BYTES - 1), [], []
    for _ in range(16):
        connection = server.connect(f"127.0.1.{number + 1}")
        kept.append(connection)
        connection.settimeout(0.5)
        try:
            connection.sendall(head)
            connection.sendall(body)
        except OSError:
            pass  # An early response closes the connection for the body.
    for connection in kept:
        try:
            statuses.append(http1.read_head(connection)[0])
        except (OSError, http1.Broken):
            statuses.append(None)
    for connection in kept:
        connection.close()
    return statuses


def s1(row):
    """Sends bodies that never end."""
    server = Server(row.suite.binary, row.suite.data.copy("S1"))
    row.begin(server, KEY, SESSION)
    with row.client.phase("load"):
        statuses, sent = s1_upload(row, server, None, 1)
        row.check(statuses.count(UNAUTHENTICATED) == STREAMS,
                  f"one connection: {statuses.count(UNAUTHENTICATED)} of {STREAMS} calls refused "
                  f"from their headers, {mib(sent)} sent")
        row.judge_memory(server, STRANGER_ADDED_BYTES_MAX, "one connection: memory")
        server.forget_rss_max()
        statuses, sent = s1_upload(row, server, None, 3)
        row.check(statuses.count(UNAUTHENTICATED) == 3 * STREAMS,
                  f"three: {statuses.count(UNAUTHENTICATED)} of {3 * STREAMS}, {mib(sent)} sent")
        row.judge_memory(server, STRANGER_ADDED_BYTES_MAX, "three connections: memory")
        server.forget_rss_max()
        answers = attack.run(lambda number, stop: connect_bodies(server, number, stop), 4)
        refused = sum(it.count(401) for it in answers)
        row.check(refused == 64, f"Connect: {refused} of 64 are 401 before their body ended")
        row.judge_memory(server, STRANGER_ADDED_BYTES_MAX, "Connect: memory")
    row.judge_delays()
    s1_with_a_key(row)
    row.close(server)


def s1_with_a_key(row):
    """Tests the budget for bodies of callers with a key, on a server of its own."""
    server = Server(row.suite.binary, row.suite.data.copy("S1-key"))
    row.servers.append(server)
    before = server.rss()
    statuses, sent = s1_upload(row, server, KEY, 3)
    added, limit = server.rss_max() - before, RECEIVE_BUDGET_BYTES + STRANGER_ADDED_BYTES_MAX
    row.check(added <= limit and statuses.count(UNAVAILABLE) > 0,
              f"with a key: memory + {mib(added)}, at most + {mib(limit)}; {mib(sent)} sent, "
              f"{statuses.count(UNAVAILABLE)} calls unavailable")
    with_small = http2.Connection(server.address)
    number = with_small.open(http2.grpc_block("ScreenerSessionService/GetScreenerSession", KEY),
                             http2.message(b"\x0a", UPLOAD_BYTES), end=False)
    stream = with_small.wait(number, 3.0)
    row.check(http2.grpc_status(stream) not in (None, 0),
              f"3.9 MB announced for GetScreenerSession: status {http2.grpc_status(stream)} "
              "before the rest is sent")
    with_small.close()
    row.check(server.stop() == 0, "the second server stopped")


def zeros(count):
    """Returns a draft over Connect whose questions are zeros, of 2 bytes each but the last."""
    return b'{"draft": {"pages": [{"questions": [' + b",".join([b"0"] * count) + b"]}]}}"


def zero_callers(server, key, count, seconds, body):
    """Sends the draft repeatedly from several callers. Returns the responses."""
    head = [("Content-Type", "application/json")]
    if key:
        head.append(("Authorization", f"Bearer {key}"))
    request = http1.head("POST", "/screener.v1.ScreenerService/ValidateDraft", head, len(body))
    end = time.monotonic() + seconds

    def one(number, _stopping):
        answers = []
        while time.monotonic() < end:
            with server.connect(f"127.0.1.{number + 1}", 30.0) as connection:
                try:
                    connection.sendall(request)
                    connection.sendall(body)
                except OSError:
                    pass  # The server refused the call before reading the body.
                try:
                    answers.append(http1.read(connection))
                except (OSError, http1.Broken):
                    answers.append(None)
            if key is None:
                time.sleep(0.05)  # A refusal is quick. The load is bodies, not connections.
        return answers
    return [answer for answers in attack.run(one, count) for answer in answers]


def violations(answer):
    """Returns the number of violations in a Connect refusal. Each names its question once."""
    details = json.loads(answer.body).get("details", []) if answer.body else []
    return max((base64.b64decode(it["value"] + "==").count(b"draft.pages[0].questions[") for it in details
                if it.get("type") == "google.rpc.BadRequest"), default=0)


def s2(row):
    """Sends large JSON."""
    server = Server(row.suite.binary, row.suite.data.copy("S2"))
    row.begin(server, KEY, SESSION)
    answer = http1.call(server.address, "POST",
                        "/screener.v1.ScreenerSessionService/ListScreenerSessions",
                        [("Content-Type", "application/json")], b"{unreadable")
    row.check(answer.status == 401, f"unreadable JSON without a key: {answer.status}")
    with row.client.phase("without"):
        answers = zero_callers(server, None, 16, ATTACK_SECONDS, zeros(UNREADABLE_VALUES))
    refused = sum(it is not None and it.status == 401 for it in answers)
    row.check(answers and refused == len(answers),
              f"without a key: {refused} of {len(answers)} 401")
    row.judge_memory(server, STRANGER_ADDED_BYTES_MAX, "without a key: memory")
    server.forget_rss_max()
    with row.client.phase("load"):
        refused = zero_callers(server, KEY, 1, 0.5, zeros(UNREADABLE_VALUES))
        answers = zero_callers(server, KEY, 16, ATTACK_SECONDS, zeros(READABLE_VALUES))
    statuses = sorted({it and it.status for it in refused})
    row.check(statuses == [RESOURCE_EXHAUSTED],
              f"with a key: {UNREADABLE_VALUES} values are {statuses}")
    served = [it for it in answers if it is not None]
    statuses = sorted({it.status for it in served})
    listed = max((violations(it) for it in served if it.status == 400), default=0)
    row.check(len(served) == len(answers) and 400 in statuses and set(statuses) <= {400, 503}
              and 0 < listed <= VIOLATIONS_MAX,
              f"with a key: {READABLE_VALUES} values, {len(served)} of {len(answers)} answered, "
              f"{statuses}, at most {listed} violations listed")
    row.judge_memory(server, RECEIVE_BUDGET_BYTES + STRANGER_ADDED_BYTES_MAX, "with a key: memory")
    row.judge_delays("without", "without a key: ")
    row.judge_delays("load", "with a key: ")
    row.close(server)


def never_reading(server, count, source_of, request):
    """Opens sockets that send requests and never read."""
    kept, end = [], time.monotonic() + CONNECTING_SECONDS_MAX
    for number in range(count):
        if time.monotonic() > end:
            break
        try:
            connection = server.connect(source_of(number), 1.0, **NARROW)
            connection.sendall(request)
            kept.append(connection)
        except OSError:
            continue
    return kept


class Newcomers(threading.Thread):
    """Connects a new client each half second and measures its wait for `/livez`, up to a limit."""

    def __init__(self, server, seconds_max):
        super().__init__(daemon=True)
        self.server, self.seconds_max = server, seconds_max
        self.waits, self.stopping = [], threading.Event()

    def run(self):
        began = time.monotonic()
        while not self.stopping.is_set():
            answer = http1.call(self.server.address, "GET", "/livez", seconds=1.0,
                                source="127.0.0.98")
            if answer.status == 200:
                self.waits.append(time.monotonic() - began)
                began = time.monotonic() + 0.5
            elif time.monotonic() - began > self.seconds_max:
                self.waits.append(float("inf"))
                began = time.monotonic()
            self.stopping.wait(0.5)

    def end(self):
        """Returns the longest wait."""
        self.stopping.set()
        self.join(5.0)
        return max(self.waits, default=float("inf"))


def s3(row):
    """Opens sockets that never read."""
    server = Server(row.suite.binary, row.suite.data.copy("S3"))
    row.begin(server, KEY, SESSION)
    request = http1.head("GET", "/openapi.json")
    kept = attack.run(lambda *_: never_reading(server, SOCKETS_MAX, lambda _: "127.0.2.1",
                                               request))[0]
    newcomers = Newcomers(server, 3.0)
    newcomers.start()
    time.sleep(2.0)
    longest = newcomers.end()
    row.check(longest < 1.0, f"all from one address: a new client waits {longest:.1f} s")
    for connection in kept:
        connection.close()
    wait_until(lambda: server.open_files() < row.files_before + 100, 10)
    rounds, kept = 5 if row.suite.is_extended else 1, []
    with row.client.phase("load"):
        newcomers = Newcomers(server, CONNECTED_WITHIN_SECONDS + 1)
        began = time.monotonic()
        for number in range(rounds):
            kept += attack.run(lambda *_, subnet=number + 10: never_reading(
                server, SOCKETS_MAX + 64, lambda number: f"127.0.{subnet}.{number % 17 + 1}",
                request))[0]
            if not number:
                newcomers.start()
                row.note(f"{len(kept)} sockets of 17 addresses in {time.monotonic() - began:.1f} s")
            row.suite.machine.rest(CONNECTED_WITHIN_SECONDS + 2)
        longest = newcomers.end()
    row.check(longest <= CONNECTED_WITHIN_SECONDS,
              f"from many: a new client waits at most {longest:.1f} s")
    for connection in kept:
        connection.close()
    row.end_client()
    s3_proxy(row)
    row.close(server)


def s3_proxy(row):
    """Tests that the cap applies to the clients that a trusted proxy names, not to the proxy."""
    try:
        server = Server(row.suite.binary, row.suite.data.copy("S3-proxy"), "--trusted-proxy",
                        "127.0.4.0/24")
    except Refused as error:
        row.check(False, f"--trusted-proxy: {str(error)[-120:].strip()}")
        return
    row.servers.append(server)
    of = lambda client: http1.head("GET", "/openapi.json", [("X-Forwarded-For", client)])
    kept = attack.run(lambda *_: never_reading(server, 2_600, lambda _: "127.0.4.1",
                                               of("203.0.113.7")))[0]
    refused = 0
    for connection in kept[-200:]:
        connection.settimeout(1.0)
        try:
            refused += http1.read_head(connection)[0] == 503
        except (OSError, http1.Broken):
            break
    other = http1.call(server.address, "GET", "/livez", [("X-Forwarded-For", "198.51.100.9")],
                       source="127.0.4.1")
    row.check(len(kept) == 2_600 and refused == 200 and other.status == 200,
              f"trusted proxy: {len(kept)} of 2600 connections, {refused} of the last 200 requests "
              f"of one client 503, another client's {other.status}")
    for connection in kept:
        connection.close()
    row.check(server.stop() == 0, "the second server stopped")


def large_pages(server):
    """Requests a page of large answers, just below the size limit."""
    path = "/screener-responses?pagination%5Blimit%5D=230"
    return http1.head("GET", path, [("Authorization", "Bearer sdk_large_hostile")])


def s4(row):
    """Requests large responses that no client reads."""
    database = row.suite.data.copy("S4")
    row.suite.data.add(database, tenant("large", 400, "x" * 16_000))
    server = Server(row.suite.binary, database)
    row.begin(server, KEY, SESSION)
    request = large_pages(server)
    with row.client.phase("load"):
        # Fills the caches first, so that they do not count as memory of unread responses.
        answer = http1.call(server.address, "GET", request.split(b" ")[1].decode(),
                            [("Authorization", "Bearer sdk_large_hostile")])
        row.check(answer.status == 200 and len(answer.body) > 3_500_000,
                  f"a page that is read: {answer.status}, {len(answer.body)} bytes")
        sockets = attack.run(lambda *_: never_reading(
            server, 40, lambda number: f"127.0.2.{number + 1}", request))[0]
        began = time.monotonic()
        page = http2.message(http2.field(2, http2.field(1, 230)))
        shut = http2.Connection(server.address, "127.0.2.50",
                                {http2.INITIAL_WINDOW_SIZE: 0}, **NARROW)
        block = http2.grpc_block("ScreenerResponseService/ListScreenerResponses",
                                 "sdk_large_hostile", timeout=None)
        states = [shut.streams[shut.open(block, page)] for _ in range(STREAMS)]
        # The server sends a head for each, whether it buffers the response or refuses.
        end = time.monotonic() + ANSWERED_SECONDS_MAX
        while not all(it.headers or it.over() for it in states) and time.monotonic() < end \
                and not shut.closed:
            shut.take(0.2)
    row.judge_memory(server, SEND_ADDED_BYTES_MAX)
    refused = sum(http2.grpc_status(it) == UNAVAILABLE for it in states)
    row.note(f"{refused} of {STREAMS} streams with a shut window are unavailable")
    row.end_client()
    row.suite.machine.rest(STALL_SECONDS_MAX - (time.monotonic() - began))
    endings = [ending(it) for it in sockets]
    pages = [is_cut for status, is_cut in endings if status == b"200"]
    row.check(pages and all(pages), f"{sum(pages)} of {len(pages)} sockets with a page that they "
              f"do not read are closed after {STALL_SECONDS_MAX} s")
    refused = sum(status == b"503" for status, _ in endings)
    row.check(len(pages) + refused == 40, f"the {refused} others are 503")
    if row.suite.is_extended:
        row.suite.machine.rest(125 - (time.monotonic() - began))
        shut.settle(2.0)
        over = sum(it.over() for it in states)
        row.check(shut.closed or over == STREAMS,
                  f"{over} of {STREAMS} shut streams ended in 125 s")
    shut.close()
    for connection in sockets:
        connection.close()
    # The load lasts under a second, so its p99 is its longest call.
    row.judge_delays(is_promised=False)
    answer = http1.call(server.address, "GET", request.split(b" ")[1].decode(),
                        [("Authorization", "Bearer sdk_large_hostile")])
    row.check(answer.status == 200, f"afterwards a page is {answer.status}")
    row.close(server)


def ending(connection):
    """Returns the status of the response so far, and whether the peer closed the connection."""
    connection.settimeout(0.3)
    status = None
    try:
        while data := connection.recv(1 << 20):
            status = status or data[9:12]
        return status, True
    except TimeoutError:
        return status, False
    except OSError:
        return status, True


def s6(row):
    """Tests what a stranger can make the server log."""
    server = Server(row.suite.binary, row.suite.data.copy("S6"))
    row.begin(server, KEY, SESSION)
    before = server.log.stat().st_size
    with row.client.phase("load"):
        attack.run(lambda number, _: resets(server, f"127.0.1.{number + 1}", ATTACK_SECONDS), 4)
        for wrong in (b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 64,
                      http2.PREFACE + http2.frame(http2.DATA, 0, 0, b"x"),
                      http2.PREFACE + http2.settings({}) + http2.frame(1, 4, 2, b"\xff"),
                      http2.PREFACE + http2.settings({}) + http2.frame(http2.PING, 0, 0, b"x"),
                      http1.head("POST", "/public/surveys/", [], 100) + b"x"):
            for _ in range(20):
                with server.connect() as connection:
                    connection.sendall(wrong)
    time.sleep(0.5)
    logged = server.log.stat().st_size - before
    row.check(logged == 0, f"{logged} bytes logged")
    row.judge_delays()
    row.close(server)


def resets(server, source, seconds):
    """Opens and resets bursts of streams, on one connection after another."""
    block = http2.grpc_block("ScreenerSessionService/GetScreenerSession")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with server.connect(source) as connection:
                connection.sendall(http2.PREFACE + http2.settings({}))
                for burst in range(20):
                    connection.sendall(b"".join(
                        http2.frame(http2.HEADERS, http2.END_HEADERS, it, block)
                        + http2.frame(http2.RST_STREAM, 0, it, b"\x00\x00\x00\x08")
                        for it in range(burst * 400 + 1, burst * 400 + 401, 2)))
        except OSError:
            pass
        time.sleep(0.02)


ROWS = [
    ("S1", "bodies that never end: refused from the headers, memory + 48 MiB; with a key 256 MiB "
     "for the process", s1),
    ("S2", f"3.8 MB of JSON, 16 callers: 401 first; with a key p99 ≤ {FACTOR_MAX} × idle + 10 ms",
     s2),
    ("S3", "4096 sockets that never read: new clients served within 25 s; one address cannot "
     "take all; a trusted proxy's clients are counted", s3),
    ("S4", "large answers that are not read: memory + 200 MiB, ended after 20 s", s4),
    ("S6", "nothing is logged that a stranger causes at will", s6),
]
