"""The fixtures that reach a submission, made for the kind of program that the exercise asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.checker.callable import CallableSubmission, CallLimits
from grader.checker.command import Command, CommandLimits
from grader.checker.link import Link
from grader.checker.notebook import Notebook

BOXES = {"submission": "start", "reference": "reference"}


def programs(link: Link, header: Mapping[str, Any], scratch: Path) -> dict[str, object]:
    """Make the fixtures of a run.

    Args:
        link: The line to the host.
        header: What the host says about the run: how programs are started, and their limits.
        scratch: Folder for copies of files.
    """
    limits: Mapping[str, Any] = header["limits"]
    found: dict[str, object] = {"notebook": Notebook(link, header.get("notebook"), scratch)}
    for box, key in BOXES.items():
        start: Mapping[str, Any] | None = header.get(key)
        if start is None:
            continue
        mine = box == "submission"
        if start["kind"] == "callable":
            times = CallLimits(call=float(limits["call"]), start=float(limits["start"]))
            found[box] = CallableSubmission(link, box, str(start["entry"]), times)
        elif start["kind"] == "service":
            from grader.checker.service import Service

            name = "service" if mine else "reference_service"
            found[name] = Service(link, box, list(start["argv"]), float(limits["start"]), scratch)
        elif mine and start["kind"] == "command":
            found["command"] = Command(link, list(start["argv"]), _command_limits(limits), scratch)
    return found


def _command_limits(limits: Mapping[str, Any]) -> CommandLimits:
    return CommandLimits(seconds=float(limits["seconds"]), printed=int(limits["printed"]), file=int(limits["file"]))
