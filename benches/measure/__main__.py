"""Measures what benches/run has built, part after part, and prints one table.

| part | |
|---|---|
| `start` | from the start of the process until it is ready |
| `reads` | points, pages, totals, the funnel, memory |
| `submissions` | durable writes, and reads beside them |
| `files` | exports and imports |

`wire` has the requests, `server` the servers and single calls, `load` the load generators, `report`
rounds and tables. Called by benches/run, which explains the options. Standard library only.
"""

import argparse
import json
import pathlib
import sqlite3
import subprocess
import time

import files
import reads
import report
import start
import submissions
from server import LOAD_CORE, SERVER_CORE

PARTS = ("start", "reads", "submissions", "files")
DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "performance.md"


def about(options):
    version = subprocess.run(
        [options.screenerd, "version"], capture_output=True, text=True, check=True
    )
    tool = subprocess.run(["sqlite3", "--version"], capture_output=True, text=True, check=True)
    return [
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {report.processor()}, server on core "
        f"{SERVER_CORE}, load on core {LOAD_CORE}, load average at the end {report.load_average()}.",
        f"{version.stdout.splitlines()[0]}, profile `{options.profile}`; sqlite3 "
        f"{tool.stdout.split()[0]}, and {sqlite3.sqlite_version} under the bare loop.",
        f"{options.sessions} sessions, {options.sessions * options.responses} responses; "
        f"{options.rounds} rounds of {options.seconds} s.",
    ]


def main():
    parser = argparse.ArgumentParser()
    for name in ("screenerd", "noop", "pool", "calls", "submit", "database", "few", "raw"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name in ("sessions", "few-sessions", "responses", "rounds", "seconds", "export-rounds",
                 "import-rounds", "import-sessions"):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--parts", default=",".join(PARTS))
    for name in ("json", "docs", "quick"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    data = reads.Data(options.database, options.sessions, options.responses)
    few = reads.Data(options.few, options.few_sessions, options.responses)
    results = []
    for part in options.parts.split(","):
        match part:
            case "start":
                results += start.measure(options, data)
            case "reads":
                results += reads.measure(options, data, few)
            case "submissions":
                results += submissions.measure(options, data)
            case "files":
                results += files.measure(options, data)
            case _:
                parser.error(f"{part} is none of {', '.join(PARTS)}")
    table = report.markdown(results, about(options))
    (options.raw / "results.json").write_text(json.dumps(results, indent=1))
    (options.raw / "table.md").write_text(table)
    if options.docs:
        report.fill(DOCUMENT, "limits", table)
    if options.json:
        report.print_json(results)
    else:
        print(table, end="")


if __name__ == "__main__":
    main()
