"""Which file has which habits: drawn per variant, within what the checks need."""

from __future__ import annotations

import random
from dataclasses import replace

from orders import FileHabits
from vocabulary import OTHER_NAMES, SHOPS

FILES = 24


def plan_files(draw: random.Random, rows: int) -> tuple[FileHabits, ...]:
    """Draw the habits of all files of one data set, in file order.

    Two thirds of the files have the usual schema. They come in groups of twins, so that an order can be
    delivered again in another file with the same raw values. The rest have a schema of their own.

    Args:
        draw: Source of chance.
        rows: Orders that begin in all files together.
    """
    usual = [habits for group in _twin_groups(draw) for habits in group]
    made = [*usual, *_drifted(draw)]
    draw.shuffle(made)
    mean = rows / FILES
    return tuple(
        replace(habits, name=f"part-{place:02d}.parquet", rows=round(mean * draw.uniform(0.8, 1.2)))
        for place, habits in enumerate(made)
    )


def _twin_groups(draw: random.Random) -> list[list[FileHabits]]:
    shops = list(SHOPS)
    kinds = [("alster", "text", 2), ("brook", "text", 3), ("cigale", "text", 2)]
    homes = [*draw.sample(shops, 3), draw.choice(shops)]
    kinds += [(homes[0], "cents", 2), (homes[1], "cents", 2), (homes[2], "units", 2), (homes[3], "double", 3)]
    quantities = ["int32", "int32", "int64", "int64", "double", "double", "double"]
    weights = ["unit", "unit", "unit", "text", "text", "grams", "grams"]
    draw.shuffle(quantities)
    draw.shuffle(weights)
    return [
        [FileHabits(name="", shop=shop, amount=amount, qty=qty, weight=weight, rows=0)] * count
        for (shop, amount, count), qty, weight in zip(kinds, quantities, weights, strict=True)
    ]


def _drifted(draw: random.Random) -> list[FileHabits]:
    plans: list[tuple[bool, frozenset[str], bool]] = [
        (True, frozenset(), False),
        (True, frozenset(), False),
        (True, frozenset({"currency"}), False),
        (False, frozenset({"shop", "currency"}), False),
        (False, frozenset({"weight", "city"}), False),
        (False, frozenset({"shop"}), True),
        (False, frozenset(), True),
        (True, frozenset({"shop", "currency"}), True),
    ]
    return [_drifted_file(draw, renamed, absent, nested) for renamed, absent, nested in plans]


def _drifted_file(draw: random.Random, renamed: bool, absent: frozenset[str], nested: bool) -> FileHabits:
    gone = absent | ({"sku", "qty"} if nested else frozenset())
    names: dict[str, str] = {}
    if renamed:
        candidates = [column for column in OTHER_NAMES if column not in gone]
        names = {column: draw.choice(OTHER_NAMES[column]) for column in draw.sample(candidates, 6)}
    return FileHabits(
        name="",
        shop=draw.choice(list(SHOPS)),
        amount=draw.choice(("text", "double", "cents", "units")),
        qty=draw.choice(("int32", "int64", "double")),
        weight=draw.choice(("unit", "grams", "text")),
        rows=0,
        names=names,
        absent=absent,
        nested=nested,
    )
