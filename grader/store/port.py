"""What a batch asks of the store. `grader.store.runs` answers it with a database; tests may with something smaller."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from grader.model.exercise import Exercise
from grader.model.sheet import ScoreSheet


def run_key(*, submission: str, exercise: str, images: Mapping[str, str], commitment: str) -> str:
    """What makes two runs the same run: the digests of submission, exercise and images, and the seed.

    Names count for nothing: the same files under another name are the same submission.

    Returns:
        SHA-256 in hexadecimal.
    """
    named = [f"{role}={image}" for role, image in sorted(images.items())]
    return hashlib.sha256("\n".join(("grader run 1", submission, exercise, commitment, *named)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """What somebody handed in.

    Attributes:
        candidate: Who.
        label: What the folder or archive was called.
        digest: Of the files; what could not be read has a digest that begins with "unread".
        artefact: Where the files are kept; None when they could not be read.
        variant_of: Whose variant it is graded on; None for the one shared by all.
        extra_time: Factor by which this person had more hours, if it was said; nothing else depends on it.
    """

    candidate: str
    label: str
    digest: str
    artefact: str | None = None
    variant_of: str | None = None
    extra_time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run that somebody wants to carry out.

    Attributes:
        run: Its id.
        key: See `run_key`.
        exercise: Digest of the exercise; it must have been registered.
        submission: Digest of what is graded.
        commitment: Commitment to the variant's seed.
        images: Image of each role.
        harness: Digest of grader itself.
        series: Id of the regrade that it belongs to; "" for ordinary grading.
        parent: The run that it repeats, in a regrade.
    """

    run: str
    key: str
    exercise: str
    submission: str
    commitment: str
    images: Mapping[str, str]
    harness: str
    series: str = ""
    parent: str | None = None


class Standing(StrEnum):
    """What became of a claim."""

    OURS = "ours"
    DONE = "done"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whose turn it is: ours, or nobody's because `run` is done, or that of who carries `run` out."""

    standing: Standing
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that has ended.

    Attributes:
        sheet: Its author's sheet, signed.
        fractions: Share of each check that was earned, exactly as the check said; points are rounded.
        logs: Digests of kept logs, by name.
    """

    sheet: ScoreSheet
    fractions: Mapping[str, float] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Whose run it is, and where its sheet goes.

    Attributes:
        batch: Id of the batch; None in a regrade, where the run stands beside the one that counts.
        place: Name of the folder, below the batch's own.
        hand_in: What was handed in.
        replace: Let the run count even if another one that was graded counts already.
    """

    batch: str | None
    place: str
    hand_in: HandIn
    replace: bool = False


class Ledger(Protocol):
    """Remembers runs. Safe for use by several threads, and by several processes at once.

    Every method raises `StoreFailed` when the database fails; then nothing was changed.
    """

    def register(self, exercise: Exercise, components: Mapping[str, str]) -> None:
        """Remember an exercise at its version. Idempotent."""

    def open_batch(self, name: str, exercise: str, folder: str, *, exact: bool = True) -> tuple[str, str]:
        """Return id and name of the batch whose sheets go to a folder; see `grader.store.batches.open_batch`."""

    def seconds(self, exercise: str) -> Mapping[str, float]:
        """How long runs took before: seconds by digest of the submission, of whatever version."""

    def claim(self, claim: Claim) -> Turn:
        """Ask to carry out a run. Of all who ask for one key and series, one gets it.

        A run of a process that has died is taken away from it.
        """

    def renew(self) -> None:
        """Say that this process is alive, for others that cannot see it."""

    def finish(self, run: str, finished: Finished, delivery: Delivery) -> bool:
        """Keep how a run ended, and for whom; False when it had been taken away, and nothing was kept."""

    def drop(self, run: str) -> None:
        """Give back a claim, unless it is finished."""

    def sheet_of(self, run: str) -> ScoreSheet:
        """The author's sheet of a finished run, as it was made for whoever came first.

        It holds what people have corrected since, and has no signature then.
        """

    def logs_of(self, run: str) -> Mapping[str, str]:
        """Digests of the logs of a run, by name."""

    def record(self, delivery: Delivery, sheet: ScoreSheet) -> ScoreSheet:
        """Keep that a run which was finished before is somebody else's as well, or goes somewhere else.

        Returns:
            The sheet that counts for them: the one that people have reviewed or corrected, where there is one.
        """
