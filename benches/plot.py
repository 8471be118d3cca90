"""Draws how the cost of reads grows with the data: python3 benches/plot.py growth.json out.svg

The raw output of benches/growth in, one SVG out, the same for the same input. Standard library only.
"""

import json
import math
import pathlib
import statistics
import sys

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 64, 56
# Colours that readers can distinguish on white and on black, with any color vision.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900")
STYLE = """text { font: 13px sans-serif; fill: #57606a } .title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8c959f; stroke-opacity: .3 } .curve { fill: none; stroke-width: 2 }
.edges { stroke-width: 1.5; stroke-opacity: .6 }
@media (prefers-color-scheme: dark) { text { fill: #b1bac4 } }"""
# The minimum distance of the labels of curves.
LABEL_GAP = 17


def counted(number):
    for size, letter in ((1_000_000, " million"), (1_000, " 000")):
        if number >= size:
            return f"{number // size}{letter}"
    return str(number)


def ticks(most):
    """Round steps from 0 to at least the largest value."""
    step = 10 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if most / (step * part) <= 6)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def apart(wanted):
    """Heights near the wanted ones, far enough apart for reading."""
    placed = {}
    last = -math.inf
    for place in sorted(range(len(wanted)), key=lambda it: wanted[it]):
        last = max(wanted[place], last + LABEL_GAP)
        placed[place] = last
    over = max(0, last - (HEIGHT - BOTTOM))
    return [placed[place] - over for place in range(len(wanted))]


def draw(found):
    sizes = found["sessions"]
    # Microseconds of the server's core that one call takes, of each round.
    costs = {
        read: [[1e6 / rate for rate in rounds] for rounds in of_size]
        for read, of_size in found["calls_per_second"].items()
    }
    marks = ticks(max(max(rounds) for of_size in costs.values() for rounds in of_size))
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(sessions):
        return LEFT + (math.log10(sessions) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(cost):
        return HEIGHT - BOTTOM - cost / marks[-1] * (HEIGHT - TOP - BOTTOM)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>The cost of reads by the number of sessions</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="24">Microseconds a call, on one core</text>',
        f'<text x="{LEFT}" y="44">{found["date"]}, {found["machine"]}; bars: all rounds</text>',
    ]
    for mark in marks:
        out.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}"'
            f' y2="{y(mark):.1f}"/><text x="{LEFT - 8}" y="{y(mark) + 4:.1f}"'
            f' text-anchor="end">{mark:g}</text>'
        )
    for sessions in sizes:
        out.append(
            f'<text x="{x(sessions):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"{counted(sessions)}</text>"
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">sessions</text>')
    medians = {read: [statistics.median(it) for it in costs[read]] for read in costs}
    labels = apart([y(of_size[-1]) for of_size in medians.values()])
    for (read, of_size), colour, label in zip(medians.items(), COLOURS, labels, strict=True):
        points = " ".join(f"{x(it):.1f},{y(cost):.1f}" for it, cost in zip(sizes, of_size))
        out.append(f'<polyline class="curve" stroke="{colour}" points="{points}"/>')
        for sessions, cost, rounds in zip(sizes, of_size, costs[read]):
            place = f"{x(sessions):.1f}"
            out.append(
                f'<line class="edges" stroke="{colour}" x1="{place}" x2="{place}"'
                f' y1="{y(min(rounds)):.1f}" y2="{y(max(rounds)):.1f}"/>'
                f'<circle fill="{colour}" cx="{place}" cy="{y(cost):.1f}" r="3.5"/>'
            )
        out.append(
            f'<text x="{WIDTH - RIGHT + 12}" y="{label + 4:.1f}" style="fill: {colour}">'
            f"{read}</text>"
        )
    return "\n".join([*out, "</svg>"]) + "\n"


def main():
    source, target = map(pathlib.Path, sys.argv[1:])
    target.write_text(draw(json.loads(source.read_text())))


if __name__ == "__main__":
    main()
