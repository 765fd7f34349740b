"""Measures of what a detector answered: pure functions, without boxes, worlds or files."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from anchors import (
    ACTIVITY,
    ALIVE,
    ATTRIBUTION_HI,
    LABEL_ACTIVITY,
    POWER_GAP,
    POWER_LO,
    POWER_SHARE,
    VALIDITY,
)
from answers import Reading
from scipy.stats import beta

from grader.checker.api import linear


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many out of so many."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0..1; 0 where there is nothing."""
        return self.count / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95 % interval.

        C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
        binomial", Biometrika 26 (1934), 404-413; by quantiles of the beta distribution.
        """
        if not self.total:
            return 0.0, 1.0
        rest = self.total - self.count
        low = float(beta.ppf(0.025, self.count, rest + 1)) if self.count else 0.0
        high = float(beta.ppf(0.975, self.count + 1, rest)) if rest else 1.0
        return low, high

    def words(self) -> str:
        """Say it with its interval."""
        low, high = self.interval
        interval = f"exact 95 % interval {percent(low)} to {percent(high)}"
        return f"{self.count} of {self.total} ({percent(self.value)}; {interval})"


def percent(share: float) -> str:
    """Write a share as a percentage."""
    return f"{100 * share:.1f} %" if 0 < share < 0.1 else f"{100 * share:.0f} %"


def false_alarms(readings: Iterable[Reading]) -> Share:
    """Count alarms, and answers without a valid decision, on data without drift."""
    return _count(reading.false_alarm for reading in readings)


def hits(readings: Iterable[Reading]) -> Share:
    """Count valid alarms on drifted data."""
    return _count(reading.hit for reading in readings)


def alarms(readings: Iterable[Reading]) -> Share:
    """Count alarms however the answer is malformed otherwise: the kind reading, for gates."""
    return _count(reading.flag is True for reading in readings)


def _count(each: Iterable[bool]) -> Share:
    found = list(each)
    return Share(count=sum(found), total=len(found))


def activity(clear: Share) -> float:
    """Return the gate of credit for silence: how much of clear drift is noticed?"""
    return linear(clear.value, *ACTIVITY)


def label_activity(gross: Share) -> float:
    """Return the same gate for labels and streams."""
    return linear(gross.value, *LABEL_ACTIVITY)


def validity(clean: Share) -> float:
    """Return the gate of power: false alarms on windows of the usual size."""
    return linear(clean.value, *VALIDITY)


def alive(clear: Iterable[Share], clean: Share) -> float:
    """Return the gate of group F: a detector that answers the same to everything has no care to show.

    Args:
        clear: How often clear drift of each of some kinds is noticed; the best one counts.
        clean: Alarms on windows without drift.
    """
    return linear(max(share.value for share in clear) - clean.value, *ALIVE)


def power_credit(found: float, reference: float) -> float:
    """Return the credit for a detection rate, where the reference's own rate on the same world is known."""
    return linear(found, POWER_LO, power_target(reference))


def power_target(reference: float) -> float:
    """Return the detection rate of full credit; it stays clear of the rate of false alarms."""
    return max(POWER_SHARE * reference, POWER_LO + POWER_GAP)


def ranked_first(scores: Mapping[str, float] | None, true: Sequence[str], *, pair: bool) -> bool:
    """Tell whether scores point at what drifted; ties count against it.

    Args:
        scores: Feature to score; None where they were malformed.
        true: What drifted.
        pair: Both have to be in the first two places; otherwise one of `true` has to be alone in the first place.
    """
    if not scores:
        return False
    others = max((value for name, value in scores.items() if name not in true), default=-math.inf)
    named = [scores[name] for name in true if name in scores]
    return bool(named) and len(named) == len(true) and (min(named) if pair else max(named)) > others


def chance(true: Sequence[str], features: int, *, pair: bool) -> float:
    """Return how often a random order of the features is right."""
    return 1 / math.comb(features, 2) if pair else len(true) / features


def attribution_credit(found: float, by_chance: float) -> float:
    """Return the credit for a share of right attributions."""
    return linear(found, by_chance, ATTRIBUTION_HI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How long the alarm of drifting streams took.

    Attributes:
        windows: Windows from the begin of the drift to the first alarm, 1 at best, by stream; infinite without one.
        early: Streams that are left out, since their alarm came before the drift.
    """

    windows: tuple[float, ...]
    early: int

    @property
    def median(self) -> float:
        """The median; infinite where most streams never alarmed, or alarmed before there was drift."""
        if not self.windows or self.early > len(self.windows):
            return math.inf
        return statistics.median(self.windows)

    def words(self) -> str:
        """Say the median."""
        return "no alarm in most streams" if math.isinf(self.median) else f"median {self.median:g} windows"


def delays(streams: Iterable[Sequence[Reading]], onset: Sequence[int]) -> Delays:
    """Measure delays; `onset` is the place of the first drifted window in each stream."""
    waited: list[float] = []
    early = 0
    for alarms_of, begin in zip(streams, onset, strict=True):
        places = [place for place, reading in enumerate(alarms_of) if reading.flag is True]
        if places and places[0] < begin:
            early += 1
        else:
            waited.append(places[0] - begin + 1 if places else math.inf)
    return Delays(windows=tuple(waited), early=early)


def any_alarm(streams: Iterable[Sequence[Reading]]) -> Share:
    """Count streams without drift that have an alarm or an answer that is none."""
    return _count(any(reading.flag is not False for reading in stream) for stream in streams)


def delay_credit(median: float, anchors: tuple[float, float]) -> float:
    """Return the credit for a median delay."""
    return 0.0 if math.isinf(median) else linear(median, *anchors)
