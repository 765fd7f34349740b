"""A sandbox that plays whole runs from a script: what a submission earns stands in its own add.py.

`# earns A1 0.5` is a share; what is not named earns everything. `# breaks 2` lets the checker box die in the first two
runs. Nothing is started, so that a thousand runs take seconds.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from grader import frames
from grader.catalog.exercises import load_exercise
from grader.engine.grade import Harness
from grader.frames import Frame
from grader.keys import SERVER, Keyring
from grader.sandbox.port import Box, BoxSpec, Ending, Role
from tests.conftest import MANIFEST, REFERENCE, TINY
from tests.scripted import ScriptedBox, reply

EARNS = re.compile(rb"# earns (\w+) ([\d.]+)")
BREAKS = re.compile(rb"# breaks (\d+)")
ENDS = 1000  # what numbers of frames begin with that end a check
LOST = Ending(exit_status=137, oom=False, removed_by_us=False)
WELL = Ending(exit_status=0, oom=False, removed_by_us=False, stderr=b"the checks ran")


@dataclass
class ScriptedRuns:
    """Plays runs.

    Attributes:
        during: Called while the checks of a submission run, with the text of its program.
        played: How often each program's checks were run.
        shares: What checks give now, whatever a program says.
        check: Called when a check begins (True) and when it has ended, with its id and the text of the program.
    """

    during: Callable[[bytes], None] = lambda _: None
    played: Counter[bytes] = field(default_factory=Counter)
    shares: dict[str, float] = field(default_factory=dict)
    check: Callable[[bool, str, bytes], None] = lambda *_: None
    _running: dict[str, tuple[bytes, list[str]]] = field(default_factory=dict)
    _programs: dict[str, bytes] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def open(self, spec: BoxSpec) -> Box:
        if spec.role is Role.SUBMISSION:
            return ScriptedBox(lambda frame: self._submission(spec.run, frame), ending=WELL)
        box = ScriptedBox(lambda frame: self._checker(spec.run, frame, box), ending=WELL)
        return box

    def _submission(self, run: str, frame: Frame) -> Sequence[Frame]:
        if frame.header["op"] == "submission.put" and frame.header["path"] == "add.py":
            self._programs[run] = frame.body
        return [reply(frame, b"{}", stdout=2, entries=[])]

    def _checker(self, run: str, frame: Frame, box: ScriptedBox) -> Sequence[Frame] | None:
        if frame.kind != frames.REQUEST:
            program, checks = self._running[run]
            self.check(frame.request < ENDS, checks[frame.request % ENDS], program)
            if frame.request == ENDS + len(checks) - 1:
                del self._running[run]  # that was the last answer
            return []
        if frame.header["op"] != "checks.run":
            return [reply(frame, entries=[])]
        program = self._programs.pop(run)
        with self._lock:
            self.played[program] += 1
            breaks = BREAKS.search(program)
            lost = breaks and self.played[program] <= int(breaks[1])
        self._running[run] = program, frame.header["checks"]
        self.during(program)
        if lost or box.ended:
            box.ending = LOST
            return None
        shares = {check.decode(): float(share) for check, share in EARNS.findall(program)} | self.shares
        answers = [
            asked
            for number, check in enumerate(frame.header["checks"])
            for asked in (_started(number, check), _result(number, check, shares.get(check, 1.0)))
        ]
        return [*answers, reply(frame, status=0)]


def _started(number: int, check: str) -> Frame:
    return Frame(frames.REQUEST, number, {"op": "check.started", "check": check})


def _result(number: int, check: str, share: float) -> Frame:
    outcome = "passed" if share == 1 else "failed" if share == 0 else "partial"
    result: dict[str, Any] = {"check": check, "outcome": outcome, "fraction": share, "seconds": 0.01}
    if share < 1:
        result |= {"reason": "wrong_answer", "because": f"{share:.0%} was right."}
    return Frame(frames.REQUEST, ENDS + number, {"op": "check.result", "result": result})


@dataclass
class Stage:
    """Everything that a batch of scripted runs needs, in one folder."""

    folder: Path
    runs: ScriptedRuns = field(default_factory=ScriptedRuns)

    def __post_init__(self) -> None:
        self.source = self.folder / "exercises" / "tiny_sum"
        if not self.source.exists():
            shutil.copytree(TINY, self.source)
        self.exercise = load_exercise(self.source)
        config = self.folder / "config"
        if not config.exists():
            config.mkdir(mode=0o700)
            (config / SERVER).touch(mode=0o600)
            (config / SERVER).write_text("07" * 32 + "\n")
        self.harness = self.harness_with("image 1")

    def harness_with(self, image: str) -> Harness:
        """A harness whose runtime image has this name."""
        return Harness(
            sandbox=self.runs,
            images={Role.SUBMISSION: image, Role.CHECKER: "checker 1"},
            packages=(),
            keyring=Keyring(self.folder / "config"),
            cache=self.folder / "cache",
            version="test",
            digest="0" * 64,
        )

    def write(self, name: str, text: str = "") -> Path:
        """Write a submission; `text` says what it earns."""
        folder = self.folder / "in" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "add.py").write_text(f"{REFERENCE}\n# {text or name}\n")
        (folder / "submission.toml").write_text(MANIFEST)
        return folder
