"""Attacks as data: a folder each, with an expectation file and whatever differs from an honest submission.

`cases/<name>/expected.toml` says which rows of SECURITY's catalogue it is about, what it is handed in for and how it
must end. All other files of the folder are laid over the reference solution's; so are the changes that it describes.
"""

from __future__ import annotations

import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from grader.model.base import Frozen
from grader.model.reasons import Reason, Rejection
from grader.model.run import Sign

HERE = Path(__file__).parent
CASES = HERE / "cases"
EXERCISES = HERE.parent / "exercises"

# Places in the reference solutions where an attack's code can be put: file, the line before which it goes.
PLACES = {
    "tiny_sum": {
        "top": ("add.py", "import argparse\n"),
        "work": ("add.py", "    arguments.out.mkdir()\n"),
        "end": ("add.py", "    return 0\n"),
    },
    "tiny_calls": {
        "top": ("largest.py", "import json\n"),
        "made": ("largest.py", "        self.largest = 0.0\n"),
        "fit": ("largest.py", '        self.largest = float(table["number"].max())\n'),
        "above": ("largest.py", "        return number > self.largest\n"),
    },
    "tiny_web": {
        "top": ("serve.py", "import json\n"),
        "start": ("serve.py", '    Path("log.txt").write_text("started")\n'),
        "offset": ("serve.py", '            self.reply(200, (Path(os.environ["DATA"]) / "offset.txt").read_text())\n'),
        "post": ("serve.py", '        body = self.rfile.read(int(self.headers["Content-Length"]))\n'),
    },
    "tiny_notebook": {
        "top": ("round.py", "import argparse\n"),
    },
}


class Replacement(Frozen):
    """A text of the reference solution that is another one in the attack."""

    file: str
    old: str
    new: str


class Expected(Frozen):
    """What an attack is, and how it must end.

    Attributes:
        rows: Rows of the catalogue.
        what: What it does, in a sentence.
        exercise: What it is handed in for.
        seconds: Longest time it may take, on a machine that also does other things.
        principal: Whether it runs in `make test` too.
        rejection: Why it is refused; empty when it must be graded.
        lost: The reason of every check that does not give all its points ("a|b": either). No other one loses any.
        earned: Its points, where the lost checks are not lost whole.
        says: Words that each of these checks must say, so that an attack that did not happen is noticed.
        noticed: What a person must be told of it besides, by sign.
        at: Code by the place that it is put at.
        replace: Texts that are replaced.
        planted: Further files that this repository could not hold, by path.
    """

    rows: Annotated[tuple[int, ...], Field(min_length=1)]
    what: str
    exercise: Literal["tiny_sum", "tiny_calls", "tiny_web", "tiny_notebook"]
    seconds: float = 90
    principal: bool = False
    rejection: Rejection | None = None
    lost: dict[str, str] = {}
    earned: float | None = None
    says: dict[str, str] = {}
    noticed: tuple[Sign, ...] = ()
    at: dict[str, str] = {}
    replace: tuple[Replacement, ...] = ()
    planted: dict[str, str] = {}

    def reasons(self, check: str) -> set[Reason]:
        """Return what may be the reason for a check that is lost."""
        return {Reason(each) for each in self.lost[check].split("|")}


@dataclass(frozen=True, slots=True)
class Case:
    """One attack."""

    name: str
    folder: Path
    expected: Expected

    def files(self) -> dict[str, bytes]:
        """Return what is handed in, by path."""
        files = reference(self.expected.exercise)
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name != "expected.toml":
                files[path.relative_to(self.folder).as_posix()] = path.read_bytes()
        files |= {path: text.encode() for path, text in self.expected.planted.items()}
        for place, code in self.expected.at.items():
            file, line = PLACES[self.expected.exercise][place]
            indent = line[: len(line) - len(line.lstrip())]
            added = textwrap.indent(textwrap.dedent(code).strip("\n") + "\n", indent)
            _replace(files, Replacement(file=file, old=line, new=added + line))
        for each in self.expected.replace:
            _replace(files, each)
        return files


def _replace(files: dict[str, bytes], change: Replacement) -> None:
    text = files[change.file].decode()
    assert text.count(change.old) == 1, f"{change.old!r} is {text.count(change.old)} times in {change.file}"
    files[change.file] = text.replace(change.old, change.new).encode()


def reference(exercise: str) -> dict[str, bytes]:
    """Return the files of an honest submission."""
    folder = EXERCISES / exercise / "solutions" / "reference"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "expected.toml" and "__pycache__" not in path.parts
    }


def load_cases() -> tuple[Case, ...]:
    """Read all attacks, those on one exercise together."""
    found = [
        Case(folder.name, folder, Expected.model_validate(tomllib.loads((folder / "expected.toml").read_text())))
        for folder in sorted(CASES.iterdir())
        if (folder / "expected.toml").is_file()
    ]
    return tuple(sorted(found, key=lambda case: (case.expected.exercise, case.name)))
