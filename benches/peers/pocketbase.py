"""PocketBase: a collection made over its API, with an index of the list, and rows put into its file."""

import os
import sqlite3
import subprocess

from serving import COLUMNS, EMAIL, PASSWORD, Peer, ask, rows
from wire import PAGE_ROWS, SCREENER


class PocketBase(Peer):
    name = "PocketBase"
    # An id has 15 characters there.
    one = "/api/collections/sessions/records/scses%010d"

    def set_up(self):
        self.program = self.options.peers / "venv" / "bin" / "pocketbase"
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True)
        self.version = said.stdout.split()[-1]
        with open(self.folder / "log.txt", "a") as log:
            subprocess.run(
                [self.program, "superuser", "upsert", EMAIL, PASSWORD, "--dir", "data"],
                cwd=self.folder, check=True, stdout=log, stderr=log,
            )  # fmt: skip
        self.serve()
        self.authenticate()
        numbers = [name for name in COLUMNS if name == "seq" or name.endswith("_at")]
        fields = [
            {"name": name, "type": "number" if name in numbers else "text"} for name in COLUMNS
        ]
        index = "CREATE INDEX sessions_by_screener ON sessions (screener_id, seq)"
        collection = {"name": "sessions", "type": "base", "fields": fields, "indexes": [index]}
        ask(self, "/api/collections", collection)
        self.stop()
        filled = sqlite3.connect(self.folder / "data" / "data.db")
        insert = f"INSERT INTO sessions (id, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"
        numbered = enumerate(rows(self.options.database))
        with filled:
            filled.executemany(
                insert, ((f"scses{number:010d}", *absent(row)) for number, row in numbered)
            )
        filled.execute("ANALYZE")
        filled.close()
        self.serve()
        self.authenticate()

    def serve(self):
        def command(address):
            return [self.program, "serve", "--http", address, "--dir", "data"]

        self.start(command, lambda _: os.environ, "/api/health")

    def authenticate(self):
        path = "/api/collections/_superusers/auth-with-password"
        self.headers = []
        token = ask(self, path, {"identity": EMAIL, "password": PASSWORD})["token"]
        self.headers = [f"Authorization: {token}"]

    def page(self, offset):
        """Pages: the last one has the last row, and the rest of the rows."""
        number = offset // PAGE_ROWS + 1
        filtered = f"filter=(screener_id%3D'{SCREENER}')"
        listed = f"perPage={PAGE_ROWS}&page={number}&sort=seq&{filtered}"
        return f"/api/collections/sessions/records?{listed}"

    def listed(self, answer):
        return [item["id"] for item in answer["items"]], answer["totalItems"]


def absent(row):
    """Columns are never null there."""
    return tuple(0 if value is None else value for value in row)
