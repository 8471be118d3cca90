"""A reader in a process of its own, so that the load of the suite does not delay it.

    python3 reader.py HOST PORT TOKEN SECONDS

Lists projects, one call after another, and prints a line for each: `SECONDS STATUS`.
"""

import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "hostile")]

from lib import http1
from lib.measure import quantiles

PAUSE_SECONDS = 0.02
CALL_SECONDS_MAX = 40.0


class Reading:
    """The calls of a reader."""

    def __init__(self, server, token, seconds):
        command = [sys.executable, __file__, *map(str, server.address), token, str(seconds)]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        calls = [line.split() for line in lines.splitlines()]
        self.count, self.refused = len(calls), sum(status != "200" for _, status in calls)
        self.p50, self.p99, self.longest = quantiles([float(took) for took, _ in calls])


def main():
    host, port, token, seconds = sys.argv[1:]
    end = time.monotonic() + float(seconds)
    while (began := time.monotonic()) < end:
        answer = http1.rpc((host, int(port)), "ProjectService", "ListProjects", {}, token,
                           CALL_SECONDS_MAX)
        print(f"{time.monotonic() - began:.6f} {answer.status}")
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
