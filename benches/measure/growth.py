"""The same reads on files of different sizes, in turns. Called by benches/growth."""

import argparse
import contextlib
import json
import pathlib
import time

import report
from memory import InMemory
from reads import Data, Reads, verify
from report import Row, Rounds
from server import LOAD_CORE, SERVER_CORE, screenerd

READS = ("GetScreenerSession", "GetPanelistAccess", "ListScreenerSessions, first page",
         "ListScreenerSessions, last page", "GetFunnel")  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    for name in ("screenerd", "calls", "raw"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name in ("responses", "rounds", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--database", action="append", required=True, metavar="SESSIONS=FILE")
    options = parser.parse_args()
    rows, sizes = [], []
    with contextlib.ExitStack() as stack:
        for text in options.database:
            sessions, path = text.split("=", 1)
            data = Data(pathlib.Path(path), int(sessions), options.responses)
            out = options.raw / sessions
            out.mkdir()
            server = stack.enter_context(screenerd(options.screenerd, data.path, out, "screenerd"))
            verify(server.addresses[0], data, out)
            stack.enter_context(InMemory(data.path, out))
            reads = Reads(options.calls, server, None, None, data, None, None, out)
            measured = (
                reads.random_point(server.addresses[0]),
                reads.random_access(),
                reads.sessions(server, data, "first", ""),
                reads.sessions(server, data, "last", ""),
                reads.funnel(),
            )
            rows += [Row(f"{read} {sessions}", it) for read, it in zip(READS, measured)]
            sizes.append(data.sessions)
        rates = Rounds(rows, options.rounds, options.seconds, "growth").run()
    found = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{report.processor()}, server on core {SERVER_CORE}, load on core {LOAD_CORE}",
        "profile": options.profile,
        "responses_each": options.responses,
        "sessions": sizes,
        "calls_per_second": {
            read: [rates[f"{read} {sessions}"] for sessions in sizes] for read in READS
        },
    }
    (options.raw / "growth.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
