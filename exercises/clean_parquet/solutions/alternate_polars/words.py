"""Repairs of texts that come from small sets: each distinct value is repaired once and remembered."""

import csv
import unicodedata

import polars as pl

TABLE = """
pending: open, offen, ausstehend, en attente
paid: settled, bezahlt, beglichen, payé, réglé
shipped: dispatched, versandt, verschickt, expédié
delivered: received, geliefert, zugestellt, livré
cancelled: canceled, storniert, annulliert, annulé
returned: sent back, retourniert, zurückgesandt, retourné
"""
NOTHING = ("", "n/a", "unknown", "-1", "9999999")


class Remembered:
    """Applies `repair` to a column of text, to each distinct value once."""

    def __init__(self):
        self.known = {}

    def repair(self, value):
        raise NotImplementedError

    def __call__(self, column):
        for value in column.unique().to_list():
            if value is not None and value not in self.known:
                self.known[value] = self.repair(value)
        present = column.drop_nulls().unique().to_list()
        return column.replace_strict(
            pl.Series(present, dtype=pl.String),
            pl.Series([self.known[value] for value in present], dtype=pl.String),
            default=None,
            return_dtype=pl.String,
        )


class Statuses(Remembered):
    def __init__(self):
        super().__init__()
        self.words = {}
        for line in TABLE.strip().splitlines():
            status, others = line.split(": ")
            self.words[status] = status
            self.words.update(dict.fromkeys(others.split(", "), status))

    def repair(self, value):
        word = value.strip().lower()
        if word in self.words:
            return self.words[word]
        return next((status for known, status in self.words.items() if one_typing_error(word, known)), None)


def one_typing_error(word, known):
    """Exactly one letter inserted, left out or replaced."""
    if abs(len(word) - len(known)) > 1:
        return False
    same = 0
    while same < min(len(word), len(known)) and word[same] == known[same]:
        same += 1
    if len(word) == len(known):
        return same < len(word) and word[same + 1 :] == known[same + 1 :]
    longer, shorter = (word, known) if len(word) > len(known) else (known, word)
    return longer[same + 1 :] == shorter[same:]


class Cities(Remembered):
    def repair(self, value):
        if not value.isascii():
            try:
                value = value.encode("cp1252").decode("utf-8")
            except (UnicodeEncodeError, UnicodeDecodeError):
                pass  # it was never decoded wrongly
        value = unicodedata.normalize("NFC", value.replace("\u00a0", " ").strip(" "))
        return None if value.strip().lower() in NOTHING else value


class Skus(Remembered):
    def __init__(self, path, products):
        super().__init__()
        self.products = products
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            self.replacement = {old: new for old, new in rows}

    def repair(self, value):
        seen = set()
        while value not in self.products and value in self.replacement and value not in seen:
            seen.add(value)
            value = self.replacement[value]
        return value
