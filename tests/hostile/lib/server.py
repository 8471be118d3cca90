"""A screenerd process: started, measured and stopped."""

import atexit
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

# A server on the largest database of the suite starts in a second, but a debug build takes longer.
START_SECONDS_MAX = 60
# The server ends remaining connections after 9 seconds. After this time the suite kills it.
STOP_SECONDS_MAX = 20
# The interval of samples of open files and memory. A sample costs under 2 ms with 4096 open files.
SAMPLE_SECONDS = 0.25
# Connections of the server and of the attacker. The server itself accepts 4096.
OPEN_FILES_WANTED = 16_384
MIB = 1024 * 1024

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def raise_open_files():
    """Raises the soft limit of open files of this process and of its servers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_WANTED if hard == resource.RLIM_INFINITY else min(OPEN_FILES_WANTED, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def environment():
    """Returns the environment without settings of the server, so that only flags apply."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SCREENERD_")}


def command(binary, *arguments, seconds=120, **options):
    """Runs a command of the binary and returns its result, whatever the exit code."""
    return subprocess.run([binary, *map(str, arguments)], env=environment(), timeout=seconds,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)


# All running servers, which are killed when the suite ends for any reason.
_running = set()


@atexit.register
def kill_all():
    """Kills all running servers."""
    for server in list(_running):
        server.kill()


class Refused(Exception):
    """The server did not start. The text is its output."""


class Server:
    """A running server. Its attributes are the largest sampled values."""

    def __init__(self, binary, database, *arguments, url=None, stderr=None, prefix=(),
                 umask=0o022):
        # Also the place of the log, and only of the log if a URL is given.
        self.database = Path(database)
        self.log = self.database.with_name(self.database.name + ".log")
        self.open_files_max = self.wal_bytes_max = 0
        self.address = None
        self._stopping = threading.Event()
        # Appends, so that a restart in the same row keeps the earlier log.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, binary, "serve", "--listen", "127.0.0.1:0",
                 "--database", url or f"sqlite://{self.database}", *map(str, arguments)],
                env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log if stderr is None else stderr, umask=umask, start_new_session=True)
        self.pid = self.process.pid
        _running.add(self)
        try:
            self._wait_for_address()
        except BaseException:
            self.kill()
            raise
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def _wait_for_address(self):
        """Reads the line with the address. Afterwards a thread discards the output."""
        timer = threading.Timer(START_SECONDS_MAX, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                if found := re.match(rb"screenerd .* listens on ([0-9.]+):([0-9]+)", line):
                    self.address = (found[1].decode(), int(found[2]))
                    break
        finally:
            timer.cancel()
        if self.address is None:
            code = self.process.wait()
            raise Refused(f"exit code {code}: {self.logged()[-400:]}")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def _sample(self):
        while not self._stopping.wait(SAMPLE_SECONDS):
            try:
                self.open_files_max = max(self.open_files_max, self.open_files())
                self.wal_bytes_max = max(self.wal_bytes_max, self.wal_bytes())
            except OSError:
                return

    def _status(self, name):
        """Returns a row of /proc/PID/status in bytes, or 0 once the process has ended."""
        try:
            text = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0

    def rss(self):
        """Returns the current resident memory in bytes."""
        return self._status("VmRSS")

    def rss_max(self):
        """Returns the largest resident memory since `forget_rss_max`, in bytes."""
        return self._status("VmHWM")

    def forget_rss_max(self):
        """Resets the kernel's maximum of resident memory."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def open_files(self):
        """Returns the current number of open files."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        """Returns the processor time that the process has used."""
        # The second field is the name in parentheses and may contain spaces.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def alive(self):
        """Whether the process still runs."""
        return self.process.poll() is None

    def logged(self):
        """Returns the standard error output so far."""
        return self.log.read_text(errors="replace")

    def wal_bytes(self):
        """Returns the size of the write-ahead log."""
        wal = Path(f"{os.path.realpath(self.database)}-wal")
        return wal.stat().st_size if wal.exists() else 0

    def connect(self, source=None, seconds=5.0, **options):
        """Connects from an address of 127.0.0.0/8."""
        return connect(self.address, source, seconds, **options)

    def stop(self):
        """Stops the server gracefully and returns its exit code."""
        self._stopping.set()
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        _running.discard(self)
        return code

    def kill(self):
        """Kills the server, like a crash."""
        self._stopping.set()
        if self.alive():
            self.process.kill()
        self.process.wait()
        _running.discard(self)


def connect(address, source=None, seconds=5.0, receive_bytes=None, segment_bytes=None):
    """Opens a TCP connection. `receive_bytes` and `segment_bytes` make it narrow: on loopback the
    kernel would otherwise buffer megabytes."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        if segment_bytes:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment_bytes)
        if source:
            # The port is chosen at connect, so that an address has all its ports for each server.
            connection.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            connection.bind((source, 0))
        connection.settimeout(seconds)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def wait_until(condition, seconds, every=0.05):
    """Polls until the condition is true. Returns how long that took, or None."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            return None
        time.sleep(every)
    return time.monotonic() - began
