"""What each distinct status, city and SKU becomes. There are few distinct values, so Python is fast enough."""

import csv
import unicodedata

import pyarrow as pa
import pyarrow.parquet as pq
from rapidfuzz.distance import Levenshtein

WORDS = {
    "pending": ("open", "offen", "ausstehend", "en attente"),
    "paid": ("settled", "bezahlt", "beglichen", "payé", "réglé"),
    "shipped": ("dispatched", "versandt", "verschickt", "expédié"),
    "delivered": ("received", "geliefert", "zugestellt", "livré"),
    "cancelled": ("canceled", "storniert", "annulliert", "annulé"),
    "returned": ("sent back", "retourniert", "zurückgesandt", "retourné"),
}
KNOWN = {word: status for status, others in WORDS.items() for word in (status, *others)}
NOTHING = {"", "n/a", "unknown", "-1", "9999999"}


def statuses(values):
    return [None if value is None else one_status(value) for value in values]


def one_status(value):
    word = unicodedata.normalize("NFC", value.strip().lower())
    if word in KNOWN:
        return KNOWN[word]
    near = (known for known in KNOWN if Levenshtein.distance(word, known, score_cutoff=1) == 1)
    return KNOWN.get(next(near, ""))


def cities(values):
    return [None if value is None else one_city(value) for value in values]


def one_city(value):
    if not value.isascii():
        try:
            value = value.encode("cp1252").decode("utf-8")
        except UnicodeError:
            pass
    value = unicodedata.normalize("NFC", value.replace("\u00a0", " ").strip())
    return None if value.lower() in NOTHING else value


def reference_tables(raw):
    """Customers, and the final SKU of every SKU that is or was sold."""
    customers = pq.read_table(raw / "customers.parquet", columns=["customer_id"])["customer_id"]
    current = set(pq.read_table(raw / "products.parquet", columns=["sku"])["sku"].to_pylist())
    with (raw / "sku_alias.csv").open(encoding="utf-8-sig", newline="") as file:
        replaced = {row["old_sku"]: row["new_sku"] for row in csv.DictReader(file)}
    final = {}
    for sku in sorted(current | set(replaced)):
        target, steps = sku, 0
        while target not in current and target in replaced and steps <= len(replaced):
            target, steps = replaced[target], steps + 1
        final[sku] = target
    return {
        "customers": pa.table({"known_id": customers.unique().drop_null()}),
        "skus": pa.table({"raw": list(final), "clean": list(final.values())}),
    }
