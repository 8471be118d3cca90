"""Runs tests, each in a process of its own, with and without a fault."""

import collections
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

# A test that reads the sources notices every change of them.
READS_SOURCES = re.compile("^tidy")
RECORD_MAX_SECONDS = 900
# A test that does not end has noticed the fault. The limit allows for a busy machine.
EXTRA_SECONDS, MAX_TIMES = 60, 3


class Tests:
    """The tests of the programs, the seconds that each takes, and the tests that reach a fault."""

    def __init__(self, folder, programs):
        self.folder, self.programs = folder, programs
        self.seconds, self.by_fault = {}, collections.defaultdict(list)
        self.all = [test for program in programs for test in self.tests_of(program)]

    def tests_of(self, program):
        command = [self.programs[program], "--list", "--format=terse"]
        lines = subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        names = (line.removesuffix(": test") for line in lines if line.endswith(": test"))
        return [(program, name) for name in names if not READS_SOURCES.match(name)]

    def passes(self, test, limit, scratch, **environment):
        """Returns whether a test passes within its time. Its files are below `scratch`."""
        program, name = test
        process = subprocess.Popen(
            [self.programs[program], "--exact", name, "--test-threads=1"],
            cwd=self.folder,
            env={**os.environ, "TMPDIR": scratch, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(limit) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            # A server that the test started must not outlive it.
            try:
                os.killpg(process.pid, 9)
            except ProcessLookupError:
                pass
            process.wait()

    def record(self, test):
        """Runs a test without a fault, and returns whether it passes.

        If it does, this keeps its seconds and the faults that it reaches.
        """
        with scratch() as folder, scratch() as reached:
            began = time.monotonic()
            passes = self.passes(test, RECORD_MAX_SECONDS, folder, PLANTED_REACHED=reached)
            self.seconds[test] = time.monotonic() - began
            for number in Path(reached).iterdir() if passes else ():
                self.by_fault[int(number.name)].append(test)
        return passes

    def notice(self, number):
        """Returns the first test that fails with a fault, if any."""
        for test in sorted(self.by_fault[number], key=self.seconds.get):
            limit = EXTRA_SECONDS + MAX_TIMES * self.seconds[test]
            with scratch() as folder:
                if not self.passes(test, limit, folder, PLANTED=str(number)):
                    return test
        return None


def scratch():
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
