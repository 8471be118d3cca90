"""Neighbours: callers with a key whose requests are expensive (S8 to S11)."""

import itertools
import json
import statistics
import threading
import time

from lib import attack, http1, http2
from lib.data import KEY, LARGE_SESSIONS, SESSION, SPOT, tenant
from lib.report import mib
from lib.server import MIB, Server

LOAD_SECONDS = 6.0
QUIET_KEY = "sdk_quiet_hostile"
QUIET_SECONDS_MAX = 2.0
STEADY_SECONDS = 120
# A caller that has left costs nothing after 100 ms. The rest is slack for the suite's own closing.
LEFT_SECONDS = 0.3
LEFT_WATCH_SECONDS = 1.0
# The well-meaning client's 100 calls a second, and the server's own timers.
LEFT_CPU_SECONDS_MAX = 0.25
PATTERNS = 500
PATTERN_LARGE = "a{1,3000}"
# Without the bound, each takes 257 MiB and some seconds of a server.
LARGE_SCREENERS = 4
CACHE_BYTES_MAX = 64 * MIB
ADDED_BYTES_MAX = 48 * MIB
OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, UNAVAILABLE = 0, 3, 4, 14


def calling(server, source, block, bodies, at_once, stopping):
    """Keeps this many calls in flight on one connection. Returns the count of each status."""
    statuses, connection, flying = {}, http2.Connection(server.address, source), set()
    bodies = itertools.cycle(bodies)
    try:
        while not stopping.is_set() and not connection.closed:
            while len(flying) < at_once:
                body = next(bodies)
                if len(body) > min(connection.window, connection.initial_window):
                    break
                flying.add(connection.open(block, body))
            connection.take(0.1)
            for number in [it for it in flying if connection.streams[it].over()]:
                flying.remove(number)
                status = http2.grpc_status(connection.streams.pop(number))
                statuses[status] = statuses.get(status, 0) + 1
                if status == UNAVAILABLE:
                    time.sleep(0.05)  # The server asks for a later retry. The caller retries soon.
    except OSError:
        pass
    connection.close()
    return statuses


def together(results):
    """Returns the sum of the counts of several connections."""
    statuses = {}
    for of_one in results:
        for status, count in of_one.items():
            statuses[status] = statuses.get(status, 0) + count
    return statuses


def told(statuses):
    """Formats counts by status for people."""
    names = {0: "served", 3: "invalid", 4: "too late", 8: "too large", 14: "unavailable"}
    return ", ".join(f"{count} {names.get(status, status)}" for status, count in
                     sorted(statuses.items(), key=str)) or "none"


class Quiet(threading.Thread):
    """The other tenant, who requests the same list twice a second."""

    def __init__(self, server, message):
        super().__init__(daemon=True)
        self.server, self.message = server, message
        self.waits, self.stopping = [], threading.Event()

    def run(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            answer = http1.rpc(self.server.address, "SubmissionService", "ListSubmissions",
                               self.message, QUIET_KEY)
            self.waits.append(time.monotonic() - began if answer.status == 200 else float("inf"))
            self.stopping.wait(0.5)


def s8(row):
    """Lists by attributes, each of which reads 150 000 submissions."""
    database = row.suite.data.copy("S8", LARGE_SESSIONS)
    row.suite.data.add(database, tenant("quiet", 50))
    server = Server(row.suite.binary, database)
    row.begin(server, KEY, SESSION)
    # No generated row is disqualified, so each list reads all rows.
    body = http2.message(http2.field(1, http2.field(4, 0)))
    block = http2.grpc_block("SubmissionService/ListSubmissions", KEY, timeout="2S")
    quiet = Quiet(server, {"filter": {"qualified": False}})
    with row.client.phase("load"):
        quiet.start()
        attackers = attack.Attack(lambda number, stopping: calling(
            server, f"127.0.1.{number + 1}", block, [body], 10, stopping), 4)
        with attackers:
            time.sleep(LOAD_SECONDS)
        time.sleep(LEFT_SECONDS)
        before = server.cpu_seconds()
        quiet.stopping.set()
        time.sleep(LEFT_WATCH_SECONDS)
        used = server.cpu_seconds() - before
    quiet.join(12.0)
    row.note(f"40 callers: {told(together(attackers.results))}")
    row.check(used <= LEFT_CPU_SECONDS_MAX,
              f"after they left {used:.2f} s of processor time in {LEFT_WATCH_SECONDS:.0f} s")
    row.check(max(quiet.waits) <= QUIET_SECONDS_MAX,
              f"another tenant's lists: median {statistics.median(quiet.waits):.2f} s, longest "
              f"{max(quiet.waits):.2f} s (at most {QUIET_SECONDS_MAX:.0f} s)")
    row.judge_memory(server, 2 * ADDED_BYTES_MAX)
    row.judge_delays()
    row.close(server)


def draft(patterns):
    """Returns a draft of one question for each pattern, as protobuf."""
    questions = b"".join(
        http2.field(2, http2.field(1, f"q_{number}") + http2.field(2, "?")
                    + http2.field(4, http2.field(4, pattern)))
        for number, pattern in enumerate(patterns))
    return http2.field(2, http2.field(1, "p") + questions)


def s9(row):
    """Validates drafts with 500 patterns, small and large, by 8 callers."""
    server = Server(row.suite.binary, row.suite.data.copy("S9"))
    row.begin(server, KEY, SESSION)
    small = [f"[A-Z]{{2}}[0-9]{{{number % 20 + 1}}}-{number}" for number in range(PATTERNS)]
    bodies = [http2.message(http2.field(1, draft(it)))
              for it in (small, [PATTERN_LARGE] * PATTERNS)]
    block = http2.grpc_block("ScreenerService/ValidateDraft", KEY)
    with row.client.phase("load"):
        attackers = attack.Attack(lambda number, stopping: calling(
            server, f"127.0.1.{number + 1}", block, bodies, 2, stopping), 4)
        with attackers:
            time.sleep(LOAD_SECONDS)
    statuses = together(attackers.results)
    row.check(statuses.get(OK, 0) > 0, f"8 callers: {told(statuses)}")
    row.judge_memory(server, CACHE_BYTES_MAX + ADDED_BYTES_MAX)
    row.judge_delays()
    row.close(server)


def json_draft(pattern, count):
    """Returns a draft of this many questions with this pattern, as JSON."""
    questions = [{"id": f"q_{number}", "prompt": "?", "text": {"pattern": pattern}}
                 for number in range(count)]
    return {"pages": [{"id": "p", "questions": questions}]}


def published(server, name, pattern, count):
    """Creates and publishes a screener and opens one session. Returns the first refusal."""
    steps = [
        ("ScreenerService", "CreateScreener", {
            "id": name, "projectId": "proj_generated", "title": name,
            "draft": json_draft(pattern, count)}),
        ("ScreenerService", "PublishScreener", {"id": name}),
        ("ScreenerSessionService", "CreateScreenerSession", {
            "screenerId": name, "externalUid": f"uid-{name}"}),
    ]
    for service, method, message in steps:
        answer = http1.rpc(server.address, service, method, message, KEY, 30.0)
        if answer.status != 200:
            return answer
    return None


def answered(server, name, count):
    """Submits an answer to each question of the session, so that each pattern is matched."""
    access = http1.call(server.address, "GET", f"/tenant/surveys/{name}/panelists/uid-{name}",
                        [("X-API-Key", "vtt_generated")])
    if access.status != 200:
        return access.status
    body = json.dumps({"isFinal": True, "responses": {
        f"q_{number}": {"explanation": "aaa"} for number in range(count)}}).encode()
    key = access.json()["panelist"]["publicKey"]
    return http1.call(server.address, "POST", "/public/surveys/", [("Authorization", key)], body,
                      30.0).status


def s10(row):
    """Publishes patterns that compile to much memory, and many publications of smaller ones."""
    server = Server(row.suite.binary, row.suite.data.copy("S10"))
    row.begin(server, KEY, SESSION)
    refused = named = 0
    for number in range(LARGE_SCREENERS):
        name = f"scr_large_{number}"
        if answer := published(server, name, PATTERN_LARGE, PATTERNS):
            refused += answer.status == 400
            named += b"pattern" in answer.body
        else:
            answered(server, name, PATTERNS)
    row.check(refused == named == LARGE_SCREENERS,
              f"500 × {PATTERN_LARGE}: {refused} of {LARGE_SCREENERS} refused, {named} by name")
    row.judge_memory(server, CACHE_BYTES_MAX + ADDED_BYTES_MAX)
    # 50 of these compile to about 2.5 MiB, so 60 publications far exceed the cache.
    statuses = set()
    for number in range(60):
        name = f"scr_small_{number}"
        answer = published(server, name, f"a{{1,300}}|{number}", 50)
        statuses.add(answer.status if answer else answered(server, name, 50))
    row.check(statuses == {200}, f"60 publications of 50 × a{{1,300}}: {sorted(statuses)}")
    row.judge_memory(server, CACHE_BYTES_MAX + ADDED_BYTES_MAX, "with them: memory")
    row.close(server)


def export_request(headers):
    """Returns the head of an export as NDJSON."""
    return http1.head("GET", "/screener-responses",
                      [("Accept", "application/x-ndjson"), *headers])


def slow_export(server, source, headers, rate, stopping):
    """Reads an export at this many bytes a second. Returns its status, its bytes, whether the file
    was whole, and whether it was cut off."""
    connection = server.connect(source, 30.0, receive_bytes=16_384, segment_bytes=1_400)
    connection.sendall(export_request(headers))
    status, _, data = http1.read_head(connection)
    began, received, tail = time.monotonic(), len(data), data
    try:
        while status == 200 and not stopping.is_set():
            part = connection.recv(max(1_024, rate // 10))
            if not part:
                return status, received, False, True
            received += len(part)
            tail = (tail + part)[-16:]
            if tail.endswith(b"\r\n0\r\n\r\n"):
                return status, received, True, False
            time.sleep(max(0.0, received / rate - (time.monotonic() - began)))
    except OSError:
        return status, received, False, True
    finally:
        connection.close()
    return status, received, False, False


def s11(row):
    """Reads exports of one tenant slowly."""
    database = row.suite.data.copy("S11", LARGE_SESSIONS)
    # At 29 KB/s its 3.3 MB take 114 s, and the server cannot buffer them in a few pieces.
    row.suite.data.add(database, tenant("quiet", 600, "y" * 5_000))
    server = Server(row.suite.binary, database)
    row.begin(server, KEY, SESSION)
    quiet = [("Authorization", f"Bearer {QUIET_KEY}")]
    stopping = threading.Event()
    attackers = attack.Attack(lambda number, _: slow_export(
        server, f"127.0.1.{number + 1}", SPOT, 400_000, stopping), 4)
    steady = attack.Attack(lambda *_: slow_export(
        server, "127.0.1.9", quiet, 29_000, stopping))
    with attackers:
        with row.client.phase("load"):
            time.sleep(2.0)
            as_file = [("Accept", "application/x-ndjson"), *quiet]
            statuses = [http1.call(server.address, "GET", "/screener-responses", as_file,
                                   seconds=20.0).status for _ in range(3)]
            row.check(statuses == [200] * 3,
                      f"another tenant's exports next to four of one tenant: {statuses}")
        row.end_client()
        with steady:
            written = writes(server, 3.0)
            row.suite.machine.rest(STEADY_SECONDS)
            wal = server.wal_bytes()
            stopping.set()
    four, of_steady = attackers.join(), steady.join()
    status, received, is_whole, _ = of_steady[0] if of_steady else (None, 0, False, True)
    row.check(status == 200 and is_whole,
              f"steady at 29 KB/s: {status}, {received} bytes, {'whole' if is_whole else 'cut'}")
    served = [it for it in four if it[0] == 200]
    row.check(len(four) == 4 and len(served) >= 2 and not any(it[3] for it in served)
              and all(it[0] in (200, 503) for it in four),
              f"the four: {[it[0] for it in four]}, {sum(it[3] for it in served)} cut")
    row.note(f"{written} sessions written during them, log {mib(wal)}")
    row.judge_memory(server, 2 * ADDED_BYTES_MAX)
    row.judge_delays()
    row.close(server)


def writes(server, seconds, name="written", count_max=10**9, until=lambda: False):
    """Creates sessions in batches for a while. Returns their number."""
    count, end, batch = 0, time.monotonic() + seconds, itertools.count()
    while time.monotonic() < end and count < count_max and not until():
        message = {"requests": [
            {"screenerId": "scr_generated", "externalUid": f"{name}-{next(batch)}"}
            for _ in range(100)]}
        answer = http1.rpc(server.address, "ScreenerSessionService",
                           "BatchCreateScreenerSessions", message, KEY)
        count += 100 if answer.status == 200 else 0
        if answer.status not in (200, 503):
            raise RuntimeError(f"batch: {answer.status} {answer.body[:200]}")
    return count


ROWS = [
    ("S11", "exports of one tenant leave room for another's; a steady client at 29 KB/s gets its "
     "whole file", s11),
    ("S8", "40 callers list 150 000 submissions by attributes: p99 ≤ 3 × idle + 10 ms, another "
     "tenant is served, what was left stops", s8),
    ("S9", "8 callers validate drafts of 500 patterns: p99 ≤ 3 × idle + 10 ms", s9),
    ("S10", "patterns beyond 8 MiB are refused by name; the cache holds at most 64 MiB", s10),
]
