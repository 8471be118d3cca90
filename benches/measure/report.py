"""Interleaved rounds of measurements, their results, and the table."""

import json
import os
import pathlib
import platform
import re
import statistics
import sys
from dataclasses import dataclass
from typing import Callable


@dataclass
class Row:
    """A measurement of some seconds, and its baseline."""

    name: str
    measure: Callable
    base: str | None = None
    must: float | None = None


class Rounds:
    """Rows measured in turns, so that other load on the machine affects all of them."""

    def __init__(self, rows, rounds, seconds, title):
        self.rows, self.rounds, self.seconds, self.title = rows, rounds, seconds, title
        self.rates = {row.name: [] for row in rows}

    def run(self):
        """The rates of every row. The first round only warms up."""
        for turn in range(self.rounds + 1):
            for number, row in enumerate(self.rows):
                seconds = self.seconds if turn else 1
                rate = row.measure(seconds, f"{self.title}-round-{turn}-row-{number}")
                if turn:
                    self.rates[row.name].append(rate)
            say(f"{self.title}: round {turn} of {self.rounds}")
        return self.rates

    def results(self):
        return [result(row.name, self.rates, row.base, row.must) for row in self.rows]


def say(text):
    print(text, file=sys.stderr, flush=True)


def result(name, rates, base=None, must=None, unit="/s"):
    own = statistics.median(rates[name])
    ratio = own / statistics.median(rates[base]) if base else None
    return {"name": name, "unit": unit, "median": own, "lowest": min(rates[name]),
            "highest": max(rates[name]), "ratio": ratio, "must": must}  # fmt: skip


def ratio_of(rates, title, name, base, must):
    ratio = statistics.median(rates[name]) / statistics.median(rates[base])
    return {"name": title, "unit": "", "ratio": ratio, "must": must}


def processor():
    match = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match[1] if match else platform.machine()


def load_average():
    return ", ".join(f"{it:.1f}" for it in os.getloadavg())


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.1f}"


def print_json(results):
    for it in results:
        ratio = it["ratio"] if it["ratio"] is not None else 1.0
        print(json.dumps({"name": it["name"], "ratio": round(ratio, 4), "must": it["must"]}))


def markdown(results, about):
    """The table in the form of the documentation."""
    lines = [*about, "", "| what | median | lowest | highest | ratio | must | |"]
    lines += ["|---|--:|--:|--:|--:|--:|---|"]
    for it in results:
        ratio = "" if it["ratio"] is None else f"{it['ratio']:.2f}"
        must = "" if it["must"] is None else f"{it['must']:.2f}"
        verdict = "" if it["must"] is None else "yes" if it["ratio"] >= it["must"] else "**no**"
        median = f"{number(it.get('median'))} {it['unit']}".strip() if "median" in it else ""
        edges = f"{number(it.get('lowest'))} | {number(it.get('highest'))}"
        lines += [f"| {it['name']} | {median} | {edges} | {ratio} | {must} | {verdict} |"]
    return "\n".join(lines) + "\n"


def fill(document, marker, text):
    """Replaces the text of a document between two comments of this name."""
    begin, end = f"<!-- {marker} -->", f"<!-- end of {marker} -->"
    before, rest = document.read_text().split(begin)
    _, after = rest.split(end)
    document.write_text(f"{before}{begin}\n{text}{end}{after}")
