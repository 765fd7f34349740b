"""What a submission of each kind starts: a command, a class that is called, a service, a notebook.

Only names are looked at: whether the program is valid is found out inside the box.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.errors import SubmissionRejected
from grader.intake.entry import check_entry, entry_file
from grader.intake.paths import shown
from grader.model.exercise import CallablePart, NotebookKindPart, Part, ServicePart
from grader.model.reasons import Rejection
from grader.model.submission import (
    CallableSection,
    CommandSection,
    NotebookSection,
    ServiceSection,
    Submission,
    SubmissionManifest,
)

_APPLICATION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_][\w.()]*")
_KINDS = ("command", "callable", "service")


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a program begins.

    Attributes:
        path: The file, in the submission.
        attribute: `module:attribute` that must be importable, or "".
        imports_only: Importing it does not start its work, so that preflight may do that.
    """

    path: str
    attribute: str = ""
    imports_only: bool = False


def with_defaults(manifest: SubmissionManifest, part: Part) -> SubmissionManifest:
    """Fill in what the exercise says where the candidate says nothing.

    Raises:
        SubmissionRejected: `manifest`, when it speaks of another kind of program than the exercise asks for.
    """
    for kind in _KINDS:
        if kind != part.kind and getattr(manifest, kind) is not None:
            raise SubmissionRejected(
                Rejection.MANIFEST,
                f"submission.toml has a section [{kind}], which this exercise does not ask for.",
                hint=f"Use the section [{part.kind}], as in the file that came with the kit.",
            )
    if isinstance(part, NotebookKindPart):
        said = manifest.notebook
        path = said.path if said and said.model_fields_set else part.path
        return manifest.model_copy(update={"notebook": NotebookSection(path=path.removeprefix("./"))})
    if getattr(manifest, part.kind) is not None:
        return manifest
    if isinstance(part, CallablePart):
        return manifest.model_copy(update={"callable": CallableSection(entry=part.entry)})
    if isinstance(part, ServicePart):
        return manifest.model_copy(update={"service": ServiceSection(argv=part.argv)})
    return manifest.model_copy(update={"command": CommandSection(argv=part.argv)})


def started_by(manifest: SubmissionManifest) -> tuple[str, ...]:
    """Return the command line of a command or a service; nothing for a callable."""
    section = manifest.command or manifest.service
    return section.argv if section else ()


def in_words(part: Part) -> str:
    """How an exercise starts a program when the submission does not say."""
    return " ".join(example_of(part))


def check_program(submission: Submission, manifest: SubmissionManifest, part: Part) -> None:
    """Make sure that the program was handed in.

    Raises:
        SubmissionRejected: `manifest` when it can never be right, `entry_missing` otherwise.
    """
    if isinstance(part, NotebookKindPart):
        assert manifest.notebook is not None
        _require(submission, (manifest.notebook.path,), "this exercise")
        return
    if manifest.callable is not None:
        _require_module(submission, manifest.callable.entry)
        return
    application = _application(started_by(manifest)) if manifest.service else None
    if application is not None:
        _require_module(submission, application)
    elif manifest.command is not None or _names_a_file(started_by(manifest)):
        check_entry(submission, started_by(manifest), example_of(part))


def example_of(part: Part) -> tuple[str, ...]:
    """Return a command line that would be right, for hints; for a notebook its path."""
    if isinstance(part, NotebookKindPart):
        return (part.path,)
    return (part.entry,) if isinstance(part, CallablePart) else part.argv


def entry_of_program(submission: Submission, manifest: SubmissionManifest) -> Entry | None:
    """Return where the program begins, or None where no file of the submission is named, or it is a notebook."""
    if manifest.callable is not None:
        return _module_entry(submission, manifest.callable.entry, imports_only=True)
    if not started_by(manifest):
        return None
    application = _application(started_by(manifest)) if manifest.service else None
    if application is not None:
        # Not imported by preflight: a service may load its model at import, which needs its environment.
        return _module_entry(submission, application, imports_only=False)
    found = entry_file(submission, started_by(manifest))
    return Entry(found[0], imports_only=not found[1] and manifest.command is not None) if found else None


def _application(argv: Sequence[str]) -> str | None:
    """Return the `module:attribute` of a server's command line, as uvicorn and its like are started."""
    return next((word for word in argv[1:] if _APPLICATION.fullmatch(word)), None)


def _names_a_file(argv: Sequence[str]) -> bool:
    return any(word.endswith((".py", ".sh")) for word in argv)


def _module_files(name: str) -> tuple[str, ...]:
    path = name.partition(":")[0].replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def _module_entry(submission: Submission, name: str, *, imports_only: bool) -> Entry | None:
    present = [path for path in _module_files(name) if path in submission.paths]
    return Entry(present[0], name, imports_only) if present else None


def _require_module(submission: Submission, name: str) -> None:
    _require(submission, _module_files(name), shown(name))


def _require(submission: Submission, files: Sequence[str], needs: str) -> None:
    if not any(path in submission.paths for path in files):
        same = [
            path for path in submission.paths if path.rpartition("/")[2].lower() == files[0].rpartition("/")[2].lower()
        ]
        near = f"There is {shown(same[0])}: move or rename it, or name it in submission.toml. " if same else ""
        listing = ", ".join(map(shown, submission.paths[:10]))
        raise SubmissionRejected(
            Rejection.ENTRY_MISSING,
            f"{shown(files[0])} is not in the submission, but {needs} needs it.",
            hint=f"{near}The submission holds {listing}{' and more' if len(submission.paths) > 10 else ''}.",
        )


def allowed_values(part: Part, key: Sequence[str]) -> str | None:
    """Say what may stand at a key that describes how the program is started; None for other keys."""
    if list(key[:2]) in (["command", "argv"], ["service", "argv"]):
        return (
            "Write a list of 1 to 20 texts of one line and at most 200 characters, "
            f"such as argv = {json.dumps(example_of(part))}."
        )
    if list(key[:2]) == ["callable", "entry"]:
        return f"Write module:attribute, such as entry = {json.dumps(example_of(part)[0])}."
    return None
