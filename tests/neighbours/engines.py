"""A server on SQLite and one on PostgreSQL respond alike to the same random calls (S24).

`tests/it/postgres/engines.rs` compares byte by byte, with a test's own clock and random numbers.
This suite covers the binary, every RPC of the contract and every command of the AdminService, with
valid and odd arguments. It names generated values and ignores instants.
"""

import base64
import copy
import difflib
import json
import os
import random
import re
import struct
from collections import Counter, deque
from pathlib import Path
from types import SimpleNamespace

import fixture
from fixture import OTHER, TENANT, Stage
from lib import http1
from lib.server import Server, command
from orders import MADE
from pairs import FAULTS, PERSONS, SCREENERS, World, use_cases

# A tenant without other calls. Servers cache for a moment that a tenant is disabled.
STRANGER = "stranger"
STEPS, EXTENDED_STEPS = 600, 10_000
PROTO = Path(__file__).resolve().parents[2] / "proto" / "screener" / "v1"
# The shares of calls that write, start a process, have something odd in their message, or lack the
# right credential; and of writes, the share after a reopening.
WRITES, COMMANDS, ODD, STRANGERS, REOPENED = 0.5, 0.05, 0.15, 0.02, 0.25
SESSIONS_KEPT, IDS_KEPT = 40, 60
QUESTIONS_MAX = 6
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
NAME = re.compile(r"[A-Za-z]+#\d+")
# Members with generated values that are not ids, and members that depend on clocks.
MADE_MEMBERS = ("linkSlug", "publicKey", "resumeToken", "secret")
TIMED_MEMBERS = ("totalTime",)
# Values that no author of a contract expects.
ODD_VALUES = ("", " ", "x" * 129, "x" * 501, "x" * 20_000, "\0", "a\nb", "Ä😀", "\u200b", -1, 0, 1.5,
              1e308, 2**31, 2**63, True, False, None, [], {}, [None], "NaN", "scr_nothing", "uid-ann")


class Engine:
    """One of the two engines, with its names for generated values."""

    def __init__(self, name, server, url):
        self.name, self.server, self.url = name, server, url
        self.names, self.actual_of = {}, {}

    def name_of(self, kind, text):
        """Returns the name of a generated value. Adds it if it is new."""
        if text not in self.names:
            name = f"{kind}#{len(self.names)}"
            self.names[text], self.actual_of[name] = name, text
        return self.names[text]

    def actual(self, value):
        """Returns a value with the generated values in place of their names."""
        if isinstance(value, str):
            return NAME.sub(lambda it: self.actual_of.get(it[0], it[0]), value)
        if isinstance(value, list):
            return [self.actual(it) for it in value]
        if isinstance(value, dict):
            return {self.actual(name): self.actual(it) for name, it in value.items()}
        return value

    def text(self, text):
        """Returns a text in the form in which equal responses are equal."""
        text = MADE.sub(lambda it: self.name_of(it[0].partition("_")[0], it[0]), text)
        for made, name in self.names.items():
            if not MADE.fullmatch(made) and made in text:
                text = text.replace(made, name)
        return ADDRESS.sub("ADDRESS", INSTANT.sub("at", text))

    def canonical(self, value, member=""):
        """Returns a value in that form."""
        if isinstance(value, dict):
            # Generated values first, because other members may contain them.
            first = sorted(value, key=lambda it: it not in MADE_MEMBERS)
            found = {name: self.canonical(value[name], name) for name in first
                     if name not in TIMED_MEMBERS}
            if str(value.get("name", "")).startswith("filter.") and "after" in found:
                # A filter lists ids in the order of their bytes, which are random.
                found["after"] = sorted(found["after"].split(" "))
            return found
        if isinstance(value, list) and member == "details":
            # Request ids always differ.
            kind = lambda it: it.get("type") or it["@type"]
            return [self.detail(it) for it in value if not kind(it).endswith("RequestInfo")]
        if isinstance(value, list):
            return [self.canonical(it) for it in value]
        if isinstance(value, str):
            return self.name_of(member, value) if value and member in MADE_MEMBERS else self.text(value)
        return value

    def detail(self, detail):
        """Returns a detail of a refusal, which is encoded only if the whole call was refused."""
        if "@type" in detail:
            return self.canonical(detail)
        encoded = detail["value"]
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("latin-1")
        return {"type": detail["type"], "value": self.text(decoded)}

    def body(self, body):
        """Returns a body of JSON, of JSON lines, or of text."""
        text = body.decode(errors="replace")
        try:
            return self.canonical(json.loads(text))
        except ValueError:
            return [self.line(it) for it in text.splitlines()]

    def line(self, line):
        try:
            return self.canonical(json.loads(line))
        except ValueError:
            return self.text(line)


class Differs(Exception):
    """The engines disagree."""


class Told:
    """The response of both engines."""

    def __init__(self, status, content):
        self.status, self.content, self.body = status, content, json.dumps(content).encode()

    def json(self):
        return self.content


class Both(World):
    """Two servers in the role of one, and the ids read from them."""

    def __init__(self, stage, engines, seed):
        super().__init__(stage)
        self.engines, self.random, self.seed = engines, random.Random(seed), seed
        self.sessions, self.answered = deque(maxlen=SESSIONS_KEPT), deque(maxlen=SESSIONS_KEPT)
        self.ids, self.done, self.succeeded, self.step = {}, Counter(), Counter(), 0
        for kind, ids in (("scr", SCREENERS), ("ptp", PERSONS), ("proj", (TENANT,))):
            self.ids[kind] = [f"{kind}_{it}" for it in ids]

    def any(self, kind):
        """Returns one of the last ids of a kind, and now and then an unknown one."""
        if self.random.random() < 0.03 or not self.ids.get(kind):
            return f"{kind}_nothing"
        return self.random.choice(self.ids[kind])

    def several(self, kind):
        return [self.any(kind) for _ in range(self.random.randint(1, 4))]

    def person(self):
        return self.any("ptp")

    def screener(self):
        # Most calls are about a few screeners.
        return super().screener() if self.random.random() < 0.7 else self.any("scr")

    def session(self):
        # Most of the sessions can be reviewed.
        is_answered = self.answered and self.random.random() < 0.6
        return self.random.choice(list(self.answered if is_answered else self.sessions))

    def session_ids(self):
        # On PostgreSQL, the audit log lists several sessions of a batch in any order.
        session = self.session()[0]
        return [session, "scses_nothing", session]

    def key_of(self, server, uid):
        answer = self.rpc(server, "PanelistService/GetPanelistAccess",
                          {"surveyId": self.screener(), "panelistId": uid})
        access = answer.json().get("panelistAccess", {}) if answer.status == 200 else {}
        return access.get("panelist", {}).get("publicKey", "nothing:nothing")

    def agree(self, what, answers):
        """Compares both responses, stores their ids, and returns the response."""
        one, other = answers
        if one != other:
            lines = [json.dumps(it, indent=1, ensure_ascii=False).splitlines() for it in answers]
            diff = "\n".join(difflib.unified_diff(*lines, *(it.name for it in self.engines), n=2,
                                                  lineterm=""))
            raise Differs(f"step {self.step} of seed {self.seed}: {what}\n{diff}")
        for name in NAME.findall(json.dumps(one)):
            kept = self.ids.setdefault(name.partition("#")[0], [])
            if name not in kept:
                kept.append(name)
                del kept[:-IDS_KEPT]
        return one

    def told(self, name, what, answers):
        status, content = self.agree(what, answers)
        self.done[name, status] += 1
        if status in FAULTS:
            raise Differs(f"step {self.step} of seed {self.seed}: {what}: {status} {content}")
        if status == 200:
            self.succeeded[name] += 1
        return Told(status, content)

    def rpc(self, _, method, message, holder=None):
        message = copy.deepcopy(message)
        if self.random.random() < ODD:
            message = odd(self.random, message)
        tenant = TENANT
        if self.random.random() < STRANGERS:
            holder, tenant = self.random.choice([("Bearer nothing", TENANT), (None, STRANGER)])
        answers = []
        for it in self.engines:
            answer = fixture.rpc(it.server, method, it.actual(message), tenant, it.actual(holder))
            answers.append((answer.status, it.body(answer.body)))
        what = f"{method} {json.dumps(message)[:2_000]} {holder or tenant}"
        return self.told(method.partition("/")[2], what, answers)

    def stream(self, method, message):
        """Makes a streaming call. Its messages may be split anywhere between items."""
        answers = []
        for it in self.engines:
            body = json.dumps(it.actual(message)).encode()
            service, _, name = method.partition("/")
            headers = [("Content-Type", "application/connect+json"),
                       ("Authorization", f"Bearer {fixture.token(TENANT)}")]
            answer = http1.call(it.server.address, "POST", f"/screener.v1.{service}/{name}", headers,
                                b"\0" + struct.pack(">I", len(body)) + body)
            items, end, rest = [], None, answer.body
            while rest:
                length = struct.unpack(">I", rest[1:5])[0]
                part = json.loads(rest[5:5 + length])
                if rest[0] & 2:
                    end = it.canonical(part)
                else:
                    items += it.canonical(part.get("items", []))
                rest = rest[5 + length:]
            answers.append((answer.status, [items, end]))
        return self.told(method.partition("/")[2], f"{method} {json.dumps(message)}", answers)

    def get(self, _, path, form):
        answers = []
        for it in self.engines:
            headers = [("Authorization", f"Bearer {fixture.token(TENANT)}"), ("Accept", form)]
            answer = http1.call(it.server.address, "GET", it.actual(path), headers)
            answers.append((answer.status, it.body(answer.body)))
        return self.told(f"GET {path.partition('?')[0]}", f"GET {path}", answers)

    def run(self, *arguments):
        answers = []
        for it in self.engines:
            done = command(self.stage.binary, *map(it.actual, map(str, arguments)), "--database", it.url)
            # The log differs.
            said = [line for line in done.stderr.splitlines() if line.startswith(b"screenerd: ")]
            printed = [it.body(done.stdout), *(it.text(line.decode()) for line in said)]
            answers.append((done.returncode, printed))
        name = " ".join(arguments[:1] if arguments[0] in ("import", "export") else arguments[:2])
        code, printed = self.agree(" ".join(map(str, arguments)), answers)
        self.done[name, code] += 1
        self.succeeded[name] += code == 0
        return SimpleNamespace(returncode=code, stdout=json.dumps(printed).encode(), stderr=b"")


def odd(chance, message):
    """Returns a message with one odd member."""
    members, found = [(None, None)], [message]
    while found:
        it = found.pop()
        places = it if isinstance(it, dict) else range(len(it)) if isinstance(it, list) else ()
        members += [(it, place) for place in places]
        found += [it[place] for place in places]
    it, place = chance.choice(members)
    if it is None:
        message[chance.choice(("unknown", "id", "pagination", "filter"))] = chance.choice(ODD_VALUES)
    elif isinstance(it, dict) and chance.random() < 0.3:
        del it[place]
    elif isinstance(it[place], list) and chance.random() < 0.5:
        it[place] = it[place] * chance.choice((2, 3, 600))
    else:
        it[place] = chance.choice(ODD_VALUES)
    return message


def option(chance, number):
    return {"id": f"sco_{number}", "text": f"Option {number}", **chance.choice((
        {}, {"rule": "OPTION_RULE_DISQUALIFIES"}, {"writeIn": True}, {"goToEnd": {}}))}


def question(chance, number):
    """Returns a question of any kind."""
    options = [option(chance, it) for it in range(chance.randint(1, 4))]
    form = chance.choice((
        {"text": chance.choice(({}, {"minLength": 2, "maxLength": 8}, {"pattern": "[a-z]+"}))},
        {"numeric": chance.choice(({}, {"min": 0, "max": 10, "step": 0.5},
                                   {"qualifies": {"min": 3}}))},
        {"singleSelect": {"options": options}},
        {"multiSelect": {"options": [{name: it[name] for name in it if name != "goToEnd"}
                                     for it in options], "minChoices": 1}},
    ))
    return {"id": f"scq_{number}", "prompt": f"Question {number}?", "required": chance.random() < 0.4,
            **form}


def questionnaire(world):
    """Returns a draft with questions of all kinds."""
    chance, count = world.random, world.random.randint(1, QUESTIONS_MAX)
    questions = [question(chance, it) for it in range(count)]
    cut = chance.randint(0, count - 1)
    pages = [{"id": f"p_{place}", "questions": of}
             for place, of in enumerate((questions[:cut], questions[cut:])) if of]
    more = {"language": "de", "introduction": "Hello", "thanksQualified": "Thanks",
            "tags": [{"id": "tag_a", "category": "a", "value": "b"}]}
    return {"pages": pages, **{name: it for name, it in more.items() if chance.random() < 0.2}}


def answer_to(chance, asked):
    """Returns an answer to a question, most often a valid one."""
    chosen = [{"optionId": it["id"], **({"writeIn": "Ünal"} if it.get("writeIn") else {})}
              for of in ("singleSelect", "multiSelect") for it in asked.get(of, {}).get("options", ())]
    if chance.random() < 0.1:
        return {"leftOut": {}}
    if "numeric" in asked:
        return {"number": chance.choice((0, 2.5, 3, 10, 11, -1, 0.3))}
    if "singleSelect" in asked:
        return {"option": chance.choice(chosen)}
    if "multiSelect" in asked:
        return {"options": {"options": chance.sample(chosen, chance.randint(0, len(chosen)))}}
    return {"text": chance.choice(("Ada", "abc", "A", "Ünal", "Because it is so long.", " "))}


def submit_as_asked(world, server):
    """Loads the questionnaire of a session and answers some of it."""
    session, screener = world.session()
    holder = fixture.link_of(screener.removeprefix("scr_"), session)
    service = "PanelistSessionService"
    asked = world.rpc(server, f"{service}/GetQuestionnaire", {}, holder)
    pages = (asked.json().get("publication", {}).get("questionnaire", {}).get("pages", ())
             if asked.status == 200 else ())
    chance = world.random
    message = {"answers": {it["id"]: answer_to(chance, it) for page in pages
                           for it in page["questions"] if chance.random() < 0.8},
               "isFinal": chance.random() < 0.4}
    if chance.random() < 0.4:
        message["requestId"] = f"click-{chance.randint(0, 3)}"
    answer = world.rpc(server, f"{service}/SubmitAnswers", message, holder)
    if answer.status == 200 and (session, screener) not in world.answered:
        world.answered.append((session, screener))
    return answer


def writes():
    """Returns all use cases, including those with questions and answers of all kinds."""
    draft_of = lambda world: {"screenerId": world.screener(), "draft": questionnaire(world)}

    def service(method, message_of):
        return lambda world, server: world.rpc(server, method, message_of(world))

    found = {name: (it.is_command, it) for name, it in use_cases().items()}
    more = {
        "UpdateDraft, all kinds": service("ScreenerService/UpdateDraft", draft_of),
        "CreateScreener, all kinds": service("ScreenerService/CreateScreener", lambda world: {
            "projectId": world.any("proj"), "title": "More", "draft": questionnaire(world),
            "allowMultipleResponses": True}),
        "CreateParticipant, all members": service("ParticipantService/CreateParticipant", lambda world: {
            "externalUid": world.random.choice((world.uid(), f"uid-{world.number()}")),
            "name": "Ada L", "email": "ada@example.com"}),
        "CreateScreenerSession, by id": service(
            "ScreenerSessionService/CreateScreenerSession",
            lambda world: {"screenerId": world.screener(), "participantId": world.person()}),
    }
    more |= {f"SubmitAnswers, as asked {it}": submit_as_asked for it in range(6)}
    return found | {name: (False, it) for name, it in more.items()}


def page(world):
    """Returns a valid page."""
    chance = world.random
    return chance.choice(({}, {"pagination": {"limit": chance.randint(1, 600),
                                              "offset": chance.randint(0, 60)}}))


def reads():
    """Returns a message for each RPC without side effects."""
    def one_of(world, *choices):
        return world.random.choice(choices)

    def eq_in(world, kind):
        return one_of(world, {"eq": world.any(kind)}, {"in": {"values": world.several(kind)}})

    def id_filter(world, kind):
        return one_of(world, {"eq": world.any(kind)}, {"ne": world.any(kind)},
                      {"in": {"values": world.several(kind)}}, {"nin": {"values": world.several(kind)}})

    def filtered(world, **fields):
        chosen = {name: it for name, it in fields.items() if world.random.random() < 0.4}
        return {**({"filter": chosen} if chosen else {}), **page(world)}

    def responses(world):
        return filtered(world, screenerId={"eq": world.screener()},
                        screenerPublicationId={"eq": world.any("scpub")},
                        screenerSessionId=eq_in(world, "scses"),
                        screenerParticipantId=eq_in(world, "scpar"))

    def changes(world):
        subjects = {"SESSION": "scses", "PARTICIPANT": "ptp", "SCREENER": "scr", "PROJECT": "proj",
                    "SUBMISSION": "scses"}
        subject = world.random.choice(list(subjects))
        both = {"subject": f"CHANGE_SUBJECT_{subject}", "subjectId": {"eq": world.any(subjects[subject])}}
        return filtered(world, **both) if world.random.random() < 0.3 else {
            "filter": both, **page(world)}

    def submissions(world):
        return filtered(
            world, projectId={"eq": world.any("proj")}, screenerId={"eq": world.screener()},
            statuses=[f"SUBMISSION_STATUS_{it}" for it in
                      world.random.sample(("PENDING", "INVITED", "PAID", "REJECTEDQUALITY"), 2)],
            qualified=one_of(world, True, False), hidden=one_of(world, True, False),
            visibilities=["VISIBILITY_VISIBLE"], favorite=one_of(world, True, False),
            createdAt={"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"})

    def of_submission(world):
        return {"projectId": f"proj_{TENANT}", "id": world.session()[0]}

    def participant(world):
        return one_of(world, {"id": world.person()}, {"externalUid": world.uid()})

    return {
        "ScreenerSessionService/ListScreenerSessions": lambda world: filtered(
            world, id=id_filter(world, "scses"), screenerId=id_filter(world, "scr")),
        "ScreenerSessionService/GetScreenerSession": lambda world: {"id": world.session()[0]},
        "ScreenerResponseService/ListScreenerResponses": responses,
        "ScreenerResponseService/ListEarlierResponses": lambda world: filtered(
            world, screenerSessionId=eq_in(world, "scses")),
        "SubmissionService/GetSubmission": of_submission,
        "SubmissionService/ListSubmissions": submissions,
        "SubmissionService/ExplainSubmission": of_submission,
        "PanelistService/GetPanelistAccess": lambda world: {
            "surveyId": world.screener(), "panelistId": world.uid()},
        "ProjectService/GetProject": lambda world: {"id": world.any("proj")},
        "ProjectService/ListProjects": page,
        "ScreenerService/GetScreener": lambda world: {"id": world.screener()},
        "ScreenerService/ListScreeners": lambda world: filtered(
            world, projectId={"eq": world.any("proj")}),
        "ScreenerService/ValidateDraft": lambda world: {"draft": questionnaire(world)},
        "ScreenerService/GetPublication": lambda world: {"id": world.any("scpub")},
        "ScreenerService/ListPublications": lambda world: {"screenerId": world.screener(),
                                                           **page(world)},
        "ParticipantService/GetParticipant": participant,
        "ParticipantService/GetScreenerParticipant": lambda world: {
            "screenerId": world.screener(), **participant(world)},
        "ParticipantService/ListParticipants": page,
        "FunnelService/GetFunnel": lambda world: {"screenerId": world.screener()},
        "LookService/GetLook": lambda world: one_of(world, {}, {"screenerId": world.screener()}),
        "HistoryService/ListChanges": changes,
    }, {
        "ScreenerResponseService/ExportScreenerResponses": lambda world: {
            name: it for name, it in responses(world).items() if name == "filter"},
    }


def read_commands():
    """Returns the commands whose only effect is an entry in the audit log."""
    form = lambda name: lambda world: world.run("export", "--format", name, "--tenant", f"acct_{TENANT}")
    return [lambda world: world.run("tenants", "list", "--json"),
            lambda world: world.run("keys", "list", "--json", "--tenant", f"acct_{TENANT}"),
            form("ndjson"), form("csv")]


def rpcs():
    """Returns the RPCs of the contract, those of the AdminService by their commands."""
    commands = {"CreateTenant": "tenants create", "SetTenantDisabled": "tenants disable",
                "ListTenants": "tenants list", "CreateKey": "keys create", "ListKeys": "keys list",
                "RevokeKey": "keys revoke", "Import": "import", "Export": "export"}
    for file in PROTO.glob("*_service.proto"):
        for name in re.findall(r"(?m)^  rpc (\w+)\(", file.read_text("utf-8")):
            yield commands[name] if file.name == "admin_service.proto" else name


def step(world, tables):
    """Makes one random call."""
    chance = world.random
    calls, commands, asks, streams, told = tables
    if chance.random() < COMMANDS:
        if chance.random() < 0.5:
            return chance.choice(told)(world)
        return commands[chance.choice(list(commands))](world, None)
    if chance.random() < WRITES:
        # If screeners stayed closed, too few calls would succeed.
        if chance.random() < REOPENED:
            calls["ReopenScreener"].run(world, None)
        return calls[chance.choice(list(calls))](world, None)
    method = chance.choice([*asks, *streams])
    if method in streams:
        return world.stream(method, streams[method](world))
    return world.rpc(None, method, asks[method](world))


def begin(stage, row):
    """Starts both servers, on databases with the same rows."""
    folder = stage.folder / "sqlite"
    folder.mkdir()
    file = folder / "screenerd.db"
    done = command(stage.binary, "import", "--database", f"sqlite://{file}", "--trust-links",
                   stage.folder / "begin.ndjson")
    if done.returncode:
        raise RuntimeError(f"import: {done.stderr.decode()}")
    server = Server(stage.binary, file)
    row.servers.append(server)
    return [Engine("SQLite", server, f"sqlite://{file}"),
            Engine("PostgreSQL", stage.serve(), stage.database.url)]


def s24(row):
    """Makes this many random calls, the same to both."""
    steps = int(os.environ.get("SCREENERD_TEST_STEPS")
                or (EXTENDED_STEPS if row.suite.is_extended else STEPS))
    seed = int(os.environ.get("SCREENERD_TEST_SEED") or random.randrange(2**32))
    lines = [*fixture.tenant_lines(TENANT, SCREENERS), *fixture.tenant_lines(OTHER, ["other"]),
             *fixture.tenant_lines(STRANGER, ["one"]),
             {"type": "credential", "tenant": f"acct_{TENANT}", "id": f"key_spare_{TENANT}",
              "kind": "panel", "secret": "spare_neighbours", "createdAt": fixture.CREATED_AT}]
    for person in PERSONS:
        lines += fixture.person_lines(TENANT, person)
        lines += fixture.session_lines(TENANT, "one", person, [f"begun_{person}"])
        lines += list(fixture.session_lines(TENANT, "one", person, [f"answered_{person}"], True))[1:]
    stage = Stage(row, lines)
    world = Both(stage, begin(stage, row), seed)
    world.remember({"id": f"scses_begun_{it}", "screenerId": "scr_one"} for it in PERSONS)
    world.answered += [(f"scses_answered_{it}", "scr_one") for it in PERSONS]
    made = writes()
    tables = ({name: call for name, (is_command, call) in made.items() if not is_command},
              {name: call for name, (is_command, call) in made.items() if is_command},
              *reads(), read_commands())
    differs = None
    try:
        for world.step in range(steps):
            if world.step and world.step % STEPS == 0:
                print(f"    {row.name}     {world.step} steps of seed {seed}", flush=True)
            step(world, tables)
    except Differs as error:
        differs = error
    total = sum(world.done.values())
    refused = sum(count for (_, status), count in world.done.items() if status not in (0, 200))
    row.note(f"{total} calls in {world.step + 1} steps, {refused} of them refused; "
             f"SCREENERD_TEST_SEED={seed}")
    row.check(not differs, f"the engines {'differ' if differs else 'agree'}"
              + (f": {differs}" if differs else ""))
    # In a short run, some calls lack the rows that they require.
    called = set(world.succeeded) if steps >= EXTENDED_STEPS else {name for name, _ in world.done}
    never = sorted(set(rpcs()) - called)
    row.check(differs or not never, f"{len(set(rpcs()))} RPCs of the contract, of which "
              f"{', '.join(never) or 'none'} never {'succeeded' if steps >= EXTENDED_STEPS else 'came'}")
    stage.end()
