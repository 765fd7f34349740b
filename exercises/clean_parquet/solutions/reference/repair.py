"""Repairs of single values. Each takes a raw value and returns the clean one, or None."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rapidfuzz.distance import Levenshtein

from rules import MOST_CENTS, NOTHING, SHOPS, STATUS_OF, Shop

FIRST = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
END = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
EPOCH = re.compile(r"-?\d+")
PROVIDER = re.compile(r"[A-Z]{3} (\d+)\.(\d\d)")
WEIGHT = re.compile(r"(\d+(?:\.\d+)?) (k?g)")
BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " "})


def moment(raw: str | None, shop: str) -> int | None:
    """Read a moment: microseconds since 1970 UTC, or None when it is no valid one."""
    try:
        found = _moment(raw or "", SHOPS[shop])
    except (ValueError, OverflowError):
        return None
    return found if found is not None and FIRST <= found < END else None


def _moment(text: str, shop: Shop) -> int | None:
    if ISO.fullmatch(text):
        return _micros(datetime.fromisoformat(text))
    if EPOCH.fullmatch(text):
        return int(text) * 1000
    pattern = r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d" + ("" if shop.day_first else " [AP]M")
    if not re.fullmatch(pattern, text):
        return None
    form = "%d/%m/%Y %H:%M:%S" if shop.day_first else "%m/%d/%Y %I:%M:%S %p"
    return _micros(datetime.strptime(text, form).replace(tzinfo=ZoneInfo(shop.zone)))


def _micros(when: datetime) -> int:
    return int(when.timestamp()) * 1_000_000


def cents(raw: str | None, shop: str) -> int | None:
    """Read an amount text: hundredths, or None when it cannot be read or is out of range."""
    text = (raw or "").translate(BLANKS).strip()
    habits = SHOPS[shop]
    match = PROVIDER.fullmatch(text)
    if match is None:
        text = text.removeprefix("$") if shop == "brook" else text.removesuffix("€").rstrip(" ")
        whole = rf"(\d{{1,3}}(?:{re.escape(habits.thousands)}\d{{3}})+|\d+)"
        match = re.fullmatch(whole + re.escape(habits.decimal) + r"(\d\d)", text)
    if match is None:
        return None
    found = int(match[1].replace(habits.thousands, "")) * 100 + int(match[2])
    return found if 1 <= found <= MOST_CENTS else None


def grams(raw: str | None) -> float | None:
    """Read a weight with its unit, in grams."""
    if raw is None or raw.strip().lower() in NOTHING:
        return None
    match = WEIGHT.fullmatch(raw.strip())
    if match is None:
        return None
    return round(float(match[1]) * (1000 if match[2] == "kg" else 1), 6)


def status(raw: str | None) -> str | None:
    """Look a status up; a word that is not in the table has one typing error."""
    word = (raw or "").strip().lower()
    if word in STATUS_OF:
        return STATUS_OF[word]
    near = {found for known, found in STATUS_OF.items() if Levenshtein.distance(word, known, score_cutoff=1) == 1}
    return near.pop() if len(near) == 1 else None


def city(raw: str | None) -> str | None:
    """Undo wrong decoding, special blanks and decomposed letters."""
    if raw is None:
        return None
    text = raw
    try:
        if not text.isascii():
            text = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        text = raw
    text = unicodedata.normalize("NFC", text.replace("\u00a0", " ").strip(" "))
    return None if text.lower() in NOTHING else text
