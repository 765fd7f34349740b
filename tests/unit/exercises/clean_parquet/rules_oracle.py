"""RULES.md put into code once more, slowly and by somebody who has not seen the generator.

Tables are read out of RULES.md itself, so that the page and the data cannot part. Every repair asserts that
the rules leave exactly one reading.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

FIRST, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
CENT = Decimal("0.01")


def table_of(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the Markdown table whose first heading is `heading`."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def words(cell: str) -> list[str]:
    """Return what stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


class Rules:
    """The tables of RULES.md."""

    def __init__(self, text: str) -> None:
        """Read them."""
        self.zones, self.day_first, self.marks, self.home = {}, {}, {}, {}
        for shop, zone, dates, marks, home in table_of(text, "shop"):
            name = words(shop)[0]
            self.zones[name], self.home[name] = ZoneInfo(zone), home
            self.day_first[name] = words(dates)[0].startswith("DD/MM")
            decimal, thousands = (part.strip() for part in marks.split("/"))
            self.marks[name] = (words(decimal)[0], words(thousands)[0] if words(thousands) else " ")
        self.names = {
            other: words(column)[0]
            for column, others, *_ in table_of(text, "Column")
            if words(column)
            for other in [words(column)[0], *words(others)]
        }
        self.statuses = {
            word: words(status)[0]
            for status, others in table_of(text, "status")
            for word in [words(status)[0], *(each.strip() for each in others.split(","))]
        }
        self.reasons = [words(row[0])[0] for row in table_of(text, "reason")]


def is_nothing(value: object) -> bool:
    """RULES.md 2.3."""
    if value is None or value != value:
        return True
    if isinstance(value, str):
        return value.strip().lower() in ("n/a", "unknown", "", "-1", "9999999")
    return value in (-1, 9999999)


def moment(rules: Rules, shop: str, text: object) -> datetime | None:
    """RULES.md 3.2."""
    if is_nothing(text):
        return None
    try:
        found = _moment(rules, shop, str(text))
    except (ValueError, OverflowError):
        return None
    return found if found is not None and FIRST <= found < END else None


def _moment(rules: Rules, shop: str, text: str) -> datetime | None:
    if re.fullmatch(r"-?[0-9]+", text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
    if match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(Z|([+-])(\d\d):(\d\d))", text):
        when = datetime(*(int(part) for part in match.groups()[:6]), tzinfo=UTC)
        if match[7] == "Z":
            return when
        shift = timedelta(hours=int(match[9]), minutes=int(match[10]))
        return when - shift if match[8] == "+" else when + shift
    tail = "" if rules.day_first[shop] else r" (AM|PM)"
    match = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)" + tail, text)
    if match is None:
        return None
    one, two, year, hour, minute, second = (int(part) for part in match.groups()[:6])
    day, month = (one, two) if rules.day_first[shop] else (two, one)
    if tail:
        assert 1 <= hour <= 12
        hour = hour % 12 + (12 if match[7] == "PM" else 0)
    local = datetime(year, month, day, hour, minute, second, tzinfo=rules.zones[shop])
    assert local.utcoffset() == local.replace(fold=1).utcoffset(), f"{text} is ambiguous or does not exist in {shop}"
    return local.astimezone(UTC)


def amount(rules: Rules, shop: str, raw: object, in_cents: bool) -> Decimal | None:
    """RULES.md 3.3."""
    if is_nothing(raw):
        return None
    if isinstance(raw, str):
        found = _amount(rules, shop, raw)
    elif in_cents:
        found = Decimal(str(raw)) / 100
    else:
        found = Decimal(repr(raw)).quantize(CENT, ROUND_HALF_UP)
    return found if found is not None and CENT <= found <= 20000 else None


def _amount(rules: Rules, shop: str, raw: str) -> Decimal | None:
    text = raw.replace("\u00a0", " ").replace("\u202f", " ")
    if match := re.fullmatch(r"(EUR|USD|GBP) ([0-9]+\.[0-9]{2})", text):
        return Decimal(match[2])
    if text.startswith("$"):
        text = text[1:]
    elif text.endswith("€"):
        text = text[:-1].rstrip(" ")
    decimal, thousands = (re.escape(mark) for mark in rules.marks[shop])
    pattern = rf"([0-9]+|[0-9]{{1,3}}({thousands}[0-9]{{3}})+){decimal}([0-9]{{2}})"
    match = re.fullmatch(pattern, text)
    return Decimal(re.sub("[^0-9]", "", match[1]) + "." + match[3]) if match else None


def quantity(raw: object) -> int | None:
    """RULES.md 3.5."""
    if is_nothing(raw) or float(raw) != int(raw):  # type: ignore[arg-type]
        return None
    return int(raw) if 1 <= raw <= 500 else None  # type: ignore[call-overload,operator]


def grams(raw: object, unit: object) -> float | None:
    """RULES.md 3.6."""
    if is_nothing(raw):
        return None
    if isinstance(raw, str):
        number, unit = raw.strip().split(" ")
        raw = float(number)
    assert unit in ("g", "kg", None)
    return float(Decimal(str(raw)) * (1000 if unit == "kg" else 1))


def near(one: str, two: str) -> bool:
    """Tell whether inserting, leaving out or replacing one letter turns one word into the other."""
    if abs(len(one) - len(two)) > 1 or one == two:
        return False
    short, long = sorted((one, two), key=len)
    same = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[same + (len(short) == len(long)) :] == long[same + 1 :]


def status(rules: Rules, raw: str) -> str:
    """RULES.md 3.7."""
    word = raw.strip().lower()
    if word in rules.statuses:
        return rules.statuses[word]
    found = {rules.statuses[known] for known in rules.statuses if near(word, known)}
    assert len(found) == 1, f"{raw!r} could be any of {found}"
    return found.pop()


def city(raw: str | None) -> str | None:
    """RULES.md 3.8."""
    if raw is None:
        return None
    text = raw
    if not text.isascii():
        try:
            text = text.encode("cp1252").decode("utf-8")
        except UnicodeError:
            text = raw
    text = unicodedata.normalize("NFC", text.replace("\u00a0", " ").strip(" "))
    return None if is_nothing(text) else text


def number(raw: str) -> str:
    """RULES.md 3.1."""
    digits = re.sub(r"^(ord-|#)", "", raw.strip(" "), flags=re.IGNORECASE)
    assert re.fullmatch(r"[0-9]+", digits)
    return f"{int(digits):07d}"


@dataclass(kw_only=True)
class Judged:
    """One raw row by the rules: its clean values, or the reason for quarantine."""

    file: str
    row: int
    ingested: datetime
    reason: str
    clean: dict[str, Any]
    fate: str = ""


def judge(rules: Rules, raw: Path) -> list[Judged]:
    """Decide for every row of a data set, in file and row order."""
    customers = set(pq.read_table(raw / "customers.parquet")["customer_id"].to_pylist())
    sold = set(pq.read_table(raw / "products.parquet")["sku"].to_pylist())
    with (raw / "sku_alias.csv").open(encoding="utf-8", newline="") as file:
        replaced = dict(list(csv.reader(file))[1:])
    rows: list[Judged] = []
    for path in sorted((raw / "orders").iterdir()):
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException):
            continue
        metadata = pq.ParquetFile(path).metadata.metadata or {}
        for place, record in enumerate(table.to_pylist()):
            rows.append(_judge_row(rules, path.name, place, record, metadata, customers, sold, replaced))
    best: dict[tuple[str, str], Judged] = {}
    for row in rows:
        key = (row.clean["shop"], row.clean["order_no"])
        if not row.reason and (key not in best or row.ingested > best[key].ingested):
            best[key] = row
    for row in rows:
        kept = best.get((row.clean["shop"], row.clean["order_no"])) is row
        row.fate = "quarantined" if row.reason else "kept" if kept else "duplicate"
    return rows


def _judge_row(
    rules: Rules,
    file: str,
    place: int,
    record: dict[str, Any],
    metadata: dict[bytes, bytes],
    customers: set[str],
    sold: set[str],
    replaced: dict[str, str],
) -> Judged:
    raw = {rules.names[name]: value for name, value in record.items() if name in rules.names}
    shop = raw.get("shop") or metadata[b"shop"].decode()
    sku, qty = raw.get("sku"), raw.get("qty")
    if "lines" in raw:
        sku = raw["lines"][0]["sku"]
        counts = [line["qty"] for line in raw["lines"]]
        qty = None if None in counts else sum(counts)
    while sku not in sold:
        sku = replaced[sku]
    clean = {
        "shop": shop,
        "order_no": number(raw["order_no"]),
        "ts_utc": moment(rules, shop, raw["ordered_at"]),
        "amount": amount(rules, shop, raw["amount"], metadata.get(b"amount_unit") == b"cents"),
        "currency": raw.get("currency", rules.home[shop]),
        "qty": quantity(qty),
        "weight_g": grams(raw.get("weight"), raw.get("weight_unit")),
        "status": status(rules, raw["status"]),
        "city": city(raw.get("city")),
        "sku": sku,
        "customer_id": raw["customer_id"],
    }
    bad = {
        "bad_date": clean["ts_utc"] is None,
        "bad_amount": clean["amount"] is None,
        "bad_qty": clean["qty"] is None,
        "unknown_customer": is_nothing(raw["customer_id"]) or raw["customer_id"] not in customers,
    }
    reason = next((name for name in rules.reasons if bad[name]), "")
    return Judged(file=file, row=place, ingested=raw["ingested_at"], reason=reason, clean=clean)


def report_of(rows: list[Judged]) -> dict[str, int]:
    """Count fates."""
    names = {"kept": "rows_out", "duplicate": "rows_duplicate", "quarantined": "rows_quarantined"}
    return {"rows_in": len(rows)} | {name: sum(row.fate == fate for row in rows) for fate, name in names.items()}


def load_report(folder: Path) -> dict[str, Any]:
    """Read a report."""
    return dict(json.loads((folder / "report.json").read_text(encoding="utf-8")))
