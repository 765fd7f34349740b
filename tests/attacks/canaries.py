"""Words that must not be seen outside of where they belong, and exercises that hold them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.attacks.cases import EXERCISES

# Files of a graded submission that its candidate sees.
FOR_CANDIDATES = ("sheet.candidate.html", "results.json")

# Long enough for a machine that does other things too; honest submissions would lose points to it otherwise.
_SECONDS = {"command_seconds": 10, "call_seconds": 25, "start_seconds": 25}

_GENERATE = """

_generate = generate


def generate(seed, split, destination):
    _generate(seed, split, destination)
    if split == "hidden":
        (destination / "label.txt").write_text("{label}")
        for folder in ("raw", "given"):
            if (destination / folder).is_dir():
                (destination / folder / "note.txt").write_text("{given}")
"""


def _canary(kind: str) -> str:
    return f"canary{kind.title()}{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Canaries:
    """One word for each thing that could leak. All of them begin with `canary`, so that a spy can look for them.

    Attributes:
        checks: Stands in the source of the hidden checks.
        label: Stands beside the hidden answers.
        given: Stands in hidden inputs, which a submission may see and its candidate may not.
        environment: Stands in the environment of the grading process.
        neighbour: Stands in the name and in the files of another candidate's submission.
    """

    checks: str = field(default_factory=lambda: _canary("checks"))
    label: str = field(default_factory=lambda: _canary("label"))
    given: str = field(default_factory=lambda: _canary("given"))
    environment: str = field(default_factory=lambda: _canary("environment"))
    neighbour: str = field(default_factory=lambda: _canary("neighbour"))

    def seen_in(self, files: Mapping[str, str | bytes]) -> list[str]:
        """Return where a word is that should not be there."""
        secret = (self.checks, self.label, self.environment, self.neighbour)
        return [
            f"{word[:14]} in {name}"
            for name, content in files.items()
            for word in (*secret, self.given)
            if word.encode() in _bytes(content) and (word in secret or name in FOR_CANDIDATES)
        ]


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def planted_exercises(names: Iterable[str], folder: Path, canaries: Canaries) -> dict[str, Path]:
    """Copy exercises, with canaries in their checks, in their hidden answers and in their hidden inputs."""
    places = {}
    for name in names:
        place = places[name] = folder / name
        shutil.copytree(EXERCISES / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (place / "checks").glob("*.py"):
            path.write_text(f"{path.read_text()}\n# {canaries.checks}\n")
        manifest = place / "exercise.toml"
        text = manifest.read_text()
        for limit, seconds in _SECONDS.items():
            text = re.sub(rf"^{limit} = \d+$", f"{limit} = {seconds}", text, flags=re.MULTILINE)
        manifest.write_text(text)
        generator = place / "data" / "generate.py"
        generator.write_text(generator.read_text() + _GENERATE.format(label=canaries.label, given=canaries.given))
    return places


@contextmanager
def hostile_environment(canaries: Canaries) -> Iterator[None]:
    """Variables of the grading process that steer Python and pytest, and a secret among them."""
    added = {
        "GRADER_TEST_TOKEN": canaries.environment,
        "PYTEST_ADDOPTS": "-p canary_plugin",
        "PYTEST_PLUGINS": "canary_plugin",
        "PYTHONSTARTUP": "/nowhere/canary.py",
        "PYTHONPATH": "/nowhere/canary",
    }
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
