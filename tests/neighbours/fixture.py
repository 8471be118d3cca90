"""The imported rows of the suite, and the servers and calls of a row of the table."""

import json

from lib import data, http1
from lib.data import CREATED_AT
from lib.server import Server, command
from postgres import Database

TENANT, OTHER = "busy", "quiet"
IMPORT_SECONDS_MAX = 300
CALL_SECONDS_MAX = 40.0
QUESTION = "scq_why"


def token(tenant):
    """Returns the service token of a tenant."""
    return f"sdk_{tenant}_neighbours"


def tenant_lines(tenant, screeners):
    """Yields a tenant with its token, a project, and screeners that allow several responses."""
    own = {"tenant": f"acct_{tenant}"}
    yield {"type": "tenant", "id": f"acct_{tenant}", "name": tenant, "createdAt": CREATED_AT}
    yield {"type": "credential", **own, "id": f"key_{tenant}", "kind": "service",
           "secret": token(tenant), "createdAt": CREATED_AT}
    yield {"type": "project", **own, "id": f"proj_{tenant}", "name": tenant, "incentive": 1,
           "organizationId": "org", "teamId": "team"}
    for screener in screeners:
        yield {"type": "screener", **own, "id": f"scr_{screener}", "projectId": f"proj_{tenant}",
               "title": screener, "status": "OPEN", "allowMultipleResponses": True,
               "activePublicationId": f"scpub_{screener}"}
        yield {"type": "publication", **own, "id": f"scpub_{screener}",
               "screenerId": f"scr_{screener}", "pages": [{"id": "p", "questions": [
                   {"id": QUESTION, "kind": "TEXT", "prompt": "Why?"}]}]}


def person_lines(tenant, person):
    """Yields a person with an external uid."""
    yield {"type": "participant", "tenant": f"acct_{tenant}", "id": f"ptp_{person}",
           "externalUid": f"uid-{person}"}


def session_lines(tenant, screener, person, names, is_completed=False):
    """Yields an assignment of a person to a screener, and sessions of it with these names."""
    own, assigned = {"tenant": f"acct_{tenant}"}, f"scpar_{screener}_{person}"
    yield {"type": "screenerParticipant", **own, "id": assigned,
           "screenerId": f"scr_{screener}", "participantId": f"ptp_{person}"}
    for name in names:
        session = {"type": "screenerSession", **own, "id": f"scses_{name}",
                   "screenerId": f"scr_{screener}", "screenerParticipantId": assigned,
                   "screenerPublicationId": f"scpub_{screener}", "linkSlug": f"slug-{name}",
                   "status": "ACTIVE", "createdAt": CREATED_AT}
        if is_completed:
            session |= dict.fromkeys(("startedAt", "lastActiveAt", "completedAt"),
                                     data.COMPLETED_AT)
        yield session
        if is_completed:
            yield {"type": "screenerResponse", **own, "screenerSessionId": f"scses_{name}",
                   "screenerQuestionId": QUESTION, "answer": "Because."}


class Stage:
    """A database of one row, with servers on it."""

    def __init__(self, row, lines):
        self.row, self.binary = row, row.suite.binary
        self.folder = row.suite.folder / row.name
        self.folder.mkdir(exist_ok=True)
        self.database = Database(f"row_{row.name}")
        self.servers = []
        self.load(lines, "begin.ndjson")

    def import_file(self, lines, name):
        """Writes an import file. Returns the command that imports it."""
        file = data.write(self.folder / name, lines)
        return ["import", "--database", self.database.url, "--trust-links", file]

    def load(self, lines, name):
        """Imports lines. Any error is a fault of the suite."""
        done = self.run(*self.import_file(lines, name))
        if done.returncode:
            raise RuntimeError(f"import: {done.stderr.decode()}")

    def run(self, *arguments):
        """Runs a command of the binary."""
        return command(self.binary, *arguments, seconds=IMPORT_SECONDS_MAX)

    def serve(self, url=None):
        """Starts one more server."""
        path = self.folder / f"server-{len(self.servers)}"
        server = Server(self.binary, path, url=url or self.database.url)
        self.row.servers.append(server)
        self.servers.append(server)
        return server

    def end(self):
        """Stops the servers and deletes the database. Returns the number of deadlocks."""
        for server in self.servers:
            self.row.check(server.stop() is not None, "the server stopped", True)
        counted = self.database.deadlocks()
        self.database.drop()
        return counted


def rpc(server, method, message, tenant=TENANT, holder=None, seconds=CALL_SECONDS_MAX):
    """Makes one call over Connect, `Service/Method`, with a panelist's link or key or else the
    tenant's token."""
    service, _, name = method.partition("/")
    headers = [("Authorization", holder)] if holder else []
    key = None if holder else token(tenant)
    return http1.rpc(server.address, service, name, message, key, seconds, headers)


def link_of(screener, session):
    """Returns the link of a session, as its holder presents it."""
    return f"/screeners/scr_{screener}/{session}"


def key_of(server, screener, uid, tenant=TENANT):
    """Returns the key of a panelist, who may be new."""
    message = {"surveyId": f"scr_{screener}", "panelistId": uid}
    answer = rpc(server, "PanelistService/GetPanelistAccess", message, tenant)
    return answer.json()["panelistAccess"]["panelist"]["publicKey"]


def submit(server, holder, text, seconds=CALL_SECONDS_MAX):
    """Submits an answer with a link or a key."""
    message = {"answers": {QUESTION: {"text": text}}}
    return rpc(server, "PanelistSessionService/SubmitAnswers", message, holder=holder,
               seconds=seconds)


def told(answer):
    """Returns the status and the message of a response, shortened."""
    try:
        return f"{answer.status} {json.loads(answer.body).get('message', '')[:90]}"
    except ValueError:
        return str(answer.status)
