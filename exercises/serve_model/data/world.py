"""The world of a variant: what is drawn from its seed, before any row is.

Segments, their codes, currencies, time zones, customers and their aggregates differ between variants, and so does
what makes a customer pay late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from strata import as_requests, draw_labelled, draw_table, generator

VERSIONS = ("v1", "v2")
FEATURES = ("log_amount", "local_hour", "local_weekday", "income", "segment", "customer_value")
# Written as the category map writes them: what normalise() leaves unchanged.
SEGMENTS = (
    "retail", "small business", "sole trader", "student", "public sector", "non profit", "café", "market stall",
    "online shop", "repair shop", "hair salon", "farm", "hotel", "freelance", "craft", "wholesale", "kiosk", "théâtre",
)  # fmt: skip
KNOWN_SEGMENTS, MERGED_SEGMENTS = 9, 4
# All of these change their clocks twice a year.
CHANGING_ZONES = (
    "Europe/Oslo", "Europe/Berlin", "Europe/Athens", "America/New_York", "America/Chicago", "America/Los_Angeles",
    "America/Santiago", "Australia/Adelaide", "Pacific/Auckland", "America/St_Johns",
)  # fmt: skip
STEADY_ZONES = ("Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dubai", "America/Bogota", "Australia/Brisbane")
CUSTOMERS = 3_000
AGGREGATES_PER_CUSTOMER = 6


@dataclass(frozen=True)
class Periods:
    """When what happens, in UTC."""

    aggregates: tuple[datetime, datetime]  # from the first to the last as_of
    training: tuple[datetime, datetime]  # rows that v2 was trained with; v1 saw the first half
    history: tuple[datetime, datetime]  # labelled rows later than those
    live: tuple[datetime, datetime]  # later than every aggregate


@dataclass(frozen=True)
class Coding:
    """How one version writes features."""

    features: tuple[str, ...]
    classes: tuple[str, str]
    segments: dict[str, int]
    unseen_segment: int


@dataclass(frozen=True)
class Risk:
    """What makes a customer pay late: effects on the log-odds."""

    base: float
    amount: float
    income: float
    value: float
    weekday: tuple[float, ...]
    hour: tuple[float, ...]
    segments: dict[str, float]
    unseen: float


class World:
    """Everything that a seed decides about a variant.

    `rows` and `labelled` draw requests; what the right answer for them is, `truth.expected` says.

    Args:
        seed: Decides it.
        late_first: v1 has the probability of "late" in its first column. Kits are the other way round.
    """

    def __init__(self, seed: int, *, late_first: bool = True) -> None:
        self.seed = seed
        draw = np.random.default_rng([seed, 1])
        self.periods = _periods(draw)
        names = [str(each) for each in draw.permutation(SEGMENTS)]
        self.known = tuple(names[:KNOWN_SEGMENTS])
        rare = names[KNOWN_SEGMENTS : KNOWN_SEGMENTS + MERGED_SEGMENTS]
        self.merged = {each: str(draw.choice(self.known)) for each in rare}
        self.unseen = tuple(names[KNOWN_SEGMENTS + MERGED_SEGMENTS :])
        self.segment_shares = draw.dirichlet(np.full(KNOWN_SEGMENTS, 8.0))
        changing, steady = draw.permutation(CHANGING_ZONES)[:5], draw.permutation(STEADY_ZONES)[:3]
        self.changing_zones = tuple(str(each) for each in changing)
        self.zones = (*self.changing_zones, *(str(each) for each in steady))
        self.fx = _fx(draw)
        self.risk = _risk(draw, self.known)
        self.coding = _codings(draw, self.known, late_first=late_first)
        self.aggregates = _aggregates(np.random.default_rng([seed, 2]), self.periods)

    def table(self, count: int, rng: Any, stratum: str = "mixed") -> pd.DataFrame:
        """Draw raw rows as a table: the request's columns, income null where there is none."""
        return draw_table(self, count, generator(rng), stratum)

    def rows(self, count: int, rng: Any, stratum: str = "plain") -> list[dict[str, Any]]:
        """Draw bodies of /v1/predict. Each stratum holds one trap; `strata.STRATA` names them."""
        return as_requests(self.table(count, rng, stratum))

    def labelled(self, count: int, rng: Any, period: str = "history") -> pd.DataFrame:
        """Draw rows as they come in a period, and whether each was paid late (column `late`, 0 or 1)."""
        return draw_labelled(self, count, generator(rng), period)


def _periods(draw: np.random.Generator) -> Periods:
    start = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=int(draw.integers(0, 200)))
    months = [start + timedelta(days=30 * number) for number in range(31)]
    return Periods(
        aggregates=(months[0], months[16]),
        training=(months[1], months[11]),
        history=(months[11], months[16]),
        live=(months[16], months[29]),
    )


def _fx(draw: np.random.Generator) -> dict[str, float]:
    centre = {"NOK": 0.086, "USD": 0.92, "JPY": 0.0062}
    return {"EUR": 1.0} | {each: round(rate * float(draw.uniform(0.85, 1.15)), 6) for each, rate in centre.items()}


def _risk(draw: np.random.Generator, known: tuple[str, ...]) -> Risk:
    hours = np.arange(24) * 2 * np.pi / 24
    first, second = draw.uniform(0, 2 * np.pi, 2)
    wave = 0.95 * np.cos(hours - first) + 0.45 * np.cos(2 * hours - second)
    effects = draw.permutation(np.linspace(-0.9, 0.9, len(known))) + draw.normal(0, 0.1, len(known))
    return Risk(
        base=float(draw.uniform(-1.75, -1.55)),
        amount=float(draw.uniform(0.55, 0.75)),
        income=float(draw.uniform(0.55, 0.8)),
        value=float(draw.uniform(0.85, 1.1)),
        weekday=tuple(float(each) for each in draw.normal(0, 0.25, 7)),
        hour=tuple(float(each) for each in wave),
        segments={name: float(effect) for name, effect in zip(known, effects, strict=True)},
        unseen=float(draw.choice([-1.2, 1.2])),
    )


def _codings(draw: np.random.Generator, known: tuple[str, ...], *, late_first: bool) -> dict[str, Coding]:
    """Each version has its own order of columns and codes; one has "late" first, the other second.

    Which one is not drawn: a column that was taken for granted must cost the same in every hidden world.
    """
    draw.random()  # decided it once; what is drawn after it stays as it was
    first = ("late", "ok") if late_first else ("ok", "late")
    codings = {}
    for version, classes in zip(VERSIONS, (first, (first[1], first[0])), strict=True):
        codes = [int(each) for each in draw.permutation(len(known) + 1)]
        # An unseen segment has a code in the middle, which is neither -1 nor one past the last.
        middle = codes.index(len(known) // 2)
        unseen = codes.pop(middle)
        features = tuple(str(each) for each in draw.permutation(FEATURES))
        codings[version] = Coding(features, classes, dict(zip(known, codes, strict=True)), unseen)
    return codings


def _aggregates(draw: np.random.Generator, periods: Periods) -> pd.DataFrame:
    """Several dated values per customer, which move far enough that a wrong one shows."""
    customers = np.sort(draw.choice(np.arange(100_000, 1_000_000), CUSTOMERS, replace=False))
    begin, end = periods.aggregates
    seconds = int((end - begin).total_seconds())
    offsets = np.sort(draw.integers(0, seconds, (CUSTOMERS, AGGREGATES_PER_CUSTOMER)), axis=1)
    level = draw.gamma(2.0, 4.0, (CUSTOMERS, 1))
    values = np.round(0.3 * level + draw.gamma(1.2, 6.0, offsets.shape), 2)
    table = pd.DataFrame(
        {
            "customer_id": np.repeat(customers, AGGREGATES_PER_CUSTOMER).astype("int64"),
            "as_of": pd.Timestamp(begin) + pd.to_timedelta(offsets.ravel(), unit="s"),
            "value": values.ravel(),
        }
    )
    table["as_of"] = table["as_of"].astype("datetime64[us, UTC]")
    return table.iloc[draw.permutation(len(table))].reset_index(drop=True)
