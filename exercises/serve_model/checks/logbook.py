"""The prediction log: whether a prediction can be recomputed from what was written down."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bench import MAIN
from calls import Row, batch, id_of, predict, prediction, probability, results
from parity import CLOSE, Strata
from truth import artefacts, from_features

from grader.checker.api import Reason, SubmissionFailed, linear
from grader.frames import BrokenFrame, strict_json

PREDICTIONS, SINGLES = 50, 25
TWICE_ALONE, TWICE_TOGETHER = 3, 2
LO, HI = 0.5, 0.96  # of some two dozen rows one may be missing
WAIT_SECONDS, PAUSE = 3.0, 0.25
LOG_CAP, MOST_FILES, LINE_CAP = 32 * 1024 * 1024, 16, 64 * 1024
LARGEST = 3e38
LOGS_CAP = 64 * 1024 * 1024  # of all logs together: they are looked through again and again


@dataclass(slots=True, kw_only=True)
class Trace:
    """What the log says of some predictions.

    Attributes:
        alone: Request ids of those that were asked for one by one.
        together: Of those that were asked for in a batch.
        twice: Of those that were asked for again later; they are in none of the others.
        found: Those with one line in the log.
        right: Those whose line gives the answered probability again.
        doubled: Those with more than one line.
        problems: What is not right, in words.
        files: Names of the logs.
    """

    alone: set[str] = field(default_factory=set)
    together: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    right: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def value(self, names: set[str]) -> float:
        """Share of some predictions that can be recomputed."""
        return max(0, len(self.right & names) - len(self.doubled & names)) / max(len(names), 1)

    @property
    def share(self) -> float:
        """Share of the points: as much for predictions in batches as for others, and a little for repeated ones."""
        alone, together = (linear(self.value(names), LO, HI) for names in (self.alone, self.together))
        return round(0.45 * alone + 0.45 * together + 0.1 * self.value(self.twice), 9)

    @property
    def because(self) -> str:
        """Say it in a few sentences."""
        told = f"{len(self.right)} of {PREDICTIONS} predictions can be recomputed from the log; {len(self.found)} have "
        told += f"one line. Right are {self.value(self.alone):.0%} of those asked for one by one, "
        return (
            told
            + f"{self.value(self.together):.0%} of those in a batch, {self.value(self.twice):.0%} of repeated ones."
        )


def trace(strata: Strata, folder: Path) -> Trace:
    """Ask for predictions, one by one, in a batch, and some of both again, and look for them in the log.

    Raises:
        SubmissionFailed: A log cannot be read.
    """
    rows = strata.rows("mixed", PREDICTIONS, "trace")
    found = Trace()
    answers = _ask(strata, rows[:SINGLES], rows[SINGLES:], found)
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for _ in range(math.ceil(WAIT_SECONDS / PAUSE)):
        found.files = sorted(strata.bench.service.files("*.jsonl"))[:MOST_FILES]
        lines = read_lines(_read_all(strata, found.files), answers)
        if len(lines) == len(answers):
            break
        strata.bench.service.let_run(PAUSE)
    judge(found, answers, lines, folder)
    return found


def _ask(strata: Strata, singles: Sequence[Row], together: Sequence[Row], found: Trace) -> dict[str, Mapping[str, Any]]:
    """Ask for all rows and note how; return the answers that there are, the first of each row.

    Rows come again before the last ones come at all: a log that is written later has their second lines, where it
    writes any, by the time that it has the others.
    """
    bench = strata.bench
    twice = [*singles[:TWICE_ALONE], *together[:TWICE_TOGETHER]]
    whole, *first = bench.ask(batch(together), *map(predict, singles[:TWICE_ALONE]), stage=MAIN)
    bench.ask(*map(predict, twice), stage=MAIN)
    first += bench.send([predict(row) for row in singles[TWICE_ALONE:]], concurrency=4, stage=MAIN)
    found.twice = set(map(id_of, twice))
    found.alone = set(map(id_of, singles)) - found.twice
    found.together = set(map(id_of, together)) - found.twice
    answers = [*map(prediction, first), *results(whole, len(together))]
    return {id_of(row): answer for row, answer in zip([*singles, *together], answers, strict=True) if answer}


def _read_all(strata: Strata, names: Sequence[str]) -> list[bytes]:
    logs: list[bytes] = []
    for name in names:
        logs.append(_read(strata, name))
        if sum(map(len, logs)) > LOGS_CAP:
            raise SubmissionFailed(Reason.TOO_LARGE, f"The prediction logs hold more than {LOGS_CAP:,} bytes.")
    return logs


def _read(strata: Strata, name: str) -> bytes:
    try:
        return bytes(strata.bench.service.read(name, LOG_CAP))
    except SubmissionFailed as failure:
        failure.because = f"The prediction log {name[:60]} cannot be read: {failure.because}"
        raise


def read_lines(logs: Sequence[bytes], wanted: Mapping[str, object]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the lines about requests that are looked for, by request id; other lines may be what they like."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    keys = {name.encode() for name in wanted}
    prefix = min(keys, default=b"").rpartition(b"-")[0]
    ids = re.compile(re.escape(prefix) + rb"-[0-9]+")
    for line in (line for log in logs for line in log.split(b"\n")):
        if prefix not in line or len(line) > LINE_CAP or keys.isdisjoint(ids.findall(line)):
            continue
        try:
            value = strict_json(line)
        except BrokenFrame:
            continue
        name = value.get("request_id") if isinstance(value, dict) else None
        if isinstance(name, str) and name in wanted:
            found.setdefault(name, []).append(value)
    return found


def judge(
    found: Trace, answers: Mapping[str, Mapping[str, Any]], lines: Mapping[str, list[Mapping[str, Any]]], folder: Path
) -> None:
    """Recompute what was logged and compare it with what was answered."""
    columns = artefacts(folder, MAIN.version).meta["features"]
    names: list[str] = []
    usable: list[tuple[float, float, dict[str, float]]] = []
    for name, answer in answers.items():
        entries = lines.get(name, [])
        if entries:
            (found.found if len(entries) == 1 else found.doubled).add(name)
        problem = _problem(answer, entries, columns)
        if problem:
            found.problems.append(problem)
            continue
        features = {column: float(entries[0]["features"][column]) for column in columns}
        names.append(name)
        usable.append((probability(answer), probability(entries[0]), features))
    if not usable:
        return
    given, logged = (np.array([each[place] for each in usable]) for place in (0, 1))
    again = from_features(folder, [each[2] for each in usable], MAIN.version)
    # Which of the two classes is meant is for another check; a trace may be faithful for the wrong one.
    again = max((again, 1 - again), key=lambda each: int((np.abs(each - given) <= CLOSE).sum()))
    good = (np.abs(logged - given) <= CLOSE) & (np.abs(again - given) <= CLOSE)
    found.right = {name for name, right in zip(names, good, strict=True) if right}
    if not good.all():
        found.problems.append("the features give another probability than was answered")


def _problem(answer: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    if len(entries) != 1:
        return f"{len(entries)} lines for one prediction"
    entry = entries[0]
    features = entry.get("features")
    if not isinstance(features, dict) or set(features) != set(columns):
        return "features are not those of the model"
    if any(not _is_number(value) for value in features.values()):
        return "a feature is no number that the model takes"
    if entry.get("model_version") != MAIN.version:
        return "the version is missing or another one"
    if entry.get("prediction_id") != answer.get("prediction_id"):
        return "prediction_id is missing or another one"
    if entry.get("decision", answer.get("decision")) != answer.get("decision"):  # its absence harms no recomputing
        return "the decision is another one"
    return "" if math.isfinite(probability(entry)) else "the probability is missing"


def _is_number(value: object) -> bool:
    """Tell whether the model of the trace takes a value: it knows no nulls, and computes in 32 bits."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= LARGEST  # type: ignore[operator]
