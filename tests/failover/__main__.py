"""Kills the primary of a cluster while callers write, and reports what they saw.

    python3 tests/failover BINARY FOLDER KILLS [--docs]

tests/failover/run installs the required packages and describes the test.
"""

import signal
import statistics
import sys
import time
from pathlib import Path

from cluster import LEADER_TTL_SECONDS, Cluster, as_lines
from load import CALLERS, SCREENER_FILE, Load, check

sys.path.append(str(Path(__file__).resolve().parent.parent / "neighbours"))
from postgres import miscounted

# Writes of each caller before each kill and after the last one, on the whole cluster.
CALM_WRITES = 30
# Writes of all callers during the measurement of one tenant's pace.
PACE_WRITES = 3_000
# Far more than these writes take.
WRITES_SECONDS = 600
# The leader's TTL, plus an election, the end of recovery, and HAProxy's next health check.
SERVICE_SECONDS = LEADER_TTL_SECONDS + 20

DOCUMENT = Path("docs/scale.md")
BEGIN, END = "<!-- failover -->", "<!-- end of failover -->"

ROW = "{:>4} | {:>14} | {:>12} | {:>12} | {:>10} | {:>11}"


def calm(cluster, load):
    """Lets each caller write on the whole cluster."""
    if not load.wait_each(CALM_WRITES, WRITES_SECONDS):
        cluster.fail(f"not every caller wrote {CALM_WRITES} times in {WRITES_SECONDS} s")


def measure_pace(cluster, load):
    """Measures one tenant's acknowledged writes a second, and their median duration."""
    seen = load.seen
    calm(cluster, load)
    place, began = len(seen.acknowledged), time.monotonic()
    if not seen.wait_for(lambda: len(seen.acknowledged) >= place + PACE_WRITES, WRITES_SECONDS):
        cluster.fail(f"{PACE_WRITES} writes took more than {WRITES_SECONDS} s")
    rate = PACE_WRITES / (time.monotonic() - began)
    return rate, statistics.median(end - begun for begun, end in seen.acknowledged[place:])


def one_kill(cluster, load, number):
    """Kills the primary, waits until writes are acknowledged again, and restarts the member."""
    leader = cluster.wait_whole()
    calm(cluster, load)
    seen = load.seen
    told, place = len(seen.come_back), len(seen.acknowledged)
    killed = time.monotonic()
    cluster.kill_member(leader)
    gone = time.monotonic()
    while not seen.wait_for(lambda: load.first_acknowledged(gone, place), 1.0):
        cluster.check_running()
        if time.monotonic() > killed + SERVICE_SECONDS:
            cluster.fail(f"nothing was acknowledged for {SERVICE_SECONDS} s after the kill")
    served = load.first_acknowledged(gone, place)
    cluster.start_member(leader)
    successor = cluster.wait_whole()
    whole = time.monotonic()
    row = (number, f"{leader} -> {successor}", f"{served - killed:.1f} s",
           f"{whole - killed:.1f} s", len(seen.acknowledged), len(seen.come_back) - told)
    print(ROW.format(*row), flush=True)
    return served - killed, whole - killed


def write_docs(rows):
    """Writes the table of the document."""
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    table = "".join(f"| {what} | {seen} |\n" for what, seen in rows)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n| | |\n|---|---|\n{table}\n{END}{after}", "utf-8")


def main():
    binary, folder, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cluster = Cluster(binary, folder)
    try:
        cluster.bring_up()
        demo = Path("src/transfer/demo.ndjson").read_text()
        for name, text in (("demo", demo), ("screener", as_lines(SCREENER_FILE))):
            cluster.command("import", cluster.write(f"{name}.ndjson", text))
        cluster.start_servers()
        print(f"the cluster is up after {time.monotonic() - begun:.0f} s")
        # A round trip to the database, and one with a commit that waits for the standby.
        round_trip = cluster.latency("SELECT 1")
        commit = cluster.latency("SELECT pg_logical_emit_message(TRUE, 'pace', 'x')")
        load = Load(cluster.address())
        load.start()
        rate, median = measure_pace(cluster, load)
        # docs/scale.md explains what bounds the pace.
        pace = (f"{rate:.0f} writes/s, median {median * 1000:.0f} ms; r {round_trip:.2f} ms, "
                f"c {commit - round_trip:.2f} ms, 1000 / (r + 1 + c) = {1000 / (1 + commit):.0f}")
        print(f"one tenant, {CALLERS} callers, the primary whole: {pace}")
        print(ROW.format("kill", "primary", "writes again", "whole again", "writes", "told to wait"))
        times = [one_kill(cluster, load, number + 1) for number in range(kills)]
        calm(cluster, load)
        load.finish()
        cluster.check_running()
        seen = load.seen
        missing, twice, sessions, answers, made = check(cluster.address(), seen)
        wrong = miscounted(cluster.database())
    finally:
        cluster.tear_down()
    services, wholes = zip(*times)
    rows = [
        ("kills", kills),
        ("from the kill to the next acknowledged write",
         f"median {statistics.median(services):.1f} s, at most {max(services):.1f} s"),
        ("from the kill to three members again", f"{min(wholes):.0f} to {max(wholes):.0f} s"),
        ("writes acknowledged", len(seen.acknowledged)),
        ("of these lost", len(missing)),
        ("duplicated", len(twice)),
        ("totals, marks and cells of the funnel that differ from their rows", len(wrong)),
        ("calls that received a retry hint", len(seen.come_back)),
        ("any other error", len(seen.other_errors)),
        (f"one tenant's pace with a synchronous standby, {CALLERS} callers", pace),
    ]
    print("", *(f"{what}: {it}" for what, it in rows), sep="\n")
    print(f"sessions: {len(seen.sessions)} acknowledged, {len(seen.in_doubt)} in doubt of which {made} "
          f"were made, {sessions} stored with {answers} answers; "
          f"{time.monotonic() - begun:.0f} s in all")
    if "--docs" in sys.argv:
        write_docs(rows)
    failed = False
    for what, found in (("lost", missing), ("twice", twice), ("count", wrong),
                        ("error", seen.other_errors)):
        for one in found[:20]:
            failed = True
            print(f"FAILED {what}: {one}", file=sys.stderr)
    if failed:
        cluster.print_logs()
        sys.exit(1)


if __name__ == "__main__":
    main()
