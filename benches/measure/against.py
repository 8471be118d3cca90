"""Processor time of a call: this build's server next to another build's, in interleaved rounds.

Differences of a few hundredths are lost in the noise of rates on a shared machine; the processor time
that the kernel counts for the server's process is not. Called by benches/against. Standard library
only.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import statistics
from types import SimpleNamespace

import report
from load import RANDOM_REQUESTS, REST_CONNECTIONS, random_requests, run_load
from server import check, header_options, screenerd
from submissions import Scratch
from wire import (
    ACCESS,
    CREDENTIALS,
    PANEL,
    SESSION,
    SESSIONS,
    access_request,
    frame,
    get_request,
    list_path,
    list_request,
    session_id,
)

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "performance.md"
CONNECTIONS, STREAMS = 8, 8
CALLERS, SUBMISSIONS, WARM = 64, 4_000, 64
# The most that a call may cost, as a multiple of what it costs the other build.
MUST = 1.05


def cpu_seconds(process):
    """The processor time of all threads of the process so far."""
    stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Arm:
    """A build that serves its own copy of the data."""

    def __init__(self, name, program, options, stack):
        self.name, self.options = name, options
        folder = options.raw / name
        folder.mkdir()
        path = folder / "data.db"
        shutil.copyfile(options.database, path)
        self.server = stack.enter_context(screenerd(program, path, folder, "server"))
        self.address = self.server.addresses[0]
        data = SimpleNamespace(path=path)
        scratch_options = SimpleNamespace(screenerd=program, submit=options.submit)
        count = options.rounds * SUBMISSIONS + (options.rounds + 1) * WARM + SUBMISSIONS
        self.scratch = stack.enter_context(Scratch(scratch_options, data, count))
        self.writing = stack.enter_context(screenerd(program, self.scratch.path, folder, "writing"))

    def spent(self, server, run):
        """Microseconds of processor time for each counted call of a load."""
        before = cpu_seconds(server.process)
        count = run()
        check(count > 0, "no call was answered")
        return (cpu_seconds(server.process) - before) / count * 1e6

    def calls(self, method, requests, credentials, name):
        command = [self.options.calls, "--address", self.address]
        command += ["--path", f"/screener.v1.{method}", "--requests", requests]
        command += ["--seconds", self.options.seconds, "--connections", CONNECTIONS]
        command += ["--streams", STREAMS]
        for header in credentials:
            command += ["--header", header]

        def run():
            counted = json.loads(run_load(command, self.options.raw / self.name, name))
            check(counted["refused"] == 0, name, "had refusals")
            return counted["answered"]

        return self.spent(self.server, run)

    def rest(self, path, name):
        command = ["wrk", "-t", 1, "-c", REST_CONNECTIONS, "-d", f"{self.options.seconds}s"]
        command += [*header_options(CREDENTIALS), f"http://{self.address}{path}"]

        def run():
            printed = run_load(command, self.options.raw / self.name, name)
            check("Non-2xx" not in printed and "Socket errors" not in printed, name, "had errors")
            return int(re.search(r"(\d+) requests in", printed)[1])

        return self.spent(self.server, run)

    def submissions(self, name):
        address, raw = self.writing.addresses[0], self.options.raw / self.name
        run_load(self.scratch.submit(address, 8, WARM), raw, f"{name}-warm")

        def run():
            command = self.scratch.submit(address, CALLERS, SUBMISSIONS)
            return json.loads(run_load(command, raw, name))["submissions"]

        return self.spent(self.writing, run)


def page_requests(sessions, out):
    offsets = (random.randrange(sessions) for _ in range(RANDOM_REQUESTS))
    out.write_bytes(b"".join(frame(list_request(offset)) for offset in offsets))
    return out


def rows(options):
    """A measurement: its name, and the function of an arm."""
    raw, sessions = options.raw, options.sessions
    gets = random_requests(get_request, sessions, raw / "get.requests")
    accesses = random_requests(access_request, sessions, raw / "access.requests")
    pages = page_requests(sessions, raw / "page.requests")
    one = f"/screener-sessions/{session_id(sessions // 2)}"
    return {
        "gRPC GetScreenerSession": lambda arm, name: arm.calls(SESSION, gets, CREDENTIALS, name),
        "gRPC page of 25 sessions": lambda arm, name: arm.calls(SESSIONS, pages, CREDENTIALS, name),
        "gRPC GetPanelistAccess": lambda arm, name: arm.calls(ACCESS, accesses, PANEL, name),
        "REST session": lambda arm, name: arm.rest(one, name),
        "REST page of 25 sessions": lambda arm, name: arm.rest(list_path(sessions // 2), name),
        f"submissions, {CALLERS} callers": lambda arm, name: arm.submissions(name),
    }


def measure(options):
    with contextlib.ExitStack() as stack:
        arms = [
            Arm("ours", options.ours, options, stack),
            Arm("other", options.other, options, stack),
        ]
        found = {name: {"ours": [], "other": []} for name in rows(options)}
        for turn in range(options.rounds + 1):
            for number, (name, run) in enumerate(rows(options).items()):
                # Each build is first as often as the other.
                for arm in arms if turn % 2 else reversed(arms):
                    spent = run(arm, f"round-{turn}-row-{number}")
                    # The first round only warms up.
                    if turn:
                        found[name][arm.name].append(spent)
            report.say(f"against: round {turn} of {options.rounds}")
    return found


def table(options, found):
    lines = [
        f"Server on one core, load on the other; {options.rounds} interleaved rounds of "
        f"{options.seconds} s, {options.sessions} sessions. Microseconds of processor time that the "
        "server spends on a call, medians; the ratio is the median of the rounds' ratios.",
        "",
        "| call | 0.1.0 | now | ratio | must | |",
        "|---|--:|--:|--:|--:|---|",
    ]
    kept = True
    for name, spent in found.items():
        ours, other = spent["ours"], spent["other"]
        ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, other))
        kept = kept and ratio <= MUST
        verdict = "yes" if ratio <= MUST else "**no**"
        lines.append(
            f"| {name} | {statistics.median(other):.1f} | {statistics.median(ours):.1f} "
            f"| {ratio:.3f} | ≤ {MUST} | {verdict} |"
        )
    return "\n".join(lines) + "\n", kept


def main():
    parser = argparse.ArgumentParser()
    for name in ("ours", "other", "calls", "submit", "database", "raw"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name in ("sessions", "rounds", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    found = measure(options)
    (options.raw / "results.json").write_text(json.dumps(found, indent=1))
    printed, kept = table(options, found)
    if options.docs:
        report.fill(DOCUMENT, "against", printed)
    print(printed, end="")
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
