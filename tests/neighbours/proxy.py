"""A proxy between a server and PostgreSQL that delays each direction.

    python3 proxy.py PORT SECONDS

Prints the port that leads to PORT, and ends with its standard input. Coarse: `benches/proxy.rs` is
the exact one.
"""

import socket
import subprocess
import sys
import threading
import time


class Proxy:
    """A proxy in this process, whose delay may change while it runs."""

    def __init__(self, port, seconds=0.0):
        self.target, self.seconds = ("127.0.0.1", port), seconds
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            for it in (client, server):
                it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for sockets in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=sockets, daemon=True).start()

    def _pump(self, source, sink):
        try:
            while part := source.recv(65_536):
                time.sleep(self.seconds)
                sink.sendall(part)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            source.close()

    def close(self):
        """Stops accepting connections."""
        self.listener.close()


class Apart:
    """A proxy in a process of its own, so that callers in this one do not delay it."""

    def __init__(self, port, seconds):
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(port), str(seconds)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def close(self):
        """Ends the process, with every connection."""
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    print(Proxy(int(sys.argv[1]), float(sys.argv[2])).port, flush=True)
    sys.stdin.read()
