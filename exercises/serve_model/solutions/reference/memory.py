"""What was answered before: ids that come again get the same answer, and every new answer is logged once."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artefacts import Snapshot
from contract import PredictRequest
from metrics import Metrics

REMEMBERED = 20_000


class Conflict(Exception):
    """A request_id came with another body before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was given, and what for."""

    content: tuple[Any, ...]
    body: str


class Answers:
    """Remembers the newest answers, counts and logs them. Not for several threads: nothing here waits."""

    def __init__(self, log: Path, metrics: Metrics) -> None:
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._log = log.open("a", encoding="utf-8")
        self._metrics = metrics

    def known(self, rows: Sequence[PredictRequest]) -> Mapping[str, Answer]:
        """The answers that some of the rows got before, by request_id.

        Raises:
            Conflict: A request_id stands for another body, earlier or in these rows.
        """
        found: dict[str, Answer] = {}
        here: dict[str, tuple[Any, ...]] = {}
        for row in rows:
            content = row.content()
            earlier = self._known.get(row.request_id)
            if earlier:
                found[row.request_id] = earlier
            if (earlier.content if earlier else here.setdefault(row.request_id, content)) != content:
                raise Conflict(row.request_id)
        return found

    def give(self, snapshot: Snapshot, rows: Sequence[PredictRequest], features: Sequence[Sequence[float]]) -> list[str]:
        """Answer rows: JSON text for each, new where the row is, and otherwise what it was before.

        Raises:
            Conflict: A request_id stands for another body; then nothing is kept of these rows.
        """
        self.known(rows)
        probabilities = snapshot.late(features)
        lines, bodies = [], []
        for row, vector, probability in zip(rows, features, probabilities, strict=True):
            answer = self._known.get(row.request_id)
            if answer is None:
                answer, line = self._new(snapshot, row, vector, probability)
                lines.append(line)
            bodies.append(answer.body)
        if lines:
            self._log.write("".join(lines))
            self._log.flush()
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return bodies

    def _new(self, snapshot: Snapshot, row: PredictRequest, vector: Sequence[float], probability: float) -> tuple[Answer, str]:
        decision = "review" if probability >= snapshot.threshold else "approve"
        given = {
            "request_id": row.request_id,
            "prediction_id": uuid.uuid4().hex,
            "model_version": snapshot.version,
            "probability": probability,
            "decision": decision,
        }
        answer = Answer(row.content(), json.dumps(given))
        self._known[row.request_id] = answer
        self._metrics.prediction(snapshot.version, decision)
        logged = given | {"features": dict(zip(snapshot.names, vector, strict=True))}
        return answer, json.dumps(logged) + "\n"

    def close(self) -> None:
        """Write what is left."""
        self._log.close()
