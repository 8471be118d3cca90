"""A server is killed repeatedly with writes in flight (S22)."""

import json
import random
import threading
from collections import Counter

import fixture
from fixture import QUESTION, TENANT, Stage, link_of, rpc, told
from lib import http1
from lib.server import wait_until
from postgres import miscounted, query

ROUNDS, EXTENDED_ROUNDS = 5, 100
CALLERS = 6
# The acknowledged writes of a round before the kill, and those of each caller of the surviving
# server after it.
BEFORE_MIN, BEFORE_MAX, BEHIND = 20, 150, 3
# The turns between writes that must be refused, and between batches.
REFUSED_TURNS, BATCH_TURNS, BATCH = 4, 5, 3
SECONDS_MAX = 60
CLOSED = "closed"
SESSION_SERVICE = "ScreenerSessionService"


class Unsent(Exception):
    """The server accepted no connection, so it received nothing."""


class InDoubt(Exception):
    """The connection was lost before a response."""


class Person:
    """A person who gets a session and answers it twice: acknowledged steps, and one in doubt."""

    STEPS = ("create", "answer", "complete")

    def __init__(self, uid, is_refused=False):
        self.uid, self.is_refused = uid, is_refused
        self.session, self.done, self.doubt = None, 0, False

    def text(self, step):
        return f"{self.uid}-{self.STEPS[step]}"

    def may_have(self, count):
        """Whether this many steps may be stored."""
        return self.done <= count <= self.done + self.doubt


class Round:
    """The outcomes of all callers between a start and a kill."""

    def __init__(self, number):
        self.number, self.screener = number, f"r{number}"
        self.people, self.batches, self.faults = [], [], []
        self.seen, self.of_callers, self.changed = Counter(), Counter(), threading.Condition()
        self.is_over, self.killed = False, None

    def count(self, what, caller):
        with self.changed:
            self.seen[what] += 1
            self.of_callers[caller] += what == "acknowledged"
            self.changed.notify_all()

    def wait(self, is_reached):
        """Waits for the callers to meet a condition. Fails after a timeout."""
        with self.changed:
            if not self.changed.wait_for(is_reached, SECONDS_MAX):
                self.faults.append(f"round {self.number}: callers wait for something")


class Caller:
    """Writes to one server until that is killed or the round is over."""

    def __init__(self, number, server, at):
        self.number, self.server, self.round, self.turn = number, server, at, 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.round.is_over:
                self.turn += 1
                uid = f"k{self.round.number}-{self.number}-{self.turn}"
                if self.turn % REFUSED_TURNS == 0:
                    self.refused(f"{uid}-refused")
                elif self.turn % BATCH_TURNS == 0:
                    self.batch([Person(f"{uid}-{place}") for place in range(BATCH)])
                else:
                    self.person(Person(uid))
        except (Unsent, InDoubt) as error:
            self.round.count("unsent" if isinstance(error, Unsent) else "in doubt", self.number)
            if self.round.killed is not self.server:
                self.round.faults.append(f"{type(error).__name__} by a server that lives")

    def call(self, method, message, holder=None):
        """Makes one call like `fixture.rpc`, and distinguishes unsent from lost ones."""
        credential = holder or f"Bearer {fixture.token(TENANT)}"
        body = json.dumps(message).encode()
        head = http1.head("POST", f"/screener.v1.{method}", [
            ("Content-Type", "application/json"), ("Authorization", credential)], len(body))
        try:
            connection = self.server.connect(seconds=fixture.CALL_SECONDS_MAX)
        except OSError:
            raise Unsent from None
        with connection:
            try:
                connection.sendall(head + body)
                answer = http1.read(connection)
            except (OSError, http1.Broken):
                raise InDoubt from None
        what = ("acknowledged" if answer.status == 200
                else "refused" if answer.status < 500 else "unavailable")
        self.round.count(what, self.number)
        return answer

    def must(self, is_good, answer, method):
        if not is_good:
            self.round.faults.append(f"{method}: {told(answer)}")

    def write(self, people, method, message, holder=None):
        """Makes a write of one or more people that must be acknowledged."""
        for it in people:
            it.doubt = True
        try:
            answer = self.call(method, message, holder)
        except Unsent:
            for it in people:
                it.doubt = False
            raise
        for it in people:
            it.doubt = False
            it.done += answer.status == 200
        self.must(answer.status == 200, answer, method)
        return answer

    def person(self, person):
        """Creates a session, answers it, and replaces the answer with a final one."""
        self.round.people.append(person)
        answer = self.write([person], f"{SESSION_SERVICE}/CreateScreenerSession",
                            {"screenerId": f"scr_{self.round.screener}", "externalUid": person.uid})
        if answer.status != 200:
            return
        person.session = answer.json()["screenerSession"]["id"]
        for step in (1, 2):
            self.write([person], "PanelistSessionService/SubmitAnswers",
                       submission(person, step), link_of(self.round.screener, person.session))

    def batch(self, people):
        """Creates sessions, all or none."""
        self.round.people += people
        self.round.batches.append(people)
        requests = [{"screenerId": f"scr_{self.round.screener}", "externalUid": it.uid}
                    for it in people]
        answer = self.write(people, f"{SESSION_SERVICE}/BatchCreateScreenerSessions",
                            {"requests": requests})
        if answer.status == 200:
            for person, session in zip(people, answer.json()["screenerSessions"], strict=True):
                person.session = session["id"]

    def refused(self, uid):
        """Makes writes that are refused late: at a batch's last session, at a later answer."""
        self.round.people.append(Person(uid, True))
        requests = [{"screenerId": f"scr_{it}", "externalUid": uid}
                    for it in (self.round.screener, CLOSED)]
        method = f"{SESSION_SERVICE}/BatchCreateScreenerSessions"
        answer = self.call(method, {"requests": requests})
        self.must(400 <= answer.status < 500, answer, method)
        done = next((it for it in self.round.people if it.done == 1 and it.session), None)
        if done:
            method = "PanelistSessionService/SubmitAnswers"
            answers = {QUESTION: {"text": "refused"}, "scq_nothing": {"text": "refused"}}
            answer = self.call(method, {"answers": answers},
                               link_of(self.round.screener, done.session))
            self.must(400 <= answer.status < 500, answer, method)


def submission(person, step):
    """Returns an answer of a person, with a request id of its own."""
    return {"answers": {QUESTION: {"text": person.text(step)}}, "isFinal": step == 2,
            "requestId": person.text(step)}


def stored(stage, at):
    """Returns the stored rows of each person of a round: session, answer, and audit entries."""
    entered = ("(SELECT COUNT(*) FROM changes c WHERE c.tenant_id = s.tenant_id AND c.subject_id = s.id"
               " AND c.subject = 'SESSION' AND c.action {})").format
    lines = query(stage.database.url, f"""
        SELECT json_build_object('uid', p.external_uid, 'session', s.id, 'text', r.text,
            'is_completed', s.completed_at IS NOT NULL,
            'created', {entered("= 'CREATE'")}, 'submitted', {entered("IN ('ANSWER', 'COMPLETE')")},
            'earlier', (SELECT COUNT(*) FROM earlier_responses e
                        WHERE e.tenant_id = s.tenant_id AND e.session_id = s.id))
        FROM participants p
        LEFT JOIN assignments a ON a.tenant_id = p.tenant_id AND a.participant_id = p.id
        LEFT JOIN sessions s ON s.tenant_id = p.tenant_id AND s.assignment_id = a.id
        LEFT JOIN responses r ON r.tenant_id = s.tenant_id AND r.session_id = s.id
        WHERE p.external_uid LIKE 'k{at.number}-%'""")
    found = {}
    for line in map(json.loads, lines):
        found.setdefault(line["uid"], []).append(line)
    return found


def steps_of(person, lines):
    """Returns the number of steps that result in these rows, or None if there is none."""
    if not lines:
        return 0
    row = lines[0]
    if len(lines) > 1 or row["session"] is None or person.session not in (None, row["session"]):
        return None
    for count, (text, is_completed, submitted, earlier) in enumerate((
            (None, False, 0, 0), (person.text(1), False, 1, 0), (person.text(2), True, 2, 1)), 1):
        if (row["text"], row["is_completed"], row["submitted"], row["earlier"], row["created"]) == (
                text, is_completed, submitted, earlier, 1):
            return count
    return None


def judge(stage, at):
    """Judges a round. Returns the faults, the number of steps in doubt that were stored, and the
    people whose submission is in doubt."""
    found, wrong, made, doubtful = stored(stage, at), [], 0, []
    for person in at.people:
        count = steps_of(person, found.pop(person.uid, []))
        if count is None or not person.may_have(count) or person.is_refused and count:
            wrong.append(f"{person.uid}: {count} steps are stored, {person.done} acknowledged")
        elif person.doubt and person.done:
            made += count - person.done
            doubtful.append(person)
        else:
            made += count - person.done
            person.done, person.doubt = count, False
    wrong += [f"{uid} is stored and nobody's" for uid in found]
    wrong += [f"a batch in part: {batch[0].uid}" for batch in at.batches
              if len({it.done > 0 for it in batch}) > 1]
    return wrong, made, doubtful


def repeat(person, server, at):
    """Retries a submission in doubt under its request id. Afterwards it is stored once."""
    answer = rpc(server, "PanelistSessionService/SubmitAnswers", submission(person, person.done),
                 holder=link_of(at.screener, person.session))
    if answer.status != 200:
        at.faults.append(f"a repeat: {told(answer)}")
    person.done, person.doubt = person.done + 1, False


def listed(at, server):
    """Yields the differences of a round's lists and funnel from the callers' records."""
    screener = {"screenerId": {"eq": f"scr_{at.screener}"}}
    done = [it.done for it in at.people]
    known = {
        f"{SESSION_SERVICE}/ListScreenerSessions": sum(it > 0 for it in done),
        "ScreenerResponseService/ListScreenerResponses": sum(it > 1 for it in done),
        "SubmissionService/ListSubmissions": sum(it > 1 for it in done),
    }
    for method, count in known.items():
        message = {"filter": screener, "pagination": {"limit": 500}}
        page = rpc(server, method, message).json()
        total, items = page.get("total"), len(page.get("items", ()))
        if (total, items) != (count, min(count, 500)):
            yield f"{method}: {total} in all, {items} on a page, not {count}"
    answer = rpc(server, "FunnelService/GetFunnel", {"screenerId": f"scr_{at.screener}"}).json()
    cells = {name: int(answer["funnel"].get(name, 0))
             for name in ("created", "notStarted", "started", "inProgress", "completed")}
    counts = Counter(done)
    known = {"created": sum(it > 0 for it in done), "notStarted": counts[1],
             "started": counts[2] + counts[3], "inProgress": counts[2], "completed": counts[3]}
    if cells != known:
        yield f"the funnel: {cells}, not {known}"


def one_round(row, stage, servers, number):
    """Runs a round: callers write to two servers, one is killed, and then both are checked."""
    at, victim = Round(number), number % 2
    callers = [Caller(it, servers[it % 2], at) for it in range(2 * CALLERS)]
    before = random.randint(BEFORE_MIN, BEFORE_MAX)
    at.wait(lambda: at.seen["acknowledged"] >= before)
    at.killed = servers[victim]
    stage.servers.remove(at.killed)
    at.killed.kill()
    reached = at.of_callers.copy()
    at.wait(lambda: all(at.of_callers[it] - reached[it] >= BEHIND
                        for it in range(2 * CALLERS) if it % 2 != victim))
    at.is_over = True
    for it in callers:
        it.thread.join()
    # A statement that has arrived runs to its end, even without a client.
    if wait_until(lambda: stage.database.busy() == 0, SECONDS_MAX, 0.01) is None:
        at.faults.append("a backend of the server that was killed is still at work")
    wrong, made, doubtful = judge(stage, at)
    servers[victim] = stage.serve()
    for it in doubtful:
        repeat(it, random.choice(servers), at)
    wrong += judge(stage, at)[0] if doubtful else []
    for server in servers:
        wrong += listed(at, server)
    wrong += [f"count: {it}" for it in miscounted(stage.database.url)]
    return at.seen + Counter({"made": made, "repeated": len(doubtful)}), at.faults + wrong


def s22(row):
    """Runs some rounds, or many."""
    rounds = EXTENDED_ROUNDS if row.suite.is_extended else ROUNDS
    lines = [*fixture.tenant_lines(TENANT, [CLOSED, *(f"r{it}" for it in range(rounds))])]
    for line in lines:
        if line.get("id") == f"scr_{CLOSED}":
            line["status"] = "CLOSED"
    stage = Stage(row, lines)
    servers = [stage.serve(), stage.serve()]
    seen, wrong = Counter(), []
    for number in range(rounds):
        of_round, of_wrong = one_round(row, stage, servers, number)
        seen += of_round
        wrong += [f"round {number}: {it}" for it in of_wrong]
    row.note(f"{rounds} kills: {seen['acknowledged']} acknowledged, {seen['refused']} refused, "
             f"{seen['unsent']} not sent, {seen['in doubt']} in doubt, of which {seen['made']} were "
             f"made and {seen['repeated']} repeated under their request ids")
    row.check(seen["in doubt"] > 0, "writes were in flight", True)
    row.check(not seen["unavailable"], f"{seen['unavailable']} other errors")
    row.check(not wrong, f"{len(wrong)} lost, doubled or miscounted"
              + "".join(f"; {it}" for it in wrong[:5]))
    row.check(stage.end() == 0, "no deadlock", True)
