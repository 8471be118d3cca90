"""How long it takes from the start of the process until it is ready."""

from report import result
from server import screenerd

START_MAX_MS = 300
STARTS = 7


def measure(options, data):
    took = []
    for turn in range(STARTS):
        with screenerd(options.screenerd, data.path, options.raw, f"start-{turn}") as server:
            took.append(server.ready_seconds() * 1000)
    size = data.path.stat().st_size / (1 << 30)
    name = f"start on a file of {size:.1f} GiB until ready, within {START_MAX_MS} ms"
    row = result(name, {name: took}, unit="ms")
    return [row | {"ratio": START_MAX_MS / row["median"], "must": 1}]
