"""The three reads of screenerd and its peers, in turns, as a table. Called by benches/peers/run."""

import argparse
import contextlib
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(1, str(HERE.parent / "measure"))

import report  # noqa: E402
from load import load_rest  # noqa: E402
from report import Row, Rounds, result  # noqa: E402
from server import LOAD_CORE, SERVER_CORE, check, screenerd  # noqa: E402
from wire import CREDENTIALS, PAGE_ROWS, SESSION_PATH, list_path  # noqa: E402

from directus import Directus  # noqa: E402
from pocketbase import PocketBase  # noqa: E402
from serving import ask  # noqa: E402

DOCUMENT = HERE.parents[1] / "docs" / "performance.md"
READS = {"by id": "one session by its id, at random",
         "first": f"the first {PAGE_ROWS} of a screener, with the total",
         "last": f"the last {PAGE_ROWS} of a screener, with the total"}  # fmt: skip


class Own:
    """screenerd, as its peers are described."""

    name = "screenerd"

    def __init__(self, address):
        self.address, self.headers, self.one = address, CREDENTIALS, SESSION_PATH

    def page(self, offset):
        return list_path(offset)

    def listed(self, answer):
        return [item["id"] for item in answer["items"]], answer["total"]


def verify(server, sessions, offset):
    """Checks that the last page has the expected rows, and that a row is found by its id."""
    rows, total = server.listed(ask(server, server.page(offset)))
    check(total == sessions and len(rows) == min(PAGE_ROWS, sessions), server.name, total, rows)
    check(rows[-1] in server.one % (sessions - 1), server.name, "ends with", rows[-1])
    ask(server, server.one % (sessions // 2))


def main():
    parser = argparse.ArgumentParser()
    for name in ("screenerd", "database", "peers", "raw"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name in ("sessions", "rounds", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    raw, sessions = options.raw, options.sessions
    last = max(0, sessions - PAGE_ROWS)
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(screenerd(options.screenerd, options.database, raw, "screenerd"))
        servers = [Own(own.addresses[0])]
        for peer in (PocketBase, Directus):
            servers.append(stack.enter_context(peer(options)))
        rows = []
        for server in servers:
            verify(server, sessions, last)
        for read, what in READS.items():
            for server in servers:
                rows.append(Row(f"{server.name}: {what}", loaded(server, read, last, options)))
        rounds = Rounds(rows, options.rounds, options.seconds, "peers")
        rates = rounds.run()
    found = []
    for what in READS.values():
        own_name = f"{servers[0].name}: {what}"
        found += [result(own_name, rates)]
        for server in servers[1:]:
            row = result(f"{server.name}: {what}", rates)
            found += [row | {"ratio": found_ratio(rates, own_name, row["name"])}]
    names = [f"{server.name} {server.version}" for server in servers[1:]]
    about = [
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {report.processor()}, server on core "
        f"{SERVER_CORE}, load on core {LOAD_CORE}, load average at the end {report.load_average()}.",
        f"{' and '.join(names)}; {sessions} sessions; {options.rounds} rounds of "
        f"{options.seconds} s, screenerd in profile `{options.profile}`.",
        "The ratio is the number of requests that screenerd serves for each request of the peer.",
    ]
    table = report.markdown(found, about)
    (raw / "results.json").write_text(json.dumps(found, indent=1))
    (raw / "table.md").write_text(table)
    if options.docs:
        report.fill(DOCUMENT, "peers", table)
    print(table, end="")


def found_ratio(rates, own, other):
    return report.ratio_of(rates, "", own, other, None)["ratio"]


def loaded(server, read, last, options):
    def measure(seconds, name):
        if read == "by id":
            path, random_of = server.one, options.sessions
        else:
            path, random_of = server.page(0 if read == "first" else last), None
        return load_rest(
            server.address, path, seconds, options.raw, name, random_of, server.headers
        )

    return measure


if __name__ == "__main__":
    main()
