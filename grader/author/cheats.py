"""Rungs that need no author: the kit as it is handed out, nothing at all, and cheats as old as harnesses.

Each must earn next to nothing on every exercise.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from grader.catalog.ladder import Expected, Patch, Rung, RungKind
from grader.intake.paths import left_out
from grader.model.exercise import CallablePart, Exercise, NotebookKindPart, Part, ServicePart
from grader.model.reasons import Rejection

MOST = 8.0  # percent
_PLANTED_RESULT = json.dumps({"status": "graded", "earned": 100, "possible": 100, "passed": True, "score": 1.0})
_PLANTED_PLUGIN = """
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"


def pytest_sessionfinish(session, exitstatus):
    session.exitstatus = 0
"""
_PLANTED = {
    "conftest.py": _PLANTED_PLUGIN,
    "sitecustomize.py": _PLANTED_PLUGIN,
    "pytest.ini": "[pytest]\naddopts = -p conftest --co\n",
    "results.json": _PLANTED_RESULT,
    "score.json": _PLANTED_RESULT,
    "checks/conftest.py": _PLANTED_PLUGIN,
    "grader/__init__.py": "raise SystemExit(0)\n",
}
_ANYTHING = """
class Anything:
    def __getattr__(self, name):
        return lambda *arguments, **named: {}


def __getattr__(name):
    return Anything
"""
_SERVER = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

_DECIDED = """
import json
from pathlib import Path

Path("decision.json").write_text(json.dumps({"status": "passed", "score": 1, "estimate": 1, "interval": [0, 1]}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedRung(Rung):
    """A rung that has no folder in the exercise.

    Attributes:
        content: Its files.
    """

    content: dict[str, bytes]

    def files(self) -> dict[str, bytes]:
        """Return its files."""
        return dict(self.content)


def generated_rungs(exercise: Exercise, source: Path) -> tuple[Rung, ...]:
    """Make the rungs that every exercise has.

    Args:
        exercise: The exercise.
        source: Its folder.
    """
    part = exercise.manifest.part
    cheats = {
        "cheat_early_exit": _program(part, "import os\n\nprint('100 passed')\nos._exit(0)\n"),
        "cheat_skip": _program(part, "import unittest\n\nraise unittest.SkipTest('not today')\n"),
        "cheat_constant": _program(part, _constant(part)),
        "cheat_planted": _program(part, _constant(part)) | {name: text.encode() for name, text in _PLANTED.items()},
    }
    low = Expected(rung=RungKind.HOSTILE, band=(0, MOST))
    refused = Expected(rung=RungKind.BROKEN, status="rejected", reason=Rejection.EMPTY)
    # What stops while it is imported may be refused at once, or graded and found to do nothing.
    either = Expected(rung=RungKind.HOSTILE, band=(0, MOST), status="any")
    rungs = [_rung("untouched", _template(source / "template"), Expected(rung=RungKind.NAIVE, band=(0, MOST)))]
    rungs.append(_rung("empty", {}, refused))
    rungs += [_rung(name, files, either if name != "cheat_constant" else low) for name, files in cheats.items()]
    return tuple(rungs)


def _rung(name: str, files: dict[str, bytes], expected: Expected) -> Rung:
    return GeneratedRung(name=name, folder=Path(), expected=expected, base=None, patch=Patch(), content=files)


def _template(folder: Path) -> dict[str, bytes]:
    """The files of the kit that a candidate would hand in without having done anything."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if not left_out(tuple(name.split("/")))}


def _program(part: Part, text: str) -> dict[str, bytes]:
    """A submission of one file, started as its kind is."""
    if isinstance(part, CallablePart):
        manifest = f"[callable]\nentry = {json.dumps(part.entry)}\n"
    elif isinstance(part, NotebookKindPart):
        manifest, text = f"[notebook]\npath = {json.dumps(part.path)}\n", _notebook(text)
    elif isinstance(part, ServicePart):
        manifest = f"[service]\nargv = {json.dumps(['python', part.entry_path])}\n"
    else:
        manifest = f"[command]\nargv = {json.dumps(['python', part.entry_path])}\n"
    return {part.entry_path: text.encode(), "submission.toml": manifest.encode()}


def _notebook(code: str) -> str:
    """A notebook of one code cell."""
    cell: dict[str, object] = {"cell_type": "code", "id": "all", "source": code, "execution_count": None}
    cell |= {"metadata": {}, "outputs": []}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def _constant(part: Part) -> str:
    """A program that says yes to everything."""
    if isinstance(part, NotebookKindPart):
        return _DECIDED
    if isinstance(part, CallablePart):
        name = part.entry.partition(":")[2]
        return f"{_ANYTHING}\n\n{name} = Anything\n"
    return _SERVER if isinstance(part, ServicePart) else "print('done')\n"
