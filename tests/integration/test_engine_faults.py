"""An engine that fails at any step of a run: nobody loses a point by it, and no box is forgotten.

The steps of a run are what it asks of its boxes; each of them fails once here, in boxes that are child processes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader import clock
from grader.engine.grade import Harness
from grader.errors import BoxLost, EngineUnavailable, InfrastructureFault
from grader.model.exercise import Exercise
from grader.model.run import Isolation, Party, RunStatus
from grader.model.sheet import ScoreSheet
from grader.sandbox.port import Box, BoxSpec, Ending, Role, Sandbox, Usage
from grader.store.folder import SheetFolder
from tests.conftest import TINY, Bench
from tests.signatures import is_genuine

Write = Callable[..., Path]

ERROR_500 = InfrastructureFault("The engine answered 500: something went wrong.", hint="Look at its log.")
NO_ANSWER = InfrastructureFault("The engine did not answer within 60 s.", hint="Is the machine busy?")
GONE = EngineUnavailable("The engine is gone.", hint="Start it.")
KILLED = BoxLost("The box was killed from outside.", hint="Grade again.")


@dataclass
class Trouble:
    """Fails one call: the `number`-th of this operation on the first box of this role."""

    role: Role
    operation: str
    number: int
    error: InfrastructureFault
    left: int = 0
    opened: list[FailingBox] = field(default_factory=list)

    def meet(self, role: Role, operation: str) -> None:
        """Fail now, if it is time."""
        if (role, operation) == (self.role, self.operation):
            self.number -= 1
            if self.number == 0:
                raise self.error


@dataclass
class FailingBox:
    """A box whose engine has trouble."""

    box: Box
    role: Role
    trouble: Trouble
    closed: bool = False

    @property
    def isolation(self) -> Isolation:
        return self.box.isolation

    def write(self, data: bytes, deadline: clock.Deadline) -> None:
        self.trouble.meet(self.role, "write")
        self.box.write(data, deadline)

    def read_exactly(self, size: int, deadline: clock.Deadline) -> bytes:
        self.trouble.meet(self.role, "read")
        return self.box.read_exactly(size, deadline)

    def usage(self) -> Usage:
        self.trouble.meet(self.role, "usage")
        return self.box.usage()

    def pause(self) -> None:
        self.box.pause()

    def resume(self) -> None:
        self.box.resume()

    def kill(self) -> None:
        self.box.kill()

    def close(self) -> Ending:
        ending = self.box.close()
        self.closed = True
        self.trouble.meet(self.role, "close")
        return ending


@dataclass(frozen=True)
class FailingSandbox:
    """A sandbox whose engine has trouble."""

    sandbox: Sandbox
    trouble: Trouble

    def open(self, spec: BoxSpec) -> Box:
        self.trouble.meet(spec.role, "open")
        box = FailingBox(self.sandbox.open(spec), spec.role, self.trouble)
        self.trouble.opened.append(box)
        return box


def graded(harness: Harness, exercise: Exercise, submission: Path, trouble: Trouble) -> ScoreSheet:
    failing = replace(harness, sandbox=FailingSandbox(harness.sandbox, trouble))
    return Bench(failing, exercise, TINY).grade(submission).sheet


# In the order of a run. The numbers lie well inside of each step; a run makes more calls than that.
STEPS = [
    (Role.CHECKER, "open", 2, ERROR_500),  # the first one makes the data
    (Role.SUBMISSION, "open", 1, NO_ANSWER),
    (Role.CHECKER, "write", 30, ERROR_500),
    (Role.SUBMISSION, "write", 1, GONE),
    (Role.SUBMISSION, "write", 4, ERROR_500),
    (Role.SUBMISSION, "read", 3, KILLED),
    (Role.SUBMISSION, "read", 20, ERROR_500),
    (Role.CHECKER, "read", 60, KILLED),
    (Role.CHECKER, "close", 2, ERROR_500),
]


@pytest.mark.parametrize(
    ("role", "operation", "number", "error"), STEPS, ids=[f"{role}-{what}-{n}" for role, what, n, _ in STEPS]
)
def test_a_run_that_was_disturbed_costs_nobody_a_point(
    process_harness: Harness,
    tiny: Exercise,
    submission: Write,
    tmp_path: Path,
    role: Role,
    operation: str,
    number: int,
    error: InfrastructureFault,
) -> None:
    harness = replace(process_harness, cache=tmp_path / "cache")
    trouble = Trouble(role, operation, number, error)
    sheet = graded(harness, tiny, submission(), trouble)
    assert trouble.number <= 0, "the run never came to that step"
    assert sheet.status is RunStatus.FAULTED
    assert (sheet.earned, sheet.highest) == (None, 10)
    assert {fault.party for fault in sheet.faults} == {Party.INFRASTRUCTURE}
    assert error.message in sheet.faults[0].message
    assert is_genuine(sheet)
    assert all(box.closed for box in trouble.opened)


@pytest.mark.parametrize("number", [1, 3])
def test_what_is_measured_beside_the_work_may_be_missing(
    process_harness: Harness, tiny: Exercise, submission: Write, number: int
) -> None:
    trouble = Trouble(Role.SUBMISSION, "usage", number, NO_ANSWER)
    sheet = graded(process_harness, tiny, submission(), trouble)
    assert trouble.number <= 0
    assert sheet.earned == 10 or {fault.party for fault in sheet.faults} == {Party.INFRASTRUCTURE}
    assert all(box.closed for box in trouble.opened)


def test_a_clock_that_jumps_back_decides_nothing(
    process_harness: Harness, tiny: Exercise, submission: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = iter(range(23, 0, -1))
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 28, next(hours), tzinfo=UTC))
    sheet = Bench(process_harness, tiny, TINY).grade(submission()).sheet
    assert sheet.finished < sheet.started
    assert (sheet.status, sheet.earned) == (RunStatus.GRADED, 10)
    assert 0 < sheet.resources.wall_seconds < 600
    assert is_genuine(ScoreSheet.model_validate_json(json.dumps(sheet.model_dump(mode="json"))))


def test_a_full_disk_leaves_finished_sheets_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = SheetFolder(tmp_path / "out")
    first, second = folder.places(["ada", "bob"], replace=False)
    folder.write(first, {"sheet.json": "{}"})
    whole = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "sheet.html":
            whole(path, data[:3])
            raise OSError(28, "No space left on device")
        return whole(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InfrastructureFault, match="No space left on device"):
        folder.write(second, {"sheet.json": "{}", "sheet.html": "<html>"})
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["ada"]
    assert (first / "sheet.json").read_text() == "{}"
