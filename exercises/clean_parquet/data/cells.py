"""How a true value is written into a raw cell, and which defect class that makes it."""

from __future__ import annotations

import random
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

from orders import FileHabits, Order
from vocabulary import NOTHING_NUMBERS, NOTHING_TEXT, SHOPS, STATUS_WORDS, WORD_TO_STATUS, Shop
from world import BASE_RATES, World

Cell = tuple[object, str]
"""A raw value and its defect class; "" when the value is clean."""

NONE = dict.fromkeys(BASE_RATES, 0.0)
"""Rates of a row without defects. Only such rows tell whether a program sets aside what is clean."""

OFFSETS = tuple(minutes for minutes in range(-720, 841, 30) if minutes)


def write_order(
    draw: random.Random, order: Order, file: FileHabits, world: World
) -> tuple[dict[str, object], dict[str, str]]:
    """Write one order as `file` would, with defects drawn at the world's rates.

    Returns:
        Raw values by canonical input column, and defect classes by output column.
    """
    shop = SHOPS[order.shop]
    rates = NONE if draw.random() < world.rates["flawless"] else world.rates
    made: dict[str, Cell] = {
        "order_no": write_number(draw, order.number, rates),
        "ts_utc": write_time(draw, order.second, shop, rates),
        "amount": write_amount(draw, order, file.amount, rates),
        "status": write_status(draw, order.status, shop, rates),
        "city": write_city(draw, order.city, rates),
        "sku": write_sku(draw, order.sku, world.retired, rates),
    }
    weight, unit, weight_defect = write_weight(draw, order.weight, file.weight, rates)
    cells = {column: value for column, (value, _) in made.items() if column != "ts_utc"}
    cells |= {"ordered_at": made["ts_utc"][0], "weight": weight, "weight_unit": unit}
    cells |= {"shop": order.shop, "currency": order.currency, "customer_id": order.customer}
    cells["qty"] = float(order.qty) if file.qty == "double" else order.qty
    defects = {column: defect for column, (_, defect) in made.items() if defect}
    if weight_defect:
        defects["weight_g"] = weight_defect
    return cells, defects


def write_number(draw: random.Random, number: int, rates: dict[str, float]) -> Cell:
    """Write an order number; its canonical form is seven digits."""
    if draw.random() >= rates["key"]:
        return f"{number:07d}", ""
    forms = (
        f"ord-{number}",
        f"ORD-{number:07d}",
        f"#{number:05d}",
        f"{number}",
        f" {number:07d} ",
        f"Ord-{number:06d}",
    )
    return draw.choice(forms), "key"


def write_time(draw: random.Random, second: int, shop: Shop, rates: dict[str, float]) -> Cell:
    """Write a moment in one of the four forms."""
    local = local_text(second, shop)
    # Only a day up to 12 can be mistaken for a month, so such days are made the common case of local text, and
    # shops that write the day first its common source.
    factor = 0.6 if not shop.day_first else 1.7 if int(local[:2]) <= 12 else 0.25
    share = rates["local"] * factor
    point = draw.random()
    if point < rates["offset"] or is_ambiguous(second, shop.zone):
        offset = timezone(timedelta(minutes=draw.choice(OFFSETS)))
        return datetime.fromtimestamp(second, offset).isoformat(timespec="seconds"), "offset"
    if point < rates["offset"] + rates["epoch"]:
        return str(second * 1000), "epoch"
    if point < rates["offset"] + rates["epoch"] + share:
        return local, "local"
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), ""


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone; looked up once."""
    return ZoneInfo(name)


def local_text(second: int, shop: Shop) -> str:
    """Write a moment as the shop's clocks and calendars show it."""
    moment = datetime.fromtimestamp(second, zone(shop.zone))
    if shop.day_first:
        return moment.strftime("%d/%m/%Y %H:%M:%S")
    return moment.strftime("%m/%d/%Y %I:%M:%S ") + ("AM" if moment.hour < 12 else "PM")


def is_ambiguous(second: int, name: str) -> bool:
    """Tell whether the local time of this moment occurs twice."""
    moment = datetime.fromtimestamp(second, zone(name))
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def grouped(cents: int, thousands: str, decimal: str) -> str:
    """Write an amount with marks."""
    return f"{cents // 100:,}".replace(",", thousands) + f"{decimal}{cents % 100:02d}"


def write_amount(draw: random.Random, order: Order, kind: str, rates: dict[str, float]) -> Cell:
    """Write an amount as the file's kind asks."""
    if kind == "double":
        return order.cents / 100, ""
    if kind == "cents":
        return order.cents, "cents"
    if kind == "units":
        return order.cents // 100, "units"
    shop, cents = SHOPS[order.shop], order.cents
    if draw.random() < rates["provider"]:
        return f"{order.currency} {cents // 100}.{cents % 100:02d}", "money_text"
    plain = grouped(cents, "", shop.decimal)
    blank = draw.choice((" ", "\u00a0", "\u202f"))
    thousands = blank if shop.thousands == " " else shop.thousands
    marked = grouped(cents, thousands, shop.decimal)
    signed = order.currency == shop.currency
    if shop.decimal == ".":
        if draw.random() >= rates["dot_mixed"]:
            return plain, ""
        text = f"${marked}" if signed and draw.random() < 0.5 else marked
        return text, "" if text == plain else "money_text"
    if draw.random() >= rates["comma_mixed"]:
        return plain, "comma"
    text = f"{marked}{blank}€" if signed and draw.random() < 0.6 else marked
    return text, "comma" if text == plain else "money_text"


def write_weight(
    draw: random.Random, grams: int | None, kind: str, rates: dict[str, float]
) -> tuple[object, str | None, str]:
    """Write a weight; returns the value, the unit column's value and the defect class."""
    unit = draw.choice(("g", "kg"))
    if grams is None:
        if draw.random() < _of(rates, "weight_nothing", "weight_null"):
            return write_nothing(draw, text=kind == "text"), unit, "nothing"
        return None, unit, ""
    kilo = draw.random() < rates["kg"]
    if kind == "grams":
        return float(grams), None, ""
    if kind == "unit":
        return (grams / 1000, "kg", "unit") if kilo else (float(grams), "g", "")
    text = f"{grams / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{text} kg" if kilo else f"{grams} g", None, "unit"


def _of(rates: dict[str, float], one: str, other: str) -> float:
    both = rates[one] + rates[other]
    return rates[one] / both if both else 0.0


def write_nothing(draw: random.Random, *, text: bool) -> object:
    """Write one of the values that stand for nothing."""
    number = draw.choice(NOTHING_NUMBERS)
    if not text:
        return float(number)
    word = draw.choice((*NOTHING_TEXT, *NOTHING_TEXT, str(number)))
    return draw.choice((word, word, word.upper(), word.lower(), f" {word} "))


def write_status(draw: random.Random, status: str, shop: Shop, rates: dict[str, float]) -> Cell:
    """Write a status: in another case or language, or with one typing error."""
    point = draw.random()
    if point < rates["typo"]:
        return _mistyped(draw, status), "typo"
    if point < rates["typo"] + rates["case"]:
        return draw.choice((status.upper(), status.title(), f" {status} ", f"{status.title()} ")), "synonym"
    if point < rates["typo"] + rates["case"] + rates["synonym"]:
        word = draw.choice(STATUS_WORDS[status][shop.language])
        return draw.choice((word, word, word.title(), word.upper())), "synonym"
    return status, ""


def _mistyped(draw: random.Random, status: str) -> str:
    others = [word for words in STATUS_WORDS[status].values() for word in words]
    # Mostly the plain word, so that a program without the synonyms still shows what it knows of typing errors.
    word = status if draw.random() < 0.9 else draw.choice(others)
    while True:
        place, letter = draw.randrange(len(word)), chr(draw.randrange(ord("a"), ord("z") + 1))
        cut = draw.choice(((0, letter), (1, letter), (1, "")))
        typed = word[:place] + cut[1] + word[place + cut[0] :]
        # A blank lost at the edge, or another word of the table, would not be a typing error any more.
        if typed not in WORD_TO_STATUS and typed != word and typed == typed.strip():
            return typed


def write_city(draw: random.Random, city: str | None, rates: dict[str, float]) -> Cell:
    """Write a city, perhaps as another program's mistake would."""
    if city is None:
        if draw.random() < _of(rates, "city_nothing", "city_null"):
            word = draw.choice(NOTHING_TEXT)
            return draw.choice((word, word.upper(), word.lower(), f" {word} ")), "nothing"
        return None, ""
    if draw.random() < rates["nbsp"]:
        return (city.replace(" ", "\u00a0") if " " in city else f"{city}\u00a0"), "unicode"
    if city.isascii():
        return city, ""
    point = draw.random() * 0.65  # about two thirds of the names are beyond ASCII
    if point < rates["mojibake"]:
        return city.encode().decode("cp1252"), "mojibake"
    decomposed = unicodedata.normalize("NFD", city)
    if point < rates["mojibake"] + rates["nfd"] and decomposed != city:
        return decomposed, "unicode"
    return city, ""


def write_sku(draw: random.Random, sku: str, retired: dict[str, tuple[str, ...]], rates: dict[str, float]) -> Cell:
    """Write a SKU, perhaps as one that was retired."""
    if sku in retired and draw.random() < rates["alias"]:
        return draw.choice(retired[sku]), "alias"
    return sku, ""
