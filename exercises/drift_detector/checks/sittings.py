"""Two sittings with the submission: one that measures what it finds, one that looks at how it is built.

A box holds one session at a time, and fitting may take a minute; so all that needs a fitted detector is done in two
sessions, stage after stage. A stage that fails costs the checks that look at it and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anchors
from answers import Reading, read_alarm, read_check, read_feedback
from asking import POOLED, Ask, Panel, all_asks, ask_feedback, ask_windows, make_feedback, make_window, numbers
from care import CLOTHES, alpha_asks, edge_windows, mixed_asks, refused, refused_windows
from timing import Timing, measure_time
from watch import Stream, Watched, all_streams, make_stream, watch_streams
from world import FEATURES, GROSS

from grader.checker.api import SubmissionFailed

Found = TypeVar("Found")


class Stage(Generic[Found]):
    """What one stage found, or how the submission failed in it.

    Args:
        work: Does the stage.
    """

    def __init__(self, work: Callable[[], Found]) -> None:
        self._found: Found | None = None
        self._failure: SubmissionFailed | None = None
        try:
            self._found = work()
        except SubmissionFailed as failure:
            self._failure = failure

    def get(self) -> Found:
        """Return what was found.

        Raises:
            SubmissionFailed: The stage failed.
        """
        if self._failure is not None:
            raise self._failure
        return self._found  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The first sitting: at the usual alpha, on both cores.

    Attributes:
        panel: Answers about windows.
        again: A second answer about some of them.
        heard: Answers about labelled rows, by kind.
        watched: Alarms in streams.
        timing: CPU time beside the reference's.
        fit_seconds: What fitting took.
    """

    panel: Stage[Panel]
    again: Stage[Panel]
    heard: Stage[dict[str, list[Reading]]]
    watched: Stage[list[Watched]]
    timing: Stage[Timing]
    fit_seconds: float


def start(session, world, variant, alpha: float, workers: int) -> float:
    """Make a detector in every worker and fit it; return the seconds that one of them needed."""
    session.construct(alpha=alpha, seed=variant.random("seed").randrange(1000))
    tables = {"reference": world.reference(), "labels": world.reference_labels()}
    session.call("fit", seconds=anchors.FIT_PATIENCE, **tables)
    # On a busy machine the wall clock goes on while nothing is computed.
    return min(session.last.seconds, session.last.cpu_seconds / workers)


def measure(submission, reference, world, variant) -> Measured:
    """Hold the first sitting.

    Raises:
        SubmissionFailed: No detector could be made or fitted.
    """
    with submission.open(workers=2) as session:
        fit_seconds = start(session, world, variant, anchors.ALPHA, workers=2)
        ask = {"alpha": anchors.ALPHA}
        many = world.in_arrow
        # Streams come first: that `check` leaves a trace costs its own check, and not theirs.
        watched = Stage(lambda: watch_streams(session, many, variant, all_streams(variant)))
        return Measured(
            watched=watched,
            panel=Stage(lambda: ask_windows(session, many, variant, all_asks(), purpose="windows", **ask)),
            again=Stage(lambda: ask_windows(session, many, variant, mixed_asks(26), purpose="again", **ask)),
            heard=Stage(lambda: ask_feedback(session, many, variant, **ask)),
            timing=Stage(lambda: measure_time(session, reference, world, variant)),
            fit_seconds=fit_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """What a loaded detector said beside the one that was saved.

    Attributes:
        checks: Answers of `check` before and after.
        feedback: Answers of `feedback` before and after.
        alarms: Name to the alarms of the rest of a stream: of the saved object as it went on, and of the loaded one.
    """

    checks: tuple[Sequence[Reading], Sequence[Reading]]
    feedback: tuple[Sequence[Reading], Sequence[Reading]]
    alarms: Mapping[str, tuple[Sequence[Reading], Sequence[Reading]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """The second sitting: at the second alpha, in one process.

    Attributes:
        alpha: The second alpha.
        panel: Answers at it.
        peak_memory: Bytes.
        plain: Answers about windows as they are.
        dressed: Other clothes to answers about the same windows in them.
        alone: Alarms of a stream when nothing else is asked.
        between: Alarms of the same stream with `check` called in between.
        edges: Sort of window and the answer about it.
        refusals: What is wrong with a window, to whether it was refused.
        continued: How it goes on in a new process.
    """

    alpha: float
    panel: Stage[Panel]
    peak_memory: int
    plain: Stage[list[Reading]]
    dressed: Mapping[str, Stage[list[Reading]]]
    alone: Stage[list[Reading]]
    between: Stage[list[Reading]]
    edges: Stage[list[tuple[str, Reading]]]
    refusals: Stage[list[tuple[str, bool]]]
    continued: Stage[Continued]


def tend(submission, world, variant, alpha: float) -> Tended:
    """Hold the second sitting.

    Raises:
        SubmissionFailed: No detector could be made or fitted.
    """
    with submission.open(workers=1) as session:
        start(session, world, variant, alpha, workers=1)
        tending = Tending(session, world, variant, alpha)
        alone = Stage(tending.alone)  # before `check` could leave a trace
        asks, many = alpha_asks(), world.in_arrow
        panel = Stage(lambda: ask_windows(session, many, variant, asks, alpha=alpha, purpose="second alpha"))
        plain = Stage(tending.plain)
        dressed = {name: Stage(lambda name=name: tending.dressed(name)) for name in CLOTHES}
        peak_memory = session.peak_memory
        between = Stage(tending.between)
        odd: list[Stage] = []
        # The odd windows may end a process, so they come when the saved state is in its file.
        continued = Stage(lambda: tending.continued(lambda: odd.extend(map(Stage, (tending.edges, tending.refusals)))))
        edges, refusals = odd or (Stage(tending.edges), Stage(tending.refusals))
        return Tended(
            alpha=alpha,
            panel=panel,
            peak_memory=peak_memory,
            plain=plain,
            dressed=dressed,
            alone=alone,
            between=between,
            edges=edges,
            refusals=refusals,
            continued=continued,
        )


class Tending:
    """The stages of the second sitting.

    Args:
        session: Holds the submission, in one process.
        world: The hidden world.
        variant: The hidden variant.
        alpha: The second alpha.
    """

    def __init__(self, session, world, variant, alpha: float) -> None:
        self._session, self._world, self._variant, self._alpha = session, world, variant, alpha
        self._windows = [make_window(world, variant, ask) for ask in mixed_asks(13)]
        self._rows = [make_feedback(world, variant, kind, 0) for kind in ("clean", "intercept_s", "slope_half")]

    def check(self, windows: Sequence[object]) -> list[Reading]:
        """Ask `check` about windows."""
        calls = [{"window": window} for window in windows]
        answers = self._session.map("check", calls, seconds=anchors.CALL_SECONDS)
        return [
            read_check(answer, rows=len(window), features=FEATURES, alpha=self._alpha)
            for answer, window in zip(answers, windows, strict=True)
        ]

    def plain(self) -> list[Reading]:
        """Ask about the windows as they are."""
        return self.check(self._windows)

    def dressed(self, name: str) -> list[Reading]:
        """Ask about the same windows in other clothes."""
        rng = numbers(self._variant, f"clothes/{name}")
        return self.check([CLOTHES[name](window, rng) for window in self._windows])

    def feedback(self) -> list[Reading]:
        """Ask about labelled rows."""
        answers = self._session.map("feedback", [{"rows": rows} for rows in self._rows])
        return [read_feedback(answer, alpha=self._alpha) for answer in answers]

    def update(self, windows: Sequence[object], distraction: object = None) -> list[Reading]:
        """Let the detector see windows of a stream, where asked for with a `check` before each."""
        alarms = []
        for window in windows:
            if distraction is not None:
                self._session.ask("check", window=distraction)
            alarms.append(read_alarm(self._session.ask("update", window=window)))
        return alarms

    def clean_stream(self) -> list[object]:
        """Make a short stream without drift."""
        return make_stream(self._world, self._variant, Stream(shift=0.0, onset=0, number=1000), 8)

    def alone(self) -> list[Reading]:
        """Let a fresh copy see the clean stream."""
        run = self._session.map_fresh("update", [[{"window": window} for window in self.clean_stream()]])[0]
        return [read_alarm(answer) for answer in run]

    def between(self) -> list[Reading]:
        """Let the detector see the clean stream, with a check of gross drift before each window."""
        ask = Ask(kind="mean", mode=POOLED, rows=anchors.PLAIN_ROWS, size=GROSS["mean"], number=1000)
        gross = make_window(self._world, self._variant, ask)
        return self.update(self.clean_stream(), distraction=gross)

    def edges(self) -> list[tuple[str, Reading]]:
        """Ask about windows that are odd but legal."""
        listed = edge_windows(self._world, self._variant)
        return list(zip([name for name, _ in listed], self.check([window for _, window in listed]), strict=True))

    def refusals(self) -> list[tuple[str, bool]]:
        """Ask about windows that must be refused."""
        listed = refused_windows(self._world, self._variant)
        found = [(f"check: {name}", refused(self._session.ask("check", window=window))) for name, window in listed]
        name, window = listed[0]
        found.append((f"update: {name}", refused(self._session.ask("update", window=window))))
        rows = self._rows[0]
        for name, odd in (("empty window", rows.iloc[:0]), ("no column y", rows.drop(columns="y"))):
            found.append((f"feedback: {name}", refused(self._session.ask("feedback", rows=odd))))
        return found

    def continued(self, meanwhile: Callable[[], None]) -> Continued:
        """Save the detector along a drifting stream, and see whether it goes on identically in new processes.

        Questions are asked after the last saving and after its loading, and never before other answers that are
        compared: what a question leaves behind costs its own check alone.

        Args:
            meanwhile: Done after the last use of the saved object, before its process ends.
        """
        stream = make_stream(self._world, self._variant, Stream(shift=0.25, onset=0, number=1000), 24)
        went_on: list[Reading] = []
        for place in (3, 8, 24):
            went_on += self.update(stream[len(went_on) : place])
            self._session.call("save", path=self._session.path(f"state-{place}"))
        before = (self.plain(), self.feedback())
        meanwhile()
        alarms = {}
        for place in (3, 8):
            self._loaded(place)
            alarms[f"after {place} windows"] = (went_on[place:], self.update(stream[place:]))
        self._loaded(24)
        after = (self.plain(), self.feedback())
        return Continued(checks=(before[0], after[0]), feedback=(before[1], after[1]), alarms=alarms)

    def _loaded(self, place: int) -> None:
        """Start a new process that holds what was saved at a place of the stream."""
        self._session.restart(workers=1)
        self._session.load("load", path=self._session.path(f"state-{place}"))
