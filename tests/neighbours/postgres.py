"""The throw-away PostgreSQL from the side of a row: databases, what waits in them, and deadlocks."""

import os
import re
import subprocess
import urllib.parse

# As short as it gets without judging what is only slow: a deadlock that two writes could run into is
# found before either is done by chance.
SETTINGS = ("deadlock_timeout = '50ms'",)
QUERY_SECONDS_MAX = 60


def moved(url, port=None, database=None):
    """A URL with another port or database."""
    parts = urllib.parse.urlsplit(url)
    credentials, _, place = parts.netloc.rpartition("@")
    host, _, own_port = place.partition(":")
    netloc = f"{credentials}@{host}:{port or own_port}"
    return parts._replace(netloc=netloc, path=f"/{database}" if database else parts.path).geturl()


def query(url, statement):
    """What a statement returns, as lines of cells."""
    command = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
               "--set=ON_ERROR_STOP=1", f"--command={statement}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=QUERY_SECONDS_MAX)
    if done.returncode:
        raise RuntimeError(f"{statement}: {done.stderr}")
    return done.stdout.splitlines()


class Database:
    """A database of a row's own."""

    def __init__(self, name):
        self.admin, self.name = os.environ["SCREENERD_TEST_POSTGRES"], name.lower()
        query(self.admin, f"CREATE DATABASE {self.name}")
        for setting in SETTINGS:
            query(self.admin, f"ALTER DATABASE {self.name} SET {setting}")
        self.url = moved(self.admin, database=self.name)
        self.port = urllib.parse.urlsplit(self.admin).port
        folder = query(self.admin, "SHOW data_directory")[0]
        # Where scripts/with-postgres has the server log.
        self.log = f"{os.path.dirname(folder)}/server.log"
        self.log_from = os.path.getsize(self.log)

    def through(self, port):
        """The URL through a proxy."""
        return moved(self.url, port)

    def waiting(self):
        """How many backends wait for a lock."""
        return int(query(self.admin, "SELECT COUNT(*) FROM pg_stat_activity WHERE "
                         f"datname = '{self.name}' AND wait_event_type = 'Lock'")[0])

    def backends(self):
        """The backends of servers."""
        return set(query(self.admin, "SELECT pid FROM pg_stat_activity WHERE "
                         f"datname = '{self.name}' AND application_name = 'screenerd'"))

    def deadlocks(self):
        """How many PostgreSQL has counted; exact once the servers have gone."""
        return int(query(self.admin, "SELECT deadlocks FROM pg_stat_database WHERE "
                         f"datname = '{self.name}'")[0])

    def logged_deadlocks(self):
        """When each was found, with what the server logged of it."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_from)
            text = log.read()
        # An entry begins with a time; its details are entries as well.
        found, entries = [], re.split(r"(?m)^(?=\d{4}-\d\d-\d\d )", text)
        for place, entry in enumerate(entries):
            if "deadlock detected" in entry:
                more = "".join(entries[place + 1:place + 3])
                statements = re.findall(r"Process \d+: (.*?)(?=\n\tProcess|\n\d{4}-|$)", more, re.S)
                found.append((entry[:23], [" ".join(it.split())[:160] for it in statements]))
        return found

    def drop(self):
        """Deletes it, whoever is still connected."""
        query(self.admin, f"DROP DATABASE {self.name} WITH (FORCE)")
