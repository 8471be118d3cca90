"""Starts the servers, checks their answers, measures them in turns, and prints one table.

Called by benches/run, which explains the options. Standard library only.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import re
import statistics
import subprocess
import sys

# One core for the server, one for the load generator, so that neither takes from the other.
SERVER_CORE, LOAD_CORE = "0", "1"
# Enough requests in flight to keep the server's core busy, few enough not to measure queues.
GRPC_CONNECTIONS, GRPC_STREAMS, REST_CONNECTIONS = 8, 8, 64
PAGE_ROWS = 25
# As benches/run generates them.
RESPONSES_EACH = 6
SCREENER = "scr_generated"
CREDENTIALS = ["X-Spot-Api-Key: acct_generated", "X-Spot-Api-Secret: sk_live_generated"]
PANEL = ["X-API-Key: vtt_generated"]
GRPC_HEADERS = ["content-type: application/grpc", "te: trailers"]
GET, LIST = (f"ScreenerSessionService/{method}ScreenerSession" for method in ("Get", "List"))
LIST, RESPONSES = f"{LIST}s", "ScreenerResponseService/ListScreenerResponses"
ACCESS = "PanelistService/GetPanelistAccess"
# What a row must reach, as a share of what it is divided by.
POINT_READ_MUST, ACCESS_MUST, REST_MUST, LIST_MUST = 0.65, 0.55, 0.60, 0.25
# A last page takes at most 1.2 times as long as the first.
LAST_PAGE_MUST = 1 / 1.2
HERE = pathlib.Path(__file__).parent


def check(truth, *words):
    if not truth:
        sys.exit("benches/measure.py: " + " ".join(str(word) for word in words))


def session_id(number):
    return f"scses_{number:09d}"


# Protobuf, as little of it as the requests and the checks need.


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded) + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """The fields of a message without fixed-width numbers: (number, integer or bytes)."""
    position = 0

    def take():
        nonlocal position
        number = shift = 0
        while True:
            byte = message[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    found = []
    while position < len(message):
        key, value = take(), take()
        if key & 7 == 2:
            value, position = message[position : position + value], position + value
        found.append((key >> 3, value))
    return found


def values(message, number):
    return [value for key, value in fields(message) if key == number]


def frame(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def get_request(number):
    return field(1, session_id(number))


def list_request(offset):
    screener_is = field(2, field(1, SCREENER))
    return field(1, screener_is) + field(2, field(1, PAGE_ROWS) + field(2, offset))


def access_request(number):
    return field(1, SCREENER) + field(2, f"crm-{number:09d}")


def responses_request(offset, name):
    """Of the screener (1) or of its publication (2), both of which hold every response."""
    number, value = {"screener": (1, SCREENER), "publication": (2, "scpub_generated")}[name]
    page = field(1, PAGE_ROWS) + field(2, offset)
    return field(1, field(number, field(1, value))) + field(2, page)


def list_path(offset):
    screener_is = f"filter%5BscreenerId%5D%5Beq%5D={SCREENER}"
    page = f"pagination%5Blimit%5D={PAGE_ROWS}&pagination%5Boffset%5D={offset}"
    return f"/screener-sessions?{screener_is}&{page}"


# Servers and calls.


class Server:
    """A server on the server's core; gone when the run ends, however it ends."""

    def __init__(self, arguments, log):
        command = ["taskset", "-c", SERVER_CORE, *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=open(log, "w"), text=True
        )
        line = self.process.stdout.readline()
        self.addresses = re.findall(r"127\.0\.0\.1:\d+", line)
        check(self.addresses, arguments[0], "did not start; see", log)

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def header_options(headers):
    return [option for header in headers for option in ("-H", header)]


def curl(url, headers, options, out):
    """Calls once; returns the body and the heads and trailers."""
    heads = out.with_suffix(".heads")
    subprocess.run(
        ["curl", "-sS", *options, *header_options(headers), "-D", heads, "-o", out, url], check=True
    )
    return out.read_bytes(), heads.read_text().lower()


def call_grpc(address, method, request, out, credentials=CREDENTIALS):
    """Calls once and returns the message, after a look at the status that load does not see."""
    request_file = out.with_suffix(".request")
    request_file.write_bytes(frame(request))
    options = ["--http2-prior-knowledge", "--data-binary", f"@{request_file}"]
    headers = GRPC_HEADERS + credentials
    body, heads = curl(f"http://{address}/screener.v1.{method}", headers, options, out)
    check(re.search(r"^grpc-status: 0\s*$", heads, re.M), method, "failed:", heads)
    check(body[:1] == b"\0" and len(body) == 5 + int.from_bytes(body[1:5], "big"), "no frame")
    return body[5:]


def call_rest(address, path, out):
    body, heads = curl(f"http://{address}{path}", CREDENTIALS, [], out)
    check(" 200 " in heads.splitlines()[0], path, "failed:", heads)
    return json.loads(body)


def page_path(address, raw):
    """The link of somebody who has not answered yet; what it opens is left in page.html."""
    out = raw / "page.json"
    path = f"/tenant/surveys/{SCREENER}/panelists/crm-page"
    access, _ = curl(f"http://{address}{path}", PANEL, [], out)
    link = json.loads(access)["panelist"]["hostedResponseUrl"]
    path = link[link.index("/app/") :]
    page, _ = curl(f"http://{address}{path}", [], [], raw / "page.html")
    check(b"<form" in page, "no page of questions, but", page)
    return path


def verify(address, sessions, offsets, raw):
    """Asks for everything once that is measured, over both transports."""
    wanted = random.randrange(sessions)
    message = call_grpc(address, GET, get_request(wanted), raw / "get.grpc")
    got = values(values(message, 1)[0], 1)[0].decode()
    check(got == session_id(wanted), "gRPC answered", got)
    got = call_rest(address, f"/screener-sessions/{session_id(wanted)}", raw / "get.json")
    check(got["id"] == session_id(wanted), "REST answered", got)
    message = call_grpc(address, ACCESS, access_request(wanted), raw / "access.grpc", PANEL)
    panelist = values(values(message, 1)[0], 1)[0]
    check(values(panelist, 2) == [1], "a panelist has one session, but", fields(panelist))
    for name, offset in offsets.items():
        rows = min(PAGE_ROWS, sessions - offset)
        expected = [session_id(offset + row) for row in range(rows)]
        out = raw / f"list-{name}.grpc"
        message = call_grpc(address, LIST, list_request(offset), out)
        got = [values(item, 1)[0].decode() for item in values(message, 1)]
        check(got == expected, "gRPC answered", got, "at offset", offset)
        check(values(message, 2) == [sessions], "gRPC answered another total")
        listed = call_rest(address, list_path(offset), raw / f"list-{name}.json")
        got = [item["id"] for item in listed["items"]]
        check(got == expected, "REST answered", got, "at offset", offset)
        check(listed["total"] == sessions, "REST answered another total")
        for scope in ("screener", "publication"):
            out = raw / f"responses-{scope}-{name}.grpc"
            request = responses_request(offset * RESPONSES_EACH, scope)
            message = call_grpc(address, RESPONSES, request, out)
            got = [values(item, 1)[0].decode() for item in values(message, 1)]
            check(got[0] == session_id(offset), "gRPC answered", got, "at offset", offset)
            check(values(message, 2) == [sessions * RESPONSES_EACH], "gRPC answered another total")


# Load.


def run_load(command, raw, name):
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, *map(str, command)], capture_output=True, text=True
    )
    (raw / f"{name}.txt").write_text(done.stdout + done.stderr)
    check(done.returncode == 0, name, "failed; see", raw)
    return done.stdout


def load_grpc(address, method, request, body_bytes, seconds, raw, name, credentials=CREDENTIALS):
    """Requests per second. All of a run are the same request: h2load has one body a run."""
    request_file = raw / f"{name}.request"
    request_file.write_bytes(frame(request))
    command = ["h2load", "-t", 1, "-c", GRPC_CONNECTIONS, "-m", GRPC_STREAMS, "-D", seconds]
    command += ["-d", request_file]
    command += header_options(GRPC_HEADERS + credentials)
    command += [f"http://{address}/screener.v1.{method}"]
    printed = run_load(command, raw, name)
    done = int(re.search(r"(\d+) succeeded", printed)[1])
    check("0 4xx, 0 5xx" in printed and done > 0, name, "had errors; see", raw)
    # A refused call is HTTP 200 as well, but has no message.
    data = int(re.search(r"\((\d+)\) data", printed)[1])
    check(0.98 < data / done / body_bytes < 1.02, name, "had answers of another size; see", raw)
    return float(re.search(r"([\d.]+) req/s", printed)[1])


def load_rest(address, path, seconds, raw, name, random_of=None):
    """Requests per second; to random sessions of so many instead of a path, if that is given."""
    command = ["wrk", "-t", 1, "-c", REST_CONNECTIONS, "-d", f"{seconds}s"]
    command += header_options(CREDENTIALS)
    if random_of:
        command += ["-s", HERE / "random.lua", f"http://{address}", "--", random_of]
        command += [random.randrange(1 << 30)]
    else:
        command += [f"http://{address}{path}"]
    printed = run_load(command, raw, name)
    check("Non-2xx" not in printed and "Socket errors" not in printed, name, "had errors; see", raw)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])


def rows_of(noop, server, sessions, offsets, link, raw):
    """Name, what it is divided by, the share it must reach, and what measures it for some seconds."""

    def size(name):
        return (raw / name).stat().st_size

    def get(address):
        return lambda seconds, name: load_grpc(
            address, GET, get_request(random.randrange(sessions)),
            size("get.grpc"), seconds, raw, name,
        )  # fmt: skip

    def list_grpc(page):
        return lambda seconds, name: load_grpc(
            server.addresses[0], LIST, list_request(offsets[page]),
            size(f"list-{page}.grpc"), seconds, raw, name,
        )  # fmt: skip

    def access(seconds, name):
        request = access_request(random.randrange(sessions))
        address, bytes_ = server.addresses[0], size("access.grpc")
        return load_grpc(address, ACCESS, request, bytes_, seconds, raw, name, PANEL)

    def list_responses(scope, page):
        request = responses_request(offsets[page] * RESPONSES_EACH, scope)
        return lambda seconds, name: load_grpc(
            server.addresses[0], RESPONSES, request,
            size(f"responses-{scope}-{page}.grpc"), seconds, raw, name,
        )  # fmt: skip

    def get_rest(address):
        return lambda seconds, name: load_rest(address, None, seconds, raw, name, sessions)

    def list_rest(page):
        path = list_path(offsets[page])
        return lambda seconds, name: load_rest(server.addresses[0], path, seconds, raw, name)

    def get_page(address, path):
        return lambda seconds, name: load_rest(address, path, seconds, raw, name)

    grpc, rest = "gRPC no-op, bare tonic", "REST static, bare axum"
    static = "page static, bare axum"
    rows = [(grpc, grpc, None, get(noop.addresses[0]))]
    rows += [("gRPC GetScreenerSession", grpc, POINT_READ_MUST, get(server.addresses[0]))]
    rows += [("gRPC GetPanelistAccess", grpc, ACCESS_MUST, access)]
    for page in offsets:
        rows += [(f"gRPC sessions {page}", grpc, LIST_MUST, list_grpc(page))]
    for scope in ("screener", "publication"):
        for page in offsets:
            name = f"gRPC responses of {scope} {page}"
            rows += [(name, grpc, None, list_responses(scope, page))]
    rows += [(rest, rest, None, get_rest(noop.addresses[1]))]
    rows += [("REST GET /screener-sessions/{id}", rest, REST_MUST, get_rest(server.addresses[0]))]
    rows += [(f"REST sessions {page}", rest, None, list_rest(page)) for page in offsets]
    rows += [(static, static, None, get_page(noop.addresses[1], "/page"))]
    rows += [("page of questions", static, None, get_page(server.addresses[0], link))]
    return rows


def processor():
    match = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match[1] if match else platform.machine()


def report(rows, rates, as_json, about):
    medians = {name: statistics.median(rates[name]) for name, *_ in rows}
    ratios = [(name, medians[name] / medians[base], must) for name, base, must, _ in rows]
    for name in medians:
        if name.endswith(" last"):
            first = name.removesuffix("last") + "first"
            ratios += [(f"{name} / first", medians[name] / medians[first], LAST_PAGE_MUST)]
    if as_json:
        for name, ratio, must in ratios:
            print(json.dumps({"name": name, "ratio": round(ratio, 4), "must": must}))
        return
    print(*about, sep="\n")
    print(f"\n{'':40}{'requests/s':>12}{'lowest':>10}{'highest':>10}{'ratio':>8}{'must':>8}")
    for name, ratio, must in ratios:
        rate = [f"{it:.0f}" for it in (medians.get(name), *edges(rates, name)) if it is not None]
        one, low, high = rate or ["", "", ""]
        must = "" if must is None else f"{must:.2f}"
        print(f"{name:40}{one:>12}{low:>10}{high:>10}{ratio:8.3f}{must:>8}")
    print("\nMedians of the rounds. first, middle, last: pages of 25 of one screener.")
    print("Each gRPC run asks for one session, another one in each round; REST for random ones.")


def edges(rates, name):
    return (min(rates[name]), max(rates[name])) if name in rates else ()


def main():
    parser = argparse.ArgumentParser()
    for name in ("screenerd", "noop", "database", "raw"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name in ("sessions", "rounds", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    raw, sessions = options.raw, options.sessions
    offsets = {"first": 0, "middle": sessions // 2, "last": max(0, sessions - PAGE_ROWS)}
    serve = ["serve", "--listen", "127.0.0.1:0", "--database", f"sqlite://{options.database}"]
    with Server([options.screenerd, *serve], raw / "screenerd.log") as server:
        idle = server.memory_mib()
        verify(server.addresses[0], sessions, offsets, raw)
        link = page_path(server.addresses[0], raw)
        bodies = ["--grpc-body", raw / "get.grpc", "--rest-body", raw / "get.json"]
        bodies += ["--page", raw / "page.html"]
        with Server([options.noop, *bodies], raw / "noop.log") as noop:
            rows = rows_of(noop, server, sessions, offsets, link, raw)
            rates = {name: [] for name, *_ in rows}
            # In turns, so that whatever else the machine does at a time hits every row. The first
            # round only warms up.
            for turn in range(options.rounds + 1):
                for number, (name, _, _, measure) in enumerate(rows):
                    rate = measure(options.seconds if turn else 1, f"round-{turn}-row-{number}")
                    if turn:
                        rates[name].append(rate)
                print(f"round {turn} of {options.rounds}", file=sys.stderr)
        loaded = server.memory_mib()
    (raw / "rates.json").write_text(json.dumps(rates, indent=1))
    load = ", ".join(f"{it:.1f}" for it in os.getloadavg())
    about = [
        f"{sessions} sessions, {options.rounds} rounds of {options.seconds} s, profile "
        f"{options.profile}, server on core {SERVER_CORE}, load on core {LOAD_CORE}",
        f"{processor()}; load average at the end {load} (2 of it are this run)",
        f"screenerd's memory: {idle:.0f} MiB idle, {loaded:.0f} MiB after the load",
    ]
    report(rows, rates, options.json, about)


if __name__ == "__main__":
    main()
