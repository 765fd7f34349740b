"""The `notebook` fixture: executes the submission's decision notebook on data, in a fresh session."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from grader.checker.api import SubmissionFailed
from grader.checker.link import Link
from grader.frames import BrokenFrame, strict_json
from grader.model.reasons import Reason

SECONDS = 300.0
REPORT_CAP, DECISION_CAP = 256 * 1024, 64 * 1024
DECISION = "decision.json"
TEXT_CAP = 400
CUT_SHARE = 0.9
ABSENT = "No notebook was handed in."

_PROBLEMS = {
    "missing": Reason.MISSING_PART,
    "format": Reason.FORMAT,
    "too_large": Reason.TOO_LARGE,
}
_ENDINGS = {"ok": "", "error": "an error", "timeout": "the end of its time", "died": "the death of its kernel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What became of one code cell; `number` counts code cells from 1.

    Attributes:
        number: Its place.
        status: "ok", "error", "timeout", "died" or "flooded".
        seconds: As the box says.
        error: Name of the exception, or "".
        message: Its first line, cut short.
    """

    number: int
    status: str
    seconds: float
    error: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookRun:
    """One execution, from top to bottom or to the first cell that failed.

    Attributes:
        total: Code cells that hold anything.
        cells: What became of those that were begun.
        failure: Why it did not run to its end, or None.
        kernel: The kernel that the notebook was written for, as it says.
        decision: What it wrote to `decision.json`, parsed strictly; None when there is nothing that can be read.
        decision_failure: Why there is none.
        seconds: Wall time, measured outside the box.
        cpu_seconds: CPU time of the box meanwhile, measured outside.
        peak_memory: Bytes.
    """

    total: int
    cells: tuple[Cell, ...]
    failure: SubmissionFailed | None
    kernel: str
    decision: object | None
    decision_failure: SubmissionFailed | None
    seconds: float
    cpu_seconds: float
    peak_memory: int

    @property
    def cells_run(self) -> int:
        """Code cells that ran without an error."""
        return sum(cell.status == "ok" for cell in self.cells)

    @property
    def error(self) -> str:
        """What ended it early, in one line; "" when nothing did."""
        return self.failure.because if self.failure else ""

    def require_decision(self) -> object:
        """Return what it decided.

        Raises:
            SubmissionFailed: There is no `decision.json`, or it cannot be read.
        """
        if self.decision is None:
            assert self.decision_failure is not None
            raise self.decision_failure
        return self.decision


class Notebook:
    """Executes the submission's notebook; every execution is a fresh session in a clean box.

    Args:
        link: The line to the host.
        path: Where the notebook is in the submission; None when none was handed in.
        folder: Where copies of files are kept.
    """

    def __init__(self, link: Link, path: str | None, folder: Path) -> None:
        """Remember what to run."""
        self._link = link
        self.path = path
        self._folder = folder

    def execute(self, data: Mapping[str, Path], *, seconds: float = SECONDS) -> NotebookRun:
        """Execute it with `DATA_DIR` naming a folder that holds `data`.

        Args:
            data: Name in that folder to a file or folder of the checker box.
            seconds: Time for all cells together.

        Raises:
            SubmissionFailed: No notebook was handed in, or its box was broken.
        """
        if self.path is None:
            raise SubmissionFailed(Reason.MISSING_PART, ABSENT)
        self._link.ask("session.open")
        self._link.ask("folder.make", {"path": "in/data"})
        for name, source in data.items():
            self._link.put_tree(source, f"in/data/{name}")
        reply = self._link.ask("notebook.run", {"path": self.path, "seconds": seconds, "printed": 0})
        return self._read(reply.header, seconds)

    def _read(self, header: Mapping[str, object], seconds: float) -> NotebookRun:
        report = self._report()
        cells = report_cells(report)
        total = _number(report, "total")
        measured = cast("dict[str, float]", header.get("measured"))  # added by the host
        # The host gives less where all runs together have used up their time.
        cut = measured["seconds"] < CUT_SHARE * seconds
        limit = "the time that was left for all runs together" if cut else f"{seconds:.0f} s"
        failure = _failure(header, report, cells, total, limit)
        decision, decision_failure = self._decision(failure)
        return NotebookRun(
            total=total,
            cells=cells,
            failure=failure,
            kernel=_text(report, "kernel"),
            decision=decision,
            decision_failure=decision_failure,
            seconds=measured["seconds"],
            cpu_seconds=measured["cpu_seconds"],
            peak_memory=int(measured["peak_memory"]),
        )

    def _report(self) -> Mapping[str, object]:
        try:
            content = strict_json(self._bytes("output/report.json", REPORT_CAP))
        except (SubmissionFailed, BrokenFrame):
            content = None
        # Cells can do what they like to it, so whatever is there is possible.
        return content if isinstance(content, dict) else {"problem": "kernel", "message": "the run left no report"}

    def _decision(self, failure: SubmissionFailed | None) -> tuple[object | None, SubmissionFailed | None]:
        try:
            content = strict_json(self._bytes(f"submission/{DECISION}", DECISION_CAP))
        except SubmissionFailed as error:
            if error.reason is Reason.MISSING_OUTPUT:
                ended = f" {failure.because}" if failure else ""
                return None, SubmissionFailed(Reason.MISSING_OUTPUT, f"The notebook wrote no {DECISION}.{ended}")
            if error.reason is Reason.CRASHED:  # the agent opens nothing but regular files
                return None, SubmissionFailed(Reason.FORMAT, f"{DECISION} is not a regular file.")
            return None, SubmissionFailed(error.reason, f"{DECISION}: {error.because}")
        except BrokenFrame as error:
            return None, SubmissionFailed(Reason.FORMAT, f"{DECISION}: {error}.")
        if content is None:
            return None, SubmissionFailed(Reason.SCHEMA, f"{DECISION} holds null.")
        return content, None

    def _bytes(self, path: str, cap: int) -> bytes:
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:
            self._link.get_file(path, Path(file.name), cap)
            return Path(file.name).read_bytes()


def report_cells(report: Mapping[str, object]) -> tuple[Cell, ...]:
    """Read the cells of a runner's report; what makes no sense is left out."""
    entries = report.get("cells")
    return tuple(_cell(entry) for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()


def _cell(entry: Mapping[str, object]) -> Cell:
    seconds = entry.get("seconds")
    return Cell(
        number=_number(entry, "number"),
        status=_text(entry, "status"),
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        error=_text(entry, "error"),
        message=_text(entry, "message"),
    )


def _failure(
    header: Mapping[str, object], report: Mapping[str, object], cells: tuple[Cell, ...], total: int, limit: str
) -> SubmissionFailed | None:
    """Say why a notebook did not run to its end."""
    last = cells[-1] if cells else None
    place = f" It ended at code cell {last.number} of {total}." if last and last.status != "ok" else ""
    if header.get("oom") is True:
        return SubmissionFailed(Reason.OOM, f"The notebook ran out of memory.{place}")
    if header.get("flooded") is True or (last and last.status == "flooded"):
        return SubmissionFailed(Reason.OUTPUT_CAP, f"The notebook, or what it started, prints too much.{place}")
    if header.get("timed_out") is True or (last and last.status == "timeout"):
        return SubmissionFailed(Reason.TIMEOUT, f"The notebook did not end within {limit}.{place}")
    problem = _text(report, "problem")
    if problem:
        reason = _PROBLEMS.get(problem, Reason.CRASHED)
        return SubmissionFailed(reason, f"The notebook could not be run: {_text(report, 'message')}.{place}")
    if last and last.status != "ok":
        how = ": ".join(filter(None, (last.error, last.message))) or _ENDINGS.get(last.status, "an error")
        written_for = _text(report, "kernel")
        foreign = f" It was written for the kernel {written_for}; it is run with python3." * _is_foreign(written_for)
        reason = Reason.CRASHED
        return SubmissionFailed(reason, f"Code cell {last.number} of {total} ended with {how}.{foreign}")
    if len(cells) < total:
        return SubmissionFailed(Reason.CRASHED, f"The run ended after code cell {len(cells)} of {total}.")
    return None


def _is_foreign(kernel: str) -> bool:
    return bool(kernel) and "python" not in kernel.lower()


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    return value[:TEXT_CAP] if isinstance(value, str) else ""


def _number(entry: Mapping[str, object], key: str) -> int:
    value = entry.get(key)
    return value if isinstance(value, int) and 0 <= value < 10_000 else 0
