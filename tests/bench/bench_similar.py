"""Measures `grader similar`; prints figures, passes no judgement.

`python -m tests.bench.bench_similar [--count N]`. Submissions are made up, about as long as a reference solution. In
the first group nearly all are strangers to each other and some are copies; in the second all are near copies, which is
the most work there can be.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import time

from grader import clock
from grader.clock import monotonic
from grader.similarity.documents import Entry
from grader.similarity.pairs import Similar, find_similar
from grader.similarity.report import make_report
from grader.similarity.sources import Reading, read_submission
from tests.unit.similarity.conftest import program_of, submission_of

LINES = 600
NOTHING = Reading(sources=(), left_out=(), data={}, marks={})


def entry(number: int, code: str) -> Entry:
    """A submission of three files."""
    lines = code.splitlines(keepends=True)
    third = len(lines) // 3
    parts = (lines[:third], lines[third : 2 * third], lines[2 * third :])
    files = {f"m{place}__py": "".join(part) for place, part in enumerate(parts)}
    return Entry(person=str(number), name=f"p{number}", label="", reading=read_submission(submission_of(**files)))


def strangers(count: int) -> list[Entry]:
    """One in ten has a third of another one's code."""
    codes = [program_of(number, LINES) for number in range(count)]
    for number in range(10, count, 10):
        codes[number] = codes[number - 1][: len(codes[number - 1]) // 3] + codes[number]
    return [entry(number, code) for number, code in enumerate(codes)]


def copies(count: int) -> list[Entry]:
    """The same code, with one line of its own for each."""
    lines = program_of(0, LINES).splitlines(keepends=True)
    random_ = random.Random(1)
    found = []
    for number in range(count):
        own = list(lines)
        own.insert(random_.randrange(len(own)), program_of(1000 + number, 1))
        found.append(entry(number, "".join(own)))
    return found


def measure(entries: list[Entry]) -> tuple[Similar, float, float]:
    """Compare all with all and put the report together; returns seconds of wall, and of processor."""
    start, used = monotonic(), time.process_time()
    found = find_similar(entries, NOTHING)
    make_report(found, "bench", {}, [])
    return found, monotonic() - start, time.process_time() - used


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_similar", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=500)
    count = parser.parse_args().count
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    sys.stdout.write(f"{clock.now():%Y-%m-%d}, {os.cpu_count()} cores, {gib:.0f} GiB\n")
    for name, make in (("strangers", strangers), ("near copies", copies)):
        found, wall, used = measure(make(count))
        tokens = sum(document.own for document in found.documents) // count
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        sys.stdout.write(
            f"similar, {count} {name} of {tokens} tokens: {wall:.1f} s wall, {used:.1f} s of one core; "
            f"{len(found.pairs)} pairs, {found.passed_over} not looked at closely; {peak:.0f} MB at most\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
