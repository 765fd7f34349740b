"""Measures batches; prints figures, passes no judgement.

`python -m tests.bench.bench_batches [memory|kills|tables|wall] [--count N]`. `memory` and `kills` use
scripted runs, `tables` people who do not exist, `wall` real boxes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader import clock
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import load_ladder, materialise
from grader.catalog.seeds import variant_for
from grader.clock import monotonic
from grader.config import load_settings
from grader.engine.boxes import Boxes
from grader.engine.variants import VariantStore
from grader.wiring import open_harness, store_at
from tests.bench.__main__ import FOLDERS, ROOT, run, seconds_of
from tests.cohorts import cohort, fill, many_checks

MB = 1e-6


def scripted(folder: Path, count: int, jobs: int = 2) -> subprocess.Popen[str]:
    """Start a scripted batch."""
    command = [sys.executable, "-m", "tests.bench.scripted_batch", str(folder), str(count), str(jobs)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=quiet, text=True, start_new_session=True)


def memory(count: int) -> list[str]:
    """Memory of the host's process over many runs."""
    with tempfile.TemporaryDirectory() as name:
        start = monotonic()
        said = scripted(Path(name), count).communicate()[0]
        taken = monotonic() - start
    sizes = [int(json.loads(line)) for line in said.splitlines()]
    settled, half = min(200, count // 4), len(sizes) // 2
    growth = (sizes[-1] - sizes[settled]) / (len(sizes) - settled)
    later = (sizes[-1] - sizes[half]) / (len(sizes) - half)
    return [
        f"{len(sizes)} scripted runs, two at once: {taken:.0f} s, {1000 * taken / len(sizes):.0f} ms a run",
        f"memory of the process: {sizes[-1] * MB:.0f} MB at the end, {max(sizes) * MB:.0f} MB at most",
        f"growth from run {settled} on: {growth / 1024:.2f} KiB a run; in the second half {later / 1024:.2f} KiB a run",
    ]


def points(folder: Path) -> dict[str, tuple[str, int]]:
    """Status and points of every submission, and how often its run is in the store."""
    query = (
        "SELECT candidates.name, runs.status, runs.earned, runs.key FROM submissions "
        "JOIN candidates ON candidates.id = candidate_id JOIN runs ON runs.id = shown_run"
    )
    with sqlite3.connect(folder / "data" / "grader.db") as connection:
        rows = connection.execute(query).fetchall()
        live = Counter(key for (key,) in connection.execute("SELECT key FROM runs WHERE status = 'graded'"))
    assert set(live.values()) == {1}, "a run was done twice"
    return {name: (status, earned) for name, status, earned, _ in rows}


def kills(count: int, times: int = 10) -> list[str]:
    """Kill a batch again and again; resume it; compare with one that nobody disturbed."""
    with tempfile.TemporaryDirectory() as calm, tempfile.TemporaryDirectory() as rough:
        scripted(Path(calm), count).communicate()
        expected = points(Path(calm))
        random_ = random.Random(6)
        killed, finished = 0, 0
        seen: list[int] = []
        while killed < times:
            process = scripted(Path(rough), count)
            assert process.stdout is not None
            before = seen[-1] if seen else 0
            for _ in range(before + random_.randrange(1, max(2, count // times))):
                process.stdout.readline()
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            killed += 1
            seen.append(len(points(Path(rough))))
        again = scripted(Path(rough), count)
        finished = len(again.communicate()[0].splitlines())
        same = points(Path(rough)) == expected
    return [
        f"{count} scripted runs, killed with -9 {killed} times, after {', '.join(map(str, seen))} finished runs",
        f"resumed: {finished} of {count} ended, points identical: {same}, no run done twice",
    ]


def tables(count: int) -> list[str]:
    """`stats` and `compare` over many runs on SQLite."""
    with tempfile.TemporaryDirectory() as name:
        exercise = many_checks(load_exercise(FOLDERS["tiny_sum"]))
        with store_at(Path(name) / "data") as store:
            fill(store.database, exercise, cohort(exercise, count).members)
        os.environ |= {"GRADER_DATA_DIR": f"{name}/data", "GRADER_CONFIG_DIR": f"{name}/config"}
        grader = [sys.executable, "-m", "grader.cli.main"]
        pages = {"stats": ["--html", f"{name}/s.html"], "compare": ["--html", f"{name}/c.html"]}
        return [
            f"grader {what}{' --html' if more else ''}, {count} runs of 30 checks: "
            f"{told([*grader, what, 'tiny_sum', *more])}"
            for what, page in pages.items()
            for more in ([], page)
        ]


def told(command: list[str]) -> str:
    """Wall and processor seconds of a command; the latter hold on a machine that does other things as well."""
    before = os.times()
    wall = min(wall_times(command))
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return f"{wall:.2f} s (best of 3), {busy / 3:.2f} s of a processor (mean of 3)"


def wall_times(command: list[str]) -> list[float]:
    """Wall times of a command, three times."""
    return [seconds_of(lambda: run(command)) for _ in range(3)]


def wall_times_of_two(command: list[str]) -> list[float]:
    """Wall times of a command of which two run at once, three times."""

    def both() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, [command, command]))

    return [seconds_of(both) for _ in range(3)]


def wall(count: int) -> list[str]:
    """A real batch of clean_parquet against the same work bare."""
    source = FOLDERS["clean_parquet"]
    exercise = load_exercise(source)
    reference = next(rung for rung in load_ladder(source) if rung.name == "reference")
    with tempfile.TemporaryDirectory() as name, open_harness(load_settings(), lambda _: None) as harness:
        folder = Path(name)
        paths = [folder / f"s{number}" for number in range(count)]
        for path in paths:
            materialise(reference, path)
            with (path / exercise.manifest.part.entry_path).open("a") as file:
                file.write(f"\n# {path.name}\n")
        store = VariantStore(harness.cache / "variants", Boxes(harness.sandbox, harness.images, "0" * 32))
        number = variant_for(exercise, harness.keyring.server_key(), None).number
        data = store.data(exercise, source, number, "hidden")
        argv = exercise.manifest.part.argv
        bare = [sys.executable, "-m", "tests.bench.bare", str(source / "checks"), str(data)]
        alone = wall_times([*bare, str(paths[0]), *argv])
        together = wall_times_of_two([*bare, str(paths[0]), *argv])
        os.environ["GRADER_DATA_DIR"] = f"{name}/data"
        grade = [sys.executable, "-m", "grader.cli.main", "grade", exercise.id, *map(str, paths)]
        taken = seconds_of(lambda: run([*grade, "--jobs", "2", "--out", f"{name}/out"]))
    one, two = sum(alone) / len(alone), sum(together) / len(together)
    timed = ", ".join(check.id for check in exercise.checks if check.timed)
    shared = f"two at once, with the machine for {timed} alone" if timed else "two at once"
    how = "one after the other" if exercise.manifest.timing == "exclusive" else shared
    return [
        f"{count} submissions of clean_parquet, {how}: {taken:.0f} s; bare, one: {one:.1f} s (mean of {len(alone)}), "
        f"two at once: {two:.1f} s (mean of {len(together)})",
        f"wall / (sum of bare wall / 2): {taken / (count * one / 2):.2f}; where two at once are what is bare, and so "
        f"without what cores take from one another: {taken / (count * two / 2):.2f}",
    ]


PARTS = {"memory": (memory, 1000), "kills": (kills, 200), "tables": (tables, 10_000), "wall": (wall, 100)}

# `wall` grades a hundred submissions for real, which takes an hour and more.
USUAL = ("memory", "kills", "tables")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_batches", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all but wall when left out")
    parser.add_argument("--count", type=int, help="instead of the usual number of runs")
    arguments = parser.parse_args()
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    sys.stdout.write(f"{clock.now():%Y-%m-%d}, {os.cpu_count()} cores, {gib:.0f} GiB\n")
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    for part in arguments.parts or USUAL:
        measure, usual = PARTS[part]
        for line in measure(arguments.count or usual):
            sys.stdout.write(f"{part}: {line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
