"""One batch of scripted runs in a process of its own, so that it can be measured and killed.

`python -m tests.bench.scripted_batch FOLDER COUNT JOBS` grades COUNT submissions that it writes below FOLDER, with
no box at all, and prints resident memory after each as JSON lines.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from grader.cli import grading, progress
from grader.config import Settings
from grader.engine.grade import Harness
from tests.scripted_runs import Stage

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class Forgetful(Counter[bytes]):
    """Counts nothing: what the script itself would remember is not the harness's memory."""

    def __setitem__(self, key: bytes, value: int) -> None:
        pass


def main(folder: Path, count: int, jobs: int) -> None:
    """Grade, or go on grading."""
    stage = Stage(folder)
    stage.runs.played = Forgetful()
    for number in range(count):
        if not (folder / "in" / f"s{number}").exists():
            stage.write(f"s{number}", f"earns A1 {number % 11 / 10}\n# earns B1 {number % 7 / 6:.3f}\n# {number}")
    settings = Settings(
        exercises=(folder / "exercises",),
        out=folder / "out",
        config_dir=folder / "config",
        cache_dir=folder / "cache",
        data_dir=folder / "data",
    )

    @contextmanager
    def open_harness(_: Settings, __: Callable[..., None]) -> Iterator[Harness]:
        yield stage.harness

    done = progress.BatchProgress.done

    def measured(self: progress.BatchProgress, *arguments: object) -> None:
        done(self, *arguments)  # type: ignore[arg-type]
        sys.stdout.write(json.dumps(resident()) + "\n")
        sys.stdout.flush()

    order = grading.Order(
        exercise_id="tiny_sum",
        out=settings.out,
        paths=[str(folder / "in" / f"s{number}") for number in range(count)],
        jobs=jobs,
    )
    with patch.object(grading, "open_harness", open_harness), patch.object(progress.BatchProgress, "done", measured):
        grading.grade_all(settings, order)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
