"""The well-meaning client during a row: phases, quantiles, and their bound."""

import math
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

IDLE_SECONDS = 3.0
# The bound: p99 under load is at most 3 times that of the idle run plus 10 ms.
FACTOR_MAX = 3
ADDED_SECONDS_MAX = 0.010
END_SECONDS_MAX = 15
KINDS = ("livez", "get")


@dataclass
class Quantiles:
    """The quantiles of the calls of one kind that were due within a phase."""

    calls: int
    failed: int
    p50: float
    p99: float
    longest: float


def quantiles(seconds):
    """Returns the median, the 99th percentile and the maximum of a list, by nearest rank."""
    values = sorted(seconds)
    if not values:
        return math.inf, math.inf, math.inf
    rank = [max(0, math.ceil(len(values) * share) - 1) for share in (0.5, 0.99)]
    return values[rank[0]], values[rank[1]], values[-1]


class WellMeaning:
    """Runs the client from the beginning of a row to its end."""

    def __init__(self, server, key, session, file):
        self.file, self.phases, self.samples = Path(file), {}, []
        folder = Path(__file__).resolve().parent.parent
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lib.well_meaning", server.address[0], str(server.address[1]),
             key, session, str(self.file)], cwd=folder, stdin=subprocess.DEVNULL)

    @contextmanager
    def phase(self, name):
        """Assigns the calls that are due within the block to a phase."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases.setdefault(name, []).append((began, time.monotonic()))

    def idle(self, seconds=IDLE_SECONDS):
        """Makes the run without load, the baseline of the others."""
        time.sleep(1.0)  # Connects and fills caches before the measurement.
        with self.phase("idle"):
            time.sleep(seconds)

    def end(self):
        """Stops the client and reads its samples."""
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.file.exists():
            for line in self.file.read_text("ascii").splitlines():
                due, kind, took, ok = line.split()
                self.samples.append((float(due), kind, float(took), ok == "1"))

    def of(self, phase, kind):
        """Returns the quantiles of a phase. Call it after `end`."""
        spans = self.phases.get(phase, [])
        found = [it for it in self.samples
                 if it[1] == kind and any(began <= it[0] < ended for began, ended in spans)]
        return Quantiles(len(found), sum(not it[3] for it in found),
                         *quantiles([it[2] for it in found]))


def bound(idle):
    """Returns the largest p99 within the bound."""
    return FACTOR_MAX * idle.p99 + ADDED_SECONDS_MAX
