"""What an exercise is: its manifest (`exercise.toml`) and its checks."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, ByteSize, Field, PlainSerializer, model_validator

from grader.model.base import Frozen, Line, Points

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
CheckId = Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,2}$")]
EntryPoint = Annotated[Line, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$", max_length=100)]
Bytes = Annotated[ByteSize, PlainSerializer(int, return_type=int)]


class Competency(Frozen):
    """A capability that hiring teams ask for, and that checks give evidence of."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z-]{2,40}$")]
    title: Line
    summary: Line


class BoxLimits(Frozen):
    """What one box may use. Sizes are written like "2GiB"."""

    cpus: Annotated[float, Field(gt=0, le=64)] = 2.0
    memory: Bytes = Field(default=ByteSize(2 * 1024**3), ge=64 * 1024**2)
    pids: Annotated[int, Field(ge=16, le=4096)] = 128
    workspace: Bytes = Field(default=ByteSize(512 * 1024**2), ge=1024**2)
    files: Annotated[int, Field(ge=100)] = 20_000


class Limits(Frozen):
    """Every limit of a run; the ones that candidates must know are printed in the brief."""

    submission: BoxLimits = BoxLimits()
    checker: BoxLimits = BoxLimits()
    command_seconds: Annotated[float, Field(gt=0)] = 120.0
    call_seconds: Annotated[float, Field(gt=0)] = 60.0  # of a call to which its check gives no time of its own
    start_seconds: Annotated[float, Field(gt=0)] = 120.0  # an import of large packages on a busy machine
    run_seconds: Annotated[float, Field(gt=0)] = 1800.0
    printed: Bytes = Field(default=ByteSize(1024**2), ge=1024)
    file: Bytes = Field(default=ByteSize(8 * 1024**2), ge=1024)


class CommandPart(Frozen):
    """A program that reads one folder and writes another."""

    kind: Literal["command"]
    argv: Annotated[tuple[Line, ...], Field(min_length=1)]
    entry: Line

    @property
    def entry_path(self) -> str:
        """The file that the kit's stub is in."""
        return self.entry


class CallablePart(Frozen):
    """A Python class, named `module:attribute`, whose methods are called in a process of its own."""

    kind: Literal["callable"]
    entry: EntryPoint

    @property
    def entry_path(self) -> str:
        """The file that the kit's stub is in."""
        return self.entry.partition(":")[0].replace(".", "/") + ".py"


class ServicePart(Frozen):
    """A program that answers HTTP on the port that `$PORT` names."""

    kind: Literal["service"]
    argv: Annotated[tuple[Line, ...], Field(min_length=1)]
    entry: Line

    @property
    def entry_path(self) -> str:
        """The file that the kit's stub is in."""
        return self.entry


class NotebookKindPart(Frozen):
    """A notebook that is run from top to bottom on other data, and is all there is to grade.

    Not the decision notebook that goes with a program: that is `NotebookPart`.
    """

    kind: Literal["notebook"]
    path: Line

    @property
    def entry_path(self) -> str:
        """The file that the kit's stub is in."""
        return self.path


Part = Annotated[CommandPart | CallablePart | ServicePart | NotebookKindPart, Field(discriminator="kind")]


class NotebookPart(Frozen):
    """The decision notebook that goes with the code: its usual path, and the check group that judges it."""

    path: Line = "decision.ipynb"
    group: Annotated[str, Field(pattern=r"^[A-Z]$")] = "N"


class ReferenceRung(Frozen):
    """The rung of the ladder that checks may compare with; it runs in a box of its own."""

    solution: Slug = "reference"


class Labels(Frozen):
    """Labels in the sample that candidates get; `grader author lint` makes sure that metadata do not tell of them.

    Attributes:
        files: Which files of the sample hold them: Parquet or CSV, as a glob pattern such as "train/*.parquet".
        column: The column of labels.
    """

    files: Line
    column: Line


class CheckDeclaration(Frozen):
    """One hidden check as its author declared it in the `check` mark.

    Attributes:
        timed: It measures time: nothing else is graded on the machine meanwhile.
    """

    id: CheckId
    title: Line
    points: Points
    competency: str
    question: Line = ""
    feedback: Line = ""
    requirement: Line = ""
    timed: bool = False
    file: str = ""
    line: int = 0
    function: str = ""

    @property
    def group(self) -> str:
        """The check group: the letter of the id."""
        return self.id[0]


class Manifest(Frozen):
    """`exercise.toml` as an author writes it.

    Attributes:
        editor_schema: Where editors find the schema of this file; nothing else looks at it.
        timing: "exclusive" where nearly all checks measure time: nothing else is graded on the machine during a whole
            run. Otherwise that is so during the checks that are declared as timed.
    """

    editor_schema: Line | None = Field(default=None, alias="$schema")
    schema_version: Literal[1] = Field(alias="schema")
    id: Slug
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: Line
    summary: Line
    hours: Annotated[float, Field(gt=0, le=16)]
    public_seed: int
    part: Part
    notebook: NotebookPart | None = None
    reference: ReferenceRung | None = None
    labels: Labels | None = None
    groups: dict[Annotated[str, Field(pattern=r"^[A-Z]$")], Line]
    timing: Literal["shared", "exclusive"] = "shared"
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _groups_are_named(self) -> Manifest:
        if not self.groups:
            raise ValueError("at least one check group must be named under [groups]")
        if self.notebook and self.notebook.group not in self.groups:
            raise ValueError(f"the notebook's group {self.notebook.group!r} is not named under [groups]")
        return self

    @model_validator(mode="after")
    def _one_notebook(self) -> Manifest:
        if self.notebook and isinstance(self.part, NotebookKindPart):
            raise ValueError("an exercise of the kind notebook has no decision notebook beside it")
        return self

    @property
    def notebook_path(self) -> str | None:
        """Where the notebook that checks run usually is; None when they run none."""
        if isinstance(self.part, NotebookKindPart):
            return self.part.path
        return self.notebook.path if self.notebook else None


class Exercise(Frozen):
    """An exercise at one version, ready to be graded with."""

    manifest: Manifest
    checks: tuple[CheckDeclaration, ...]
    competencies: tuple[Competency, ...]
    digest: str

    @property
    def id(self) -> str:
        """The exercise's id."""
        return self.manifest.id

    @property
    def code_checks(self) -> tuple[CheckDeclaration, ...]:
        """The checks of the submission's code: all but those of the decision notebook."""
        notebook = self.manifest.notebook
        return tuple(check for check in self.checks if notebook is None or check.group != notebook.group)

    @property
    def possible(self) -> Decimal:
        """Points that all checks of the code give together."""
        return sum((check.points for check in self.code_checks), Decimal(0))


def _hex32(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


class Variant(Frozen):
    """One world of an exercise: everything hidden is built from its seed.

    `seed` never leaves the host; a sheet carries `commitment`, which anybody who is
    later shown the seed can check.
    """

    exercise: Slug
    version: str
    label: Line
    seed: Annotated[str, BeforeValidator(_hex32), Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    commitment: str

    @property
    def number(self) -> int:
        """The seed as the generator takes it: an unsigned 63-bit integer."""
        return int(self.seed[:16], 16) >> 1
