"""Copies the prose of an area into a folder, line for line, so that line numbers are the source's.

To add an area, add a row to AREAS: the patterns of its files, and the function that reads one.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A comment, a string or a character of Rust, but not a lifetime.
RUST = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | b?r(?P<hashes>\#*)"(?P<raw>.*?)"(?P=hashes)
      | b?"(?P<text>(?:\\.|[^"\\])*)"
      | b?'(?:\\.[^']*|[^'\\\n])'""",
    re.DOTALL | re.VERBOSE,
)
# Strings that no caller reads: reasons of panics and lints, and SQL statements.
INTERNAL = re.compile(r"(?:\.expect\(|(?:panic|unreachable|assert\w*)!\([^;]*|reason = |serde\([^)]*|env!\()\s*$")
SQL = re.compile(r"\s*(?:AND|BEGIN|CASE|COMMIT|CREATE|DELETE|EXISTS|FROM|GROUP|INSERT|JOIN|LEFT|LIMIT|NOT|ON|OR|ORDER|PRAGMA|RETURNING|SELECT|SET|UNION|UPDATE|VALUES|WHERE|WITH)\s")
# Two words of which the second begins in lower case.
PROSE = re.compile(r"[A-Za-z][a-z]+,? [a-z]")


class Page:
    """The lines of a file, without everything but prose."""

    def __init__(self, source):
        self.lines = [""] * (source.count("\n") + 1)

    def put(self, line, text):
        for number, part in enumerate(text.split("\n"), line):
            before = f"{self.lines[number]} · " if self.lines[number] else ""
            self.lines[number] = before + part

    def __str__(self):
        return "\n".join(self.lines)


def line_of(source, position):
    return source.count("\n", 0, position)


def without_tests(source):
    """Removes the module of unit tests at the end of a file."""
    return source.split("\n#[cfg(test)]\nmod tests {")[0]


def comments(source, is_wanted):
    page = Page(source)
    for token in RUST.finditer(source):
        comment = token["comment"]
        if comment and is_wanted(comment):
            # Removes indentation, so that Markdown does not parse a comment as a block of code.
            lines = [re.sub(r"^\s*(?:/\*|///?!?|//!|\*)? ?", "", line) for line in comment.split("\n")]
            page.put(line_of(source, token.start()), "\n".join(lines))
    return str(page)


def literals(source):
    source = without_tests(source)
    page = Page(source)
    for token in RUST.finditer(source):
        text = token["raw"] or token["text"]
        before = source[max(0, token.start() - 300) : token.start()]
        if text and PROSE.search(text) and not SQL.match(text) and not INTERNAL.search(before):
            text = text.replace("\\n\\\n", "\n").replace("\\\n", "\n").replace("\\n", " ")
            lines = [re.sub(r"[`*_<>#|]|^\s+", " ", line).strip() for line in text.split("\n")]
            page.put(line_of(source, token.start()), "\n".join(lines))
    return str(page)


def templates(source):
    blank = lambda found: re.sub(r"[^\n]", " ", found[0])
    for code in (r"\{[%#].*?[%#]\}", r"\{\{.*?\}\}", r"<(script|style).*?</\1>", r"<[^>]*>"):
        source = re.sub(code, blank, source, flags=re.DOTALL)
    return "\n".join(line.strip() for line in source.split("\n"))


def rust_comments(source):
    return comments(source, lambda comment: True)


def doc_comments(source):
    return comments(source, lambda comment: comment.startswith("///"))


def page_texts(source):
    return templates(source) if source.lstrip().startswith(("<", "{")) else literals(source)


TEXTS = "src/pages/texts.rs"

# The texts that people read, by area: the patterns of its files, and the function that reads one.
AREAS = {
    "guides": (["docs/*.md", "ARCHITECTURE.md"], str),
    "reference": (["docs/api/*.md"], str),
    "contract": (["proto/screener/**/*.proto"], rust_comments),
    "front": (["*.md", ".github/**/*.md", "clients/**/*.md"], str),
    # Also log lines, the output of commands, and the descriptions in the OpenAPI document.
    "errors": (["src/**/*.rs"], literals),
    "pages": ([TEXTS, "templates/*.html"], page_texts),
    "help": (["src/config.rs", "src/cli/*.rs"], doc_comments),
    "comments": (["build.rs", "src/**/*.rs"], rust_comments),
    "tests": (["tests/**/*.rs", "benches/**/*.rs", "clients/**/*.rs"], rust_comments),
}
# Files that the patterns of an area match although they belong to another one.
ELSEWHERE = {"front": ["ARCHITECTURE.md"], "errors": [TEXTS]}


def write(area, folder):
    patterns, read = AREAS[area]
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        name = path.relative_to(ROOT)
        if str(name) in ELSEWHERE.get(area, []) or "node_modules" in name.parts:
            continue
        copy = folder / f"{name}.md"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(read(path.read_text(encoding="utf-8")), encoding="utf-8")


def source(copy):
    """Returns the source file of a copy."""
    return str(copy).removesuffix(".md")
