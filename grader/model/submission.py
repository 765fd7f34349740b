"""What a candidate handed in, made immutable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from grader.model.base import Frozen, Line
from grader.model.exercise import EntryPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionFile:
    """One file: its path with forward slashes, and its bytes."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The files of a submission, sorted by path; modes, owners and times are dropped.

    Attributes:
        label: What people call it: the name of the folder or archive.
        files: The files, in path order.
        digest: SHA-256 over paths and contents; equal digests mean equal submissions.
        observations: Facts about what was left out or repaired, for people to read.
        steering: Paths of files that steer a test runner, or pose as its results; they have no effect.
    """

    label: str
    files: tuple[SubmissionFile, ...]
    digest: str
    observations: tuple[str, ...] = ()
    steering: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all files."""
        return tuple(file.path for file in self.files)

    def read(self, path: str) -> bytes | None:
        """Return one file's bytes, or None when it is not there."""
        return next((file.content for file in self.files if file.path == path), None)


def digest_files(files: Iterable[SubmissionFile]) -> str:
    """Hash paths and contents so that no two different trees share a digest.

    Lengths are hashed before bytes; otherwise a path could pose as the end of a content.
    """
    total = hashlib.sha256(b"grader submission 1\n")
    for file in sorted(files, key=lambda each: each.path):
        path = file.path.encode()
        total.update(b"%d:%s" % (len(path), path))
        total.update(b"%d:" % len(file.content))
        total.update(hashlib.sha256(file.content).digest())
    return total.hexdigest()


class CommandSection(Frozen):
    """`[command]` in submission.toml."""

    argv: Annotated[tuple[Annotated[Line, Field(max_length=200)], ...], Field(min_length=1, max_length=20)]


class CallableSection(Frozen):
    """`[callable]` in submission.toml."""

    entry: EntryPoint


class ServiceSection(Frozen):
    """`[service]` in submission.toml."""

    argv: Annotated[tuple[Annotated[Line, Field(max_length=200)], ...], Field(min_length=1, max_length=20)]


class Declaration(Frozen):
    """`[declaration]` in submission.toml: shown to people, never graded."""

    ai_use: Annotated[str, Field(max_length=2000)] = ""


class NotebookSection(Frozen):
    """`[notebook]` in submission.toml."""

    path: Annotated[Line, Field(max_length=100)] = "decision.ipynb"


class SubmissionManifest(Frozen):
    """`submission.toml`; whatever is left out takes the exercise's own value."""

    command: CommandSection | None = None
    callable: CallableSection | None = None
    service: ServiceSection | None = None
    notebook: NotebookSection | None = None
    declaration: Declaration = Declaration()
