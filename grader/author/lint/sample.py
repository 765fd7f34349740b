"""Rules about what candidates receive: the kit as it would be written now, and the sample in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.author.lint.findings import Finding
from grader.catalog.kit import build_kit
from grader.catalog.kit_files import GradingImage
from grader.catalog.leaks import Leak, find_leaks
from grader.catalog.manifest import FILE, line_of
from grader.engine.variants import GENERATOR
from grader.model.exercise import Exercise


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the generator made for candidates, and what is known of it.

    Attributes:
        data: Its folder.
        image: What submissions run in, as kits tell it.
        guess: How well its labels can be guessed from metadata; None where the exercise declares none.
    """

    data: Path
    image: GradingImage
    guess: Mapping[str, object] | None = None


def kit_gives_nothing_away(exercise: Exercise, source: Path, sample: Sample) -> Iterator[Finding]:
    """Build the kit in a folder that is thrown away, and look through it."""
    if not any(sample.data.iterdir()):
        message = "generate() writes nothing for the split “public”, so that candidates get no sample"
        hint = "Write what candidates are to receive into the destination."
        yield Finding(rule="generator", file=GENERATOR, line=0, message=message, hint=hint)
    with tempfile.TemporaryDirectory(prefix="grader-lint-") as workshop:
        kit = Path(workshop) / "kit"
        build_kit(exercise, source, sample.data, kit, image=sample.image)
        for leak in find_leaks(kit, exercise, source, sample.data):
            file, where = _origin(leak, source, sample.data)
            yield Finding(
                rule="leaks",
                file=file,
                line=0,
                message=f"in the kit, {leak.file} {leak.what}",
                hint=f"Change {where}: candidates receive it.",
            )


def _origin(leak: Leak, source: Path, data: Path) -> tuple[str, str]:
    """Where a file of the kit comes from: file to change, in words."""
    if (source / "template" / leak.file).exists():
        return f"template/{leak.file}", "the template"
    if (data / leak.file).exists():
        return GENERATOR, "what the generator writes"
    return ("brief.md", "the brief") if leak.file in ("brief.md", "README.md") else (FILE, "what it is made from")


def metadata_tell_nothing(exercise: Exercise, source: Path, sample: Sample) -> Iterator[Finding]:
    """A model on metadata alone guesses declared labels no better than by chance."""
    labels, guess = exercise.manifest.labels, sample.guess
    if labels is None or guess is None or not guess["leaks"]:
        return
    yield Finding(
        rule="metadata",
        file=FILE,
        line=line_of((source / FILE).read_text(encoding="utf-8"), ("labels", "column")),
        message=(
            f"{labels.column} in {labels.files} can be guessed without looking at the data: "
            f"{guess['found']:.0%} where chance is {guess['chance']:.0%}, most of all by: {guess['telling']}"
        ),
        hint=f"Change {GENERATOR}: shuffle rows and ids, and treat all classes alike when files are written.",
    )
