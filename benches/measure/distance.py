"""PostgreSQL at a distance, next to another build of the same server in the same run.

Each row is measured on new copies of the same data, the builds in turns. Called by benches/distance.
Standard library only.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import time
from dataclasses import dataclass

import report
from cluster import BUSY, QUIET, QUIET_SESSIONS, Cluster, people, write_lines
from postgres import query
from server import check

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "performance.md"
NEIGHBOURS = pathlib.Path(__file__).parents[2] / "tests" / "neighbours" / "run"
CALLERS = 64
# What 64 callers of one tenant must reach at each round trip, as a multiple of the other build.
CALLERS_MUST = {0.06: 2, 0.65: 7, 2.2: 15}
# The longest wait of a caller: so many round trips, and the work itself.
ROUND_TRIPS_MUST, WORK_MS = 6, 2.5
SERVERS_MUST = 0.9
COMMIT_SETTINGS, COMMIT_MUST = ("commit_delay = 2000", "commit_siblings = 0"), 4
TENANTS_MUST = 4
AUTHOR_MS_MUST, PAGE_MS_MUST = 250, 6
# Repeated in this order. A call that takes all the time leaves the later ones uncalled.
AUTHOR_CALLS = ("update", "draft", "publish", "close", "reopen")
AUTHOR_WARM_SECONDS = 4
# The limit of the second caller's p99: a multiple of that without the load, and an allowance.
BESIDE_FACTOR, BESIDE_MS = 3, 10
QUIET_RATE = 20
# Enough lines to last: each is several round trips.
IMPORTED_PEOPLE = 40_000
COUNTED = 50


@dataclass
class Row:
    """A line of the table. `is_kept` is `None` if there is no requirement."""

    name: str
    other: str
    now: str
    ratio: str = ""
    must: str = ""
    is_kept: bool | None = None


def ms(value):
    if value == float("inf"):
        return "not reached"
    return f"{value:,.0f} ms".replace(",", " ") if value >= 100 else f"{value:.1f} ms"


def per_second(value):
    return f"{report.number(value)}/s"


def rate_of(done):
    return done["submissions"] / done["seconds"]


class Distance:
    """The rows, each a method that returns lines of the table."""

    def __init__(self, options, cluster):
        self.options, self.cluster = options, cluster
        self.near, self.far = cluster.proxies[0], cluster.proxies[-1]
        self.middle = cluster.proxies[len(cluster.proxies) // 2]
        self.found = {}

    def measure(self, name, run):
        """The median of the results of `run` over the rounds, for each build: one or several."""
        if name in self.found:
            return self.found[name]
        rounds = {arm.name: [] for arm in self.cluster.arms}
        for turn in range(self.options.rounds):
            # Each build is first as often as the other.
            for arm in self.cluster.arms if turn % 2 else reversed(self.cluster.arms):
                rounds[arm.name].append(run(arm, f"{name}-{turn}".replace(" ", "-")))
                report.say(f"{name}, {arm.name}: {rounds[arm.name][-1]}")
        self.found[name] = {
            arm: {key: statistics.median(it[key] for it in of) for key in of[0]}
            for arm, of in rounds.items()
        }
        return self.found[name]

    def row(self, name, found, shown, ratio=None, must="", keeps=None):
        """A row whose ratio and verdict are functions of the results of both builds."""
        now, other = found["now"], found.get("other")
        is_judged = keeps and (other or not ratio)
        return Row(
            name,
            shown(other) if other else "",
            shown(now),
            f"{ratio(now, other):.2f}" if ratio and other else "",
            must,
            bool(keeps(now, other)) if is_judged else None,
        )

    def load(self, proxy, callers, servers=1, settings=()):
        """The results of so many callers at a distance."""
        what = f"{callers} callers {servers} servers {proxy.round_trip_ms} ms"

        def run(arm, name):
            with self.cluster.serving(arm, proxy, servers, settings) as serving:
                done = serving.submitting(name, [BUSY], callers, self.options.seconds)()
            return {"rate": rate_of(done), "median": done["median_ms"], "refused": done["refused"]}

        return self.measure(" ".join([what, *settings]), run)

    def counts(self):
        def run(arm, name):
            with self.cluster.serving(arm, self.far) as serving:
                # A server's one-time work comes first.
                serving.submitting(f"{name}-warm", [QUIET], 1, None, count=COUNTED)()
                before = self.far.counts()
                serving.submitting(name, [BUSY], 1, None, count=COUNTED)()
                after = self.far.counts()
            return {key: (after[key] - before[key]) / COUNTED for key in after}

        found = self.measure("counts", run)
        yield self.row(
            "statements / round trips of a submission, one caller, seen by the proxy",
            found,
            lambda it: f"{it['statements']:.1f} / {it['round_trips']:.1f}, "
            f"{it['pings']:.1f} pings of the pool",
            must=f"≤ {ROUND_TRIPS_MUST} / {ROUND_TRIPS_MUST}",
            # A credential is looked up again every half second.
            keeps=lambda now, _: max(now["statements"], now["round_trips"]) < ROUND_TRIPS_MUST + 0.5,
        )

    def callers(self):
        for proxy in self.cluster.proxies:
            must = CALLERS_MUST.get(proxy.round_trip_ms)
            yield self.row(
                f"one tenant, {CALLERS} callers, {proxy.round_trip_ms} ms",
                self.load(proxy, CALLERS),
                lambda it: f"{per_second(it['rate'])}, p50 {ms(it['median'])}",
                lambda now, other: now["rate"] / other["rate"],
                f"≥ {must} ×" if must else "",
                (lambda now, other: now["rate"] >= must * other["rate"]) if must else None,
            )
        for proxy in self.cluster.proxies:
            most = ROUND_TRIPS_MUST * proxy.measured_ms + WORK_MS
            yield self.row(
                f"one tenant, one caller, {proxy.round_trip_ms} ms, median",
                self.load(proxy, 1),
                lambda it: ms(it["median"]),
                must=f"≤ {ms(most)}",
                keeps=lambda now, _: now["median"] <= most,
            )

    def servers(self):
        count = self.options.servers
        for proxy in self.cluster.proxies:
            alone = self.load(proxy, CALLERS)["now"]["rate"]
            yield self.row(
                f"{count} servers, {CALLERS} callers, {proxy.round_trip_ms} ms, sum",
                self.load(proxy, CALLERS, count),
                lambda it: f"{per_second(it['rate'])}",
                lambda now, other: now["rate"] / other["rate"],
                f"≥ {SERVERS_MUST} of one server ({SERVERS_MUST * alone:.0f}/s)",
                lambda now, _: now["rate"] >= SERVERS_MUST * alone,
            )

    def commits(self):
        yield self.row(
            f"commit + 2 ms (`commit_delay`), {CALLERS} callers, {self.middle.round_trip_ms} ms",
            self.load(self.middle, CALLERS, settings=COMMIT_SETTINGS),
            lambda it: per_second(it["rate"]),
            lambda now, other: now["rate"] / other["rate"],
            f"≥ {COMMIT_MUST} ×",
            lambda now, other: now["rate"] >= COMMIT_MUST * other["rate"],
        )

    def tenants(self):
        seconds, others = self.options.seconds, self.cluster.others

        def run(arm, name):
            with self.cluster.serving(arm, self.far) as serving:
                pace = {"callers": 1, "rate": QUIET_RATE}
                alone = serving.submitting(f"{name}-alone", [QUIET], seconds=seconds / 2, **pace)()
                load = serving.submitting(name, others, CALLERS, seconds)
                pace["first"] = QUIET_SESSIONS // 2
                beside = serving.submitting(f"{name}-quiet", [QUIET], seconds=seconds, **pace)()
                rate = rate_of(load())
            return {"rate": rate, "alone": alone["p99_ms"], "beside": beside["p99_ms"]}

        found = self.measure(f"{len(others)} tenants", run)
        yield self.row(
            f"{len(others)} tenants, {CALLERS} callers, {self.far.round_trip_ms} ms, sum",
            found,
            lambda it: per_second(it["rate"]),
            lambda now, other: now["rate"] / other["rate"],
            f"≥ {TENANTS_MUST} ×",
            lambda now, other: now["rate"] >= TENANTS_MUST * other["rate"],
        )
        yield self.beside("a quiet tenant's submissions next to them, p99: alone → under load", found)

    def beside(self, name, found):
        """The p99 of a second caller without the load and with it."""
        most = BESIDE_FACTOR * found["now"]["alone"] + BESIDE_MS
        return self.row(
            name,
            found,
            lambda it: f"{ms(it['alone'])} → {ms(it['beside'])}",
            must=f"≤ {BESIDE_FACTOR} × alone + {BESIDE_MS} ms ({ms(most)})",
            keeps=lambda now, _: now["beside"] <= most,
        )

    def imports(self):
        seconds = self.options.seconds
        file = write_lines(
            self.options.raw / "more.ndjson", people(BUSY, 1_000_000, IMPORTED_PEOPLE)
        )

        def run(arm, name):
            with self.cluster.serving(arm, self.middle) as serving:
                alone = serving.calling(f"{name}-alone", "projects", QUIET, seconds / 2)()
                load = serving.submitting(f"{name}-load", [BUSY], CALLERS, seconds)
                command = [arm.program, "import", "--database", serving.database, file]
                with open(self.options.raw / arm.name / f"{name}-import.log", "w") as log:
                    importing = subprocess.Popen(command, stdout=log, stderr=log)
                beside = serving.calling(name, "projects", QUIET, seconds)()
                # A load that ended earlier did not cover all of them.
                ended = importing.poll()
                check(ended in (None, 1), "the import was too short")
                importing.terminate()
                importing.wait()
                load()
            failed = beside["projects"]["refused"] + (ended is not None)
            return {"alone": alone["projects"]["p99_ms"], "beside": beside["projects"]["p99_ms"],
                    "failed": failed}  # fmt: skip

        found = self.measure("import", run)
        file.unlink()
        at = f"{self.middle.round_trip_ms} ms"
        name = f"another tenant's read next to an import and {CALLERS} writers, {at}, p99"
        yield self.beside(name, found)
        yield self.row(
            "reads refused, and imports broken off, meanwhile",
            found,
            lambda it: f"{it['failed']:.0f}",
            must="0",
            keeps=lambda now, _: now["failed"] == 0,
        )

    def authors(self):
        def run(arm, name):
            with self.cluster.serving(arm, self.far) as serving:
                # It reads the questionnaire before the load begins, and counts once that is full.
                seconds = self.options.seconds
                author = serving.calling(name, "author", BUSY, seconds, AUTHOR_WARM_SECONDS)
                seconds += AUTHOR_WARM_SECONDS
                load = serving.submitting(f"{name}-load", [BUSY], CALLERS, seconds)
                done = author()
                load()
            never = {"longest_ms": float("inf"), "refused": 0}
            found = {kind: done.get(kind, never) for kind in AUTHOR_CALLS}
            refused = {f"{kind} refused": it["refused"] for kind, it in found.items()}
            return refused | {kind: it["longest_ms"] for kind, it in found.items()}

        def shown(found):
            of = (
                f"{kind} {ms(found[kind])}" + (", refused" if found[f"{kind} refused"] else "")
                for kind in AUTHOR_CALLS
            )
            return "; ".join(of)

        def is_kept(now, _):
            longest = max(now[kind] for kind in AUTHOR_CALLS)
            return longest <= AUTHOR_MS_MUST and not any(now[f"{it} refused"] for it in AUTHOR_CALLS)

        yield self.row(
            f"an author's calls about the screener of {CALLERS} callers, {self.far.round_trip_ms} ms, "
            "longest of each",
            self.measure("authors", run),
            shown,
            must=f"≤ {AUTHOR_MS_MUST} ms",
            keeps=is_kept,
        )

    def pages(self):
        def run(arm, name):
            with self.cluster.serving(arm, self.far) as serving:
                load = serving.submitting(f"{name}-load", [BUSY], CALLERS, self.options.seconds)
                done = serving.calling(name, "page", BUSY, self.options.seconds)()
                load()
            return {"median": done["page"]["median_ms"]}

        yield self.row(
            f"a page of 25 next to {CALLERS} callers, {self.far.round_trip_ms} ms, median",
            self.measure("page", run),
            lambda it: ms(it["median"]),
            must=f"≤ {PAGE_MS_MUST} ms",
            keeps=lambda now, _: now["median"] <= PAGE_MS_MUST,
        )

    def deadlocks(self):
        def run(arm, name):
            file = self.options.raw / arm.name / f"{name}.json"
            command = [NEIGHBOURS, arm.program, "--only", "S19", "--json", file]
            with file.with_suffix(".txt").open("w") as log:
                subprocess.run(command, stdout=log, stderr=log, check=False)
            return {"deadlocks": json.loads(file.read_text())["deadlocks"]}

        yield self.row(
            "deadlocks: pairs of all write use cases, two servers, `deadlock_timeout = 50ms`",
            self.measure("deadlocks", run),
            lambda it: f"{it['deadlocks']:.0f}",
            must="0",
            keeps=lambda now, _: now["deadlocks"] == 0,
        )

    def run(self):
        parts = (self.counts, self.callers, self.servers, self.tenants, self.commits, self.authors,
                 self.imports, self.pages, self.deadlocks)  # fmt: skip
        chosen = [it for it in parts if not self.options.parts or it.__name__ in self.options.parts]
        rows = [row for part in chosen for row in part()]
        by_all = {arm: {"deadlocks": count} for arm, count in self.cluster.deadlocks.items()}
        rows += [
            self.row(
                "deadlocks in all of these runs",
                by_all,
                lambda it: f"{it['deadlocks']}",
                must="0",
                keeps=lambda now, _: now["deadlocks"] == 0,
            )
        ]
        return rows


def table(options, cluster, rows):
    trips = ", ".join(
        f"{it.round_trip_ms} ms added, {it.measured_ms:.2f} ms measured" for it in cluster.proxies
    )
    version = query(cluster.url, "SHOW server_version")[0].split()[0]
    day = datetime.datetime.now(datetime.timezone.utc).date()
    lines = [
        f"{day}, {report.processor()}, {os.cpu_count()} cores for load, proxy, servers and PostgreSQL "
        f"{version} together, load average at the end {report.load_average()}.",
        f"`SELECT 1` takes {cluster.direct_ms:.2f} ms directly, and through the proxies: {trips}.",
        f"Median of {options.rounds} rounds of {options.seconds} s each, builds in turns.",
        "",
        "| what | 0.1.0 | now | ratio | must | |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for it in rows:
        verdict = {None: "", True: "yes", False: "**no**"}[it.is_kept]
        lines += [f"| {it.name} | {it.other} | {it.now} | {it.ratio} | {it.must} | {verdict} |"]
    return "\n".join(lines) + "\n"


def read_options():
    parser = argparse.ArgumentParser()
    for name in ("binary", "proxy", "submit", "neighbour", "raw"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--against", type=pathlib.Path)
    for name in ("tenants", "servers", "seconds", "rounds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--rtt", required=True)
    parser.add_argument("--parts", default="")
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    options.distances = [float(it) for it in options.rtt.split(",")]
    options.parts = set(filter(None, options.parts.split(",")))
    options.url = os.environ["SCREENERD_TEST_POSTGRES"]
    return options


def main():
    options = read_options()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        cluster = Cluster(options, stack)
        report.say(f"data after {time.monotonic() - began:.0f} s")
        measured = Distance(options, cluster)
        rows = measured.run()
        printed = table(options, cluster, rows)
    (options.raw / "results.json").write_text(json.dumps(measured.found, indent=1))
    if options.docs:
        report.fill(DOCUMENT, "distance", printed)
    print(printed, end="")
    raise SystemExit(0 if all(it.is_kept is not False for it in rows) else 1)


if __name__ == "__main__":
    main()
