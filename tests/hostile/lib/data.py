"""The databases of the rows: generated once by the real binary, and copied for each row."""

import json
import shutil
import subprocess
from pathlib import Path

from .server import command

# The keys of `screenerd generate` and of the tenants in this suite are public.
KEY = "sdk_generated"
SPOT = (("X-Spot-Api-Key", "acct_generated"), ("X-Spot-Api-Secret", "sk_live_generated"))
SESSION = "scses_000000001"
SMALL_SESSIONS = 2_000
LARGE_SESSIONS = 150_000
ANSWERS = 2
EXTENDED_SESSIONS = 1_000_000
GENERATE_SECONDS_MAX = 900
CREATED_AT = "2026-01-05T09:00:00Z"
COMPLETED_AT = "2026-01-05T10:00:00Z"


class Data:
    """The prepared databases, and imports into their copies."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, Path(folder)

    def generated(self, sessions):
        """Returns a generated database with this many sessions. Generates it on the first call."""
        database = self.folder / f"generated-{sessions}.db"
        if not database.exists():
            made = command(self.binary, "generate", "--database", f"sqlite://{database}",
                           "--sessions", sessions, "--responses-per-session", ANSWERS,
                           seconds=GENERATE_SECONDS_MAX)
            if made.returncode:
                raise RuntimeError(f"generate: {made.stderr.decode()}")
        return database

    def copy(self, row, sessions=SMALL_SESSIONS):
        """Returns a copy of a database for a row."""
        folder = self.folder / row
        folder.mkdir(exist_ok=True)
        database = folder / "screenerd.db"
        source = self.generated(sessions)
        for suffix in ("", "-wal"):
            if Path(f"{source}{suffix}").exists():
                subprocess.run(["cp", "--reflink=auto", f"{source}{suffix}", f"{database}{suffix}"],
                               check=True)
        return database

    def add(self, database, lines, name="added.ndjson"):
        """Imports lines while no server runs."""
        file = write(database.parent / name, lines)
        done = command(self.binary, "import", "--database", f"sqlite://{database}", file,
                       seconds=GENERATE_SECONDS_MAX)
        if done.returncode:
            raise RuntimeError(f"import: {done.stderr.decode()}")

    def forget(self, row):
        """Deletes a row's folder."""
        shutil.rmtree(self.folder / row, ignore_errors=True)


def write(path, lines):
    """Writes an import file, line by line."""
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"format": "screenerd-import", "version": 1}\n')
        for line in lines:
            file.write(line if isinstance(line, str) else json.dumps(line))
            file.write("\n")
    return path


def tenant(name, people, text="Yes"):
    """Yields a tenant `acct_NAME` with the service token `sdk_NAME_hostile`, and people with one
    completed session and one answer each."""
    own = {"tenant": f"acct_{name}"}
    yield {"type": "tenant", "id": f"acct_{name}", "name": name, "createdAt": CREATED_AT}
    yield {"type": "credential", **own, "id": f"key_{name}", "kind": "service",
           "secret": f"sdk_{name}_hostile", "createdAt": CREATED_AT}
    yield {"type": "project", **own, "id": f"proj_{name}", "name": name, "incentive": 1,
           "organizationId": "org", "teamId": "team"}
    yield {"type": "screener", **own, "id": f"scr_{name}", "projectId": f"proj_{name}",
           "title": name, "status": "OPEN", "activePublicationId": f"scpub_{name}"}
    yield {"type": "publication", **own, "id": f"scpub_{name}", "screenerId": f"scr_{name}",
           "pages": [{"id": "p", "questions": [{"id": "q", "kind": "TEXT", "prompt": "?"}]}]}
    yield from persons(name, f"acct_{name}", f"scr_{name}", f"scpub_{name}", people, [("q", text)])


def persons(prefix, owner, screener, publication, count, answers):
    """Yields the import lines of people with one completed session each, and its answers."""
    texts = [(question, json.dumps(text)) for question, text in answers]
    for number in range(count):
        own, at = f'"tenant": "{owner}"', f"{prefix}_{number:07}"
        yield (f'{{"type": "participant", {own}, "id": "ptp_{at}", "externalUid": "{at}"}}')
        yield (f'{{"type": "screenerParticipant", {own}, "id": "scpar_{at}", '
               f'"screenerId": "{screener}", "participantId": "ptp_{at}"}}')
        yield (f'{{"type": "screenerSession", {own}, "id": "scses_{at}", '
               f'"screenerId": "{screener}", "screenerParticipantId": "scpar_{at}", '
               f'"screenerPublicationId": "{publication}", '
               f'"linkSlug": "slug-{prefix}-{number:07}", "status": "ACTIVE", '
               f'"createdAt": "{CREATED_AT}", "startedAt": "{CREATED_AT}", '
               f'"lastActiveAt": "{COMPLETED_AT}", "completedAt": "{COMPLETED_AT}"}}')
        for question, text in texts:
            yield (f'{{"type": "screenerResponse", {own}, "screenerSessionId": "scses_{at}", '
                   f'"screenerQuestionId": "{question}", "answer": {text}}}')
