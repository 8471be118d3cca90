"""Durable submissions against one transaction per request through sqlx's pool, and reads with them.

Both servers write into the same copy of the data, in turns, each to sessions of its own that nobody
has answered yet.
"""

import json
import shutil
import statistics
import subprocess
import threading
import time

from load import end_load, load_random, random_requests, run_load, start_load
from memory import InMemory
from report import ratio_of, result, say
from server import Server, call_grpc, check, screenerd
from wire import CREDENTIALS, PUBLICATION, SCREENER, SESSION, get_request

SUBMISSIONS_MUST, MIXED_MUST = 8, 0.7
CALLERS = (64, 256)
OWN, POOL, UNCHECKED = "submissions", "pool, one transaction each", "pool without lookups"
# Submissions before a run, for a server's one-time work.
WARM = 64
# The pace of mixed load, of which a run that keeps up reaches nearly all.
PACE, PACE_MUST = 2000, 0.95
READERS = 64
# The log is truncated after 16 MiB. If a read prevents it, the next attempt is after as much again.
WAL_MAX_MIB = 32


class WalSize(threading.Thread):
    """The largest size of a database's log while this runs."""

    def __init__(self, database):
        super().__init__(daemon=True)
        self.path = database.with_name(database.name + "-wal")
        self.largest, self.ended = 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.002):
            try:
                self.largest = max(self.largest, self.path.stat().st_size)
            except FileNotFoundError:
                pass

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    @property
    def mib(self):
        return self.largest / (1 << 20)


def unanswered(count):
    """Lines of an import: people with one unanswered session each."""
    yield {"format": "screenerd-import", "version": 1}
    common = {"tenant": "acct_generated"}
    for number in range(count):
        person, assigned = f"ptp_open_{number:09d}", f"scpar_open_{number:09d}"
        yield {"type": "participant", "id": person, **common}
        of = {"screenerId": SCREENER, "participantId": person}
        yield {"type": "screenerParticipant", "id": assigned, **of, **common}
        session = {"type": "screenerSession", "id": f"scses_open_{number:09d}", **common}
        session |= {"screenerId": SCREENER, "screenerParticipantId": assigned}
        session |= {"screenerPublicationId": PUBLICATION, "linkSlug": f"open-{number:09d}"}
        yield session | {"status": "ACTIVE", "createdAt": "2026-01-05T09:30:00Z"}


class Scratch:
    """A copy of the data with unanswered sessions, which are used one after another."""

    def __init__(self, options, data, sessions):
        self.path = data.path.with_name("scratch.db")
        self.options, self.taken = options, 0
        self.remove()
        shutil.copyfile(data.path, self.path)
        lines = data.path.with_name("scratch.ndjson")
        with lines.open("w") as out:
            out.writelines(json.dumps(line) + "\n" for line in unanswered(sessions))
        database = f"sqlite://{self.path}"
        command = [options.screenerd, "import", "--database", database, "--trust-links", lines]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        lines.unlink()

    def submit(self, address, callers, count, *more):
        """The command that submits to the next sessions."""
        command = [self.options.submit, "--address", address, "--callers", callers]
        command += ["--first", self.taken, "--count", count, *more]
        self.taken += count
        return command

    def remove(self):
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def durable(options, scratch, counts):
    """Submissions per second of both, for each number of callers."""
    raw = options.raw
    pool = [options.pool, "--database", scratch.path]
    arms = {
        OWN: lambda name: screenerd(options.screenerd, scratch.path, raw, name),
        POOL: lambda name: Server(pool, raw / f"{name}.log"),
        UNCHECKED: lambda name: Server([*pool, "--unchecked"], raw / f"{name}.log"),
    }
    rates = {f"{arm}, {callers} callers": [] for callers in CALLERS for arm in arms}
    for turn in range(options.rounds):
        for callers in CALLERS:
            for number, (arm, start) in enumerate(arms.items()):
                name = f"durable-{turn}-{callers}-{number}"
                with start(name) as server:
                    address = server.addresses[0]
                    run_load(scratch.submit(address, 8, WARM), raw, f"{name}-warm")
                    command = scratch.submit(address, callers, counts[arm == OWN])
                    done = json.loads(run_load(command, raw, name))
                rates[f"{arm}, {callers} callers"].append(done["submissions"] / done["seconds"])
        say(f"submissions: round {turn + 1} of {options.rounds}")
    found = []
    for callers in CALLERS:
        ours, theirs, bare = (f"{arm}, {callers} callers" for arm in arms)
        found += [result(theirs, rates), result(bare, rates)]
        found += [result(ours, rates, theirs, SUBMISSIONS_MUST)]
        found += [ratio_of(rates, f"{ours} / {UNCHECKED}", ours, bare, None)]
    return found


def mixed(options, scratch, data):
    """Reads alone, and reads next to paced submissions that are each read back."""
    raw, seconds = options.raw, options.seconds + 1
    alone, beside = "mixed: reads alone", f"mixed: reads during {PACE} submissions/s"
    rates, paces, unseen, largest = {alone: [], beside: []}, [], 0, 0
    with screenerd(options.screenerd, scratch.path, raw, "mixed") as server:
        address = server.addresses[0]
        call_grpc(address, SESSION, get_request(0), raw / "mixed.grpc")
        size = (raw / "mixed.grpc").stat().st_size
        requests = random_requests(get_request, data.sessions, raw / "mixed.requests")

        def read(name):
            return load_random(
                options.calls, address, SESSION, requests, size, seconds, raw, name, CREDENTIALS
            )

        for turn in range(options.rounds):
            rates[alone].append(read(f"mixed-{turn}-alone"))
            with WalSize(scratch.path) as wal:
                # Half a second on either side, in which submissions come alone.
                count = PACE * (seconds + 1)
                name = f"mixed-{turn}-submissions"
                pace = ("--rate", PACE, "--read-back")
                command = scratch.submit(address, READERS, count, *pace)
                submitting = start_load(command, raw, name)
                time.sleep(0.5)
                rate = read(f"mixed-{turn}-beside")
                done = json.loads(end_load(submitting, raw, name))
            paces.append(done["submissions"] / done["seconds"])
            # Reading back is a read, too.
            rates[beside].append(rate + done["reads"] / done["seconds"])
            unseen += done["unseen"]
            largest = max(largest, wal.mib)
            say(f"mixed: round {turn + 1} of {options.rounds}")
    check(unseen == 0, unseen, "acknowledged submissions were not seen by their writers")
    kept = statistics.median(paces)
    seen = sum(PACE * (seconds + 1) for _ in paces)
    return [
        result(alone, rates),
        result(beside, rates, alone, MIXED_MUST),
        {"name": f"mixed: pace reached, of {PACE} submissions/s", "unit": "/s", "median": kept,
         "ratio": kept / PACE, "must": PACE_MUST},
        {"name": f"mixed: {seen} submissions read back, unseen by their writers: {unseen}",
         "unit": "", "ratio": 1 - unseen / seen, "must": 1},
        {"name": f"mixed: largest write-ahead log, of at most {WAL_MAX_MIB} MiB", "unit": "MiB",
         "median": largest, "ratio": WAL_MAX_MIB / largest, "must": 1},
    ]  # fmt: skip


def measure(options, data):
    counts = (1_000, 8_000) if options.quick else (4_000, 24_000)
    submissions = options.rounds * len(CALLERS) * (sum(counts) + counts[0] + 3 * WARM)
    paced = options.rounds * PACE * (options.seconds + 2)
    with (
        Scratch(options, data, submissions + paced) as scratch,
        InMemory(scratch.path, options.raw),
    ):
        return durable(options, scratch, counts) + mixed(options, scratch, data)
