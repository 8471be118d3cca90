"""The process: its log, its files, its names (S5, S7, S13)."""

import fcntl
import os
import pty
import re
import stat
import subprocess
import threading
import time
from pathlib import Path

from lib import attack, http1
from lib.data import KEY
from lib.report import mib
from lib.server import Refused, Server, environment
from long_jobs import LOG_BYTES_MAX, WRITE_SECONDS_MAX
from neighbours import writes
from strangers import resets

CALLS = 200
CALL_SECONDS_MAX = 2.0
PIPE_BYTES = 4_096
LOGGING_SECONDS = 1.5
# About 5.5 KiB of log each: more than twice the size at which the server truncates it.
SESSIONS_WRITTEN = 7_500
# Characters that control a terminal: C0 except line ends, DEL, C1, and changes of direction.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def served(server):
    """Makes requests, each on a new connection, until one is not served. Returns the number of the
    served ones."""
    for number in range(CALLS):
        if http1.call(server.address, "GET", "/livez", seconds=CALL_SECONDS_MAX).status != 200:
            return number
    return CALLS


def with_log(row, name, write_end, before=lambda: None, after=lambda: None):
    """Runs a server that logs much into this file: it must serve, and stop with 0."""
    try:
        server = Server(row.suite.binary, row.suite.data.copy(f"S5-{re.sub('[^a-z]+', '-', name)}"),
                        "--log", "h2=trace,info", stderr=write_end)
    except Refused as error:
        row.check(False, f"{name}: it does not start: {str(error)[:40].strip()}")
        return
    finally:
        os.close(write_end)
    row.servers.append(server)
    before()
    # This filter logs each frame, far more than the queue of a server holds.
    attack.run(lambda number, _: resets(server, f"127.0.1.{number + 1}", LOGGING_SECONDS), 4)
    count = served(server)
    after()
    code = server.stop()
    row.check(count == CALLS and code == 0,
              f"{name}: {count} of {CALLS} served, stopped with {code}")


def s5(row):
    """Makes the standard error output fail."""
    with_log(row, "/dev/full", os.open("/dev/full", os.O_WRONLY))
    read_end, write_end = os.pipe()
    with_log(row, "a reader that died", write_end, before=lambda: os.close(read_end))
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    read, stuck = [], read_end

    def drain():
        while part := os.read(stuck, 65_536):
            read.append(part)

    reader = threading.Thread(target=drain, daemon=True)
    with_log(row, "a reader that is stuck", write_end, after=reader.start)
    if reader.ident:
        reader.join(5.0)
    lost = re.findall(rb"[^\n]*\blost\b[^\n]*", b"".join(read))
    row.check(lost, f"lost lines are counted in {len(lost)} lines: "
              f"{lost[0][-60:].decode(errors='replace') if lost else 'none'}")


def on_a_terminal(binary, *arguments):
    """Returns the output of a command on a terminal."""
    ours, theirs = pty.openpty()
    # The program's own colors would count as control characters.
    process = subprocess.Popen([binary, *arguments], env=environment() | {"NO_COLOR": "1"},
                               stdin=theirs, stdout=theirs, stderr=theirs,
                               start_new_session=True)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65_536):
            shown += part
    except OSError:
        pass  # The other end is closed.
    process.wait(30)
    os.close(ours)
    return shown.decode(errors="replace")


def s7(row):
    """Checks files and output to terminals."""
    database = row.suite.data.copy("S7")
    url = f"sqlite://{database}"
    server = Server(row.suite.binary, database, umask=0o000)
    row.servers.append(server)
    writes(server, 0.2)
    modes = {it.name: stat.S_IMODE(it.stat().st_mode)
             for it in sorted(database.parent.glob("screenerd.db*"))
             if not it.name.endswith(".log")}
    row.check(len(modes) >= 4 and set(modes.values()) == {0o600},
              "umask 000: " + ", ".join(f"{name[12:] or 'file'} {mode:04o}"
                                        for name, mode in modes.items()))
    row.check(server.stop() == 0, "it stopped", True)
    socket = Path(f"{database}.sock")
    socket.write_text("a file of another program")
    try:
        other = Server(row.suite.binary, database)
        row.servers.append(other)
        row.check(False, "a regular file in place of the socket: replaced")
        other.stop()
    except Refused:
        row.check(socket.read_text() == "a file of another program",
                  "a regular file in place of the socket: refused")
    socket.unlink(missing_ok=True)
    tenants = [row.suite.binary, "tenants", "--database"]
    on_a_terminal(*tenants, url, "create", "turned \u202e name")
    shown = [on_a_terminal(*tenants, url, "list"),
             on_a_terminal(*tenants, "sqlite:///none\x1b[31m\x9b/screenerd.db", "list")]
    row.check("turned" in shown[0] and not any(CONTROLS.search(it) for it in shown),
              f"control characters on a terminal: {sum(len(CONTROLS.findall(it)) for it in shown)}")


def s13(row):
    """Opens one file by two names."""
    database = row.suite.data.copy("S13")
    alias = database.with_name("alias.db")
    alias.symlink_to(database)
    server = Server(row.suite.binary, alias)
    row.servers.append(server)
    try:
        other = Server(row.suite.binary, database)
        row.servers.append(other)
        row.check(False, "a second server starts under the other name")
        other.kill()
    except Refused:
        row.check(True, "a second server under the other name is refused")
    shown = on_a_terminal(row.suite.binary, "tenants", "--database", f"sqlite://{database}", "list")
    row.check("acct_generated" in shown, "a command finds the server under the other name")
    written = writes(server, WRITE_SECONDS_MAX, count_max=SESSIONS_WRITTEN)
    time.sleep(1.5)  # The log is truncated once idle readers release their snapshots, each second.
    writes(server, 0.1, "last")
    row.check(server.wal_bytes() <= LOG_BYTES_MAX,
              f"{written} sessions written, the log has {mib(server.wal_bytes())}")
    answer = http1.rpc(server.address, "ScreenerSessionService", "GetScreenerSession",
                       {"id": "scses_000000001"}, KEY)
    row.check(answer.status == 200, f"a read is {answer.status}", True)
    row.close(server)


ROWS = [
    ("S5", "it continues to serve when its log cannot be written, and counts lost lines", s5),
    ("S7", "its files are its owner's, no other file is replaced, no control character shown", s7),
    ("S13", "one file has one server, whatever its names are", s13),
]
