"""Threads of attackers with a low priority, so that the server and its measurement come first."""

import os
import threading
import time

from .http1 import Broken

NICENESS = 10
# The longest wait for the threads of an attack. Remaining ones are daemons and end with the suite.
JOIN_SECONDS_MAX = 60


class Attack:
    """Runs functions in threads, each with its number, and collects their results and errors."""

    def __init__(self, function, count=1):
        self.results, self.errors = [], []
        self.stopping = threading.Event()
        self._function = function
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True)
                         for number in range(count)]

    def _run(self, number):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            self.results.append(self._function(number, self.stopping))
        except Exception as error:
            self.errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()

    def join(self, seconds=JOIN_SECONDS_MAX):
        """Waits for the attackers to end on their own."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        for error in self.errors:
            # The server may break an attacker's connection. Any other error is a fault of the
            # suite, not a withstood attack.
            if not isinstance(error, (OSError, Broken)):
                raise error
        return self.results


def run(function, count=1, seconds=JOIN_SECONDS_MAX):
    """Runs an attack to its end. Returns the results of its threads."""
    attack = Attack(function, count)
    with attack:
        attack.join(seconds)
    return attack.results
