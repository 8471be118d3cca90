"""A file that stays in memory while it is measured."""

import os
import signal
import subprocess

from server import check


class InMemory:
    """The file is locked in the system's cache of pages, as it would be where it is asked for all
    day: some machines move pages out of memory that are read less than once a minute, and what is
    measured then is their disk. The lock counts for the system's memory only."""

    def __init__(self, path, raw):
        self.path, self.pid = path, raw / f"{path.stem}.locked"

    def __enter__(self):
        # Returns once the whole file is locked, and leaves a process behind that holds it.
        command = ["vmtouch", "-q", "-l", "-d", "-w", "-P", self.pid, self.path]
        locked = subprocess.run(command, stdin=subprocess.DEVNULL)
        check(locked.returncode == 0, self.path.name, "cannot be locked in memory; see ulimit -l")
        return self

    def __exit__(self, *_):
        os.kill(int(self.pid.read_text()), signal.SIGTERM)
