"""Pairs of all write use cases have the result of one of their orders (S23).

Each pair runs in three equal tenants: concurrently on two servers, and one after the other in both
orders. The responses and all rows of the first tenant must equal those of one of the other two,
except for random values and times.
"""

import difflib
import itertools
import queue
import random
import re
import threading
import time
from collections import Counter, defaultdict

import fixture
from fixture import Stage, told
from pairs import EXPORT, FAULTS, PERSONS, SCREENERS, World, use_cases
from postgres import miscounted, query
from proxy import Apart

PERSON, OTHER_PERSON, SCREENER = "ann", "ben", "one"
# The delay of each direction to the database, so that the writes of a pair meet.
NEAR_SECONDS = 0.001
WORKERS = 6
# Use cases about several people or screeners.
LARGE = ("Batch", "import")
# The random partners of each use case. With --extended, each has all, in both roles.
PARTNERS = 6
# Tenants that one statement copies.
COPIED = 500
# Servers cache a credential for half a second.
FORGOTTEN_SECONDS_MAX = 10
# Tables of list rows. Their order determines the names of random values.
PLACED = ("participants", "projects", "screeners", "publications", "sessions", "submissions",
          "responses", "earlier_responses", "changes")
# A generated id, as `mint` in src/domain/id.rs creates it.
MADE = re.compile(r"[a-z]+_[0-9a-hjkmnp-tv-z]{26}(?![0-9a-z])")
# Values that always differ: digests, secrets and slugs; instants; a caller's duration.
MASKS = [
    (re.compile(r'("(?:survey_ref|secret_hash)":)"[^"]*"'), r'\1"*"'),
    (re.compile(r'("(?:link_slug|linkSlug)":)"(?!slug-)[^"]*"'), r'\1"*"'),
    (re.compile(r"[0-9a-f]{64}"), "*"),
    (re.compile(r'("(?:at|\w+_at)":)\d+'), r'\1"at"'),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)"), "at"),
    (re.compile(r'("totalTime":)\d+'), r'\1"*"'),
    # An instant that is not later than the one before is not a change.
    (re.compile(r'\{\\"name\\":\\"\w+_at\\"[^}]*\},?'), ""),
    # A submission shows the current state of its project (docs/semantics.md).
    (re.compile(r'("project":\{"name":)"[^"]*"'), r'\1"*"'),
]
SEQ = re.compile(r'"seq":(-?\d+)')
# The sessions of a batch, and the parts of its response.
SESSIONS = [f"scses_{kind}_TENANT" for kind in ("answered", "others")]
RESULT = re.compile(r'(?=\{"id":"scses_\w+","(?:submission|error)")')


def masked(text, tenant):
    """Returns a text without the differences between equal tenants, except for generated ids."""
    text = text.replace(tenant, "TENANT")
    for pattern, by in MASKS:
        text = pattern.sub(by, text)
    return text


class Twin(World):
    """One side of a pair in one of the equal tenants. It always makes the same choices."""

    visibility = "VISIBILITY_ONHOLD"

    def __init__(self, stage, tenant, side, has_answers, keys):
        super().__init__(stage)
        self.tenant = self.switched = tenant
        self.side, self.has_answers, self.keys = side, has_answers, keys
        self.random = random.Random(side)

    def person(self):
        return f"ptp_{PERSON}"

    def uid(self):
        return f"uid-{PERSON}"

    def screener(self):
        return f"scr_{SCREENER}"

    def session(self):
        kind = "answered" if self.has_answers else "empty"
        return f"scses_{kind}_{self.tenant}", f"scr_{SCREENER}"

    def session_ids(self):
        ids = [f"scses_{kind}_{self.tenant}" for kind in ("answered", "others")]
        return self.random.sample(ids, len(ids))

    def number(self):
        return self.side

    def key_of(self, server, uid):
        """Returns a key, which was issued before the measurement."""
        if uid not in self.keys:
            self.keys[uid] = fixture.key_of(server, SCREENER, uid, self.tenant)
        return self.keys[uid]


def model_lines(tenant, is_large, has_answers):
    """Yields the initial rows of a tenant: more if a use case is about more than one person."""
    yield from fixture.tenant_lines(tenant, SCREENERS if is_large else [SCREENER])
    yield {"type": "credential", "tenant": f"acct_{tenant}", "id": f"key_spare_{tenant}",
           "kind": "panel", "secret": fixture.token(f"spare_{tenant}"),
           "createdAt": fixture.CREATED_AT}
    for person in PERSONS if is_large else [PERSON]:
        yield from fixture.person_lines(tenant, person)
    kind = "answered" if has_answers else "empty"
    yield from fixture.session_lines(tenant, SCREENER, PERSON, [f"{kind}_{tenant}"], has_answers)
    if is_large:
        yield from fixture.session_lines(tenant, SCREENER, OTHER_PERSON, [f"others_{tenant}"], True)


# Columns with digests of a tenant's name: secrets, and references of surveys.
DIGESTS = {
    "credentials": ("secret_hash", "sha256(convert_to('sdk_' || REPLACE(SUBSTR(m.id, 5), m.name, n.name)"
                    " || '_neighbours', 'UTF8'))"),
    "screeners": ("survey_ref", "SUBSTR(sha256(convert_to('acct_' || n.name, 'UTF8') || '\\x00'::bytea"
                  " || convert_to(m.id, 'UTF8')), 1, 16)"),
}


def copy_tenants(url, model, tenants):
    """Copies a tenant under other names, in seconds instead of the minutes of an import."""
    names = ", ".join(f"('{it}')" for it in tenants)
    copies = ["SET session_replication_role = replica",
              f"CREATE TEMP TABLE copied AS SELECT * FROM (VALUES {names}) AS n (name)"]
    for table in ["tenants", *tables_of_tenants(url)]:
        member, digest = DIGESTS.get(table, ("", "NULL::bytea"))
        key = "id" if table == "tenants" else "tenant_id"
        copies.append(f"""
            INSERT INTO {table}
            SELECT (json_populate_record(NULL::{table}, (REPLACE(m.row, '{model}', n.name)::jsonb
                || CASE WHEN '{member}' = '' THEN '{{}}'::jsonb
                   ELSE jsonb_build_object('{member}', {digest}) END)::json)).*
            FROM (SELECT row_to_json(t)::text AS row, t.{'id' if member else key} AS id,
                      '{model}' AS name
                  FROM {table} t WHERE t.{key} = 'acct_{model}') AS m
            CROSS JOIN copied n""")
    query(url, "; ".join(copies))


class Trial:
    """A pair: two use cases by name, their three tenants, and the outcome."""

    def __init__(self, number, names, cases):
        self.names, self.cases = names, [cases[it] for it in names]
        self.tenants = [f"t{number:05}{which}" for which in "abc"]
        # The first use case with a requirement on the session decides.
        wants = [it.needs_answers for it in self.cases if it.needs_answers is not None]
        self.has_answers = wants[0] if wants else True
        self.before = self.cases[0].before or self.cases[1].before
        self.answers, self.overlap = {}, False

    def __str__(self):
        return " with ".join(self.names)

    def kind(self):
        """Returns whether its tenants begin large, and whether the session has answers."""
        return any(name.startswith(LARGE) for name in self.names), self.has_answers

    def is_whole(self):
        """Whether each writes all that it reads in one transaction."""
        return EXPORT not in self.names and not any(it.is_piecewise for it in self.cases)

    def takes_a_credential(self):
        """Whether a call of the other side may be let in before, and write after (operations.md)."""
        return "tenants disable" in self.names

    def sides(self, stage, tenant, servers):
        """Returns the two calls in one tenant, each ready to run."""
        keys = {}
        twins = [Twin(stage, tenant, side, self.has_answers, keys) for side in range(2)]
        for call in self.before:
            call(twins[0], servers[0])
        for case, twin in zip(self.cases, twins, strict=True):
            if case.uid_of:
                twin.key_of(servers[0], case.uid_of(twin))
        return [lambda it=it: it[0].run(it[1], it[2])
                for it in zip(self.cases, twins, servers, strict=True)]

    def run(self, stage, servers):
        """Makes the calls in all three tenants."""
        together, forward, backward = self.tenants
        sides, start, spans = self.sides(stage, together, servers), threading.Barrier(2), [None] * 2
        answers = [None] * 2

        def make(side):
            start.wait()
            began = time.monotonic()
            answers[side] = sides[side]()
            spans[side] = began, time.monotonic()

        other = threading.Thread(target=make, args=(1,), daemon=True)
        other.start()
        make(0)
        other.join()
        self.answers[together] = answers
        self.overlap = max(it[0] for it in spans) < min(it[1] for it in spans)
        for tenant, order in ((forward, (0, 1)), (backward, (1, 0))):
            sides, answers = self.sides(stage, tenant, servers), [None] * 2
            for side in order:
                answers[side] = sides[side]()
                if self.names[side] == "tenants disable":
                    wait_forgotten(tenant, servers)
            self.answers[tenant] = answers


def wait_forgotten(tenant, servers):
    """Waits until no server has cached the credential of a disabled tenant."""
    end = time.monotonic() + FORGOTTEN_SECONDS_MAX
    while any(fixture.rpc(it, "ProjectService/ListProjects", {}, tenant).status == 200
              for it in servers):
        if time.monotonic() > end:
            raise RuntimeError(f"{tenant} is disabled and is still let in")


def tables_of_tenants(url):
    """Returns the tables with rows of tenants."""
    return query(url, "SELECT table_name FROM information_schema.columns WHERE table_schema = "
                 "'public' AND column_name = 'tenant_id' ORDER BY 1")


def read_states(url):
    """Returns every row of every tenant, in a form in which equal tenants are equal."""
    rows, tables = defaultdict(list), tables_of_tenants(url)
    # Drafts have no place of their own, so their screeners name them first.
    for place, table in enumerate(sorted(tables, key=lambda it: (it not in PLACED,
                                                                 it != "screeners", it))):
        for line in query(url, f"SELECT tenant_id || ' ' || row_to_json(t)::text FROM {table} t"):
            tenant, _, text = line.partition(" ")
            tenant = tenant.removeprefix("acct_")
            text = masked(text, tenant)
            seq = int(SEQ.search(text)[1]) if table in PLACED else 0
            rows[tenant].append((place, seq, MADE.sub("?", text), table, text))
    for line in query(url, "SELECT row_to_json(t)::text FROM tenants t"):
        tenant = re.search(r'"id":"acct_(\w+)"', line)[1]
        rows[tenant].append((-1, 0, "", "tenants", masked(line, tenant)))
    return {tenant: State(of) for tenant, of in rows.items()}


class State:
    """The rows of a tenant, each with its table. Generated ids are named in their order."""

    def __init__(self, rows):
        self.names = {}
        ordered = []
        for _, _, _, table, text in sorted(rows):
            ordered.append((table, self.named(text)))
        placed = [it for it in ordered if it[0] in PLACED]
        self.lines = placed + sorted(it for it in ordered if it[0] not in PLACED)

    def named(self, text):
        """Returns a text with names in place of ids."""
        return MADE.sub(lambda found: self.names.setdefault(
            found[0], f"{found[0].partition('_')[0]}#{len(self.names)}"), text)


def answer_of(state, tenant, answer):
    """Returns a response in that form. A refusal has no details."""
    body = answer.body.decode(errors="replace").partition(',"details"')[0]
    if '"secret"' in body:
        body = ""
    return f"{answer.status} {state.named(masked(body, tenant))}"


def parts_of(trial, state, tenant):
    """Returns the parts that must be equal: everything as one, or each part on its own."""
    answers = [answer_of(state, tenant, it) for it in trial.answers[tenant]]
    if trial.is_whole():
        lines = [" ".join(it) for it in state.lines]
        if trial.takes_a_credential():
            lines = sorted(SEQ.sub("", it) if it.startswith("changes ") else it for it in lines)
        return {"all": [*lines, *answers]}
    parts = defaultdict(list)
    for table, text in state.lines:
        # An export counts the rows that it sends, and is recorded in the audit log later.
        if '"action":"EXPORT"' in text:
            name = "exports"
        else:
            name = f"rows of {next((it for it in SESSIONS if it in text), 'all else')}"
        parts[name].append(f"{table} {SEQ.sub('', text) if table == 'changes' else text}")
    parts["rows of all else"].sort()
    for name, case, answer in zip(trial.names, trial.cases, answers, strict=True):
        if name == EXPORT:
            parts["exports"].append(answer)
            continue
        # A batch writes each submission separately.
        pieces = RESULT.split(answer) if case.is_piecewise else [answer]
        for place, piece in enumerate(pieces):
            parts[f"answer to {name}, {place}"].append(piece)
    return parts


def differences(trial, states):
    """Returns the differences of a pair from both orders, as lines. None if one order matches."""
    found, *orders = (parts_of(trial, states[it], it) for it in trial.tenants)
    lines = []
    for name, part in found.items():
        if any(order.get(name) == part for order in orders):
            continue
        for order, which in zip(orders, ("one after the other", "the other way round"), strict=True):
            lines.append(f"{trial}: {name}, against {which}")
            lines += difflib.unified_diff(order.get(name, []), part, n=0, lineterm="")
    return lines


def run_pairs(row, pairs, cases):
    """Runs pairs, several at a time, and judges their results."""
    trials = [Trial(place, names, cases) for place, names in enumerate(pairs)]
    random.shuffle(trials)
    models = {f"model_{letter}": kind for letter, kind
              in zip("wxyz", itertools.product((False, True), repeat=2), strict=True)}
    lines = (line for model, kind in models.items() for line in model_lines(model, *kind))
    stage = Stage(row, lines)
    for model, kind in models.items():
        of = [tenant for it in trials if it.kind() == kind for tenant in it.tenants]
        for place in range(0, len(of), COPIED):
            copy_tenants(stage.database.url, model, of[place:place + COPIED])
    query(stage.database.url, "ANALYZE")
    proxies = [Apart(stage.database.port, NEAR_SECONDS) for _ in range(2)]
    servers = [stage.serve(stage.database.through(it.port)) for it in proxies]
    waiting, failed = queue.SimpleQueue(), []
    for it in trials:
        waiting.put(it)

    def work():
        while True:
            try:
                trial = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                trial.run(stage, servers)
            except Exception as error:
                failed.append(f"{trial}: {type(error).__name__}: {error}")

    workers = [threading.Thread(target=work, daemon=True) for _ in range(WORKERS)]
    for it in workers:
        it.start()
    for it in workers:
        it.join()
    if failed:
        raise RuntimeError("; ".join(failed[:3]))
    states = read_states(stage.database.url)
    judge(row, trials, states)
    wrong = miscounted(stage.database.url)
    row.check(not wrong, f"{len(wrong)} counts differ from their rows"
              + "".join(f"; {it}" for it in wrong[:3]))
    counted = stage.end()
    row.check(counted == 0, f"pg_stat_database.deadlocks = {counted}")
    for it in proxies:
        it.close()


def judge(row, trials, states):
    """Compares the results of all pairs with those of their orders."""
    faults = [f"{trial}: {told(answer)}" for trial in trials for of in trial.answers.values()
              for answer in of if answer.status in FAULTS]
    row.check(not faults, f"{len(trials)} pairs, {sum(it.overlap for it in trials)} of them overlap: "
              f"{len(faults)} faults" + "".join(f"; {it}" for it in faults[:3]))
    bad = {str(it): lines for it in trials if (lines := differences(it, states))}
    row.check(not bad, f"{len(bad)} left what neither order leaves"
              + "".join(f"; {it}" for it in list(bad)[:5]))
    for lines in list(bad.values())[:10]:
        print("\n".join(lines))
    # A pair whose orders have the same result proves nothing.
    distinct = sum(parts_of(it, states[it.tenants[1]], it.tenants[1])
                   != parts_of(it, states[it.tenants[2]], it.tenants[2]) for it in trials)
    done = Counter(name for it in trials for answers in it.answers.values()
                   for name, answer in zip(it.names, answers, strict=True) if answer.status == 200)
    never = {name for it in trials for name in it.names} - set(done)
    row.check(not never, f"each use case succeeded, {', '.join(never) or 'none'} excepted", True)
    row.note(f"{distinct} pairs leave something else in the other order")


def s23(row):
    """Runs some of all pairs, or each of them in both roles."""
    cases = use_cases()
    if row.suite.is_extended:
        pairs = list(itertools.product(cases, repeat=2))
    else:
        # Each use case is as often the first as the second.
        pairs = [it for _ in range(PARTNERS)
                 for it in zip(cases, random.sample(list(cases), len(cases)), strict=True)]
    run_pairs(row, pairs, cases)
