"""Hidden and public data, generated once per seed in a checker box and kept by digest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock

from grader.catalog.ladder import rung_named
from grader.catalog.manifest import FILE as MANIFEST
from grader.clock import Deadline
from grader.engine.boxes import Boxes
from grader.engine.submission_box import words
from grader.errors import BoxLost, ExerciseDefect, FrameError, InfrastructureFault
from grader.model.exercise import Exercise
from grader.sandbox.channel import Channel, Refusal
from grader.sandbox.port import Role

GENERATE_SECONDS = 600.0
FILE_CAP = 1024**3
DESTINATION = "generated"
GENERATOR = "data/generate.py"
_PLACE = re.compile(r"(?P<file>data/[^\s:]+):(?P<line>\d+): ")

Split = Literal["public", "hidden"]


class VariantStore:
    """Generates data and remembers it.

    Args:
        folder: Cache folder; readable by the owner only, since it holds hidden data.
        boxes: Opens checker boxes.
    """

    def __init__(self, folder: Path, boxes: Boxes) -> None:
        """Nothing is generated yet."""
        self._folder = folder
        self._boxes = boxes

    def data(
        self, exercise: Exercise, source: Path, seed: int, split: Split, report: Callable[[str], None] = lambda _: None
    ) -> Path:
        """Return the folder with an exercise's data for a seed, generating it where it is not there.

        Args:
            exercise: The exercise.
            source: Its folder on disk.
            seed: What to draw the world from.
            split: What candidates see, or what checks need.
            report: Told when something must be generated.

        Raises:
            ExerciseDefect: The generator failed.
            InfrastructureFault: A box or the disk failed.
        """
        target = self._folder / self._digest(exercise, source, seed, split)
        if target.is_dir():
            return target
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            alone = FileLock(self._folder / f".{target.name}.lock").acquire()
        except OSError as error:
            raise _disk(error, self._folder) from error
        with alone:  # of many who need it at once, one makes it
            if target.is_dir():
                return target
            report(f"generating the {split} data of {exercise.id}")
            return self._make(exercise, source, seed, split, target)

    def _make(self, exercise: Exercise, source: Path, seed: int, split: Split, target: Path) -> Path:
        try:
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self._folder))
        except OSError as error:
            raise _disk(error, self._folder) from error
        try:
            self._generate(exercise, source, seed, split, draft)
            draft.rename(target)
        except OSError as error:
            raise _disk(error, self._folder) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return target

    def verify(
        self, exercise: Exercise, source: Path, seed: int, split: Split, report: Callable[[str], None] = lambda _: None
    ) -> Path:
        """Return the data like `data`, once a second run of the generator has given the same bytes.

        The second run has a box of its own, so that neither the order of sets nor what a module remembers is shared.

        Raises:
            ExerciseDefect: The two differ; the first differing file and column are named. Or as `data`.
            InfrastructureFault: As `data`.
        """
        target = self.data(exercise, source, seed, split, report)
        known = target.with_name(f"{target.name}.twice")
        if not known.exists():
            report(f"generating the {split} data of {exercise.id} again")
            found = self._compare(exercise, source, seed, split, target)
            if found is not None:
                shutil.rmtree(target, ignore_errors=True)
                raise _unsteady(source, split, found)
            try:
                known.touch(mode=0o600)
            except OSError as error:
                raise _disk(error, self._folder) from error
        return target

    def guessed_labels(self, exercise: Exercise, data: Path) -> Mapping[str, object]:
        """Tell how well the labels of a sample can be guessed from its metadata; see `grader.checker.metadata.Guess`.

        Args:
            exercise: The exercise; its manifest declares labels.
            data: The sample, as `data` returned it.

        Raises:
            ExerciseDefect: The labels are not where the manifest says.
            InfrastructureFault: A box or the disk failed.
        """
        labels = exercise.manifest.labels
        assert labels is not None
        asked = labels.model_dump_json()
        known = data.with_name(f"{data.name}.labels-{hashlib.sha256(asked.encode()).hexdigest()[:12]}")
        if not known.exists():
            deadline = Deadline(GENERATE_SECONDS)
            with self._boxes.open(Role.CHECKER, exercise.manifest.limits, GENERATE_SECONDS) as box:
                try:
                    channel = Channel(box)
                    channel.put_tree(data, "sample", deadline)
                    header = {"folder": "sample", "files": labels.files, "column": labels.column}
                    found = channel.request("labels.guess", header, deadline).header
                except Refusal as refusal:
                    raise ExerciseDefect(f"labels: {refusal.message}", file=MANIFEST) from refusal
                except (EOFError, TimeoutError, FrameError) as error:
                    raise BoxLost(f"The box that looked at labels ended: {words(error)}") from error
            try:
                known.write_text(json.dumps(found), encoding="utf-8")
            except OSError as error:
                raise _disk(error, self._folder) from error
        kept: Mapping[str, object] = json.loads(known.read_text(encoding="utf-8"))
        return kept

    def _digest(self, exercise: Exercise, source: Path, seed: int, split: Split) -> str:
        total = hashlib.sha256(f"{exercise.id}\n{seed}\n{split}\n{self._boxes.images[Role.CHECKER]}\n".encode())
        for path in sorted((source / "data").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(os.fsencode(path.relative_to(source)) + b"\0" + path.read_bytes() + b"\0")
        for name, content in sorted(_reference(exercise, source).items()):
            total.update(f"reference/{name}\0".encode() + content + b"\0")
        return f"{exercise.id}-{split}-{total.hexdigest()[:24]}"

    def _generate(self, exercise: Exercise, source: Path, seed: int, split: Split, draft: Path) -> None:
        with self._generator(exercise, source, seed, split) as (channel, deadline):
            channel.get_tree(DESTINATION, draft, FILE_CAP, deadline)

    def _compare(
        self, exercise: Exercise, source: Path, seed: int, split: Split, first: Path
    ) -> Mapping[str, str] | None:
        with self._generator(exercise, source, seed, split) as (channel, deadline):
            channel.put_tree(first, "first", deadline)
            asked = {"first": "first", "again": DESTINATION}
            found: Mapping[str, str] | None = channel.request("compare", asked, deadline).header["difference"]
            return found

    @contextmanager
    def _generator(
        self, exercise: Exercise, source: Path, seed: int, split: Split
    ) -> Iterator[tuple[Channel, Deadline]]:
        """Run the generator in a box of its own; what it wrote is in the folder `DESTINATION` of the box."""
        deadline = Deadline(GENERATE_SECONDS)
        with self._boxes.open(Role.CHECKER, exercise.manifest.limits, GENERATE_SECONDS) as box:
            try:
                channel = Channel(box)
                channel.put_tree(source / "data", "data", deadline)
                for name, content in _reference(exercise, source).items():
                    channel.put_file("file.put", f"reference/{name}", content, deadline)
                channel.request("generate", {"seed": seed, "split": split, "destination": DESTINATION}, deadline)
                yield channel, deadline
            except Refusal as refusal:
                raise _defect(refusal.message, f"The generator failed for seed {seed} ({split})") from refusal
            except TimeoutError as error:
                raise ExerciseDefect(
                    f"The generator of {exercise.id} takes longer than {GENERATE_SECONDS:.0f} s.", file=GENERATOR
                ) from error
            except (EOFError, FrameError) as error:
                said = box.close().stderr.decode("utf-8", "replace").strip()[-500:]
                raise BoxLost(f"The box that generates data ended: {said or words(error)}") from error


def _unsteady(source: Path, split: Split, found: Mapping[str, str]) -> ExerciseDefect:
    place = f"{found['file']}, column {found['column']}" if found["column"] else found["file"]
    lines = (source / GENERATOR).read_text(encoding="utf-8", errors="replace").splitlines()
    return ExerciseDefect(
        f"Two runs of the generator with one seed differ ({split} data): {place}: {found['what']}.",
        file=GENERATOR,
        line=next((number for number, text in enumerate(lines, start=1) if text.startswith("def generate(")), 0),
        hint=(
            'Draw from grader.checker.chance.Chance(f"{seed}/purpose"); never from the clock, from hash() or from the '
            "order of a set."
        ),
    )


def _reference(exercise: Exercise, source: Path) -> dict[str, bytes]:
    """The files of the reference solution, which a generator may run to say what a good solution reaches."""
    named = exercise.manifest.reference
    return rung_named(source, named.solution).files() if named else {}


def _defect(said: str, what: str) -> ExerciseDefect:
    """Move the place that the checker's program put before its words to where places belong."""
    found = _PLACE.match(said)
    if found is None:
        return ExerciseDefect(f"{what}: {said}", file=GENERATOR)
    return ExerciseDefect(f"{what}: {said[found.end() :]}", file=found["file"], line=int(found["line"]))


def _disk(error: OSError, folder: Path) -> InfrastructureFault:
    return InfrastructureFault(
        f"Data cannot be kept in {folder}: {error.strerror or error}",
        hint="Free some space, or set GRADER_CACHE_DIR to another folder.",
    )
