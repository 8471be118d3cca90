"""Pairs of all write use cases, side by side on two servers (S19)."""

import datetime
import itertools
import random
import threading
import time
from collections import Counter, deque

import fixture
from fixture import OTHER, QUESTION, TENANT, Stage, key_of, link_of, rpc, told

PERSONS, SCREENERS = ("ann", "ben", "cat"), ("one", "two")
# Sessions that calls choose from: few, so that they meet.
SESSIONS_KEPT = 8
# How many calls are about a person that nobody knows yet, and how many about the same one.
NEW_SHARE, CALLS_OF_A_NEW = 0.3, 4
CALLERS_OF_A_SIDE = 2
CALLS = 3
MIXED_SECONDS = 8
EXTENDED_CALLS, EXTENDED_MIXED_SECONDS = 8, 120
# Statuses of the HTTP answer that no pair of writes may cause.
FAULTS = (0, 500, 503, 504)
BATCH, BATCH_ROUNDS, BATCH_CALLERS = 200, 5, 8


class World:
    """What calls are about: a few persons, screeners and sessions, the same for all."""

    def __init__(self, stage):
        self.stage, self.numbers = stage, itertools.count()
        self.sessions = deque(maxlen=SESSIONS_KEPT)
        self.keys = deque(["key_spare"], maxlen=2)

    def person(self):
        return f"ptp_{random.choice(PERSONS)}"

    def uid(self):
        """That of a person, who is new now and then; the same one for some calls."""
        if random.random() < NEW_SHARE:
            return f"uid-new-{self.number() // CALLS_OF_A_NEW}"
        return f"uid-{random.choice(PERSONS)}"

    def screener(self):
        return f"scr_{random.choice(SCREENERS)}"

    def session(self):
        """A session and its screener."""
        return random.choice(list(self.sessions))

    def number(self):
        return next(self.numbers)

    def remember(self, sessions):
        """Keeps sessions that were created."""
        for it in sessions:
            self.sessions.append((it["id"], it["screenerId"]))


def draft(world):
    """A questionnaire that is another one each time."""
    question = {"id": QUESTION, "prompt": f"Why {world.number()}?", "text": {}}
    return {"pages": [{"id": "p", "questions": [question]}]}


def creation(world, screener=None, uid=None):
    """A session of a person with a screener."""
    return {"screenerId": screener or world.screener(), "externalUid": uid or world.uid()}


def batch(world):
    """Sessions of everybody with every screener, and of others, in any order."""
    pairs = [creation(world, f"scr_{screener}", f"uid-{person}")
             for screener in SCREENERS for person in PERSONS]
    pairs += [creation(world) for _ in SCREENERS]
    return {"requests": random.sample(pairs, len(pairs))}


def review(verb, before=(), **more):
    """A verb of the review of one submission, after those that lead to it."""
    def call(world, server):
        message = {"projectId": f"proj_{TENANT}", "id": world.session()[0]}
        for name in before:
            more_of = {"scheduledAt": tomorrow()} if name == "ScheduleSubmission" else {}
            rpc(server, f"SubmissionService/{name}", message | more_of)
        return rpc(server, f"SubmissionService/{verb}", message | more)
    return call


def review_batch(verb):
    """A verb of the review of several submissions, in any order."""
    def call(world, server):
        ids = list({session for session, _ in world.sessions})
        message = {"projectId": f"proj_{TENANT}", "ids": random.sample(ids, len(ids))}
        return rpc(server, f"SubmissionService/{verb}", message)
    return call


def service(method, message_of):
    """A call with a message that is made anew for each."""
    return lambda world, server: rpc(server, method, message_of(world))


def create_session(world, server):
    answer = rpc(server, "ScreenerSessionService/CreateScreenerSession", creation(world))
    if answer.status == 200:
        world.remember([answer.json()["screenerSession"]])
    return answer


def batch_create_sessions(world, server):
    answer = rpc(server, "ScreenerSessionService/BatchCreateScreenerSessions", batch(world))
    if answer.status == 200:
        world.remember(answer.json()["screenerSessions"])
    return answer


def of_session(method):
    """A call about a session by its id."""
    return service(f"ScreenerSessionService/{method}", lambda world: {"id": world.session()[0]})


def by_link(method, message_of):
    """A call with a session's link."""
    def call(world, server):
        session, screener = world.session()
        holder = link_of(screener.removeprefix("scr_"), session)
        return rpc(server, f"PanelistSessionService/{method}", message_of(world), holder=holder)
    return call


def by_key(method, message_of):
    """A call with a panelist's key."""
    def call(world, server):
        holder = key_of(server, random.choice(SCREENERS), world.uid())
        return rpc(server, f"PanelistSessionService/{method}", message_of(world), holder=holder)
    return call


def answers(is_final):
    """Makes messages of a submission."""
    return lambda world: {"answers": {QUESTION: {"text": f"Because {world.number()}."}},
                          "isFinal": is_final}


class Done:
    """What came of a command, as of a call."""

    def __init__(self, process):
        self.status = 200 if process.returncode == 0 else 409
        self.body = process.stderr + process.stdout
        if b"eadlock" in self.body:
            self.status = 503


def import_people(world, _):
    """An import about the same people in any order, with sessions that are new."""
    screener, number = random.choice(SCREENERS), world.number()
    lines = []
    for person in random.sample(PERSONS, len(PERSONS)):
        lines += fixture.session_lines(TENANT, screener, person, [f"in_{number}_{person}"], True)
    return Done(world.stage.run(*world.stage.import_file(lines, f"pairs-{number}.ndjson")))


def create_key(world, _):
    done = world.stage.run("keys", "create", "--json", "--database", world.stage.database.url,
                           "--tenant", f"acct_{TENANT}", "--kind", "panel")
    return Done(done)


def switch_tenant(world, _):
    """Disables or enables the other tenant: this one is busy with all else."""
    verb = random.choice(("disable", "enable"))
    return Done(world.stage.run("tenants", verb, f"acct_{OTHER}", "--database",
                                world.stage.database.url))


def revoke_key(world, _):
    return Done(world.stage.run("keys", "revoke", "key_spare", "--database",
                                world.stage.database.url))


def tomorrow():
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).isoformat()


def use_cases():
    """All of them: what changes something, one row for each."""
    screener = lambda world: {"id": world.screener()}
    of_screener = lambda world: {"screenerId": world.screener()}
    verbs = ("RejectSubmission", "QualifySubmission", "InviteSubmission", "CancelSubmissionInvite",
             "HideSubmission", "UnhideSubmission")
    booked = ("InviteSubmission", "ScheduleSubmission")
    later = {"CancelSubmissionBooking": booked, "ReinviteSubmission": booked,
             "CancelSubmissionBookingByParticipant": booked, "MarkSubmissionNoShow": booked,
             "MarkSubmissionAttended": booked[:1],
             "MarkSubmissionPaid": ("InviteSubmission", "MarkSubmissionAttended")}
    return {
        "CreateProject": service("ProjectService/CreateProject",
                                 lambda world: {"name": f"Project {world.number()}"}),
        "UpdateProject": service("ProjectService/UpdateProject", lambda world: {
            "id": f"proj_{TENANT}", "name": f"Project {world.number()}"}),
        "CreateScreener": service("ScreenerService/CreateScreener", lambda world: {
            "projectId": f"proj_{TENANT}", "title": "More", "draft": draft(world)}),
        "UpdateScreener": service("ScreenerService/UpdateScreener", lambda world: {
            "id": world.screener(), "title": f"Title {world.number()}"}),
        "UpdateDraft": service("ScreenerService/UpdateDraft", lambda world: {
            **of_screener(world), "draft": draft(world)}),
        "DiscardDraft": service("ScreenerService/DiscardDraft", of_screener),
        "PublishScreener": service("ScreenerService/PublishScreener", screener),
        "CloseScreener": service("ScreenerService/CloseScreener", screener),
        "ReopenScreener": service("ScreenerService/ReopenScreener", screener),
        "SetLook": service("LookService/SetLook", lambda world: {
            **(of_screener(world) if random.random() < 0.5 else {}),
            "look": {"displayName": f"Name {world.number()}"}}),
        "CreateParticipant": service("ParticipantService/CreateParticipant", lambda world: {
            "externalUid": f"uid-new-{world.number() // 2}"}),
        "UpdateParticipant": service("ParticipantService/UpdateParticipant", lambda world: {
            "id": world.person(), "name": f"Name {world.number()}"}),
        "SetIdVerification": service("ParticipantService/SetIdVerification", lambda world: {
            "id": world.person(), "idVerification": random.choice(
                ("ID_VERIFICATION_PASSED", "ID_VERIFICATION_FAILED"))}),
        "CreateScreenerSession": create_session,
        "BatchCreateScreenerSessions": batch_create_sessions,
        "RemoveScreenerSession": of_session("RemoveScreenerSession"),
        "ArchiveScreenerSession": of_session("ArchiveScreenerSession"),
        "RestoreScreenerSession": of_session("RestoreScreenerSession"),
        "SubmitAnswers": by_link("SubmitAnswers", answers(False)),
        "SubmitAnswers, final": by_link("SubmitAnswers", answers(True)),
        "SubmitAnswers, by key": by_key("SubmitAnswers", answers(False)),
        "Dismiss": by_link("Dismiss", lambda _: {}),
        "Dismiss, by key": by_key("Dismiss", lambda _: {}),
        **{verb: review(verb) for verb in verbs},
        **{verb: review(verb, before) for verb, before in later.items()},
        "DisqualifySubmission": review("DisqualifySubmission",
                                       reason="DISQUALIFICATION_REASON_OTHER"),
        "ScheduleSubmission": review("ScheduleSubmission", booked[:1], scheduledAt=tomorrow()),
        "FavoriteSubmission": review("FavoriteSubmission", favorite=True),
        "ReportSubmission": review("ReportSubmission", reasons=["REPORT_REASON_OTHER"]),
        "SetSubmissionVisibility": review("SetSubmissionVisibility",
                                          visibility="VISIBILITY_VISIBLE"),
        "BatchRejectSubmissions": review_batch("BatchRejectSubmissions"),
        "BatchQualifySubmissions": review_batch("BatchQualifySubmissions"),
        "import": import_people,
        "keys create": create_key,
        "keys revoke": revoke_key,
        "tenants disable": switch_tenant,
    }


class Callers:
    """Threads that make calls at the same time, and count what came of them."""

    def __init__(self, world):
        self.world, self.done, self.faults = world, Counter(), []

    def call(self, name, use_case, server, count, start):
        """Makes a call so many times."""
        start.wait()
        for _ in range(count):
            answer = use_case(self.world, server)
            self.done[name, answer.status] += 1
            if answer.status in FAULTS:
                self.faults.append(f"{name}: {told(answer)}")

    def side_by_side(self, sides, count):
        """Runs use cases against each other; a side is a name, a use case and a server."""
        start = threading.Barrier(len(sides) * CALLERS_OF_A_SIDE)
        threads = [threading.Thread(target=self.call, args=(*side, count, start), daemon=True)
                   for side in sides for _ in range(CALLERS_OF_A_SIDE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def first_submissions(row, stage, one, two):
    """Batches of sessions next to the first submissions of the same people, by their keys."""
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
    """Which pairs were at work when a deadlock was found."""
    found = Counter()
    for at, _ in deadlocks:
        at = datetime.datetime.fromisoformat(at).replace(tzinfo=datetime.UTC).timestamp()
        found.update(pair for pair, began, ended in times if began <= at <= ended + 0.1)
    return found


def all_pairs(row, stage, servers):
    """Each use case against each, then all against all."""
    world, cases = World(stage), use_cases()
    world.remember({"id": f"scses_{screener}_{person}_{place}", "screenerId": f"scr_{screener}"}
                   for screener in SCREENERS for person in PERSONS for place in range(2))
    callers, times, is_extended = Callers(world), [], row.suite.is_extended
    for pair in itertools.combinations_with_replacement(cases, 2):
        sides = [(name, cases[name], server)
                 for name, server in zip(pair, servers, strict=True)]
        # What needs an open screener or a session finds one.
        rpc(servers[0], "ScreenerService/ReopenScreener", {"id": "scr_one"})
        create_session(world, servers[0])
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
    """Every pair of write use cases; the server's own count of deadlocks decides."""
    lines = [*fixture.tenant_lines(TENANT, SCREENERS), *fixture.tenant_lines(OTHER, ["other"]),
             {"type": "credential", "tenant": f"acct_{TENANT}", "id": "key_spare",
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
