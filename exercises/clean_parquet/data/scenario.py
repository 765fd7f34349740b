"""One data set row by row: true orders, their raw rows, spoiled values, copies, states and pairs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from cells import write_number, write_order
from layout import plan_files
from orders import FileHabits, Order, Row
from spoil import spoil
from vocabulary import CITIES, CURRENCIES, END_SECOND, FIRST_SECOND, MOST_CENTS, REASONS, SHOPS, STATUSES
from world import World, chance

SHARES = {"spoiled": 0.026, "twice": 0.04, "redelivery": 0.032, "versions": 0.055, "fallback": 0.004, "pair": 0.032}
"""Shares of the rows: spoiled for each reason (`twice` of them for a second one), and groups of each kind."""

MICRO = 1_000_000
HOUR = 3600 * MICRO


def make_rows(
    seed: int, stream: str, world: World, orders: int, shares: Mapping[str, float] = SHARES
) -> tuple[tuple[FileHabits, ...], list[Row]]:
    """Make all raw rows of one data set.

    Args:
        seed: The variant's seed.
        stream: Name of the data set; other names give other data of the same world.
        world: The variant's parameters.
        orders: About how many orders there are.
        shares: As `SHARES`.
    """
    draw = chance(seed, stream)
    files = plan_files(draw, orders)
    numbers = iter(draw.sample(range(1, 1_000_000), sum(file.rows for file in files)))
    rows = [first_row(draw, file, world, next(numbers)) for file in files for _ in range(file.rows)]
    _spoil_some(draw, rows, world, shares["spoiled"])
    usual = [row for row in rows if not row.file.drifted and not row.reason]
    draw.shuffle(usual)
    sizes = {kind: round(len(rows) * shares[kind]) for kind in ("redelivery", "versions", "fallback")}
    taken = iter(usual)
    again = [next(taken) for _ in range(sizes["redelivery"])]
    older = [next(taken) for _ in range(sizes["versions"])]
    newer = [next(taken) for _ in range(sizes["fallback"])]
    pairs = round(len(rows) * shares["pair"])
    rows += _redeliver(draw, again, files)
    rows += _older_states(draw, older, files, world)
    rows += _newer_but_spoiled(draw, newer, files, world)
    _pair_up(draw, list(taken), pairs, world)
    _place(draw, rows)
    return files, rows


def make_order(draw: random.Random, file: FileHabits, world: World, number: int) -> Order:
    """Draw one true order that fits the file it will stand in."""
    shop, rates = SHOPS[file.shop], world.rates
    cents = _cents(draw, file)
    foreign = draw.random() < rates["foreign_currency"] and "currency" not in file.absent
    weightless = draw.random() < rates["weight_nothing"] + rates["weight_null"] or "weight" in file.absent
    nowhere = draw.random() < rates["city_nothing"] + rates["city_null"] or "city" in file.absent
    second = draw.randrange(FIRST_SECOND, END_SECOND)
    if draw.random() < 0.004:  # the edges of the valid range, where local and UTC dates part
        second = draw.choice((FIRST_SECOND, END_SECOND - 14_400)) + draw.randrange(14_400)
    return Order(
        shop=file.shop,
        number=number,
        second=second,
        cents=cents,
        currency=draw.choice([each for each in CURRENCIES if each != shop.currency]) if foreign else shop.currency,
        qty=draw.randrange(1, 13) if draw.random() < 0.93 else draw.randrange(13, 501),
        weight=None if weightless else draw.randrange(5, 60_000),
        status=draw.choice(STATUSES),
        city=None if nowhere else draw.choice(CITIES[file.shop]),
        sku=draw.choice(world.skus),
        customer=draw.choice(world.customers),
    )


def _cents(draw: random.Random, file: FileHabits) -> int:
    """Draw an amount.

    Amounts written as cents are small, so that read as units they are still in the valid range: then only the
    file's metadata tell them apart, and a program that does not look gets wrong values, not fewer rows.
    """
    middle, most = (8.4, MOST_CENTS // 100) if file.amount == "cents" else (10.3, MOST_CENTS)
    cents = max(50, round(draw.lognormvariate(middle, 1.6)))
    while cents >= most:
        cents = max(50, round(draw.lognormvariate(middle, 1.6)))
    return max(100, cents // 100 * 100) if file.amount == "units" else cents


def first_row(draw: random.Random, file: FileHabits, world: World, number: int) -> Row:
    """Draw an order and write it."""
    order = make_order(draw, file, world, number)
    delay = draw.randrange(600 * MICRO, 72 * HOUR)
    return _written(draw, order, file, world, order.second * MICRO + delay)


def _written(draw: random.Random, order: Order, file: FileHabits, world: World, ingested: int) -> Row:
    cells, defects = write_order(draw, order, file, world)
    return Row(order=order, file=file, ingested=ingested, cells=cells, defects=defects)


def spoil_row(draw: random.Random, row: Row, reason: str, world: World) -> None:
    """Replace one value by one that sends the row to quarantine."""
    column, output, value = spoil(draw, reason, row.file, world)
    row.cells[column] = value
    row.defects[output] = reason
    # The first reason in the order of RULES.md section 4 is the one that counts.
    row.reason = min((each for each in (row.reason, reason) if each), key=REASONS.index)


def _spoil_some(draw: random.Random, rows: list[Row], world: World, share: float) -> None:
    count = round(len(rows) * share)
    chosen = draw.sample(rows, count * len(REASONS))
    for place, row in enumerate(chosen):
        spoil_row(draw, row, REASONS[place % len(REASONS)], world)
        if draw.random() < SHARES["twice"]:
            spoil_row(draw, row, draw.choice(REASONS), world)


def _redeliver(draw: random.Random, rows: list[Row], files: tuple[FileHabits, ...]) -> list[Row]:
    """Copy rows, most of them into a twin file, so that a program must look across files."""
    copies = []
    for group_id, row in enumerate(rows):
        twins = [file for file in files if not file.drifted and file.twin_key == row.file.twin_key]
        other = [file for file in twins if file.name != row.file.name]
        file = draw.choice(other) if draw.random() < 0.8 else row.file
        row.group, row.group_id = "redelivery", group_id
        copies.append(replace(row, file=file, cells=dict(row.cells), defects=dict(row.defects)))
    return copies


def _other_number(draw: random.Random, row: Row, newest: Row, world: World) -> None:
    """Make most states of an order name it in another form than the newest one does."""
    same = draw.random() < 0.2
    for _ in range(50):
        if same or row.cells["order_no"] != newest.cells["order_no"]:
            return
        row.cells["order_no"], _ = write_number(draw, row.order.number, world.rates)


def _older_states(draw: random.Random, rows: list[Row], files: tuple[FileHabits, ...], world: World) -> list[Row]:
    """Add older states, as many before the newest one in file order as after it."""
    made = []
    surplus = 0  # single older states after the newest one, less those before it
    for group_id, row in enumerate(rows):
        row.group, row.group_id = "versions", group_id
        usual = [file for file in files if not file.drifted and file.shop == row.file.shop]
        before = [file for file in usual if file.name < row.file.name]
        after = [file for file in usual if file.name > row.file.name]
        # Older states on both sides now and then: then neither the first nor the last one is right. Else on
        # the side that has fewer so far, so that neither is the better guess.
        if group_id % 6 == 0 and before and after:
            sides = [before, after]
        else:
            sides = [after if after and (surplus < 0 or not before) else before]
            surplus += 1 if sides[0] is after else -1
        for side in sides:
            older = _state(draw, row, draw.choice(side), world)
            older.ingested = row.ingested - draw.randrange(HOUR, 400 * HOUR)
            made.append(older)
    return made


def _state(draw: random.Random, row: Row, file: FileHabits, world: World) -> Row:
    fresh = make_order(draw, file, world, row.order.number)
    order = replace(fresh, second=row.order.second, customer=row.order.customer, sku=row.order.sku)
    state = _written(draw, order, file, world, row.ingested)
    state.group, state.group_id = row.group, row.group_id
    _other_number(draw, state, row, world)
    return state


def _newer_but_spoiled(draw: random.Random, rows: list[Row], files: tuple[FileHabits, ...], world: World) -> list[Row]:
    """Add newer states that belong in quarantine, so that the newest valid state is not the newest one."""
    made = []
    for group_id, row in enumerate(rows):
        row.group, row.group_id = "fallback", group_id
        usual = [file for file in files if not file.drifted and file.shop == row.file.shop]
        newer = _state(draw, row, draw.choice(usual), world)
        newer.ingested = row.ingested + draw.randrange(HOUR, 400 * HOUR)
        spoil_row(draw, newer, draw.choice(REASONS), world)
        made.append(newer)
    return made


def _pair_up(draw: random.Random, free: list[Row], pairs: int, world: World) -> None:
    """Give two orders of different shops the same number."""
    by_shop = {name: [row for row in free if row.file.shop == name] for name in SHOPS}
    for group_id in range(pairs):
        one, two = draw.sample([name for name, rows in by_shop.items() if rows], 2)
        first, second = by_shop[one].pop(), by_shop[two].pop()
        for row in (first, second):
            row.group, row.group_id = "pair", group_id
        second.order = replace(second.order, number=first.order.number)
        raw, defect = write_number(draw, second.order.number, world.rates)
        second.cells["order_no"] = raw
        second.defects.pop("order_no", None)
        if defect:
            second.defects["order_no"] = defect


def _place(draw: random.Random, rows: list[Row]) -> None:
    """Shuffle every file and number its rows, so that a row's place tells nothing."""
    draw.shuffle(rows)
    counts: dict[str, int] = {}
    for row in rows:
        row.position = counts.get(row.file.name, 0)
        counts[row.file.name] = row.position + 1
    rows.sort(key=lambda row: (row.file.name, row.position))
