"""The well-meaning client: `/livez` and a point read over gRPC at a fixed rate, in a process of its
own, so that the load of the suite does not delay it. The time of a call counts from when it was
due, so that calls delayed by a stalled server count as well.

    python3 -m lib.well_meaning HOST PORT KEY SESSION FILE

It writes one line for each call, `DUE KIND SECONDS OK`, and ends on SIGTERM or with the suite.
"""

import os
import signal
import sys
import threading
import time

from . import http1, http2
from .server import connect

# The rate of each kind. Together they cost about 3 % of one core, including the server.
CALLS_PER_SECOND = 50
CALL_SECONDS_MAX = 10.0
# A separate address, so that limits by address count it apart from the attackers.
SOURCE = "127.0.0.99"


class Livez:
    """`GET /livez` on a persistent connection."""

    def __init__(self, address):
        self.socket = connect(address, SOURCE, CALL_SECONDS_MAX)
        self.request = http1.head("GET", "/livez")

    def call(self):
        """Makes one call. Returns whether it was served."""
        self.socket.sendall(self.request)
        return http1.read(self.socket).status == 200


class PointRead:
    """`GetScreenerSession` over gRPC on a persistent connection."""

    def __init__(self, address, key, session):
        self.connection = http2.Connection(address, SOURCE)
        self.block = http2.grpc_block("ScreenerSessionService/GetScreenerSession", key)
        self.body = http2.message(http2.field(1, session))

    def call(self):
        """Makes one call. Returns whether it was served."""
        number = self.connection.open(self.block, self.body)
        stream = self.connection.wait(number, CALL_SECONDS_MAX)
        if stream is None:
            raise http1.Broken("no answer")
        return http2.grpc_status(stream) == 0


def keep_calling(kind, make, samples, stopping):
    """Calls at the fixed rate until told to stop, and also records the call in flight."""
    client, due = None, time.monotonic()
    while not stopping.is_set():
        due += 1 / CALLS_PER_SECOND
        if (ahead := due - time.monotonic()) > 0:
            time.sleep(ahead)
        state = [due, kind, None, False]
        samples.append(state)
        try:
            client = client or make()
            state[3] = client.call()
        except (OSError, http1.Broken):
            client = None
        state[2] = time.monotonic() - due


def main():
    """Runs until SIGTERM, then writes every sample."""
    host, port, key, session, path = sys.argv[1:]
    address, samples, stopping = (host, int(port)), [], threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    makers = {"livez": lambda: Livez(address), "get": lambda: PointRead(address, key, session)}
    threads = [threading.Thread(target=keep_calling, args=(kind, make, samples, stopping),
                                daemon=True) for kind, make in makers.items()]
    for thread in threads:
        thread.start()
    # Not `wait()`: Python handles a signal between two waits.
    parent = os.getppid()
    while not stopping.wait(0.2):
        if os.getppid() != parent:
            return
    for thread in threads:
        thread.join(CALL_SECONDS_MAX)
    now = time.monotonic()
    with open(path, "w", encoding="ascii") as file:
        for due, kind, seconds, ok in list(samples):
            took = now - due if seconds is None else seconds
            file.write(f"{due:.6f} {kind} {took:.6f} {int(ok and seconds is not None)}\n")


if __name__ == "__main__":
    main()
