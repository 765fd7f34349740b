"""Features of single rows, as offline/featurize.py computes them for a table, without pandas."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from contract import PredictRequest, instant

NAMES = ("log_amount", "local_hour", "local_weekday", "income", "segment", "customer_value")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST_CACHED = 64
_GAPS = re.compile("[ \t\r\n_-]+")

zone = lru_cache(maxsize=1024)(ZoneInfo)
Values = Mapping[int, tuple[list[int], list[float]]]


class Featurizer:
    """Turns rows into what one version's model was trained with."""

    def __init__(self, meta: Mapping[str, Any], fx: Mapping[str, float], values: Values) -> None:
        self._order = [NAMES.index(name) for name in meta["features"]]
        self._log_rate = {currency: math.log(rate) for currency, rate in fx.items()}
        self._medians: dict[str, float] = meta["medians"]
        self._lowest, self._highest = meta["income_range"]
        self._codes: dict[str, int] = meta["segments"]
        self._merged: dict[str, str] = meta["merged_segments"]
        self._unseen: int = meta["unseen_segment"]
        self._values = values
        self._cached_code = lru_cache(maxsize=4096)(self._code)

    def __call__(self, row: PredictRequest) -> list[float]:
        """Features in the order of the model's columns."""
        moment = instant(row.ts)
        local = moment.astimezone(zone(row.tz))
        income = self._medians["income"] if row.income is None else row.income
        code = self._cached_code if len(row.segment) <= LONGEST_CACHED else self._code
        found = (
            math.log(row.amount) + self._log_rate[row.currency],
            float(local.hour),
            float(local.weekday()),
            min(max(income, self._lowest), self._highest),
            float(code(row.segment)),
            self._value_as_of(row.customer_id, (moment - EPOCH) // MICROSECOND),
        )
        return [found[place] for place in self._order]

    def _code(self, segment: str) -> int:
        text = unicodedata.normalize("NFKC", segment).casefold()
        name = _GAPS.sub(" ", text).strip(" ")
        return self._codes.get(self._merged.get(name, name), self._unseen)

    def _value_as_of(self, customer: int, moment: int) -> float:
        """The newest value that is not dated after the row."""
        if known := self._values.get(customer):
            place = bisect_right(known[0], moment)
            if place:
                return known[1][place - 1]
        return self._medians["customer_value"]
