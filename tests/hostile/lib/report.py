"""Rows, their checks, and the table."""

import math
import threading
import time
import traceback
from pathlib import Path

from .measure import KINDS, WellMeaning, bound
from .server import MIB

# Memory when idle at the beginning, and a minute after the attacks.
IDLE_BYTES_MAX = 40 * MIB
AFTER_BYTES_MAX = 256 * MIB
AFTER_SECONDS = 60
OPEN_FILES_LEFT_MAX = 40
BEGIN, END = "<!-- hostile suite: begin -->", "<!-- hostile suite: end -->"


class Machine:
    """The processor, which one row has at a time. A row that waits releases it, so that the waits
    of all rows overlap but not their loads and measurements."""

    def __init__(self):
        self._lock = threading.Lock()

    def __enter__(self):
        self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()

    def rest(self, seconds):
        """Waits without the processor."""
        self._lock.release()
        try:
            time.sleep(max(0.0, seconds))
        finally:
            self._lock.acquire()


class Row:
    """One row of the table: its promise and all its checks."""

    def __init__(self, name, promised, suite):
        self.name, self.promised, self.suite = name, promised, suite
        self.checks, self.servers, self.client = [], [], None
        self.memory, self.files, self.delays = "", "", ""

    def check(self, is_good, seen, has_column=False):
        """Records an observation and its verdict. If it has a column of its own, the table names it
        only if it is bad."""
        self.checks.append((bool(is_good), seen, has_column))
        print(f"    {self.name} {'ok ' if is_good else 'BAD'} {seen}", flush=True)

    def note(self, seen):
        """Records an observation without a verdict."""
        self.checks.append((None, seen, False))
        print(f"    {self.name}     {seen}", flush=True)

    def good(self):
        """Whether there are checks and all of them are good."""
        judged = [it for it in self.checks if it[0] is not None]
        return bool(judged) and all(it[0] for it in judged)

    def begin(self, server, key, session, is_small=True):
        """Starts the well-meaning client, makes its idle run, and measures the state before."""
        self.servers.append(server)
        file = server.database.with_name(server.database.name + ".calls")
        self.client = WellMeaning(server, key, session, file)
        self.client.idle()
        self.rss_before, self.files_before = server.rss(), server.open_files()
        if is_small:
            self.check(self.rss_before < IDLE_BYTES_MAX,
                       f"idle {mib(self.rss_before)}, under {mib(IDLE_BYTES_MAX)}", True)
        server.forget_rss_max()

    def judge_memory(self, server, added_bytes_max, what="memory"):
        """Compares the largest memory since the idle run with the bound."""
        added = server.rss_max() - self.rss_before
        self.check(added <= added_bytes_max,
                   f"{what} + {mib(added)}, at most + {mib(added_bytes_max)}")

    def judge_delays(self, phase="load", name="", is_promised=True):
        """Ends the client if it runs, and compares a phase with the idle run. Calls must never
        fail. The bound on p99 applies only if it is promised."""
        self.end_client()
        for kind in KINDS:
            idle, load = self.client.of("idle", kind), self.client.of(phase, kind)
            limit = bound(idle)
            seen = (f"{name}{kind} p50 {ms(idle.p50)} → {ms(load.p50)}, p99 {ms(idle.p99)} → "
                    f"{ms(load.p99)} (at most {ms(limit)}), {load.failed} of {load.calls} failed")
            self.check(idle.calls > 0 and load.calls > 0 and not idle.failed and not load.failed
                       and (load.p99 <= limit or not is_promised), seen, not name)
        self.delays = self.delays or " · ".join(
            f"{kind} {ms(self.client.of('idle', kind).p50)}, {ms(self.client.of('idle', kind).p99)}"
            f" → {ms(self.client.of(phase, kind).p50)}, {ms(self.client.of(phase, kind).p99)}"
            for kind in KINDS)

    def end_client(self):
        """Stops the well-meaning client, once."""
        if self.client and not self.client.samples:
            self.client.end()

    def close(self, server):
        """Measures the server a minute after the attacks and stops it."""
        self.end_client()
        if not server.alive():
            self.check(False, f"the server ended with {server.process.poll()}")
            return
        peak, files_peak = server.rss_max(), server.open_files_max
        if self.client:
            self.suite.machine.rest(AFTER_SECONDS)
            rss, files = server.rss(), server.open_files()
            self.check(rss < AFTER_BYTES_MAX, f"a minute later {mib(rss)}", True)
            self.check(files <= self.files_before + OPEN_FILES_LEFT_MAX,
                       f"open files {self.files_before} → {files_peak} → {files}", True)
            self.memory = f"{mib(self.rss_before)} → {mib(peak)} → {mib(rss)}"
            self.files = f"{self.files_before} → {files_peak} → {files}"
        code = server.stop()
        self.check(code == 0, f"stopped with {code}", True)

    def line(self):
        """Returns the row of the table."""
        seen = "; ".join(seen if good is not False else f"**{seen}**"
                         for good, seen, has_column in self.checks
                         if good is False or not has_column)
        cells = (self.name, self.promised, seen, self.memory or "–", self.files or "–",
                 self.delays or "–", "good" if self.good() else "**bad**")
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ")
                                 for cell in cells) + " |"


class Suite:
    """The state that all rows share."""

    def __init__(self, binary, folder, data, is_extended):
        self.binary, self.folder, self.data = binary, Path(folder), data
        self.is_extended, self.machine, self.rows = is_extended, Machine(), []

    def run(self, rows):
        """Runs each row in a thread of its own. The machine lets one of them work at a time."""
        threads = []
        self.rows = [Row(name, promised, self) for name, promised, _ in rows]
        for row, (_, _, function) in zip(self.rows, rows, strict=True):
            with self.machine:
                pass  # The row before works until it rests or ends.
            started = threading.Event()
            thread = threading.Thread(target=self._run, args=(row, function, started), daemon=True)
            thread.start()
            threads.append(thread)
            started.wait()
        for thread in threads:
            thread.join()

    def _run(self, row, function, started):
        with self.machine:
            started.set()
            began = time.monotonic()
            print(f"{row.name}: {row.promised}", flush=True)
            try:
                function(row)
            except Exception as error:
                row.check(False, f"{type(error).__name__}: {str(error)[:300]}")
                traceback.print_exc()
            finally:
                row.end_client()
                for server in row.servers:
                    if server.alive():
                        server.kill()
            verdict = "good" if row.good() else "BAD"
            print(f"{row.name}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)

    def table(self):
        """Returns the table in Markdown."""
        heads = ("row", "promised", "seen", "memory before → peak → a minute later",
                 "open files before → peak → later", "well-meaning client, p50, p99: idle → load",
                 "verdict")
        return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads),
                          *(row.line() for row in self.rows)])

    def write_docs(self, path):
        """Writes the table between the markers of the section "Strength in company"."""
        text = Path(path).read_text("utf-8")
        before, found, rest = text.partition(BEGIN)
        _, found_end, after = rest.partition(END)
        if not found or not found_end:
            raise SystemExit(f"{path} lacks the markers {BEGIN} and {END}")
        kind = "extended" if self.is_extended else "normal"
        body = f"\n\nPrinted by the {kind} run of `tests/hostile/run`.\n\n{self.table()}\n\n"
        Path(path).write_text(before + BEGIN + body + END + after, "utf-8")


def mib(count):
    """Formats bytes for people."""
    return f"{count / MIB:.0f} MiB"


def ms(seconds):
    """Formats seconds as milliseconds."""
    return "∞" if math.isinf(seconds) else f"{seconds * 1000:.1f} ms"
