"""Long jobs: imports, and tools that read the database file (S12, S14)."""

import os
import sqlite3
import subprocess
import threading
import time

from lib import http1
from lib.data import EXTENDED_SESSIONS, KEY, LARGE_SESSIONS, SESSION, persons, write
from lib.report import mib
from lib.server import MIB, Refused, Server, command, environment, wait_until
from neighbours import writes

IMPORTED_SESSIONS = 60_000
IMPORT_ADDED_BYTES_MAX = 200 * MIB
IMPORT_SECONDS_MAX = 1_800
# The server refuses a write that would wait longer than 1 s. The rest is overhead of the suite.
WRITE_WAIT_SECONDS_MAX = 1.5
# The log is truncated at 16 MiB and grows by the writes until then.
LOG_BYTES_MAX = 32 * MIB
LOG_SECONDS_MAX = 10
WRITE_SECONDS = 3.0
# Until the log has grown enough. A debug build takes longer than a release build.
WRITE_SECONDS_MAX = 30.0
# With a foreign reader, writes keep at least this share of their pace.
PACE_MIN = 0.5
LITESTREAM_SECONDS = 20


class Writes(threading.Thread):
    """A caller who creates a session four times a second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.answers, self.stopping = server, [], threading.Event()

    def run(self):
        number = 0
        while not self.stopping.wait(0.25):
            began, number = time.monotonic(), number + 1
            message = {"screenerId": "scr_generated", "externalUid": f"write-{number}"}
            answer = http1.rpc(self.server.address, "ScreenerSessionService",
                               "CreateScreenerSession", message, KEY, 60.0)
            hints = "retry-after" in answer.headers or b"RetryInfo" in answer.body
            self.answers.append((answer.status, time.monotonic() - began, hints))

    def end(self):
        """Stops, and returns the responses."""
        self.stopping.set()
        self.join(65.0)
        return self.answers


def s12(row):
    """Imports concurrently with reads and writes."""
    is_extended = row.suite.is_extended
    there = EXTENDED_SESSIONS if is_extended else LARGE_SESSIONS
    count = EXTENDED_SESSIONS if is_extended else IMPORTED_SESSIONS
    database = row.suite.data.copy("S12", there)
    file = write(database.parent / "import.ndjson", persons(
        "new", "acct_generated", "scr_generated", "scpub_generated", count,
        [("scq_000", "An answer of the import")]))
    server = Server(row.suite.binary, database)
    row.begin(server, KEY, SESSION)
    writer = Writes(server)
    writer.start()
    with row.client.phase("load"):
        began = time.monotonic()
        done = command(row.suite.binary, "import", "--database", f"sqlite://{database}", file,
                       seconds=IMPORT_SECONDS_MAX)
        took = time.monotonic() - began
    answers = writer.end()
    row.check(done.returncode == 0, f"{count} sessions into {there}: exit code {done.returncode}, "
              f"{took:.0f} s, log {mib(server.wal_bytes_max)}")
    refused = [it for it in answers if it[0] != 200]
    longest = max((it[1] for it in answers), default=0.0)
    row.check(answers and longest <= WRITE_WAIT_SECONDS_MAX
              and all(it[0] == 503 and it[2] for it in refused),
              f"{len(answers)} writes, the longest {longest:.1f} s, {len(refused)} refused "
              f"({sum(it[2] for it in refused)} with a hint when to come back)")
    row.judge_memory(server, IMPORT_ADDED_BYTES_MAX)
    writes(server, 0.5)
    settled = wait_until(lambda: server.wal_bytes() <= LOG_BYTES_MAX, LOG_SECONDS_MAX)
    row.check(settled is not None, f"afterwards the log has {mib(server.wal_bytes())}")
    row.judge_delays()
    row.close(server)


def s14(row):
    """Runs tools that read the file."""
    server = Server(row.suite.binary, row.suite.data.copy("S14"))
    row.begin(server, KEY, SESSION)
    with row.client.phase("load"):
        alone = writes(server, WRITE_SECONDS, "alone")
        logged = server.logged().count("\n")
        reader = sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM tenants").fetchone()
        held = writes(server, WRITE_SECONDS, "held")
        writes(server, WRITE_SECONDS_MAX, "grown",
               until=lambda: server.wal_bytes() > 2 * LOG_BYTES_MAX)
        # One more attempt to truncate the log, and the line that names the reader in the way.
        time.sleep(1.5)
        writes(server, 0.2, "named")
        lines = server.logged().split("\n")[logged:-1]
        grown = server.wal_bytes()
        reader.close()
        settled = wait_until(lambda: writes(server, 0.3, f"after-{time.monotonic()}")
                             and server.wal_bytes() <= LOG_BYTES_MAX, LOG_SECONDS_MAX)
        after = server.wal_bytes()
    row.check(len(lines) == 1, f"a foreign reader is named in {len(lines)} lines of the log")
    row.check(alone and held >= PACE_MIN * alone,
              f"{alone / WRITE_SECONDS:.0f} sessions/s alone, {held / WRITE_SECONDS:.0f} with it")
    row.check(settled is not None, f"the log grows to {mib(grown)}, and is truncated to "
              f"{mib(after)} once it has gone")
    # The writes are the suite's own, 100 sessions a call, one after another.
    row.judge_delays(is_promised=False)
    s14_external(row)
    row.close(server)


def s14_external(row):
    """Tests `--wal external`: only another tool checkpoints the log."""
    database = row.suite.data.copy("S14-external")
    try:
        server = Server(row.suite.binary, database, "--wal", "external")
    except Refused as error:
        row.check(False, f"--wal external: {str(error)[-120:].strip()}")
        return
    row.servers.append(server)
    written = writes(server, WRITE_SECONDS_MAX,
                     until=lambda: server.wal_bytes() > LOG_BYTES_MAX)
    grown = server.wal_bytes()
    row.check(grown > LOG_BYTES_MAX, f"external: {written} sessions, the log has {mib(grown)}")
    outside = sqlite3.connect(database, timeout=2.0)
    cut = wait_until(lambda: outside.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0,
                     LOG_SECONDS_MAX)
    outside.close()
    row.check(cut is not None and server.wal_bytes() < grown,
              f"cut from outside it has {mib(server.wal_bytes())}")
    if row.suite.is_extended:
        litestream(row, server)
    row.check(server.stop() == 0, "the second server stopped")


def litestream(row, server):
    """Runs Litestream itself: it checkpoints the log, and its copy equals the database."""
    folder = server.database.parent
    config = folder / "litestream.yml"
    config.write_text(f"dbs:\n  - path: {server.database}\n    replicas:\n"
                      f"      - type: file\n        path: {folder}/replica\n")
    with open(folder / "litestream.log", "wb") as log:
        tool = subprocess.Popen(["litestream", "replicate", "-config", config], env=environment(),
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    largest, end, written = 0, time.monotonic() + LITESTREAM_SECONDS, 0
    try:
        while time.monotonic() < end:
            written += writes(server, 0.5, f"litestream-{written}")
            largest = max(largest, server.wal_bytes())
        time.sleep(5.0)  # Its own interval of one second, and the copying.
    finally:
        tool.terminate()
        tool.wait(30)
    restored = folder / "restored.db"
    done = subprocess.run(["litestream", "restore", "-config", config, "-o", restored,
                           server.database], env=environment(), capture_output=True, check=False)
    counts = []
    for file in (server.database, restored):
        if os.path.exists(file):
            connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
            counts.append(connection.execute("SELECT COUNT(*) FROM sessions").fetchone()[0])
            connection.close()
    row.check(done.returncode == 0 and len(counts) == 2 and counts[0] == counts[1],
              f"Litestream: {written} sessions written, the log at most {mib(largest)}, restored "
              f"{counts[-1] if counts else 0} of {counts[0] if counts else 0} sessions")


ROWS = [
    ("S12", "an import: memory + 200 MiB, a write waits at most 1 s, p99 ≤ 3 × idle + 10 ms", s12),
    ("S14", "a foreign reader is named once and backed off from; --wal external leaves the log to "
     "it", s14),
]
