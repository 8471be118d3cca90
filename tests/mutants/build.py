"""Builds the test programs, without the faults that the compiler rejects."""

import json
import subprocess
import sys
from pathlib import Path

# What the planted faults call. It becomes part of the library.
RUNTIME = Path(__file__).with_name("planted.rs")


def add_runtime(folder):
    with (folder / "src/lib.rs").open("a") as library:
        library.write(RUNTIME.read_text())


def build(folder, sources):
    """Writes the sources and builds them. Returns the programs by name, and the rejected faults."""
    rejected = set()
    while True:
        for source in sources.values():
            source.path.write_bytes(source.written())
        programs, errors = compile_tests(folder)
        if not errors:
            return programs, rejected
        # The compiler reports some errors only once others are gone.
        rejected |= take_out(sources, errors)
        print(f"{len(rejected)} do not compile", flush=True)


def compile_tests(folder):
    """Returns the test programs by name, and the errors of the compiler."""
    run = subprocess.run(
        ["cargo", "test", "--locked", "--no-run", "--lib", "--test=it", "--message-format=json"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    programs, errors = {}, []
    for line in run.stdout.splitlines():
        report = json.loads(line)
        if report["reason"] == "compiler-artifact" and report["profile"]["test"]:
            programs[report["target"]["name"]] = report["executable"]
        elif report["reason"] == "compiler-message" and report["message"]["level"] == "error":
            errors.append(report["message"])
    if run.returncode and not errors:
        sys.exit(run.stderr)
    return programs, errors


def take_out(sources, errors):
    """Removes the faults that the errors are about, and returns their numbers."""
    rejected = set()
    for error in errors:
        places = [it for it in error["spans"] if it["is_primary"] and it["file_name"] in sources]
        found = [
            sources[it["file_name"]].faults_at(it["line_start"], it["line_end"]) for it in places
        ]
        # The last error has no place: it only counts the others.
        if error["spans"] and not any(found):
            sys.exit(f"an error of no fault:\n{error['rendered']}")
        rejected.update(*found)
    if not rejected:
        sys.exit(errors[0]["rendered"])
    for source in sources.values():
        for number in rejected & source.edits.keys():
            del source.edits[number]
    return rejected
