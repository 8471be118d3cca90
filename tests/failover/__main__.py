"""Kills the primary of a cluster while callers write, and says what they saw.

    python3 tests/failover BINARY FOLDER KILLS

tests/failover/run installs what this needs and says what it shows.
"""

import statistics
import sys
import time
from pathlib import Path

from cluster import LEADER_TTL_SECONDS, Cluster, as_lines
from load import SCREENER_FILE, Load, check

# How long callers write between two kills, with the cluster whole.
CALM_SECONDS = 4
# After the leader's time is over: an election, the end of recovery, and HAProxy's next look.
SERVICE_SECONDS = LEADER_TTL_SECONDS + 20

ROW = "{:>4} | {:>14} | {:>12} | {:>12} | {:>10} | {:>11}"


def one_kill(cluster, load, number):
    """Kills the primary, waits until writes are acknowledged again, and brings the member back."""
    leader = cluster.wait_whole()
    time.sleep(CALM_SECONDS)
    seen = load.seen
    told = len(seen.come_back)
    killed = time.monotonic()
    cluster.kill_member(leader)
    while (served := load.first_acknowledged(killed + 0.1)) is None:
        cluster.check_running()
        if time.monotonic() > killed + SERVICE_SECONDS:
            cluster.fail(f"nothing was acknowledged for {SERVICE_SECONDS} s after the kill")
        time.sleep(0.05)
    cluster.start_member(leader)
    successor = cluster.wait_whole()
    whole = time.monotonic()
    row = (number, f"{leader} -> {successor}", f"{served - killed:.1f} s",
           f"{whole - killed:.1f} s", len(seen.acknowledged), len(seen.come_back) - told)
    print(ROW.format(*row), flush=True)
    return served - killed


def main():
    binary, folder, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    begun = time.monotonic()
    cluster = Cluster(binary, folder)
    try:
        cluster.bring_up()
        demo = Path("src/transfer/demo.ndjson").read_text()
        for name, text in (("demo", demo), ("screener", as_lines(SCREENER_FILE))):
            cluster.command("import", cluster.write(f"{name}.ndjson", text))
        cluster.start_servers()
        print(f"the cluster is up after {time.monotonic() - begun:.0f} s")
        print(ROW.format("kill", "primary", "writes again", "whole again", "writes", "told to wait"))
        load = Load(cluster.address())
        load.start()
        times = [one_kill(cluster, load, number + 1) for number in range(kills)]
        time.sleep(CALM_SECONDS)
        load.finish()
        cluster.check_running()
        seen = load.seen
        missing, twice, sessions, answers, made = check(cluster.address(), seen)
    finally:
        cluster.tear_down()
    print(f"""
time to service after a kill: median {statistics.median(times):.1f} s, at most {max(times):.1f} s
writes acknowledged: {len(seen.acknowledged)}
sessions: {len(seen.sessions)} acknowledged, {len(seen.in_doubt)} in doubt of which {made} were made,\
 {sessions} stored with {answers} answers
acknowledged and lost: {len(missing)}
duplicated: {len(twice)}
told to come back (UNAVAILABLE, 503): {len(seen.come_back)}
any other error: {len(seen.other_errors)}
{time.monotonic() - begun:.0f} s in all""")
    failed = False
    for what, found in (("lost", missing), ("twice", twice), ("error", seen.other_errors)):
        for one in found[:20]:
            failed = True
            print(f"FAILED {what}: {one}", file=sys.stderr)
    if failed:
        cluster.print_logs()
        sys.exit(1)


if __name__ == "__main__":
    main()
