"""The same checks on the same submission with nothing around them: no boxes, no frames, no sheet.

`python -m tests.bench.bare CHECKS VARIANT SUBMISSION ARGV...` runs in one process, except that the
submission's program is a process of its own, as its contract says. It is what grading is compared with.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.agent.main import Agent
from grader.agent.stream import Refused
from grader.catalog.exercises import load_exercise
from grader.checker.api import Reason, SubmissionFailed
from grader.checker.fixtures import programs
from grader.checker.link import Link
from grader.checker.plugin import CheckPlugin, HiddenVariant, run
from grader.clock import monotonic
from grader.frames import REPLY, Frame


class DirectLink(Link):
    """Calls the agent's functions where the real link sends frames."""

    def __init__(self, agent: Agent) -> None:
        self.earned: dict[str, float] = {}
        self._operations: dict[str, Any] = {
            "session.open": agent.open_session,
            "folder.make": agent.files.make_folder,
            "file.put": agent.files.put,
            "file.get": agent.files.get,
            "file.list": agent.files.list,
            "command.run": agent.run_command,
            "notebook.run": agent.run_notebook,
            "look": agent.look_at,
        }

    def ask(self, op: str, header: Mapping[str, Any] | None = None, body: bytes = b"") -> Frame:
        if op == "check.result":
            result = (header or {})["result"]
            self.earned[result["check"]] = result["fraction"]
        if op.startswith("check."):
            return Frame(REPLY, 0)
        start = monotonic()
        try:
            answer, content = self._operations[op](dict(header or {}), body)
        except (Refused, OSError) as error:
            raise SubmissionFailed(Reason.CRASHED, str(error)) from error
        measured = {
            "seconds": monotonic() - start,
            "cpu_seconds": 0.0,
            "peak_memory": answer.get("peak_memory", 0),
        }
        return Frame(REPLY, 0, {**answer, "measured": measured}, content)


def main() -> int:
    """Run all checks; print how many earned what."""
    checks, variant, submission, *argv = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        work, scratch = Path(folder) / "work", Path(folder) / "scratch"
        work.mkdir()
        scratch.mkdir()
        agent = Agent(work, ())
        for path in Path(submission).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                agent.submission[path.relative_to(submission).as_posix()] = bytearray(path.read_bytes())
        link = DirectLink(agent)
        exercise = load_exercise(Path(checks).parent)
        header = {
            "start": {"kind": "command", "argv": argv},
            "notebook": exercise.manifest.notebook_path,
            "limits": {"seconds": 300, "printed": 2**20, "file": 2**30},
        }
        root = Path(folder) / "checks"  # a copy, since the run writes an ini file beside it
        shutil.copytree(checks, root)
        plugin = CheckPlugin(
            link=link,
            root=root,
            variant=HiddenVariant(path=Path(variant), number=1),
            programs=programs(link, header, scratch),
            expected=[check.id for check in exercise.checks],
        )
        status = run(plugin, root)
    sys.stdout.write(f"{sum(link.earned.values()):.2f} of {len(link.earned)} checks\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
