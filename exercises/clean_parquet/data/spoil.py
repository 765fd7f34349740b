"""Values that cannot be repaired: what sends a row to quarantine."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from cells import grouped, local_text, write_nothing
from orders import FileHabits
from vocabulary import END_SECOND, FIRST_SECOND, MOST_QTY, NOTHING_TEXT, SHOPS, Shop
from world import World

DAY = 86_400


def bad_date(draw: random.Random, shop: Shop) -> object:
    """Write something that is no valid moment."""
    moment = datetime.fromtimestamp(draw.randrange(FIRST_SECOND + DAY, END_SECOND - DAY), UTC)
    clock = moment.strftime("%H:%M:%S" if shop.day_first else "%I:%M:%S %p")
    day, month = draw.choice(((31, 2), (30, 2), (31, 4), (31, 11)))
    swapped = (draw.randrange(1, 13), draw.randrange(13, 29))  # legal only in the other shop's order
    first, second = (day, month) if shop.day_first else (month, day)
    outside = draw.choice(
        (0, -draw.randrange(DAY, 300 * DAY), 4_102_444_799, END_SECOND + draw.randrange(DAY, 900 * DAY))
    )
    forms = (
        f"{first:02d}/{second:02d}/{moment.year} {clock}",
        f"{swapped[0]:02d}/{swapped[1]:02d}/{moment.year} {clock}"
        if shop.day_first
        else f"{swapped[1]:02d}/{swapped[0]:02d}/{moment.year} {clock}",
        f"{moment.year}-02-30T{moment:%H:%M:%S}Z",
        datetime.fromtimestamp(outside, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime.fromtimestamp(outside, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        local_text(outside, shop),
        str(outside * 1000),
        draw.choice((*NOTHING_TEXT, None)),
    )
    return draw.choice(forms)


def bad_amount(draw: random.Random, shop: Shop, kind: str) -> object:
    """Write something that is no valid amount, in the type of the file's column."""
    if kind in ("cents", "units"):
        factor = 100 if kind == "cents" else 1
        return draw.choice((-1, 9_999_999, 0, None, -draw.randrange(2, 900), draw.randrange(20_001, 90_000) * factor))
    if kind == "double":
        return draw.choice((-1.0, 9_999_999.0, 0.0, None, float("nan"), -12.5, draw.randrange(20_001, 90_000) / 1.0))
    number = draw.randrange(1000, 90_000)
    other = "," if shop.decimal == "." else "."
    return draw.choice(
        (
            write_nothing(draw, text=True),
            None,
            f"{number // 100}{other}{number % 100:02d}",  # the other shops' decimal mark: not one of the ways
            f"{number // 100}{shop.decimal}{number % 100:02d}{shop.decimal}{number % 90 + 10}",
            f"-{grouped(number, '', shop.decimal)}",
            grouped(0, "", shop.decimal),
            grouped(2_000_001 + number * 10, "", shop.decimal),
            draw.choice(("free", "tbd", "see invoice", "--", "#REF!", shop.currency)),
        )
    )


def bad_qty(draw: random.Random, kind: str, *, nested: bool) -> object:
    """Write something that is no valid quantity, in the type of the file's column."""
    whole = draw.choice((0, -1, 9_999_999, -draw.randrange(2, 50), MOST_QTY + draw.randrange(1, 900), None))
    if kind != "double" or nested:
        return whole
    return draw.choice((None if whole is None else float(whole), draw.randrange(1, 40) + 0.5, float("nan")))


def bad_customer(draw: random.Random, world: World) -> object:
    """Name a customer that does not exist."""
    if draw.random() < 0.7:
        return draw.choice(world.strangers)
    return draw.choice((*NOTHING_TEXT, None))


def spoil(draw: random.Random, reason: str, file: FileHabits, world: World) -> tuple[str, str, object]:
    """Draw a value that sends a row to quarantine.

    Returns:
        The raw column, the output column, and the raw value.
    """
    shop = SHOPS[file.shop]
    if reason == "bad_date":
        return "ordered_at", "ts_utc", bad_date(draw, shop)
    if reason == "bad_amount":
        return "amount", "amount", bad_amount(draw, shop, file.amount)
    if reason == "bad_qty":
        return "qty", "qty", bad_qty(draw, file.qty, nested=file.nested)
    return "customer_id", "customer_id", bad_customer(draw, world)
