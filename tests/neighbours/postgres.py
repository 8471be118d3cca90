"""The temporary PostgreSQL server in a row: databases, waiting statements, and deadlocks."""

import contextlib
import os
import re
import subprocess
import urllib.parse

# As short as possible without judging merely slow statements: PostgreSQL must find a deadlock of
# two writes before one of them ends by chance.
SETTINGS = ("deadlock_timeout = '50ms'",)
QUERY_SECONDS_MAX = 60


def moved(url, port=None, database=None):
    """Returns a URL with another port or database."""
    parts = urllib.parse.urlsplit(url)
    credentials, _, place = parts.netloc.rpartition("@")
    host, _, own_port = place.partition(":")
    netloc = f"{credentials}@{host}:{port or own_port}"
    return parts._replace(netloc=netloc, path=f"/{database}" if database else parts.path).geturl()


def query(url, statement):
    """Returns the result of a statement as lines of cells."""
    command = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
               "--set=ON_ERROR_STOP=1", f"--command={statement}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=QUERY_SECONDS_MAX)
    if done.returncode:
        raise RuntimeError(f"{statement}: {done.stderr}")
    return done.stdout.splitlines()


# The scopes of each list in addition to the tenant. Its rows are in the table of its name.
LISTS = {
    "sessions": ("screener",), "responses": ("screener", "publication"), "earlier_responses": (),
    "submissions": ("screener", "project"), "projects": (), "screeners": ("project",),
    "publications": ("screener",), "participants": (), "changes": (),
}
BLOCK_ROWS = 128


def miscounted(url):
    """Returns every count that differs from its rows, as lines: totals and marks of lists, numbers
    that were assigned but not counted, and the cells of the funnel."""
    parts = ["""
        SELECT CONCAT_WS(' ', 'funnel', tenant_id, screener_id, publication_id, cell, counted, found)
        FROM (SELECT tenant_id, screener_id, publication_id, cell, sessions AS counted
              FROM funnel_cells WHERE sessions <> 0) AS cells
        FULL JOIN (SELECT tenant_id, screener_id, publication_id, funnel_cell AS cell,
                       COUNT(*) AS found
                   FROM sessions GROUP BY 1, 2, 3, 4) AS rows
        USING (tenant_id, screener_id, publication_id, cell)
        WHERE counted IS DISTINCT FROM found"""]
    for name, scopes in LISTS.items():
        for scope in ("tenant", *scopes):
            scope_id = "''" if scope == "tenant" else f"{scope}_id"
            parts.append(f"""
                SELECT CONCAT_WS(' ', '{name} of a {scope}', tenant_id, scope_id, total, holes, found,
                    last)
                FROM (SELECT tenant_id, scope_id, total, holes FROM list_totals
                      WHERE list = '{name}' AND scope = '{scope}') AS totals
                FULL JOIN (SELECT tenant_id, {scope_id} AS scope_id, COUNT(*) AS found,
                               MAX(seq) AS last
                           FROM {name} WHERE seq >= 0 GROUP BY 1, 2) AS rows
                USING (tenant_id, scope_id)
                WHERE COALESCE(total, 0) - COALESCE(holes, 0) <> COALESCE(found, 0)
                    OR '{scope}' = 'tenant' AND last >= total""")
        for scope in scopes:
            parts.append(f"""
                SELECT CONCAT_WS(' ', 'marks of {name} of a {scope}', tenant_id, scope_id, total)
                FROM list_totals t
                WHERE list = '{name}' AND scope = '{scope}' AND holes = 0 AND (
                    SELECT COUNT(*) <> (t.total + {BLOCK_ROWS - 1}) / {BLOCK_ROWS}
                        OR COUNT(*) FILTER (WHERE m.block * {BLOCK_ROWS} <> (
                            SELECT COUNT(*) FROM {name} r WHERE r.tenant_id = t.tenant_id
                            AND r.{scope}_id = t.scope_id AND r.seq >= 0
                            AND r.seq < m.first_seq)) > 0
                    FROM list_marks m
                    WHERE (m.tenant_id, m.list, m.scope, m.scope_id)
                        = (t.tenant_id, t.list, t.scope, t.scope_id))""")
    return query(url, " UNION ALL ".join(parts))


class Database:
    """A database of one row."""

    def __init__(self, name):
        self.admin, self.name = os.environ["SCREENERD_TEST_POSTGRES"], name.lower()
        query(self.admin, f"CREATE DATABASE {self.name}")
        for setting in SETTINGS:
            query(self.admin, f"ALTER DATABASE {self.name} SET {setting}")
        self.url = moved(self.admin, database=self.name)
        self.port = urllib.parse.urlsplit(self.admin).port
        folder = query(self.admin, "SHOW data_directory")[0]
        # scripts/with-postgres has the server log there.
        self.log = f"{os.path.dirname(folder)}/server.log"
        self.log_from = os.path.getsize(self.log)

    def through(self, port):
        """Returns the URL through a proxy."""
        return moved(self.url, port)

    def waiting(self):
        """Returns the number of backends that wait for a lock."""
        return int(query(self.admin, "SELECT COUNT(*) FROM pg_stat_activity WHERE "
                         f"datname = '{self.name}' AND wait_event_type = 'Lock'")[0])

    def busy(self):
        """Returns the number of servers' backends within a transaction."""
        return int(query(self.admin, "SELECT COUNT(*) FROM pg_stat_activity WHERE "
                         f"datname = '{self.name}' AND state <> 'idle'")[0])

    def backends(self):
        """Returns the backends of servers."""
        return set(query(self.admin, "SELECT pid FROM pg_stat_activity WHERE "
                         f"datname = '{self.name}' AND application_name = 'screenerd'"))

    def deadlocks(self):
        """Returns PostgreSQL's count of deadlocks, which is exact once the servers have ended."""
        return int(query(self.admin, "SELECT deadlocks FROM pg_stat_database WHERE "
                         f"datname = '{self.name}'")[0])

    @contextlib.contextmanager
    def analyzing(self, table):
        """Holds the locks of another import or a VACUUM on a table."""
        command = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", self.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as session:
            session.stdin.write(f"BEGIN; ANALYZE {table}; SELECT 'held';\n")
            session.stdin.flush()
            session.stdout.readline()
            yield
            session.stdin.close()

    def logged_deadlocks(self):
        """Returns the instant of each deadlock, and the server's log of it."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_from)
            text = log.read()
        # An entry begins with a time. Its details are entries as well.
        found, entries = [], re.split(r"(?m)^(?=\d{4}-\d\d-\d\d )", text)
        for place, entry in enumerate(entries):
            if "deadlock detected" in entry:
                more = "".join(entries[place + 1:place + 3])
                statements = re.findall(r"Process \d+: (.*?)(?=\n\tProcess|\n\d{4}-|$)", more, re.S)
                found.append((entry[:23], [" ".join(it.split())[:160] for it in statements]))
        return found

    def drop(self):
        """Deletes the database despite open connections."""
        query(self.admin, f"DROP DATABASE {self.name} WITH (FORCE)")
