"""Reads: points, pages at any offset, totals, against the bare frameworks; and memory under them."""

import random
from dataclasses import dataclass

from load import load_grpc, load_random, load_rest, random_requests
from memory import InMemory
from report import Row, Rounds, ratio_of
from server import Server, call_grpc, call_rest, check, curl, screenerd
from wire import (
    ACCESS,
    CREDENTIALS,
    FILTERS,
    FUNNEL,
    NAMED,
    PAGE_ROWS,
    PANEL,
    RESPONSES,
    SCREENER,
    SERVICE,
    SESSION,
    SESSION_PATH,
    SESSIONS,
    access_request,
    fields,
    funnel_request,
    get_request,
    list_path,
    list_request,
    responses_request,
    session_id,
    values,
)

# The required share of the baseline for a row.
POINT_READ_MUST, ACCESS_MUST, REST_MUST, LIST_MUST = 0.65, 0.55, 0.60, 0.25
# A last page takes at most 1.2 times as long as the first, and a page of many rows as one of few.
PAGE_MUST = 1 / 1.2
# "In the time of a point read": as for pages.
FUNNEL_MUST = 1 / 1.2
IDLE_MAX_MIB, LOADED_MAX_MIB = 40, 300


@dataclass
class Data:
    """A file of generated rows."""

    path: object
    sessions: int
    responses_each: int

    def offsets(self, rows):
        return {"first": 0, "middle": rows // 2, "last": max(0, rows - PAGE_ROWS)}

    def responses(self, filtered):
        """The number of matches of a filter."""
        named = filtered in ("session", "participant")
        return (min(NAMED, self.sessions) if named else self.sessions) * self.responses_each


def verify(address, data, out):
    """Makes every measured call once, over both transports, and stores the responses."""
    wanted = random.randrange(data.sessions)
    message = call_grpc(address, SESSION, get_request(wanted), out / "get.grpc")
    got = values(values(message, 1)[0], 1)[0].decode()
    check(got == session_id(wanted), "gRPC answered", got)
    got = call_rest(address, f"/screener-sessions/{session_id(wanted)}", out / "get.json")
    check(got["id"] == session_id(wanted), "REST answered", got)
    message = call_grpc(address, ACCESS, access_request(wanted), out / "access.grpc", PANEL)
    panelist = values(values(message, 1)[0], 1)[0]
    check(values(panelist, 2) == [1], "a panelist has one session, but", fields(panelist))
    message = call_grpc(address, FUNNEL, funnel_request(), out / "funnel.grpc", SERVICE)
    created = values(values(message, 1)[0], 3)
    check(created == [data.sessions], "the funnel counts", created)
    for name, offset in data.offsets(data.sessions).items():
        rows = min(PAGE_ROWS, data.sessions - offset)
        expected = [session_id(offset + row) for row in range(rows)]
        message = call_grpc(address, SESSIONS, list_request(offset), out / f"list-{name}.grpc")
        got = [values(item, 1)[0].decode() for item in values(message, 1)]
        check(got == expected, "gRPC answered", got, "at offset", offset)
        check(values(message, 2) == [data.sessions], "gRPC answered another total")
        listed = call_rest(address, list_path(offset), out / f"list-{name}.json")
        got = [item["id"] for item in listed["items"]]
        check(got == expected, "REST answered", got, "at offset", offset)
        check(listed["total"] == data.sessions, "REST answered another total")
    for filtered in FILTERS:
        total = data.responses(filtered)
        for name, offset in data.offsets(total).items():
            answer = out / f"responses-{filtered}-{name}.grpc"
            message = call_grpc(address, RESPONSES, responses_request(filtered, offset), answer)
            got = [values(item, 1)[0].decode() for item in values(message, 1)]
            expected = session_id(offset // data.responses_each)
            check(len(got) == PAGE_ROWS and got[0] == expected, "gRPC answered", got)
            check(values(message, 2) == [total], "gRPC answered another total")


def page_path(address, raw):
    """The link of a participant without answers. Stores the linked page in page.html."""
    path = f"/tenant/surveys/{SCREENER}/panelists/crm-page"
    access = call_rest(address, path, raw / "page.json", PANEL)
    link = access["panelist"]["hostedResponseUrl"]
    path = link[link.index("/app/") :]
    page, _ = curl(f"http://{address}{path}", [], [], raw / "page.html")
    check(b"<form" in page, "no page of questions, but", page)
    return path


@dataclass
class Reads:
    """The measurements of running servers."""

    calls: object
    server: object
    small: object
    noop: object
    data: Data
    few: Data
    link: str
    raw: object

    def size(self, name):
        return (self.raw / name).stat().st_size

    def point(self, address):
        """GetScreenerSession, one session."""
        return lambda seconds, name: load_grpc(
            address, SESSION, get_request(random.randrange(self.data.sessions)),
            self.size("get.grpc"), seconds, self.raw, name,
        )  # fmt: skip

    def random_point(self, address):
        requests = random_requests(get_request, self.data.sessions, self.raw / "get.requests")
        return lambda seconds, name: load_random(
            self.calls, address, SESSION, requests, self.size("get.grpc"), seconds, self.raw,
            name, CREDENTIALS,
        )  # fmt: skip

    def random_access(self):
        requests = random_requests(access_request, self.data.sessions, self.raw / "access.requests")
        return lambda seconds, name: load_random(
            self.calls, self.server.addresses[0], ACCESS, requests, self.size("access.grpc"),
            seconds, self.raw, name, PANEL,
        )  # fmt: skip

    def funnel(self):
        return lambda seconds, name: load_grpc(
            self.server.addresses[0], FUNNEL, funnel_request(), self.size("funnel.grpc"), seconds,
            self.raw, name, SERVICE,
        )  # fmt: skip

    def sessions(self, server, data, page, folder):
        request = list_request(data.offsets(data.sessions)[page])
        return lambda seconds, name: load_grpc(
            server.addresses[0], SESSIONS, request, self.size(f"{folder}list-{page}.grpc"),
            seconds, self.raw, name,
        )  # fmt: skip

    def responses(self, server, data, filtered, page, folder):
        request = responses_request(filtered, data.offsets(data.responses(filtered))[page])
        return lambda seconds, name: load_grpc(
            server.addresses[0], RESPONSES, request,
            self.size(f"{folder}responses-{filtered}-{page}.grpc"), seconds, self.raw, name,
        )  # fmt: skip

    def rest(self, address):
        sessions = self.data.sessions
        return lambda seconds, name: load_rest(
            address, SESSION_PATH, seconds, self.raw, name, sessions
        )

    def rest_list(self, page):
        path = list_path(self.data.offsets(self.data.sessions)[page])
        address = self.server.addresses[0]
        return lambda seconds, name: load_rest(address, path, seconds, self.raw, name)

    def page(self, address, path):
        return lambda seconds, name: load_rest(address, path, seconds, self.raw, name)

    def rows(self):
        noop, server, data, few = self.noop, self.server, self.data, self.few
        bare, drawn = "gRPC no-op, bare tonic", "gRPC no-op, bare tonic, random requests"
        rows = [Row(drawn, self.random_point(noop.addresses[0]))]
        point = "gRPC GetScreenerSession, random"
        random_point = self.random_point(server.addresses[0])
        rows += [Row(point, random_point, drawn, POINT_READ_MUST)]
        access = "gRPC GetPanelistAccess, random"
        rows += [Row(access, self.random_access(), drawn, ACCESS_MUST)]
        rows += [Row(bare, self.point(noop.addresses[0]))]
        one = "gRPC GetScreenerSession, one session"
        rows += [Row(one, self.point(server.addresses[0]), bare, POINT_READ_MUST)]
        rows += [Row("gRPC GetFunnel", self.funnel(), one, FUNNEL_MUST)]
        for page in ("first", "middle", "last"):
            measure = self.sessions(server, data, page, "")
            rows += [Row(f"gRPC sessions {page}", measure, bare, LIST_MUST)]
        measure = self.sessions(self.small, few, "first", "few/")
        rows += [Row(f"gRPC sessions first of {few.sessions}", measure)]
        for filtered in FILTERS:
            name = f"gRPC responses by {filtered}"
            for page in ("first", "middle", "last"):
                measure = self.responses(server, data, filtered, page, "")
                rows += [Row(f"{name} {page}", measure, bare)]
            if filtered not in ("session", "participant"):
                measure = self.responses(self.small, few, filtered, "first", "few/")
                rows += [Row(f"{name} first of {few.responses(filtered)}", measure)]
        static = "REST static, bare axum"
        rows += [Row(static, self.rest(noop.addresses[1]))]
        point = "REST GET /screener-sessions/{id}, random"
        rows += [Row(point, self.rest(server.addresses[0]), static, REST_MUST)]
        for page in ("first", "middle", "last"):
            rows += [Row(f"REST sessions {page}", self.rest_list(page), static)]
        static = "page static, bare axum"
        rows += [Row(static, self.page(noop.addresses[1], "/page"))]
        rows += [Row("page of questions", self.page(server.addresses[0], self.link), static)]
        return rows


def between_pages(rates):
    """Last pages by first ones, and pages of many rows by those of few: the price of a total."""
    found = []
    for name in rates:
        if name.endswith(" last"):
            first = name.removesuffix("last") + "first"
            found += [ratio_of(rates, f"{name} / first", name, first, PAGE_MUST)]
        if " first of " in name:
            many, count = name.split(" of ")
            title = f"{many.removesuffix(' first')} with total / that of {count}"
            found += [ratio_of(rates, title, many, name, PAGE_MUST)]
    return found


def measure(options, data, few):
    raw = options.raw
    (raw / "few").mkdir()
    with (
        InMemory(data.path, raw),
        screenerd(options.screenerd, data.path, raw, "screenerd") as server,
    ):
        server.ready_seconds()
        idle = server.memory_mib()
        verify(server.addresses[0], data, raw)
        link = page_path(server.addresses[0], raw)
        bodies = ["--grpc-body", raw / "get.grpc", "--rest-body", raw / "get.json"]
        bodies += ["--page", raw / "page.html"]
        with (
            screenerd(options.screenerd, few.path, raw, "screenerd-few") as small,
            Server([options.noop, *bodies], raw / "noop.log") as noop,
        ):
            verify(small.addresses[0], few, raw / "few")
            reads = Reads(options.calls, server, small, noop, data, few, link, raw)
            rounds = Rounds(reads.rows(), options.rounds, options.seconds, "read")
            rates = rounds.run()
        loaded = server.memory_mib("VmHWM")
    rows = rounds.results() + between_pages(rates)
    memory = [("memory, idle", idle, IDLE_MAX_MIB), ("memory, reads", loaded, LOADED_MAX_MIB)]
    return rows + [
        {"name": f"{name}, of at most {most} MiB", "unit": "MiB", "median": used,
         "ratio": most / used, "must": 1}
        for name, used, most in memory
    ]  # fmt: skip
