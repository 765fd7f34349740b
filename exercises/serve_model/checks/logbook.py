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
from calls import answered, id_of, predict, prediction, probability
from parity import CLOSE, Strata
from truth import artefacts, from_features

from grader.checker.api import Reason, SubmissionFailed
from grader.frames import BrokenFrame, strict_json

PREDICTIONS = 50
WAIT_SECONDS, PAUSE = 3.0, 0.25
LOG_CAP, MOST_FILES, LINE_CAP = 32 * 1024 * 1024, 16, 64 * 1024
LARGEST = 3e38
LOGS_CAP = 64 * 1024 * 1024  # of all logs together: they are looked through again and again


@dataclass(slots=True, kw_only=True)
class Trace:
    """What the log says of some predictions.

    Attributes:
        asked: Predictions that were answered.
        found: Those with one line in the log.
        right: Those whose line gives the answered probability again.
        doubled: Those with more than one line.
        problems: What is not right, in words.
        files: Names of the logs.
    """

    asked: int = 0
    found: int = 0
    right: int = 0
    doubled: int = 0
    problems: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def value(self) -> float:
        """Share of all predictions that can be recomputed."""
        return max(0, self.right - self.doubled) / PREDICTIONS


def trace(strata: Strata, folder: Path) -> Trace:
    """Ask for predictions and look for them in the log.

    Raises:
        SubmissionFailed: A log cannot be read.
    """
    rows = strata.rows("mixed", PREDICTIONS, "trace")
    exchanges = strata.bench.send([predict(row) for row in rows], concurrency=4, stage=MAIN)
    answers = {id_of(row): prediction(each) for row, each in zip(rows, exchanges, strict=True) if answered(each)}
    found = Trace(asked=len(answers))
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for _ in range(math.ceil(WAIT_SECONDS / PAUSE)):
        found.files = sorted(strata.bench.service.files("*.jsonl"))[:MOST_FILES]
        lines = read_lines(_read_all(strata, found.files), answers)
        if len(lines) == len(answers):
            break
        strata.bench.service.let_run(PAUSE)
    judge(found, answers, lines, folder)
    return found


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
    usable: list[tuple[float, float, dict[str, float]]] = []
    for name, answer in answers.items():
        entries = lines.get(name, [])
        found.found += len(entries) == 1
        found.doubled += len(entries) > 1
        problem = _problem(answer, entries, columns)
        if problem:
            found.problems.append(problem)
            continue
        features = {column: float(entries[0]["features"][column]) for column in columns}
        usable.append((probability(answer), probability(entries[0]), features))
    if not usable:
        return
    given, logged = (np.array([each[place] for each in usable]) for place in (0, 1))
    again = from_features(folder, [each[2] for each in usable], MAIN.version)
    # Which of the two classes is meant is for another check; a trace may be faithful for the wrong one.
    again = max((again, 1 - again), key=lambda each: int((np.abs(each - given) <= CLOSE).sum()))
    good = (np.abs(logged - given) <= CLOSE) & (np.abs(again - given) <= CLOSE)
    found.right = int(good.sum())
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
    return "" if math.isfinite(probability(entry)) else "the probability is missing"


def _is_number(value: object) -> bool:
    """Tell whether the model of the trace takes a value: it knows no nulls, and computes in 32 bits."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= LARGEST  # type: ignore[operator]
