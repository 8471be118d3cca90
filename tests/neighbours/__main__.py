"""Runs the rows and prints the table; see `run`."""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# The hostile suite has the clients and the server process.
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "hostile")]

import engines
import kills
import orders
import pairs
import rows
from lib import server
from lib.report import Row

# Far more than a run takes.
RUN_SECONDS_MAX, EXTENDED_SECONDS_MAX = 1_800, 7_200

ROWS = [
    ("S16", "6 callers create sessions: changing, closing and reopening their screener takes "
     "≤ 250 ms", rows.s16),
    ("S17", "12 busy callers of a tenant and its import: another tenant's reads keep "
     "p99 ≤ 3 × idle + 10 ms", rows.s17),
    ("S18", "imports about people who answer meanwhile: no deadlock, no import dies", rows.s18),
    ("S19", "all pairs of write use cases on two servers, `deadlock_timeout = 50ms`: no deadlock",
     pairs.s19),
    ("S20", "callers leave while their writes wait: the waits end, and only one had a connection",
     rows.s20),
    ("S22", "a server is killed with writes in flight: what was acknowledged is there once, what was "
     "refused is not, counts are exact, and the other server goes on", kills.s22),
    ("S23", "all pairs of write use cases side by side on two servers leave what they leave in one of "
     "the two orders", orders.s23),
    ("S24", "the same random calls, sensible and odd, to a server on SQLite and to one on PostgreSQL are "
     "answered alike", engines.s24),
]


class Suite:
    """The state that all rows share."""

    def __init__(self, binary, folder, is_extended):
        self.binary, self.folder, self.is_extended = binary, Path(folder), is_extended
        self.counted = {}

    def run(self, name, promised, function):
        """Runs a row, and returns it."""
        row, began = Row(name, promised, self), time.monotonic()
        print(f"{name}: {promised}", flush=True)
        try:
            function(row)
        except Exception as error:
            row.check(False, f"{type(error).__name__}: {str(error)[:300]}")
            traceback.print_exc()
        finally:
            for it in row.servers:
                it.kill()
        verdict = "good" if row.good() else "BAD"
        print(f"{name}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
        return row


def line(row):
    """Returns the row of the table. Bad observations are bold."""
    seen = "; ".join(f"**{seen}**" if good is False else seen
                     for good, seen, is_usual in row.checks if good is False or not is_usual)
    cells = (row.name, row.promised, seen, "good" if row.good() else "**bad**")
    return "| " + " | ".join(it.replace("|", "\\|").replace("\n", " ") for it in cells) + " |"


def give_up():
    """Ends a run that does not end on its own."""
    print("the suite did not end in time", flush=True)
    server.kill_all()
    os._exit(1)


def main():
    """Runs the selected rows."""
    parser = argparse.ArgumentParser(prog="tests/neighbours/run")
    parser.add_argument("binary")
    parser.add_argument("--extended", action="store_true", help="what takes minutes")
    parser.add_argument("--only", default="", metavar="ROWS", help="such as S16,S19")
    parser.add_argument("--json", type=Path, metavar="FILE", help="what was counted")
    given = parser.parse_args()
    only = set(filter(None, given.only.split(",")))
    if unknown := only - {it[0] for it in ROWS}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    guard = threading.Timer(EXTENDED_SECONDS_MAX if given.extended else RUN_SECONDS_MAX, give_up)
    guard.daemon = True
    guard.start()
    with tempfile.TemporaryDirectory(prefix="screenerd-neighbours-") as folder:
        suite = Suite(given.binary, folder, given.extended)
        done = [suite.run(*it) for it in ROWS if not only or it[0] in only]
    print("\n| row | promised | seen | verdict |\n|---|---|---|---|",
          *(line(it) for it in done), sep="\n")
    if given.json:
        good = {it.name: it.good() for it in done}
        given.json.write_text(json.dumps({"good": good, **suite.counted}))
    return 0 if all(it.good() for it in done) else 1


if __name__ == "__main__":
    sys.exit(main())
