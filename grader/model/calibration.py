"""What was measured of an exercise: how far scores move though the work is the same."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from grader.model.base import Frozen
from grader.model.run import Nearest

NotNegative = Annotated[float, Field(ge=0)]


class RungSpread(Frozen):
    """Totals of one solution over hidden worlds, in percent of the code's points.

    Attributes:
        rung: Name of the solution.
        n: How many worlds.
        mean: Mean of the totals.
        sd: Their standard deviation, with n - 1.
        low: The lowest.
        high: The highest.
    """

    rung: str
    n: Annotated[int, Field(ge=2)]
    mean: NotNegative
    sd: NotNegative
    low: NotNegative
    high: NotNegative


class Calibration(Frozen):
    """`calibration.json` in the folder of an exercise, written by `grader author calibrate`.

    Attributes:
        exercise: Its id.
        version: The version that was measured.
        digest: Digest of the exercise as it was measured.
        made: When.
        machine: What on, in words.
        worlds: How many hidden worlds.
        repeats: How often the same was graded on the first.
        spreads: By solution.
        order: Spearman's rank correlation of totals and the middles of bands, without flaws; None where there are too
            few rungs.
        moved: Checks that did not give the same each time, with how many points they were apart.
        flakes: How many repeats differed from the first time.
        repeated: Of how many.
        mutants: How many mutants of the reference were graded.
        survivors: How many of them no check noticed.
        seconds: Wall time of the reference's run.
        peak_memory: Most bytes that the reference's box held.
        nearest: By the limit's name, what took most of the seconds that it was given, in the reference's run.
    """

    schema_version: Literal[1] = 1
    exercise: str
    version: str
    digest: str
    made: date
    machine: str
    worlds: Annotated[int, Field(ge=1)]
    repeats: Annotated[int, Field(ge=1)]
    spreads: tuple[RungSpread, ...] = ()
    order: float | None = None
    moved: dict[str, float] = {}
    flakes: int = 0
    repeated: int = 0
    mutants: int = 0
    survivors: int = 0
    seconds: NotNegative
    peak_memory: Annotated[int, Field(ge=0)]
    nearest: dict[str, Nearest] = {}


class ErrorBand(Frozen):
    """How far a total may move by the hidden world alone.

    Attributes:
        sd: Standard deviation in percent of the code's points.
        worlds: Over how many hidden worlds it was measured.
        solution: With which solution of the ladder; "" on a candidate's sheet.
        made: When.
    """

    sd: NotNegative
    worlds: int
    solution: str
    made: date
