"""Neighbours and long jobs: S16, S17, S18 and S20."""

import itertools
import random
import select
import socket
import struct
import threading
import time
from collections import Counter

import fixture
from fixture import OTHER, TENANT, Stage, link_of, rpc, submit, token, told
from lib import attack, http1
from lib.measure import ADDED_SECONDS_MAX, FACTOR_MAX
from lib.report import ms
from lib.server import wait_until
from proxy import Apart, Proxy
from reader import Reading

# S16
CREATORS, AUTHOR_TURNS, AUTHOR_SECONDS_MAX = 6, 3, 0.25
# A call that takes longer has failed, and the row does not wait for it.
PATIENCE_SECONDS = 5.0
# The delay of each direction to the database in S16 and S17. On loopback alone, writes are too
# short to conflict.
NEAR_SECONDS = 0.001
# S17
BUSY_CALLERS, IDLE_SECONDS, LOAD_SECONDS = 12, 3.0, 6.0
IMPORTED_PEOPLE = 20_000
# S18
PEOPLE, ROUNDS, ANSWERING = 200, 5, 8
# S20
LEAVERS = 4
# How often a caller looks whether it leaves.
LEAVE_SECONDS = 0.02
# The delay of each direction. A write through it holds its locks for many of these.
SLOW_SECONDS = 0.75
LOCKED_SECONDS_MAX = 40
GONE_SECONDS_MAX = 2.0
# The connection of the write that waits in the database, and of a write that followed meanwhile.
LEFT_CLOSED_MAX = 2


def creating(server, screener, names, statuses, stopping):
    """Creates sessions of new people until told to stop."""
    while not stopping.is_set():
        message = {"screenerId": f"scr_{screener}", "externalUid": f"uid-{next(names)}"}
        answer = rpc(server, "ScreenerSessionService/CreateScreenerSession", message)
        statuses[answer.status] += 1


def s16(row):
    """Changes, closes and reopens a screener that is busy on two servers."""
    stage = Stage(row, fixture.tenant_lines(TENANT, ["one"]))
    proxy = Apart(stage.database.port, NEAR_SECONDS)
    servers = [stage.serve(stage.database.through(proxy.port)) for _ in range(2)]
    server = servers[0]
    statuses, names = Counter(), itertools.count()
    took, refused = {}, []
    with attack.Attack(lambda place, stopping: creating(servers[place % 2], "one", names, statuses,
                                                        stopping), CREATORS):
        time.sleep(1.0)
        for turn in range(AUTHOR_TURNS):
            for method in ("UpdateScreener", "CloseScreener", "ReopenScreener"):
                title = {"title": f"Title {turn}"} if method == "UpdateScreener" else {}
                began = time.monotonic()
                answer = rpc(server, f"ScreenerService/{method}", {"id": "scr_one", **title},
                             seconds=PATIENCE_SECONDS)
                seconds = time.monotonic() - began
                took[method] = max(took.get(method, 0.0), seconds)
                if answer.status != 200:
                    refused.append(f"{method} {told(answer)}")
                time.sleep(0.3)
    row.check(not refused, f"{CREATORS} callers create sessions ({statuses[200]}): "
              f"{len(refused)} of {3 * AUTHOR_TURNS} refused" + "".join(f"; {it}" for it in refused[:2]))
    for method, seconds in took.items():
        row.check(seconds <= AUTHOR_SECONDS_MAX,
                  f"{method} {ms(seconds)} at most (bound {ms(AUTHOR_SECONDS_MAX)})")
    row.check(stage.end() == 0, "no deadlock", True)
    proxy.close()


def s17(row):
    """Measures another tenant's reads next to busy callers, without and with an import."""
    stage = Stage(row, [*fixture.tenant_lines(TENANT, ["one"]),
                        *fixture.tenant_lines(OTHER, ["other"])])
    proxy = Apart(stage.database.port, NEAR_SECONDS)
    server = stage.serve(stage.database.through(proxy.port))
    statuses, names = Counter(), itertools.count()
    # Opens connections before the measurement.
    Reading(server, token(OTHER), 0.5)
    idle = Reading(server, token(OTHER), IDLE_SECONDS)
    limit = FACTOR_MAX * idle.p99 + ADDED_SECONDS_MAX
    row.note(f"idle: p50 {ms(idle.p50)}, p99 {ms(idle.p99)}")

    def judge(what):
        it = Reading(server, token(OTHER), LOAD_SECONDS)
        row.check(it.p99 <= limit and not it.refused,
                  f"{what}: p50 {ms(it.p50)}, p99 {ms(it.p99)} (at most {ms(limit)}), longest "
                  f"{ms(it.longest)}, {it.refused} of {it.count} refused")

    people = (line for number in range(IMPORTED_PEOPLE)
              for line in fixture.person_lines(TENANT, f"imported_{number}"))
    importing = stage.import_file(people, "people.ndjson")
    with attack.Attack(lambda _, stopping: creating(server, "one", names, statuses, stopping),
                       BUSY_CALLERS):
        judge(f"{BUSY_CALLERS} busy callers")
        ended = []
        thread = threading.Thread(target=lambda: ended.append(stage.run(*importing)), daemon=True)
        thread.start()
        judge("and an import")
        thread.join()
    row.check(ended[0].returncode == 0, f"the import ended with {ended[0].returncode}")
    row.note(f"the busy callers: {dict(statuses)}")
    row.check(stage.end() == 0, "no deadlock", True)
    proxy.close()


def answering(server, people, statuses, stopping):
    """Submits to sessions of people in any order."""
    while not stopping.is_set():
        link = link_of("one", f"scses_live_{random.choice(people)}")
        statuses[submit(server, link, f"{random.random()}").status] += 1


def s18(row):
    """Imports people who answer concurrently."""
    people = [f"p{number:03}" for number in range(PEOPLE)]
    lines = [*fixture.tenant_lines(TENANT, ["one", "two"])]
    for person in people:
        lines += fixture.person_lines(TENANT, person)
        lines += fixture.session_lines(TENANT, "one", person, [f"live_{person}"])
    stage = Stage(row, lines)
    server, statuses, failed = stage.serve(), Counter(), []
    with attack.Attack(lambda _, stopping: answering(server, people, statuses, stopping),
                       ANSWERING):
        for turn in range(ROUNDS):
            lines = []
            for person in random.sample(people, len(people)):
                lines += fixture.person_lines(TENANT, person)
                for screener in ("one", "two"):
                    name = f"{screener}_{turn}_{person}"
                    lines += fixture.session_lines(TENANT, screener, person, [name], True)
            done = stage.run(*stage.import_file(lines, f"turn-{turn}.ndjson"))
            if done.returncode:
                failed.append(" ".join(done.stderr.decode().split())[-120:])
    row.check(not failed, f"{len(failed)} of {ROUNDS} imports failed"
              + "".join(f"; {it}" for it in failed[:2]))
    row.note(f"submissions of the same people meanwhile: {dict(statuses)}")
    with stage.database.analyzing("sessions"):
        done = stage.run(*stage.import_file(fixture.person_lines(TENANT, "late"), "late.ndjson"))
    row.check(done.returncode == 0, "an import while another one analyzes a table: "
              + (" ".join(done.stderr.decode().split())[-120:] or "done"))
    logged = stage.database.logged_deadlocks()
    counted = stage.end()
    row.check(counted == 0, f"pg_stat_database.deadlocks = {counted}")
    for at, statements in logged[:2]:
        row.note(f"deadlock at {at}: {' | '.join(statements)}")


class Leaver:
    """A caller of the row that leaves while its call waits."""

    def __init__(self, server, holder):
        self.server, self.holder, self.has_left = server, holder, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        body = b'{"answers": {"%s": {"text": "x"}}}' % fixture.QUESTION.encode()
        head = http1.head("POST", "/screener.v1.PanelistSessionService/SubmitAnswers",
                          [("Content-Type", "application/json"),
                           ("Authorization", self.holder)], len(body))
        while not self.has_left:
            try:
                self._call(head + body)
            except (OSError, http1.Broken):
                continue

    def _call(self, request):
        with self.server.connect(seconds=fixture.CALL_SECONDS_MAX) as connection:
            connection.sendall(request)
            while not select.select([connection], [], [], LEAVE_SECONDS)[0]:
                if self.has_left:
                    # A reset, whatever is in flight: a client that only closes its connection gets
                    # `HALF_CLOSED_GRACE_MS` for its response. Only the thread that reads can close
                    # a connection at once.
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
            http1.read(connection)

    def leave(self):
        """Has the caller reset its connection, and waits until it has."""
        self.has_left = True
        self.thread.join()


def s20(row):
    """Lets callers leave while their writes wait for a write of another, distant server."""
    lines = [*fixture.tenant_lines(TENANT, ["one"]), *fixture.person_lines(TENANT, "ann"),
             *fixture.session_lines(TENANT, "one", "ann", ["ann"])]
    stage, ann = Stage(row, lines), link_of("one", "scses_ann")
    database, proxy = stage.database, Proxy(stage.database.port)
    near, far = stage.serve(), stage.serve(database.through(proxy.port))
    for server in (near, far, near):
        answer = submit(server, ann, "first")
        row.check(answer.status == 200, f"a submission: {told(answer)}", True)
    proxy.seconds = SLOW_SECONDS
    distant = threading.Thread(target=submit, args=(far, ann, "slow"), daemon=True)
    distant.start()
    # A caller alone must wait for the distant write.
    leavers = [Leaver(near, ann)]
    waited = wait_until(lambda: database.waiting() > 0 or not distant.is_alive(),
                        LOCKED_SECONDS_MAX, 0.02)
    leavers += [Leaver(near, ann) for _ in range(LEAVERS - 1)]
    time.sleep(0.2)
    before, waiting = database.backends(), database.waiting()
    # The caller that waits in the database leaves last.
    for it in reversed(leavers):
        it.leave()
    gone = wait_until(lambda: database.waiting() == 0, LOCKED_SECONDS_MAX, 0.02)
    time.sleep(1.5)
    after = database.backends()
    row.check(waited is not None and waiting == 1,
              f"{waiting} of {LEAVERS} writes waits in the database, the others in the server")
    row.check(gone is not None and gone <= GONE_SECONDS_MAX and distant.is_alive(),
              "waits after their callers left: " + ("∞" if gone is None else ms(gone))
              + f" (at most {ms(GONE_SECONDS_MAX)})")
    closed = len(before - after)
    row.check(closed <= LEFT_CLOSED_MAX, f"{closed} connections closed (at most {LEFT_CLOSED_MAX})")
    proxy.seconds = 0.0
    distant.join()
    row.check(stage.end() == 0, "no deadlock", True)
    proxy.close()
