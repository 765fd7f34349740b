"""The same rows twice, in another order, under other ids and in other company: who answers otherwise, loses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.checker.awards import Award

Service = Callable[[list[dict[str, Any]]], list[float]]


class Strata:
    """The hidden rows as the checks see them, asked of a function."""

    def __init__(self, service: Service) -> None:
        self._service, self._ids = service, 0
        self._kept: dict[str, SimpleNamespace] = {}
        self.names = SimpleNamespace(rename=lambda row: {**row, "request_id": self._id()})

    def _id(self) -> str:
        self._ids += 1
        return f"r{self._ids}"

    def rows(self, stratum: str, number: int, purpose: str) -> list[dict[str, Any]]:
        drawn = np.random.default_rng(len(stratum + purpose)).random(number)
        return [{"request_id": self._id(), "income": float(income)} for income in drawn]

    def of(self, name: str, words: str) -> SimpleNamespace:
        if name not in self._kept:
            rows = self.rows(name, 70, "")
            got = np.array([self._service([row])[0] for row in rows])
            right = np.abs(got - [row["income"] for row in rows]) <= 1e-6
            self._kept[name] = SimpleNamespace(rows=rows, got=got, value=float(right.mean()))
        return self._kept[name]

    def in_batches(self, rows: list[dict[str, Any]], size: int = 512) -> np.ndarray:
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        return np.array([p for part in parts for p in self._service(part)])


def incomes(rows: list[dict[str, Any]]) -> list[float]:
    return [row["income"] for row in rows]


def by_id(rows: list[dict[str, Any]]) -> list[float]:
    """Right for the ids of the first 490 rows, which are those that are asked one by one."""
    return [row["income"] + 0.01 * (int(row["request_id"][1:]) > 490) for row in rows]


def by_turn() -> Service:
    """Gives again, one after the other, what it gave to rows that came alone."""
    given: list[float] = []
    turns = count()

    def answer(rows: list[dict[str, Any]]) -> list[float]:
        if len(rows) == 1:
            given.extend(incomes(rows))
            return incomes(rows)
        return [given[next(turns)] for _ in rows]

    return answer


def in_order_of_size(rows: list[dict[str, Any]]) -> list[float]:
    return sorted(incomes(rows))


def other_when_many(rows: list[dict[str, Any]]) -> list[float]:
    return [0.9 * income if len(rows) > 1 else income for income in incomes(rows)]


def by_company(rows: list[dict[str, Any]]) -> list[float]:
    return [income + 1e-9 * float(np.mean(incomes(rows))) for income in incomes(rows)]


def awarded(check: Callable[..., None], service: Service) -> float:
    award = Award()
    check(Strata(service), award)
    return award.fraction


def test_who_answers_by_the_row_alone_keeps_everything(checks) -> None:
    assert awarded(checks.test_2_parity.test_batch_equals_single, incomes) == 1
    assert awarded(checks.test_2_parity.test_batch_mates, incomes) == 1


SERVICES = {"by id": by_id, "by turn": by_turn(), "by size": in_order_of_size, "other when many": other_when_many}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_rows_in_another_order_under_other_ids_must_be_answered_alike(checks, service) -> None:
    assert awarded(checks.test_2_parity.test_batch_equals_single, service) < 0.2


def test_rows_in_other_company_must_be_answered_alike(checks) -> None:
    assert awarded(checks.test_2_parity.test_batch_mates, by_company) == 0
