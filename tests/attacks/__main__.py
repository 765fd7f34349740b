"""`make attacks`: every attack between two honest submissions, every test that holds a row, and one table of it all.

`--only NAME,...` runs these attacks alone, `--no-tests` leaves the tests out, and `--orders N` grades a batch of 100
(or `--batch`), honest and hostile, in N shuffled orders and compares the points. Ends with 1 where anything is not as
it must be.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from grader.clock import monotonic
from grader.config import load_settings
from grader.sandbox.docker_engine import connect
from tests.attacks.battery import Battery, Verdict, opened_battery
from tests.attacks.cases import Case, load_cases
from tests.attacks.catalogue import ROOT, ROWS, SECTIONS, index, waivers
from tests.attacks.leftovers import networks_and_volumes
from tests.conftest import docker_harness_on

BATCH = 100
COLUMNS = ("unexpected", "forged", "leaked", "neighbours", "leftovers", "budget", "sheet")


def main() -> int:
    """Run, print, tell whether all is well."""
    parser = argparse.ArgumentParser(prog="make attacks", description=__doc__)
    parser.add_argument("--only", default="", help="names of attacks, separated by commas")
    parser.add_argument("--no-tests", action="store_true", help="leave out the tests that hold rows")
    parser.add_argument("--orders", type=int, default=0, help="shuffled orders of a mixed batch")
    parser.add_argument("--batch", type=int, default=BATCH, help="submissions in that batch")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    cases = tuple(case for case in load_cases() if not only or case.name in only)
    if unknown := only - {case.name for case in cases}:
        parser.error(f"there is no attack {', '.join(sorted(unknown))} in tests/attacks/cases")
    console, start = Console(width=180), monotonic()
    with connect(load_settings()) as engine, docker_harness_on(engine) as harness:
        before = networks_and_volumes(engine)
        with opened_battery(harness, engine) as battery:
            verdicts = run(battery, cases, console)
            moved = shuffled(battery, cases, options, console) if options.orders else []
        left = sorted(networks_and_volumes(engine) - before)
    failed = [] if options.no_tests or only else run_tests(console)
    console.print(table(verdicts, failed, left, tested=not (options.no_tests or only)))
    console.print(f"{monotonic() - start:.0f} s")
    return bool(failed or left or moved or any(verdict.problems for verdict in verdicts))


def run(battery: Battery, cases: Sequence[Case], console: Console) -> list[Verdict]:
    """Run attacks, telling of each."""
    verdicts = []
    for verdict in battery.run(cases):
        verdicts.append(verdict)
        console.print(f"{'FAILED' if verdict.problems else 'ok':7} {verdict.seconds:5.1f} s  {verdict.case.name}")
        for problem in verdict.problems:
            console.print(f"        {problem}", markup=False)
    return verdicts


def shuffled(battery: Battery, cases: Sequence[Case], options: argparse.Namespace, console: Console) -> list[str]:
    """Grade a mixed batch in several orders; return which honest submissions' points changed.

    An attack that races with its own answers may lose another check each time; that is its own affair, and is told.
    """
    total, orders = max(options.batch, len(cases)), options.orders
    points = [battery.points(cases, total, seed) for seed in range(orders)]
    moved = sorted(name for name in points[0] if len({each[name] for each in points}) > 1)
    honest = [name for name in moved if name not in {case.name for case in cases}]
    attacks = ", ".join(name for name in moved if name not in honest) or "none"
    console.print(
        f"{total} submissions, {total - len(cases)} of them honest, in {orders} orders: the points of "
        f"{', '.join(honest) or 'no honest one'} changed; of the attacks those of {attacks}"
    )
    return honest


def tests_of_rows() -> list[str]:
    """Return all tests that hold rows; of a test with parameters all of them are run."""
    return sorted({test.partition("[")[0] for row in index().values() for test in row.tests})


def run_tests(console: Console) -> list[str]:
    """Run the tests that hold rows; return which failed."""
    console.print("tests that hold rows:")
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-rfE", *tests_of_rows()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    console.print(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr, markup=False)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    for line in failed:
        console.print(line, markup=False)
    return failed or [f"pytest ended with {done.returncode}"] * bool(done.returncode)


def table(verdicts: Sequence[Verdict], failed: Sequence[str], left: Sequence[str], *, tested: bool) -> Table:
    """One line per section of the catalogue: rows, what holds them, and what attacks came to."""
    grid = Table("section", "rows", "by attacks", "by tests", "waived", "open", "run", *COLUMNS)
    for name, rows in SECTIONS.items():
        grid.add_row(name, *_counts(rows, [each for each in verdicts if set(each.case.expected.rows) & set(rows)]))
    grid.add_section()
    grid.add_row("all", *_counts(ROWS, verdicts))
    tests = f"{len(tests_of_rows())} tests hold rows: {len(failed)} failed" if tested else "tests were left out"
    grid.caption = f"{tests}; networks and volumes left: {', '.join(left) or 'none'}"
    return grid


def _counts(rows: range, verdicts: Sequence[Verdict]) -> list[str]:
    attacked = {row for case in load_cases() for row in case.expected.rows}
    known, waived = index(), waivers()
    counts = [
        len(rows),
        sum(row in attacked for row in rows),
        sum(row not in attacked and bool(known[row].tests) for row in rows),
        sum(row in waived for row in rows),
        sum(bool(known[row].open) for row in rows),
        len(verdicts),
    ]
    counts += [sum(bool(getattr(verdict, column)) for verdict in verdicts) for column in COLUMNS]
    return [str(count) for count in counts]


if __name__ == "__main__":
    sys.exit(main())
