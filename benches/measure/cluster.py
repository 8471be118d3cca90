"""PostgreSQL at a distance: databases, delaying proxies, and servers that connect through one."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
from dataclasses import dataclass

from load import start_load
from server import Server, check

sys.path.append(str(pathlib.Path(__file__).parents[2] / "tests" / "neighbours"))
from postgres import moved, query

# Sessions of the one busy tenant, of each of several, and of the quiet one: more than a run submits.
BUSY_SESSIONS, OTHER_SESSIONS, QUIET_SESSIONS = 20_000, 2_000, 2_000
BUSY, QUIET = "busy", "quiet"
# Seconds before a load counts.
WARM_SECONDS = 2
CREATED_AT = "2026-01-05T09:30:00Z"
QUESTIONS = [
    {"id": "scq_000", "kind": "TEXT", "prompt": "What?"},
    {"id": "scq_001", "kind": "NUMERIC", "prompt": "How many?"},
    {"id": "scq_002", "kind": "SINGLE_SELECT", "prompt": "Which?",
     "options": [{"id": f"sco_{it}", "text": f"Option {it}"} for it in range(4)]},
]  # fmt: skip


def token(tenant):
    return f"sdk_{tenant}_distance"


def people(tenant, first, count):
    """Lines of an import: people with one unanswered session each."""
    own = {"tenant": f"acct_{tenant}"}
    screener, publication = f"scr_{tenant}", f"scpub_{tenant}"
    for number in range(first, first + count):
        of = f"{tenant}_{number:09d}"
        yield {"type": "participant", **own, "id": f"ptp_{of}", "externalUid": f"crm-{of}"}
        yield {"type": "screenerParticipant", **own, "id": f"scpar_{of}",
               "screenerId": screener, "participantId": f"ptp_{of}"}  # fmt: skip
        yield {"type": "screenerSession", **own, "id": f"scses_{of}", "screenerId": screener,
               "screenerParticipantId": f"scpar_{of}", "screenerPublicationId": publication,
               "linkSlug": f"slug-{of}", "status": "ACTIVE", "createdAt": CREATED_AT}  # fmt: skip


def tenant_lines(tenant, sessions):
    """Lines of an import: a tenant with a token, a screener and its people."""
    own = {"tenant": f"acct_{tenant}"}
    screener, publication = f"scr_{tenant}", f"scpub_{tenant}"
    yield {"type": "tenant", "id": f"acct_{tenant}", "name": tenant, "createdAt": CREATED_AT}
    yield {"type": "credential", **own, "id": f"key_{tenant}", "kind": "service",
           "secret": token(tenant), "createdAt": CREATED_AT}  # fmt: skip
    yield {"type": "project", **own, "id": f"proj_{tenant}", "name": tenant, "incentive": 1,
           "organizationId": "org", "teamId": "team"}  # fmt: skip
    yield {"type": "screener", **own, "id": screener, "projectId": f"proj_{tenant}",
           "title": tenant, "status": "OPEN", "activePublicationId": publication}  # fmt: skip
    yield {"type": "publication", **own, "id": publication, "screenerId": screener,
           "pages": [{"id": "scp_1", "questions": QUESTIONS}]}  # fmt: skip
    yield from people(tenant, 0, sessions)


def write_lines(path, lines):
    with path.open("w") as out:
        out.write('{"format": "screenerd-import", "version": 1}\n')
        out.writelines(json.dumps(line) + "\n" for line in lines)
    return path


def select_1_ms(url, raw):
    """The mean time of `SELECT 1` on an open connection."""
    script = raw / "select-1.sql"
    script.write_text("SELECT 1;\n")
    command = ["pgbench", "--no-vacuum", "--protocol=prepared", "--client=1", "--time=2",
               f"--file={script}", f"{url}?sslmode=disable"]  # fmt: skip
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"latency average = ([\d.]+) ms", printed)[1])


class Proxy:
    """A proxy in front of PostgreSQL. Its distance is the added round trip."""

    def __init__(self, program, url, round_trip_ms, raw):
        target = urllib.parse.urlsplit(url)
        command = [program, "--target", f"{target.hostname}:{target.port}"]
        command += ["--round-trip", str(round(round_trip_ms * 1000))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # A network does not wait for a processor.
        with contextlib.suppress(PermissionError):
            priority = os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO))
            os.sched_setscheduler(self.process.pid, os.SCHED_FIFO, priority)
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        self.round_trip_ms = round_trip_ms
        self.measured_ms = select_1_ms(moved(url, self.port), raw)

    def counts(self):
        """The numbers of statements and round trips so far."""
        print(file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


@dataclass
class Arm:
    """A build, and the database of which each of its runs gets a copy."""

    name: str
    program: str
    template: str


@dataclass
class Serving:
    """Servers of a build on a database of their own, and their loads."""

    addresses: list
    database: str
    options: object
    raw: object

    def submitting(self, name, tenants, callers, seconds, rate=None, first=0, count=None):
        """Starts submissions. Returns a function that waits for their end and their output."""
        command = [self.options.submit, "--callers", callers, "--first", first]
        command += ["--count", count or BUSY_SESSIONS]
        for address in self.addresses:
            command += ["--address", address]
        for tenant in tenants:
            command += ["--sessions", f"scr_{tenant}/scses_{tenant}_"]
        if seconds:
            command += ["--seconds", seconds, "--warm-seconds", WARM_SECONDS]
        if rate:
            command += ["--rate", rate]
        return self.start(command, name)

    def calling(self, name, calls, tenant, seconds, warm_seconds=WARM_SECONDS):
        """Starts a second caller, as `submitting`."""
        command = [self.options.neighbour, "--address", self.addresses[0], "--calls", calls]
        command += ["--token", token(tenant), "--screener", f"scr_{tenant}"]
        command += ["--publication", f"scpub_{tenant}"]
        command += ["--seconds", seconds, "--warm-seconds", warm_seconds]
        return self.start(command, name)

    def start(self, command, name):
        process = start_load(command, self.raw, name, core=None)

        def end():
            check(process.wait() == 0, name, "failed; see", self.raw)
            # The first refusals come before it.
            return json.loads((self.raw / f"{name}.txt").read_text().splitlines()[-1])

        return end


class Cluster:
    """PostgreSQL with a proxy for each distance."""

    def __init__(self, options, stack):
        self.options, self.url, self.runs = options, options.url, 0
        self.direct_ms = select_1_ms(self.url, options.raw)
        self.proxies = [
            stack.enter_context(Proxy(options.proxy, self.url, distance, options.raw))
            for distance in options.distances
        ]
        self.others = [f"t{number}" for number in range(options.tenants)]
        self.arms = self.make_templates()
        self.deadlocks = {arm.name: 0 for arm in self.arms}

    def make_base(self):
        """Returns a database imported by the older program, so that both can open a copy of it. An
        existing one is reused."""
        options, program = self.options, self.options.against or self.options.binary
        lines = [*tenant_lines(BUSY, BUSY_SESSIONS), *tenant_lines(QUIET, QUIET_SESSIONS)]
        for tenant in self.others:
            lines += tenant_lines(tenant, OTHER_SESSIONS)
        file = write_lines(options.raw / "import.ndjson", lines)
        digest = hashlib.sha256(program.read_bytes() + file.read_bytes()).hexdigest()[:16]
        kept = options.raw.parent / f"distance-{digest}.dump"
        query(self.url, "CREATE DATABASE base")
        base = moved(self.url, database="base")
        if kept.exists():
            subprocess.run(["pg_restore", f"--dbname={base}", kept], check=True)
        else:
            command = [program, "import", "--database", base, "--trust-links", file]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            unfinished = options.raw / "unfinished.dump"
            command = ["pg_dump", "--format=custom", f"--file={unfinished}", base]
            subprocess.run(command, check=True)
            unfinished.rename(kept)
        file.unlink()
        query(base, "VACUUM ANALYZE")

    def make_templates(self):
        """The database of each build of which its runs get copies."""
        options = self.options
        programs = {"now": options.binary}
        if options.against:
            programs["other"] = options.against
        self.make_base()
        arms = []
        for name, program in programs.items():
            (options.raw / name).mkdir()
            arms.append(Arm(name, program, f"template_{name}"))
            query(self.url, f"CREATE DATABASE template_{name} TEMPLATE base")
            # Opening a database migrates it. Not every release has the flag in this place.
            database = moved(self.url, database=f"template_{name}")
            environment = os.environ | {"SCREENERD_DATABASE": database}
            with open(options.raw / name / "migration.log", "w") as log:
                command = [program, "tenants", "list"]
                subprocess.run(command, check=True, stdout=log, stderr=log, env=environment)
        return arms

    @contextlib.contextmanager
    def serving(self, arm, proxy, servers=1, settings=()):
        """Starts servers of a build, at a distance, on a new copy of its data."""
        self.runs += 1
        name, raw = f"run_{self.runs}", self.options.raw / arm.name
        query(self.url, f"CREATE DATABASE {name} TEMPLATE {arm.template}")
        for setting in settings:
            query(self.url, f"ALTER DATABASE {name} SET {setting}")
        database = moved(self.url, proxy.port, name)
        serve = [arm.program, "serve", "--listen", "127.0.0.1:0", "--database", database]
        with contextlib.ExitStack() as stack:
            running = [
                stack.enter_context(Server(serve, raw / f"{name}-server-{it}.log", core=None))
                for it in range(servers)
            ]
            addresses = [it.addresses[0] for it in running]
            yield Serving(addresses, database, self.options, raw)
        counted = f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'"
        self.deadlocks[arm.name] += int(query(self.url, counted)[0])
        query(self.url, f"DROP DATABASE {name} WITH (FORCE)")
