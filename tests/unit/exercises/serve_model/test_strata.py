"""Each stratum holds the trap that it is named after, in every row, and no other."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

ROWS = 200


@pytest.fixture(scope="module")
def draw(world):
    return lambda stratum: world.rows(ROWS, random.Random(f"1/{stratum}"), stratum)


def hours(row):
    moment = datetime.fromisoformat(row["ts"])
    return moment.astimezone(ZoneInfo(row["tz"])).hour, moment.astimezone(UTC).hour


def is_level(row):
    local, utc = hours(row)
    return local == utc


def newest(world, rows):
    """For each row whether its customer is known, and whether a value is dated after the row."""
    dated = world.aggregates.groupby("customer_id")["as_of"]
    first, last = dated.min(), dated.max()
    for row in rows:
        moment, customer = pd.Timestamp(row["ts"]), row["customer_id"]
        known = customer in first.index and first[customer] <= moment
        yield known, known and last[customer] > moment


ORDINARY = {
    "local_hour": is_level,
    "dst": is_level,
    "null_income": lambda row: row["income"] is not None,
    "currency": lambda row: row["currency"] == "EUR",
}
TRAPS = {
    "plain": (), "local_hour": ("local_hour", "dst"), "dst": ("local_hour", "dst"), "null_income": ("null_income",),
    "messy_segment": (), "merged_segment": (), "unseen_segment": (), "currency": ("currency",),
    "customer_unknown": (), "customer_asof": (),
}  # fmt: skip


@pytest.mark.parametrize("stratum", TRAPS)
def test_a_stratum_is_ordinary_in_all_but_its_trap(draw, stratum):
    rows = draw(stratum)
    for name, is_ordinary in ORDINARY.items():
        if name not in TRAPS[stratum]:
            assert all(is_ordinary(row) for row in rows), name


@pytest.mark.parametrize("stratum", ["local_hour", "null_income", "currency"])
def test_a_stratum_has_its_trap_in_every_row(draw, stratum):
    assert not any(ORDINARY[stratum](row) for row in draw(stratum))


def test_segments_are_what_their_stratum_says(draw, data, world):
    normalise = data.featurize.normalise
    for stratum in ("plain", "null_income", "currency", "dst", "customer_asof"):
        assert {row["segment"] for row in draw(stratum)} <= set(world.known), stratum
    messy = [row["segment"] for row in draw("messy_segment")]
    assert not set(messy) & set(world.known)
    assert {normalise(each) for each in messy} <= set(world.known)
    assert {row["segment"] for row in draw("merged_segment")} <= set(world.merged)
    unseen = {normalise(row["segment"]) for row in draw("unseen_segment")}
    assert not unseen & {*world.known, *world.merged}


def test_the_category_map_is_written_as_normalise_writes(data):
    assert [data.featurize.normalise(each) for each in data.world.SEGMENTS] == list(data.world.SEGMENTS)


def test_customers_are_what_their_stratum_says(draw, world):
    assert set(newest(world, draw("plain"))) == {(True, False)}
    assert {known for known, _ in newest(world, draw("customer_unknown"))} == {False}
    assert set(newest(world, draw("customer_asof"))) == {(True, True)}


def test_unknown_customers_are_strange_or_too_early(draw, world):
    known = set(world.aggregates["customer_id"])
    early = [row["customer_id"] in known for row in draw("customer_unknown")]
    assert 0.2 < np.mean(early) < 0.6


def test_some_rows_are_at_the_very_instant_of_a_value(draw, world):
    instants = set(zip(world.aggregates["customer_id"], world.aggregates["as_of"], strict=True))
    exact = [(row["customer_id"], pd.Timestamp(row["ts"])) in instants for row in draw("customer_asof")]
    assert 5 <= sum(exact) <= 50


def test_clock_changes_catch_a_fixed_offset(draw):
    """Whoever takes a zone's winter offset for the whole year is wrong in many rows."""
    wrong = 0
    for row in draw("dst"):
        winter = min(datetime(2024, month, 1, tzinfo=ZoneInfo(row["tz"])).utcoffset() for month in (1, 7))
        moment = datetime.fromisoformat(row["ts"]).astimezone(UTC)
        wrong += (moment + winter).hour != hours(row)[0]
    assert wrong > 0.5 * ROWS


def test_amounts_go_to_the_ends_of_what_a_float_can_be(draw, data, hidden):
    rows = draw("amounts")
    amounts = np.array([row["amount"] for row in rows])
    assert amounts.min() == 5e-324
    assert amounts.max() == 1.7e308
    for version in data.world.VERSIONS:
        assert np.isfinite(data.truth.expected(hidden / "artifacts", rows, version)[0]).all()


def test_texts_say_the_same_in_other_words(draw, data):
    rows = draw("number_formats")
    texts = [data.strata.as_text(row, random.Random(number)) for number, row in enumerate(rows)]
    assert [json.loads(text) for text in texts] == rows
    assert sum("e" in text.split('"amount": ')[1].split(",")[0].lower() for text in texts) > 0.3 * ROWS
    assert all(isinstance(json.loads(text)["amount"], int | float) for text in texts)


def test_ids_are_not_repeated_between_draws(draw):
    ids = [row["request_id"] for stratum in ("plain", "mixed", "dst") for row in draw(stratum)]
    assert len(set(ids)) == 3 * ROWS


def test_both_kinds_of_random_numbers_are_taken(world):
    assert world.rows(3, random.Random(1)) == world.rows(3, random.Random(1))
    assert world.rows(3, np.random.default_rng(1)) == world.rows(3, np.random.default_rng(1))


def test_late_payers_depend_on_what_the_model_sees(world):
    rows = world.labelled(20_000, np.random.default_rng(3))
    assert 0.12 < rows["late"].mean() < 0.4
    rich = rows["income"] > rows["income"].median()
    assert rows["late"][rich].mean() < rows["late"][~rich].mean() - 0.05
