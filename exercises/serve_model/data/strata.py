"""Draws requests: plain ones, and strata that each hold one trap and are plain in every other respect."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from featurize import local_hour_and_weekday, normalise, value_as_of

if TYPE_CHECKING:
    from world import World

CURRENCIES = ("EUR", "NOK", "USD", "JPY")
# Their local hour is that of UTC all year round.
LEVEL_ZONES = ("UTC", "Africa/Abidjan", "Africa/Accra", "Atlantic/Reykjavik")
FIELDS = ("request_id", "ts", "tz", "amount", "currency", "income", "segment", "customer_id")
MICROSECONDS = 1_000_000
NULL_INCOME, MESSY, UNSEEN, MERGED, UNKNOWN_CUSTOMER = 0.14, 0.26, 0.09, 0.06, 0.08


def generator(rng: Any) -> np.random.Generator:
    """Take either kind of random numbers."""
    return np.random.default_rng(rng.getrandbits(63)) if isinstance(rng, random.Random) else rng


class Draft:
    """Rows in the making: instants, zones and how the offset is written are still apart."""

    def __init__(self, world: World, count: int, rng: np.random.Generator, period: tuple[datetime, datetime]) -> None:
        self.world, self.count, self.rng = world, count, rng
        self.utc = self.instants(*period)
        self.tz = rng.choice(LEVEL_ZONES, count).astype(object)
        self.written = np.zeros(count, dtype="int64")  # minutes east of UTC that `ts` is written with
        self.eur = np.exp(rng.normal(4.1, 1.0, count))
        self.currency = np.full(count, "EUR", dtype=object)
        income = np.round(np.exp(rng.normal(10.5, 0.55, count)), 2)
        self.true_income = np.where(rng.random(count) < 0.5, np.round(income, -2), income)
        self.has_income = np.ones(count, dtype=bool)
        self.segment = rng.choice(world.known, count, p=world.segment_shares).astype(object)
        self.customer = rng.choice(world.aggregates["customer_id"].to_numpy(), count)
        self.amount: np.ndarray | None = None

    def instants(self, begin: datetime, end: datetime) -> np.ndarray:
        """Draw microseconds since 1970; half of them are whole seconds."""
        first, last = (int(each.timestamp()) * MICROSECONDS for each in (begin, end))
        drawn = self.rng.integers(first, last, self.count)
        return np.where(self.rng.random(self.count) < 0.5, drawn // MICROSECONDS * MICROSECONDS, drawn)

    def some(self, share: float) -> np.ndarray:
        """Mark about this share of the rows."""
        return self.rng.random(self.count) < share

    def times(self) -> pd.Series:
        """The instants as timestamps."""
        return pd.Series(pd.to_datetime(self.utc, unit="us", utc=True)).astype("datetime64[us, UTC]")

    def table(self) -> pd.DataFrame:
        """Finish the rows."""
        rate = pd.Series(self.currency).map(self.world.fx).to_numpy(dtype="float64")
        places = np.where(self.currency == "JPY", 0, 2)
        amount = np.maximum(np.round(self.eur / rate * 10.0**places) / 10.0**places, 0.5)
        ids = self.rng.integers(0, 2**62, self.count)
        columns = {
            "request_id": [f"r-{each:016x}" for each in ids],
            "ts": [_written(*each) for each in zip(self.utc, self.written, self.tz, strict=True)],
            "tz": self.tz,
            "amount": amount if self.amount is None else self.amount,
            "currency": self.currency,
            "income": np.where(self.has_income, self.true_income, np.nan),
            "segment": self.segment,
            "customer_id": self.customer,
        }
        return pd.DataFrame(columns)


def _written(utc: int, minutes: int, zone: str) -> str:
    """RFC 3339 text of an instant, with an offset in minutes; the zone decides between Z and +00:00."""
    seconds, micros = divmod(int(utc) + int(minutes) * 60 * MICROSECONDS, MICROSECONDS)
    text = np.datetime_as_string(np.datetime64(seconds, "s"))
    fraction = f".{micros:06d}" if micros else ""
    if not minutes:
        return f"{text}{fraction}{'Z' if zone != 'UTC' else '+00:00'}"
    hours, rest = divmod(abs(int(minutes)), 60)
    return f"{text}{fraction}{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def draw_table(world: World, count: int, rng: np.random.Generator, stratum: str) -> pd.DataFrame:
    """Draw rows of a stratum."""
    draft = Draft(world, count, rng, world.periods.live)
    STRATA[stratum](draft)
    return draft.table()


def as_requests(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a table into request bodies with Python's own types."""
    records = table[list(FIELDS)].to_dict("records")
    for record in records:
        record["income"] = None if pd.isna(record["income"]) else record["income"]
        record["customer_id"] = int(record["customer_id"])
    return records


def draw_labelled(world: World, count: int, rng: np.random.Generator, period: str) -> pd.DataFrame:
    """Draw the ordinary mixture of rows in a period, and what came of them."""
    draft = Draft(world, count, rng, getattr(world.periods, period))
    _mixed(draft)
    table = draft.table()
    log_odds = _log_odds(draft, table)
    return table.assign(late=(rng.random(count) < 1 / (1 + np.exp(-log_odds))).astype("int64"))


def _log_odds(draft: Draft, table: pd.DataFrame) -> np.ndarray:
    world, risk = draft.world, draft.world.risk
    hour, weekday = local_hour_and_weekday(draft.times(), table["tz"])
    value = value_as_of(draft.times(), table["customer_id"], world.aggregates).fillna(6.0).to_numpy()
    effects = risk.segments | {name: risk.segments[into] for name, into in world.merged.items()}
    names = {segment: normalise(segment) for segment in table["segment"].unique()}
    segment = table["segment"].map(names).map(effects).fillna(risk.unseen).to_numpy()
    amount = np.log(draft.eur) - 4.1
    return (
        risk.base
        + risk.amount * amount
        - risk.income * (np.log(draft.true_income) - 10.5) / 0.55
        + risk.value * (np.log1p(value) - 2.0)
        + np.take(risk.hour, hour) * (1 + 0.3 * np.tanh(amount))
        + np.take(risk.weekday, weekday)
        + segment
    )


def _zone_offsets(draft: Draft) -> np.ndarray:
    """Minutes east of UTC of every row's own zone at its own time."""
    minutes = np.zeros(draft.count, dtype="int64")
    times = draft.times()
    for zone in np.unique(draft.tz.astype(str)):
        here = draft.tz == zone
        local = times[here].dt.tz_convert(zone)
        minutes[here] = (local.dt.tz_localize(None) - times[here].dt.tz_localize(None)).dt.total_seconds() // 60
    return minutes


def _write_in_any_offset(draft: Draft) -> None:
    """`ts` may be written with the offset of its zone, with that of another place, or in UTC."""
    anywhere = draft.rng.choice([-480, -300, 60, 120, 330, 540], draft.count)
    style = draft.rng.integers(0, 3, draft.count)
    draft.written = np.select([style == 0, style == 1], [_zone_offsets(draft), anywhere], 0)


def _plain(draft: Draft) -> None:
    """Local time is UTC, amounts in euros, a known segment in its usual spelling, a customer with settled values."""


def _local_hour(draft: Draft) -> None:
    draft.tz = draft.rng.choice(draft.world.zones, draft.count).astype(object)
    for _ in range(20):  # until no zone happens to have the hour of UTC
        level = _zone_offsets(draft) == 0
        draft.tz[level] = draft.rng.choice(draft.world.zones, int(level.sum()))
    _write_in_any_offset(draft)


def _dst(draft: Draft) -> None:
    """Zones that change their clocks: half of the rows around a change, the other half in summer time."""
    changes = {zone: _changes(zone, draft.world.periods.live) for zone in draft.world.changing_zones}
    draft.tz = draft.rng.choice(draft.world.changing_zones, draft.count).astype(object)
    for place, zone in enumerate(draft.tz):
        moments, summer = changes[zone]
        if draft.rng.random() < 0.5:
            draft.utc[place] = draft.rng.choice(moments) * MICROSECONDS
            draft.utc[place] += draft.rng.integers(-3 * 3600, 3 * 3600) * MICROSECONDS
        else:
            draft.utc[place] = draft.rng.choice(summer) * MICROSECONDS + draft.rng.integers(0, 3600 * MICROSECONDS)
    _write_in_any_offset(draft)


def _changes(zone: str, period: tuple[datetime, datetime]) -> tuple[np.ndarray, np.ndarray]:
    """Seconds at which a zone changes its clocks, and whole hours in its summer time."""
    hours = np.arange(int(period[0].timestamp()), int(period[1].timestamp()), 3600)
    info = ZoneInfo(zone)
    local = [datetime.fromtimestamp(int(each), info) for each in hours]
    offsets = np.array([each.utcoffset().total_seconds() for each in local])
    summer = np.array([bool(each.dst()) for each in local])
    return hours[1:][np.diff(offsets) != 0], hours[summer]


def _null_income(draft: Draft) -> None:
    draft.has_income[:] = False


def _messy_segment(draft: Draft) -> None:
    draft.segment = np.array([misspell(each, draft.rng) for each in draft.segment], dtype=object)


def _merged_segment(draft: Draft) -> None:
    draft.segment = draft.rng.choice(list(draft.world.merged), draft.count).astype(object)


def _unseen_segment(draft: Draft) -> None:
    numbers = draft.rng.integers(1, 99, draft.count)
    names = draft.rng.choice(draft.world.unseen, draft.count)
    new = draft.rng.random(draft.count) < 0.3
    draft.segment = np.where(new, [f"pilot {each}" for each in numbers], names).astype(object)


def misspell(name: str, rng: np.random.Generator) -> str:
    """Write a segment in another way that normalise() undoes, and that is never its usual spelling."""
    ways: Sequence[Callable[[str], str]] = (
        str.upper,
        str.title,
        lambda text: f"  {text} ",
        lambda text: f"{text}\t",
        lambda text: text.replace(" ", "_").capitalize(),
        lambda text: text.replace(" ", "-").upper(),
        lambda text: text.replace(" ", "  ") + " ",
        lambda text: unicodedata.normalize("NFD", text).title(),
        lambda text: text.replace(" ", "\u00a0").title(),
        lambda text: "".join(chr(ord(each) + 0xFEE0) if "a" <= each <= "z" else each for each in text),
    )
    while True:
        text = ways[rng.integers(len(ways))](name)
        if text != name and normalise(text) == name:
            return text


def _currency(draft: Draft) -> None:
    draft.currency = draft.rng.choice(CURRENCIES[1:], draft.count).astype(object)


def _customer_unknown(draft: Draft) -> None:
    """Customers that the table does not know, and known ones before their first value."""
    known = draft.world.aggregates["customer_id"]
    others = draft.rng.integers(1_000_000, 2**40, draft.count)
    early = draft.some(0.4)
    first = draft.world.aggregates.groupby("customer_id")["as_of"].min()
    draft.customer = np.where(early, draft.rng.choice(known.to_numpy(), draft.count), others)
    micros = first.astype("int64").reindex(draft.customer).to_numpy()
    before = micros - draft.rng.integers(1, 40 * 86_400, draft.count) * MICROSECONDS
    draft.utc = np.where(early, before, draft.utc).astype("int64")


def _customer_asof(draft: Draft) -> None:
    """A value dated after the row exists; a tenth of the rows are at the very instant of a value."""
    world = draft.world
    dated = world.aggregates.assign(micros=world.aggregates["as_of"].astype("int64")).sort_values("micros")
    ranks = dated.groupby("customer_id").cumcount()
    following = dated.groupby("customer_id")["micros"].shift(-1)
    usable = dated[(ranks < 5) & (following - dated["micros"] > 2 * MICROSECONDS)]
    chosen = usable.iloc[draft.rng.integers(0, len(usable), draft.count)]
    begin, end = chosen["micros"].to_numpy(), following.loc[chosen.index].to_numpy().astype("int64")
    draft.customer = chosen["customer_id"].to_numpy()
    between = begin + (draft.rng.random(draft.count) * (end - begin - MICROSECONDS)).astype("int64")
    draft.utc = np.where(draft.some(0.1), begin, between)


def _amounts(draft: Draft) -> None:
    """Huge and tiny amounts, down to where multiplying by a rate would give zero."""
    exponents = np.where(draft.some(0.5), draft.rng.uniform(5, 15, draft.count), draft.rng.uniform(-9, -1, draft.count))
    amount = np.round(10.0**exponents, 12) + 1e-12
    extreme = draft.some(0.2)
    amount[extreme] = draft.rng.choice([1e300, 1.7e308, 5e-324, 3e-310, 1e-300], int(extreme.sum()))
    draft.amount = amount
    draft.currency = draft.rng.choice(CURRENCIES, draft.count).astype(object)


def _number_formats(draft: Draft) -> None:
    """Amounts and incomes that can be written in many ways; `as_text` does so."""
    draft.amount = np.where(draft.some(0.5), np.ceil(draft.eur), np.round(draft.eur, 2) + 0.01)
    draft.true_income = np.round(draft.true_income, -2)


def as_text(row: dict[str, Any], rng: Any) -> str:
    """JSON text of a request whose numbers are written as integers, with exponents or with needless zeros."""
    draw = generator(rng)
    parts = [f"{json.dumps(name)}: {_number(value, name, draw)}" for name, value in row.items()]
    return "{" + ", ".join(parts) + "}"


def _number(value: Any, name: str, draw: np.random.Generator) -> str:
    if name not in ("amount", "income") or value is None:
        return json.dumps(value, ensure_ascii=bool(draw.integers(2)))
    forms = [
        f"{value!r}",
        f"{value:.17e}",
        f"{value:.17E}".replace("E+0", "E"),
        f"{value!r}000" if value < 1e15 else "",
    ]
    if float(value).is_integer() and value < 1e15:
        forms += [str(int(value)), f"{int(value)}E0", f"{int(value)}0e-1"]
    return next(form for form in draw.permutation([form for form in forms if form]) if float(form) == value)


def _mixed(draft: Draft) -> None:
    """The ordinary mixture: what training data and history look like."""
    _currency_mix(draft)
    draft.tz = np.where(draft.some(0.9), draft.rng.choice(draft.world.zones, draft.count), draft.tz).astype(object)
    _write_in_any_offset(draft)
    draft.has_income = ~draft.some(NULL_INCOME)
    merged, unseen, messy = draft.some(MERGED), draft.some(UNSEEN), draft.some(MESSY)
    usual = draft.segment
    _unseen_segment(draft)
    other = draft.segment
    _merged_segment(draft)
    draft.segment = np.where(unseen, other, np.where(merged, draft.segment, usual)).astype(object)
    for place in np.flatnonzero(messy & ~unseen):
        draft.segment[place] = misspell(draft.segment[place], draft.rng)
    unknown = draft.some(UNKNOWN_CUSTOMER)
    draft.customer = np.where(unknown, draft.rng.integers(1_000_000, 2**40, draft.count), draft.customer)


def _currency_mix(draft: Draft) -> None:
    draft.currency = draft.rng.choice(CURRENCIES, draft.count, p=[0.46, 0.2, 0.19, 0.15]).astype(object)


STRATA: dict[str, Callable[[Draft], None]] = {
    "plain": _plain,
    "local_hour": _local_hour,
    "dst": _dst,
    "null_income": _null_income,
    "messy_segment": _messy_segment,
    "merged_segment": _merged_segment,
    "unseen_segment": _unseen_segment,
    "currency": _currency,
    "customer_unknown": _customer_unknown,
    "customer_asof": _customer_asof,
    "amounts": _amounts,
    "number_formats": _number_formats,
    "mixed": _mixed,
}
