"""Plants random faults in a copy of the sources, and prints those that no test notices.

One build has all faults, and each test runs once to record the faults that it reaches. Then, for
each fault, the tests that reach it run until one fails. `scripts/mutants sample` prepares the copy.

    python3 tests/mutants FOLDER --count N --seed S

Exits with 1 if a fault survives.
"""

import argparse
import concurrent.futures
import json
import os
import random
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from build import add_runtime, build
from plant import plant
from runs import Tests

LAYERS = ("app", "store", "rest", "grpc", "pages")
# Only tests with PostgreSQL reach these.
POSTGRES_ONLY = ("src/store/engine/postgres*", "src/store/compose.rs", "src/store/list/kept.rs")
# The compiler rejects some: most return a value that their type does not have.
SPARE_TIMES = 2


def list_faults(folder, with_postgres):
    """Returns the faults in the layers around the domain, except those in `.cargo/mutants.toml`."""
    command = ["cargo", "mutants", "--list", "--json"]
    command += [f"--file=src/{layer}/**" for layer in LAYERS]
    if not with_postgres:
        print(f"without PostgreSQL, and so without the faults in {', '.join(POSTGRES_ONLY)}")
        command += [f"--exclude={files}" for files in POSTGRES_ONLY]
    return json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--count", type=int, required=True)
    arguments.add_argument("--seed", type=int, required=True)
    options = arguments.parse_args()
    folder = options.folder.resolve()

    faults = list_faults(folder, "SCREENERD_TEST_POSTGRES" in os.environ)
    random.Random(options.seed).shuffle(faults)
    planted, sources = plant(folder, faults, options.count * SPARE_TIMES)
    add_runtime(folder)
    programs, rejected = build(folder, sources)
    chosen = [number for number in range(len(planted)) if number not in rejected][: options.count]
    print(f"{len(chosen)} of {len(faults)} faults, seed {options.seed}", flush=True)

    tests = Tests(folder, programs)
    workers = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
    passes = workers.map(tests.record, tests.all)
    for (_, name), passes in zip(tests.all, passes):
        if not passes:
            print(f"left out, because it fails without a fault: {name}", flush=True)
    survived = 0
    for number, test in zip(chosen, workers.map(tests.notice, chosen)):
        verdict = f"noticed by {test[1]}" if test else "SURVIVED"
        reached_by = len(tests.by_fault[number])
        print(f"{planted[number]['name']}: {verdict}, reached by {reached_by} tests", flush=True)
        survived += test is None
    print(f"{len(chosen)} faults, {survived} survived")
    sys.exit(1 if survived else 0)


main()
