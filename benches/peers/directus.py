"""Directus: a collection made over its API, with indexes, and rows put into its file."""

import json
import os
import sqlite3
import subprocess

from serving import COLUMNS, EMAIL, PASSWORD, Peer, ask, rows
from wire import PAGE_ROWS, SCREENER

TOKEN = "a-static-token-for-the-bench"


class Directus(Peer):
    name = "Directus"
    one = "/items/sessions/scses_%09d"

    def set_up(self):
        self.program = self.options.peers / "directus" / "node_modules" / ".bin" / "directus"
        package = self.options.peers / "directus" / "node_modules" / "directus" / "package.json"
        self.version = json.loads(package.read_text())["version"]
        with open(self.folder / "log.txt", "a") as log:
            subprocess.run(
                [self.program, "bootstrap"], cwd=self.folder, check=True, stdout=log, stderr=log,
                env=self.environment("127.0.0.1:0"),
            )  # fmt: skip
        self.headers = [f"Authorization: Bearer {TOKEN}"]
        self.serve()
        # An index of its own for each field that is filtered or sorted by is all that its API makes.
        indexed = ("seq", "screener_id")
        fields = [field("id", "string", is_primary_key=True, length=64)]
        for name in COLUMNS:
            kind = "bigInteger" if name == "seq" or name.endswith("_at") else "string"
            fields.append(field(name, kind, is_indexed=name in indexed))
        ask(self, "/collections", {"collection": "sessions", "schema": {}, "meta": {},
                                   "fields": fields})  # fmt: skip
        self.stop()
        filled = sqlite3.connect(self.folder / "data.db")
        # The index that an operator of such a list would add manually.
        filled.execute("CREATE INDEX sessions_by_screener ON sessions (screener_id, seq)")
        insert = f"INSERT INTO sessions (id, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"
        numbered = enumerate(rows(self.options.database))
        with filled:
            filled.executemany(insert, ((f"scses_{number:09d}", *row) for number, row in numbered))
        filled.execute("ANALYZE")
        filled.close()
        self.serve()

    def environment(self, address):
        host, port = address.split(":")
        return {
            **os.environ, "HOST": host, "PORT": port, "DB_CLIENT": "sqlite3",
            "DB_FILENAME": str(self.folder / "data.db"), "SECRET": PASSWORD, "LOG_LEVEL": "warn",
            "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "ADMIN_TOKEN": TOKEN,
            "NODE_ENV": "production", "TELEMETRY": "false", "QUERY_LIMIT_MAX": "-1",
            "PRESSURE_LIMITER_ENABLED": "false",
        }  # fmt: skip

    def serve(self):
        self.start(lambda _: [self.program, "start"], self.environment, "/server/ping")

    def page(self, offset):
        filtered = f"filter%5Bscreener_id%5D%5B_eq%5D={SCREENER}"
        paged = f"limit={PAGE_ROWS}&offset={offset}&sort=seq&meta=filter_count"
        return f"/items/sessions?{filtered}&{paged}"

    def listed(self, answer):
        return [item["id"] for item in answer["data"]], answer["meta"]["filter_count"]


def field(name, kind, **schema):
    return {"field": name, "type": kind, "schema": schema, "meta": {}}
