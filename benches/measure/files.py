"""Exports against `sqlite3 -csv`, and imports against a bare loop of INSERTs, of the same rows."""

import json
import os
import sqlite3
import subprocess
import time

from memory import InMemory
from report import result, say
from server import GRPC_HEADERS, LOAD_CORE, SERVER_CORE, check, header_options, screenerd
from submissions import WalSize
from wire import CREDENTIALS, EXPORT, PUBLICATION, SCREENER, frame

TENANT = "acct_generated"
EXPORT_MUST, IMPORT_MUST = 1.5, 0.3
EXPORT_MAX_MIB = 200
# Rows in a transaction of the bare loop.
TRANSACTION_ROWS = 10_000
# The columns of the CSV file of an export, without the constant ones.
SAME_ROWS = """
SELECT r.session_id, q.page_id, r.question_id, r.screener_id, r.publication_id, a.participant_id,
    p.external_uid, r.assignment_id, q.prompt, q.kind, r.text, r.number, r.choices
FROM responses r
JOIN questions q ON q.tenant_id = r.tenant_id AND q.publication_id = r.publication_id
    AND q.id = r.question_id
JOIN assignments a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id
JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
WHERE r.tenant_id = 'acct_generated' ORDER BY r.seq
"""
FORMS = {"NDJSON": "application/x-ndjson", "CSV": "text/csv",
         "Parquet": "application/vnd.apache.parquet"}  # fmt: skip


def piped(command, core, name, raw):
    """Runs a command, and counts its output on the load's core: seconds, lines, bytes."""
    began = time.perf_counter()
    with open(raw / f"{name}.log", "w") as errors:
        writing = subprocess.Popen(
            ["taskset", "-c", core, *map(str, command)], stdout=subprocess.PIPE, stderr=errors
        )
        counting = subprocess.run(
            ["taskset", "-c", LOAD_CORE, "wc", "-lc"], stdin=writing.stdout, capture_output=True
        )
        writing.stdout.close()
        check(writing.wait() == 0, name, "failed; see", raw)
    lines, size = map(int, counting.stdout.split())
    return time.perf_counter() - began, lines, size


def export(options, data):
    """Rows per second of each form, and the memory of the server."""
    raw, rows = options.raw, data.sessions * data.responses_each
    tool, stream = "sqlite3 -csv of the same rows", "export, gRPC stream"
    rates = {name: [] for name in (tool, stream, *(f"export, {form}" for form in FORMS))}
    request = raw / "export.request"
    request.write_bytes(frame(b""))

    def note(name, measured, lines_expected):
        seconds, lines, size = measured
        check(lines_expected is None or lines == lines_expected, name, "has", lines, "lines")
        check(size > rows, name, "has", size, "bytes")
        rates[name].append(rows / seconds)

    with screenerd(options.screenerd, data.path, raw, "export") as server:
        url = f"http://{server.addresses[0]}"
        for turn in range(options.export_rounds):
            command = ["sqlite3", "-readonly", "-csv", data.path, SAME_ROWS]
            note(tool, piped(command, SERVER_CORE, f"export-{turn}-sqlite3", raw), rows)
            heads = raw / f"export-{turn}-grpc.heads"
            command = ["curl", "-sS", "--http2-prior-knowledge", "--data-binary", f"@{request}"]
            command += [*header_options(GRPC_HEADERS + CREDENTIALS), "-D", heads]
            command += [f"{url}/screener.v1.{EXPORT}"]
            note(stream, piped(command, LOAD_CORE, f"export-{turn}-grpc", raw), None)
            check("grpc-status: 0" in heads.read_text().lower(), "the stream broke off")
            for form, media_type in FORMS.items():
                command = ["curl", "-sS", "-f", *header_options(CREDENTIALS)]
                command += ["-H", f"Accept: {media_type}", f"{url}/screener-responses"]
                lines = {"NDJSON": rows, "CSV": rows + 1}.get(form)
                measured = piped(command, LOAD_CORE, f"export-{turn}-{form}", raw)
                note(f"export, {form}", measured, lines)
            say(f"export: round {turn + 1} of {options.export_rounds}")
        most = server.memory_mib("VmHWM")
    found = [result(tool, rates, unit="rows/s")]
    found += [
        result(name, rates, tool, EXPORT_MUST, "rows/s") for name in rates if name != tool
    ]
    name = f"memory, exports of {rows} rows, of at most {EXPORT_MAX_MIB} MiB"
    return found + [{"name": name, "unit": "MiB", "median": most,
                     "ratio": EXPORT_MAX_MIB / most, "must": 1}]  # fmt: skip


def import_lines(source, sessions):
    """The rows of the first sessions as lines of an import file."""

    def rows(table, columns):
        ordered = f"SELECT {columns} FROM {table} WHERE tenant_id = ? ORDER BY id LIMIT ?"
        return source.execute(ordered, (TENANT, sessions))

    common = {"tenant": TENANT}
    kinds = dict(source.execute("SELECT id, kind FROM questions"))
    yield {"format": "screenerd-import", "version": 1}
    yield from head(source, common)
    people = rows("participants", "id, external_uid")
    assigned = rows("assignments", "id, screener_id, participant_id")
    columns = "id, screener_id, assignment_id, publication_id, link_slug, started_at, completed_at"
    held = rows("sessions", f"{columns}, created_at")
    for person, assignment, session in zip(people, assigned, held):
        yield {"type": "participant", "id": person[0], "externalUid": person[1], **common}
        yield {"type": "screenerParticipant", "id": assignment[0], "screenerId": assignment[1],
               "participantId": assignment[2], **common}  # fmt: skip
        started, completed, created = map(instant, session[5:])
        yield {"type": "screenerSession", "id": session[0], "screenerId": session[1],
               "screenerParticipantId": session[2], "screenerPublicationId": session[3],
               "linkSlug": session[4], "status": "ACTIVE", "createdAt": created,
               "startedAt": started, "lastActiveAt": completed, "completedAt": completed,
               **common}  # fmt: skip
        answers = source.execute(
            "SELECT question_id, text, number, choices FROM responses"
            " WHERE tenant_id = ? AND session_id = ? ORDER BY question_id", (TENANT, session[0])
        )  # fmt: skip
        for question, *given in answers:
            yield {"type": "screenerResponse", "screenerSessionId": session[0],
                   "screenerQuestionId": question, "answer": answer(kinds[question], *given),
                   **common}  # fmt: skip


def head(source, common):
    """The records to which every row belongs."""
    created = "2024-05-01T00:00:00Z"
    yield {"type": "tenant", "id": common["tenant"], "name": "Generated", "createdAt": created}
    yield {"type": "project", "id": "proj_generated", "name": "Generated", "incentive": 50,
           "organizationId": "org_generated", "teamId": "team_generated", **common}  # fmt: skip
    yield {"type": "screener", "id": SCREENER, "projectId": "proj_generated", "title": "Generated",
           "status": "OPEN", "activePublicationId": PUBLICATION, **common}  # fmt: skip
    pages = {}
    asked = source.execute("SELECT page_id, id, kind, prompt FROM questions ORDER BY position")
    for page, question, kind, prompt in asked.fetchall():
        record = {"id": question, "kind": kind, "prompt": prompt}
        offered = source.execute(
            "SELECT id, text FROM options WHERE question_id = ? ORDER BY position", (question,)
        )
        options = [{"id": option, "text": text} for option, text in offered]
        pages.setdefault(page, []).append(record | ({"options": options} if options else {}))
    pages = [{"id": page, "questions": questions} for page, questions in pages.items()]
    yield {"type": "publication", "id": PUBLICATION, "screenerId": SCREENER, "tags": [],
           "pages": pages, **common}  # fmt: skip


def instant(micros):
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(micros // 1_000_000))
    return f"{at}.{micros % 1_000_000:06d}Z"


def answer(kind, text, real, choices):
    if choices is None:
        return text if text is not None else real
    chosen = [{"option": choice["option"]} for choice in json.loads(choices)]
    return chosen[0] if kind == "SINGLE_SELECT" else chosen


def import_file(data, sessions):
    """The file, which is kept, and the number of its rows."""
    path = data.path.with_name(f"import-{sessions}-{data.responses_each}.ndjson")
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        source = sqlite3.connect(f"file:{data.path}?mode=ro", uri=True)
        with unfinished.open("w") as out:
            out.writelines(json.dumps(line) + "\n" for line in import_lines(source, sessions))
        source.close()
        unfinished.rename(path)
    return path


def import_once(options, lines, target, name):
    """Seconds, the largest size of the log, and of the memory, in MiB."""
    remove(target)
    command = ["taskset", "-c", SERVER_CORE, options.screenerd, "import"]
    command += ["--database", f"sqlite://{target}", lines]
    with WalSize(target) as wal, open(options.raw / f"{name}.txt", "w") as out:
        began = time.perf_counter()
        running = subprocess.Popen(list(map(str, command)), stdout=out, stderr=out)
        _, status, usage = os.wait4(running.pid, 0)
        seconds = time.perf_counter() - began
    running.returncode = os.waitstatus_to_exitcode(status)
    check(running.returncode == 0, name, "failed; see", options.raw)
    return seconds, wal.mib, usage.ru_maxrss / 1024


def remove(database):
    for path in database.parent.glob(database.name + "*"):
        path.unlink()


def insert_once(imported, target):
    """Seconds of a bare loop: the same rows into the same tables and indexes, in transactions of
    many rows. Reading them, and foreign keys, which a bare loop would not check, do not count."""
    remove(target)
    source = sqlite3.connect(f"file:{imported}?mode=ro", uri=True)
    sink = sqlite3.connect(target, isolation_level=None)
    made = source.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
                          " ORDER BY type = 'table' DESC").fetchall()  # fmt: skip
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                      *(sql for name, sql in made if not name.startswith("sqlite_"))):  # fmt: skip
        sink.execute(statement)
    tables = source.execute("SELECT name FROM sqlite_master WHERE type = 'table'"
                            " AND name NOT LIKE 'sqlite%'").fetchall()  # fmt: skip
    seconds = rows = 0
    for (table,) in tables:
        cursor = source.execute(f"SELECT * FROM {table}")
        insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(cursor.description))})"
        while chunk := cursor.fetchmany(TRANSACTION_ROWS):
            began = time.perf_counter()
            sink.execute("BEGIN")
            sink.executemany(insert, chunk)
            sink.execute("COMMIT")
            seconds += time.perf_counter() - began
            rows += len(chunk)
    source.close()
    sink.close()
    return seconds, rows


def imports(options, data):
    sessions = min(data.sessions, options.import_sessions)
    lines = import_file(data, sessions)
    imported, bare = (data.path.with_name(name) for name in ("imported.db", "bare.db"))
    loop, own = "bare INSERT loop of the same rows", f"import of {sessions} sessions"
    rates, largest, most = {loop: [], own: []}, 0, 0
    os.sched_setaffinity(0, {int(SERVER_CORE)})
    for turn in range(options.import_rounds):
        seconds, wal, memory = import_once(options, lines, imported, f"import-{turn}")
        largest, most = max(largest, wal), max(most, memory)
        bare_seconds, rows = insert_once(imported, bare)
        rates[own].append(rows / seconds)
        rates[loop].append(rows / bare_seconds)
        say(f"import: round {turn + 1} of {options.import_rounds}")
    os.sched_setaffinity(0, range(os.cpu_count()))
    remove(imported)
    remove(bare)
    return [
        result(loop, rates, unit="rows/s"),
        result(own, rates, loop, IMPORT_MUST, "rows/s"),
        {"name": "import: largest write-ahead log", "unit": "MiB", "median": largest,
         "ratio": None, "must": None},
        {"name": "import: most memory", "unit": "MiB", "median": most, "ratio": None,
         "must": None},
    ]  # fmt: skip


def measure(options, data):
    with InMemory(data.path, options.raw):
        exported = export(options, data)
    return exported + imports(options, data)
