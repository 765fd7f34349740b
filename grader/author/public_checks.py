"""Whether right solutions pass the checks that candidates get: a kit that calls right work wrong costs them hours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from grader.catalog.ladder import Rung, RungKind
from grader.clock import Deadline, monotonic
from grader.engine.boxes import Boxes
from grader.engine.submission_box import words
from grader.errors import BoxLost, ExerciseDefect, FrameError, InfrastructureFault
from grader.model.exercise import Exercise
from grader.sandbox.channel import Channel, Refusal
from grader.sandbox.port import Role

CHECKS = "template/checks"
RIGHT = (RungKind.REFERENCE, RungKind.ALTERNATE)
SECONDS = 600.0
_WORKPLACE = "kit"


def right_solutions(source: Path, rungs: Sequence[Rung]) -> list[Rung]:
    """Return those that the public checks must not call wrong; none where an exercise has no such checks."""
    return [rung for rung in rungs if rung.expected.rung in RIGHT] if (source / CHECKS).is_dir() else []


def verify_public_checks(
    exercise: Exercise, source: Path, rung: Rung, data: Path, boxes: Boxes, known: Path, report: Callable[[str], None]
) -> None:
    """Run the public checks on a solution that is right, in a checker box, unless they passed before.

    Args:
        exercise: The exercise.
        source: Its folder.
        rung: The solution, one of `right_solutions`.
        data: The sample that candidates get.
        boxes: Opens the box.
        known: Folder that remembers what passed.
        report: Told before they are run.

    Raises:
        ExerciseDefect: They fail, take longer than ten minutes, or there are none in their folder.
        InfrastructureFault: A box or the disk failed.
    """
    template = source / "template"
    files = {path: (template / path).read_bytes() for path in _below(template)} | rung.files()
    passed = known / _digest(files, data, boxes.images[Role.CHECKER])
    if passed.exists():
        return
    report(f"{exercise.id}: public checks on {rung.name}")
    started = monotonic()
    found = _run(exercise, rung.name, files, data, boxes)
    if found["failed"]:
        raise _failed(rung.name, found)
    report(f"{exercise.id}: {found['passed']} public checks passed on {rung.name}, {monotonic() - started:.0f} s")
    try:
        known.mkdir(parents=True, exist_ok=True)
        passed.touch()
    except OSError as error:
        raise InfrastructureFault(f"{passed} cannot be written: {error.strerror or error}") from error


def _run(exercise: Exercise, rung: str, files: Mapping[str, bytes], data: Path, boxes: Boxes) -> Mapping[str, object]:
    deadline = Deadline(2 * SECONDS)
    with boxes.open(Role.CHECKER, exercise.manifest.limits, 2 * SECONDS) as box:
        try:
            channel = Channel(box)
            for path in _below(data):
                if path not in files:  # a solution may bring its own copy
                    channel.put_path(data / path, f"{_WORKPLACE}/{path}", deadline)
            for path, content in files.items():
                channel.put_file("file.put", f"{_WORKPLACE}/{path}", content, deadline)
            asked = {"folder": _WORKPLACE, "seconds": SECONDS}
            found: Mapping[str, object] = channel.request("checks.public", asked, deadline).header
            return found
        except Refusal as refusal:
            raise ExerciseDefect(
                f"The public checks cannot be run on {rung}: {refusal.message}.", file=CHECKS
            ) from refusal
        except (EOFError, TimeoutError, FrameError) as error:
            said = box.close().stderr.decode("utf-8", "replace").strip()[-500:]
            raise BoxLost(f"The box of the public checks ended: {said or words(error)}") from error


def _failed(rung: str, found: Mapping[str, object]) -> ExerciseDefect:
    told = found["told"]
    assert isinstance(told, list)
    first = "; ".join(f"{name}: {why}" for name, why in told)
    more = "; and others" if len(told) < int(str(found["failed"])) else ""
    return ExerciseDefect(
        f"{rung} should earn everything, and fails public checks ({found['failed']}): {first}{more}",
        file=CHECKS,
        hint=f"Correct the check, or {rung} where it is wrong.",
    )


def _below(folder: Path) -> list[str]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return [path.relative_to(folder).as_posix() for path in paths]


def _digest(files: Mapping[str, bytes], data: Path, image: str) -> str:
    total = hashlib.sha256(f"{data.name}\n{image}\n".encode())  # its name is the digest of what made it
    for path, content in sorted(files.items()):
        total.update(f"{path}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:32]
