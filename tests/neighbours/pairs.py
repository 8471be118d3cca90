"""Pairs of all write use cases, concurrently on two servers (S19)."""

import datetime
import itertools
import random
import threading
import time
from collections import Counter, deque

import fixture
from fixture import OTHER, QUESTION, TENANT, Stage, key_of, link_of, rpc, told
from lib import data, http1

PERSONS, SCREENERS = ("ann", "ben", "cat"), ("one", "two")
# The sessions that calls choose from: few, so that calls meet.
SESSIONS_KEPT = 8
# The number of calls about the same new person.
CALLS_OF_A_NEW = 4
CALLERS_OF_A_SIDE = 2
CALLS = 3
MIXED_SECONDS = 8
EXTENDED_CALLS, EXTENDED_MIXED_SECONDS = 8, 120
# HTTP statuses that no pair of writes may cause.
FAULTS = (0, 500, 503, 504)
# It has few slots, so that some of many concurrent calls are rightly refused.
EXPORT = "export"
BATCH, BATCH_ROUNDS, BATCH_CALLERS = 200, 5, 8


class World:
    """The subjects of calls: a few persons, screeners and sessions, the same for all calls."""

    tenant = TENANT
    # The tenant to disable and enable. The other one is busy with all other calls.
    switched = OTHER
    visibility = "VISIBILITY_VISIBLE"

    def __init__(self, stage):
        self.stage, self.numbers, self.random = stage, itertools.count(), random
        self.sessions = deque(maxlen=SESSIONS_KEPT)

    def rpc(self, server, method, message, holder=None):
        """Makes one call, like `fixture.rpc`."""
        return rpc(server, method, message, self.tenant, holder)

    def get(self, server, path, form):
        """Gets a path in a format."""
        headers = [("Authorization", f"Bearer {fixture.token(self.tenant)}"), ("Accept", form)]
        return http1.call(server.address, "GET", path, headers, seconds=fixture.CALL_SECONDS_MAX)

    def run(self, *arguments):
        """Runs a command of the binary on the database."""
        return self.stage.run(*arguments, "--database", self.stage.database.url)

    def write_file(self, lines):
        """Writes an import file."""
        name = f"pairs-{self.tenant}-{self.number()}.ndjson"
        return data.write(self.stage.folder / name, lines)

    def person(self):
        return f"ptp_{self.random.choice(PERSONS)}"

    def uid(self):
        return f"uid-{self.random.choice(PERSONS)}"

    def new_uid(self):
        """Returns the uid of a new person, the same one for some calls."""
        return f"uid-new-{self.number() // CALLS_OF_A_NEW}"

    def screener(self):
        return f"scr_{self.random.choice(SCREENERS)}"

    def session(self):
        """Returns a session and its screener."""
        return self.random.choice(list(self.sessions))

    def session_ids(self):
        """Returns several sessions in any order."""
        ids = sorted({session for session, _ in self.sessions})
        return self.random.sample(ids, len(ids))

    def key_of(self, server, uid):
        """Returns the key of a panelist for a screener."""
        return key_of(server, self.screener().removeprefix("scr_"), uid, self.tenant)

    def number(self):
        return next(self.numbers)

    def remember(self, sessions):
        """Stores created sessions."""
        for it in sessions:
            self.sessions.append((it["id"], it["screenerId"]))


class Case:
    """A write use case: one call of a world to a server, and the calls that lead to it. It may need
    a session with answers or without, or a panelist's key, and need not be atomic."""

    def __init__(self, call, before=(), needs_answers=None, uid_of=None, is_piecewise=False,
                 is_command=False):
        self.run, self.before = call, before
        self.needs_answers, self.uid_of, self.is_piecewise = needs_answers, uid_of, is_piecewise
        # Starts a process, which takes as long as several calls.
        self.is_command = is_command

    def __call__(self, world, server):
        for call in self.before:
            call(world, server)
        return self.run(world, server)


def draft(world):
    """Returns a questionnaire, a new one each time."""
    question = {"id": QUESTION, "prompt": f"Why {world.number()}?", "text": {}}
    return {"pages": [{"id": "p", "questions": [question]}]}


def creation(screener, uid):
    """Returns the message that creates a session of a person with a screener."""
    return {"screenerId": screener, "externalUid": uid}


def batch(world):
    """Returns sessions of all persons with every screener, and of new ones, in any order."""
    pairs = [creation(f"scr_{screener}", f"uid-{person}")
             for screener in SCREENERS for person in PERSONS]
    pairs += [creation(world.screener(), world.new_uid()) for _ in SCREENERS]
    return {"requests": world.random.sample(pairs, len(pairs))}


def review(verb, **more):
    """Returns a verb of the review of one submission."""
    return service(f"SubmissionService/{verb}", lambda world: {
        "projectId": f"proj_{world.tenant}", "id": world.session()[0], **more})


def set_visibility(world, server):
    """Sets a visibility, like `review`."""
    return review("SetSubmissionVisibility", visibility=world.visibility)(world, server)


def review_batch(verb):
    """Returns a verb of the review of several submissions, in any order."""
    return Case(service(f"SubmissionService/{verb}", lambda world: {
        "projectId": f"proj_{world.tenant}", "ids": world.session_ids()}),
        needs_answers=True, is_piecewise=True)


def service(method, message_of):
    """Returns a call with a new message each time."""
    return lambda world, server: world.rpc(server, method, message_of(world))


def create_session(uid_of):
    """Returns a call that creates a session of a person."""
    def call(world, server):
        answer = world.rpc(server, "ScreenerSessionService/CreateScreenerSession",
                           creation(world.screener(), uid_of(world)))
        if answer.status == 200:
            world.remember([answer.json()["screenerSession"]])
        return answer
    return call


def batch_create_sessions(world, server):
    answer = world.rpc(server, "ScreenerSessionService/BatchCreateScreenerSessions", batch(world))
    if answer.status == 200:
        world.remember(answer.json()["screenerSessions"])
    return answer


def of_session(method):
    """Returns a call about a session by its id."""
    return service(f"ScreenerSessionService/{method}", lambda world: {"id": world.session()[0]})


def by_link(method, message_of):
    """Returns a call with a session's link."""
    def call(world, server):
        session, screener = world.session()
        return world.rpc(server, f"PanelistSessionService/{method}", message_of(world),
                         link_of(screener.removeprefix("scr_"), session))
    return call


def by_key(method, message_of, uid_of):
    """Returns a call with a panelist's key."""
    def call(world, server):
        return world.rpc(server, f"PanelistSessionService/{method}", message_of(world),
                         world.key_of(server, uid_of(world)))
    return Case(call, uid_of=uid_of)


def answers(is_final):
    """Returns a function that makes messages of a submission."""
    return lambda world: {"answers": {QUESTION: {"text": f"Because {world.number()}."}},
                          "isFinal": is_final}


class Done:
    """The outcome of a command, in the form of a response."""

    def __init__(self, process):
        self.status = 200 if process.returncode == 0 else 409
        self.body = process.stderr + process.stdout
        if b"eadlock" in self.body or b"try again later" in self.body:
            self.status = 503


def command_of(*arguments):
    """Returns a command about the tenant."""
    return lambda world, _: Done(world.run(*arguments, "--tenant", f"acct_{world.tenant}"))


def import_people(persons_of):
    """Returns an import about people in any order, with new sessions. A known person may have
    changed since the last import."""
    def call(world, _):
        screener, number = world.screener().removeprefix("scr_"), world.number()
        lines, persons = [], persons_of(number)
        for person in world.random.sample(persons, len(persons)):
            if person not in PERSONS:
                lines += fixture.person_lines(world.tenant, person)
            lines += fixture.session_lines(world.tenant, screener, person,
                                           [f"in_{number}_{person}_{world.tenant}"], True)
        return Done(world.run("import", "--trust-links", world.write_file(lines)))
    return call


def create_tenant(world, _):
    return Done(world.run("tenants", "create", "--id", f"acct_more_{world.tenant}_{world.number()}",
                          "More"))


def switch_tenant(verb):
    return lambda world, _: Done(world.run("tenants", verb, f"acct_{world.switched}"))


def revoke_key(world, _):
    return Done(world.run("keys", "revoke", f"key_spare_{world.tenant}"))


def export(world, server):
    """Makes an export, which is recorded in the audit log."""
    return world.get(server, "/screener-responses", "application/x-ndjson")


def tomorrow():
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).isoformat()


def authoring():
    """Returns the changes of authors."""
    screener = lambda world: {"id": world.screener()}
    of_screener = lambda world: {"screenerId": world.screener()}
    look = lambda world: {"look": {"displayName": f"Name {world.number()}"}}
    update_draft = service("ScreenerService/UpdateDraft", lambda world: {
        **of_screener(world), "draft": draft(world)})
    close = service("ScreenerService/CloseScreener", screener)
    return {
        "CreateProject": service("ProjectService/CreateProject",
                                 lambda world: {"name": f"Project {world.number()}"}),
        "UpdateProject": service("ProjectService/UpdateProject", lambda world: {
            "id": f"proj_{world.tenant}", "name": f"Project {world.number()}"}),
        "CreateScreener": service("ScreenerService/CreateScreener", lambda world: {
            "projectId": f"proj_{world.tenant}", "title": "More", "draft": draft(world)}),
        "UpdateScreener": service("ScreenerService/UpdateScreener", lambda world: {
            "id": world.screener(), "title": f"Title {world.number()}"}),
        "UpdateDraft": update_draft,
        "DiscardDraft": Case(service("ScreenerService/DiscardDraft", of_screener), [update_draft]),
        "PublishScreener": Case(service("ScreenerService/PublishScreener", screener),
                                [update_draft]),
        "CloseScreener": close,
        "ReopenScreener": Case(service("ScreenerService/ReopenScreener", screener), [close]),
        "SetLook": service("LookService/SetLook", look),
        "SetLook, of a screener": service("LookService/SetLook", lambda world: {
            **of_screener(world), **look(world)}),
    }


def people():
    """Returns the changes of people and their sessions, and the writes of people."""
    known, new = (lambda world: world.uid()), (lambda world: world.new_uid())
    nothing = lambda _: {}
    return {
        "CreateParticipant": service("ParticipantService/CreateParticipant", lambda world: {
            "externalUid": world.new_uid()}),
        "UpdateParticipant": service("ParticipantService/UpdateParticipant", lambda world: {
            "id": world.person(), "name": f"Name {world.number()}"}),
        "SetIdVerification": service("ParticipantService/SetIdVerification", lambda world: {
            "id": world.person(), "idVerification": world.random.choice(
                ("ID_VERIFICATION_PASSED", "ID_VERIFICATION_FAILED"))}),
        "CreateScreenerSession": create_session(known),
        "CreateScreenerSession, a new person": create_session(new),
        "BatchCreateScreenerSessions": batch_create_sessions,
        "RemoveScreenerSession": of_session("RemoveScreenerSession"),
        "ArchiveScreenerSession": of_session("ArchiveScreenerSession"),
        "RestoreScreenerSession": Case(of_session("RestoreScreenerSession"),
                                       [of_session("ArchiveScreenerSession")]),
        "SubmitAnswers": Case(by_link("SubmitAnswers", answers(False)), needs_answers=False),
        "SubmitAnswers, final": Case(by_link("SubmitAnswers", answers(True)), needs_answers=False),
        "SubmitAnswers, by key": by_key("SubmitAnswers", answers(False), known),
        "SubmitAnswers, a new person": by_key("SubmitAnswers", answers(False), new),
        "Dismiss": Case(by_link("Dismiss", nothing), needs_answers=False),
        "Dismiss, by key": by_key("Dismiss", nothing, known),
        "Dismiss, a new person": by_key("Dismiss", nothing, new),
    }


def reviewing():
    """Returns the verbs of a review, each with those that lead to it."""
    invite, hide = review("InviteSubmission"), review("HideSubmission")
    schedule = review("ScheduleSubmission", scheduledAt=tomorrow())
    attended = review("MarkSubmissionAttended")
    of_booked = ("CancelSubmissionBooking", "ReinviteSubmission", "MarkSubmissionNoShow",
                 "CancelSubmissionBookingByParticipant")
    found = {
        "RejectSubmission": [review("RejectSubmission")],
        "QualifySubmission": [review("QualifySubmission")],
        "DisqualifySubmission": [review("DisqualifySubmission",
                                        reason="DISQUALIFICATION_REASON_OTHER")],
        "InviteSubmission": [invite],
        "CancelSubmissionInvite": [review("CancelSubmissionInvite"), invite],
        "ScheduleSubmission": [schedule, invite],
        **{verb: [review(verb), invite, schedule] for verb in of_booked},
        "MarkSubmissionAttended": [attended, invite],
        "MarkSubmissionPaid": [review("MarkSubmissionPaid"), invite, attended],
        "HideSubmission": [hide],
        "UnhideSubmission": [review("UnhideSubmission"), hide],
        "FavoriteSubmission": [review("FavoriteSubmission", favorite=True)],
        "ReportSubmission": [review("ReportSubmission", reasons=["REPORT_REASON_OTHER"])],
        "SetSubmissionVisibility": [set_visibility],
    }
    batches = {verb: review_batch(verb)
               for verb in ("BatchRejectSubmissions", "BatchQualifySubmissions")}
    return {verb: Case(call, before, needs_answers=True)
            for verb, (call, *before) in found.items()} | batches


def use_cases():
    """Returns all write use cases, one row for each."""
    commands = {
        "import": import_people(lambda _: PERSONS),
        "import, new people": import_people(lambda number: (
            f"new-{number // CALLS_OF_A_NEW}", f"more-{number // CALLS_OF_A_NEW}")),
        "keys create": command_of("keys", "create", "--json", "--kind", "panel"),
        "keys revoke": revoke_key,
        "tenants create": create_tenant,
        "tenants disable": switch_tenant("disable"),
        "tenants enable": switch_tenant("enable"),
    }
    commands = {name: Case(it, is_command=True) for name, it in commands.items()}
    found = authoring() | people() | reviewing() | commands | {EXPORT: export}
    return {name: it if isinstance(it, Case) else Case(it) for name, it in found.items()}


class Callers:
    """Threads that make calls concurrently and count the outcomes."""

    def __init__(self, world):
        self.world, self.done, self.faults = world, Counter(), []

    def call(self, name, use_case, server, count, start):
        """Makes a call this many times."""
        start.wait()
        for _ in range(count // CALLS if use_case.is_command else count):
            answer = use_case(self.world, server)
            self.done[name, answer.status] += 1
            if answer.status in FAULTS:
                self.faults.append(f"{name}: {told(answer)}")

    def side_by_side(self, sides, count):
        """Runs use cases against each other. A side is a name, a use case and a server."""
        start = threading.Barrier(len(sides) * CALLERS_OF_A_SIDE)
        threads = [threading.Thread(target=self.call, args=(*side, count, start), daemon=True)
                   for side in sides for _ in range(CALLERS_OF_A_SIDE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def first_submissions(row, stage, one, two):
    """Creates batches of sessions next to the first submissions of the same people, by key."""
    statuses = Counter()
    for turn in range(BATCH_ROUNDS):
        people = [f"r{turn}_{number:03}" for number in range(BATCH)]
        stage.load([line for it in people for line in fixture.person_lines(TENANT, it)],
                   f"batch-{turn}.ndjson")
        waiting = deque(key_of(two, "one", f"uid-{it}") for it in people)
        start = threading.Barrier(BATCH_CALLERS + 1)

        def submitting():
            start.wait()
            while waiting:
                try:
                    key = waiting.popleft()
                except IndexError:
                    return
                statuses["submission", fixture.submit(two, key, "x").status] += 1

        threads = [threading.Thread(target=submitting, daemon=True) for _ in range(BATCH_CALLERS)]
        for thread in threads:
            thread.start()
        requests = [{"screenerId": "scr_one", "externalUid": f"uid-{it}"} for it in reversed(people)]
        start.wait()
        answer = rpc(one, "ScreenerSessionService/BatchCreateScreenerSessions",
                     {"requests": requests})
        statuses["batch", answer.status] += 1
        for thread in threads:
            thread.join()
    seen = ", ".join(f"{count} × {what} {status}"
                     for (what, status), count in sorted(statuses.items()))
    row.check(all(status == 200 for _, status in statuses),
              f"batches of {BATCH} sessions next to first submissions: {seen}")


def guilty(times, deadlocks):
    """Returns the pairs that ran when a deadlock was found."""
    found = Counter()
    for at, _ in deadlocks:
        at = datetime.datetime.fromisoformat(at).replace(tzinfo=datetime.UTC).timestamp()
        found.update(pair for pair, began, ended in times if began <= at <= ended + 0.1)
    return found


def all_pairs(row, stage, servers):
    """Runs each use case against each, then all against all."""
    world, cases = World(stage), use_cases()
    del cases[EXPORT]
    world.remember({"id": f"scses_{screener}_{person}_{place}", "screenerId": f"scr_{screener}"}
                   for screener in SCREENERS for person in PERSONS for place in range(2))
    callers, times, is_extended = Callers(world), [], row.suite.is_extended
    for pair in itertools.combinations_with_replacement(cases, 2):
        sides = [(name, cases[name], server)
                 for name, server in zip(pair, servers, strict=True)]
        # Makes sure that an open screener and a session exist.
        rpc(servers[0], "ScreenerService/ReopenScreener", {"id": "scr_one"})
        cases["CreateScreenerSession"](world, servers[0])
        cases["SubmitAnswers, final"](world, servers[0])
        began = time.time()
        callers.side_by_side(sides, EXTENDED_CALLS if is_extended else CALLS)
        times.append((" with ".join(pair), began, time.time()))
    end = time.monotonic() + (EXTENDED_MIXED_SECONDS if is_extended else MIXED_SECONDS)
    began = time.time()
    while time.monotonic() < end:
        chosen = random.choices(list(cases), k=4)
        callers.side_by_side([(it, cases[it], servers[place % 2])
                              for place, it in enumerate(chosen)], CALLS)
    times.append(("all with all", began, time.time()))
    row.check(not callers.faults, f"{len(times) - 1} pairs of {len(cases)} use cases, "
              f"{sum(callers.done.values())} calls: {len(callers.faults)} faults"
              + "".join(f"; {it}" for it in callers.faults[:3]))
    never = [it for it in cases if not callers.done[it, 200]]
    row.check(not never, f"each use case succeeded, {', '.join(never) or 'none'} excepted", True)
    return times


def s19(row):
    """Runs every pair of write use cases. The server's own count of deadlocks decides."""
    lines = [*fixture.tenant_lines(TENANT, SCREENERS), *fixture.tenant_lines(OTHER, ["other"]),
             {"type": "credential", "tenant": f"acct_{TENANT}", "id": f"key_spare_{TENANT}",
              "kind": "panel", "secret": "spare_neighbours", "createdAt": fixture.CREATED_AT}]
    for person in PERSONS:
        lines += fixture.person_lines(TENANT, person)
        for screener in SCREENERS:
            names = [f"{screener}_{person}_{place}" for place in range(2)]
            lines += fixture.session_lines(TENANT, screener, person, names[:1])
            lines += list(fixture.session_lines(TENANT, screener, person, names[1:], True))[1:]
    stage = Stage(row, lines)
    servers = stage.serve(), stage.serve()
    began = time.time()
    first_submissions(row, stage, *servers)
    times = [("batches with first submissions", began, time.time())]
    times += all_pairs(row, stage, servers)
    logged = stage.database.logged_deadlocks()
    counted = stage.end()
    row.suite.counted["deadlocks"] = counted
    of = ", ".join(f"{count} × {pair}" for pair, count in guilty(times, logged).most_common(5))
    row.check(counted == 0, f"pg_stat_database.deadlocks = {counted}" + (f": {of}" if of else ""))
    for at, statements in logged[:3]:
        row.note(f"deadlock at {at}: {' | '.join(statements)}")
