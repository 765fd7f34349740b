"""The stream monitor: streams with and without drift, asked window by window from the fitted state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anchors
import pandas as pd
from answers import Reading, not_asked, read_alarm
from asking import LATE, Budget, batches, numbers, prepared, shuffled

STREAM_BATCH = 8  # streams in memory at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A run of windows, one after the other.

    Attributes:
        shift: Shift of the mean once it has begun, in latent SD; 0 for a stream without drift.
        onset: Place of the first drifted window.
        number: Tells it from others like it.
    """

    shift: float
    onset: int
    number: int

    @property
    def key(self) -> str:
        """Its name, from which its random numbers come."""
        return f"stream/{self.shift}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A stream and the alarms that were answered."""

    stream: Stream
    alarms: tuple[Reading, ...]


def all_streams(variant) -> list[Stream]:
    """List the streams of group E; the onset of drift differs from stream to stream."""
    streams = [Stream(shift=0.0, onset=0, number=number) for number in range(anchors.CLEAN_STREAMS)]
    for shift in (anchors.SMALL_SHIFT, anchors.LARGE_SHIFT):
        for number in range(anchors.DRIFT_STREAMS):
            onset = variant.random(f"onset/{shift}/{number}").randint(2, 10)
            streams.append(Stream(shift=shift, onset=onset, number=number))
    return streams


def make_stream(world, variant, stream: Stream, windows: int = anchors.STREAM_WINDOWS) -> list[pd.DataFrame]:
    """Make the windows of a stream."""
    rng = numbers(variant, stream.key)
    return list(world.stream(windows, rng, shift=stream.shift, start=stream.onset))


def watch_streams(session, world, variant, streams: Sequence[Stream]) -> list[Watched]:
    """Let `update` see streams, each from the fitted state."""
    watched: dict[Stream, Watched] = {}
    budget = Budget(session, anchors.STREAM_SECONDS)

    def make(batch):
        return None if budget.used_up else [make_stream(world, variant, stream) for stream in batch]

    for batch, made in prepared(batches(shuffled(streams, variant, "streams"), STREAM_BATCH), make):
        if made is None or budget.used_up:
            silent = (not_asked(LATE),) * anchors.STREAM_WINDOWS
            watched |= {stream: Watched(stream=stream, alarms=silent) for stream in batch}
            continue
        calls = [[{"window": window} for window in windows] for windows in made]
        runs = budget.spend(lambda calls=calls: session.map_fresh("update", calls, seconds=anchors.RUN_SECONDS))
        for stream, run in zip(batch, runs, strict=True):
            watched[stream] = Watched(stream=stream, alarms=tuple(read_alarm(answer) for answer in run))
    return [watched[stream] for stream in streams]


def of_shift(watched: Sequence[Watched], shift: float) -> list[Watched]:
    """Return the streams with a shift."""
    return [each for each in watched if each.stream.shift == shift]
