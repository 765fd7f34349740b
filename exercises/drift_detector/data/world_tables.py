"""Rows become tables: data frames, or the Arrow tables that pandas would make of them, for less work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from world_margins import NUMERIC

CATEGORICAL = ("device", "country", "payment", "segment")
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_ID = 16  # characters of a row_id


@dataclass(frozen=True, slots=True)
class Category:
    """One categorical feature: its levels, their log shares, and what the hour of the day adds to them."""

    levels: np.ndarray  # the last is the one that the reference never has
    logits: np.ndarray
    daily: np.ndarray
    phase: float

    @property
    def shares(self) -> np.ndarray:
        """The share of each level that the reference has."""
        odds = np.exp(self.logits)
        return odds / odds.sum()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows before they become a table. Codes index levels."""

    stamps: np.ndarray
    values: np.ndarray
    seen: np.ndarray
    codes: dict[str, np.ndarray]
    score: np.ndarray
    fate: np.ndarray  # one uniform number a row, kept for labels

    def at(self, places: np.ndarray) -> Rows:
        """Return the rows at some places."""
        return Rows(
            stamps=self.stamps[places],
            values=self.values[:, places],
            seen=self.seen[:, places],
            codes={name: codes[places] for name, codes in self.codes.items()},
            score=self.score[places],
            fate=self.fate[places],
        )


def draw_ids(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw row_ids: n x 16 characters."""
    return _HEX[rng.integers(0, 16, (n, _ID), dtype=np.uint8)]


def id_texts(ids: np.ndarray) -> np.ndarray:
    """Return row_ids as texts."""
    text = ids.tobytes().decode()
    return np.array([text[place : place + _ID] for place in range(0, ids.size, _ID)], dtype=object)


def frame(categories: Mapping[str, Category], rows: Rows, ids: np.ndarray, y: np.ndarray | None = None) -> pd.DataFrame:
    """Make a data frame of rows, their row_ids and, where given, their labels."""
    columns: dict[str, object] = {
        "row_id": id_texts(ids),
        "event_ts": pd.DatetimeIndex(rows.stamps.view("datetime64[us]"), tz="UTC"),
    }
    columns.update(zip(NUMERIC[:5], rows.values[:5], strict=True))
    columns["basket_items"] = rows.values[5].astype(np.int64)
    for name in CATEGORICAL:
        columns[name] = categories[name].levels[rows.codes[name]]
    columns["score"] = rows.score
    return pd.DataFrame(columns if y is None else columns | {"y": y})


class ArrowTables:
    """Makes Arrow tables that cannot be told from those of the same rows' data frames.

    Args:
        categories: The categorical features.
    """

    def __init__(self, categories: Mapping[str, Category]) -> None:
        self._categories = categories
        self._levels = {name: pa.array(list(each.levels), pa.large_string()) for name, each in categories.items()}
        self._schemas: dict[bool, pa.Schema] = {}

    def __call__(self, rows: Rows, ids: np.ndarray, y: np.ndarray | None = None) -> pa.Table:
        """Make a table of rows, their row_ids and, where given, their labels."""
        n = rows.stamps.size
        ends = np.arange(0, _ID * n + 1, _ID, dtype=np.int64)
        columns = [
            pa.LargeStringArray.from_buffers(n, pa.py_buffer(ends), pa.py_buffer(ids)),
            pa.array(rows.stamps).view(pa.timestamp("us", tz="UTC")),
            *(pa.array(values, from_pandas=True) for values in rows.values[:5]),
            pa.array(rows.values[5].astype(np.int64)),
            *(self._levels[name].take(pa.array(rows.codes[name])) for name in CATEGORICAL),
            pa.array(rows.score, from_pandas=True),
        ]
        if y is not None:
            columns.append(pa.array(y))
        return pa.Table.from_arrays(columns, schema=self._schema(rows, ids, y))

    def _schema(self, rows: Rows, ids: np.ndarray, y: np.ndarray | None) -> pa.Schema:
        """Return what pandas says of such a table; that is the same for all of them."""
        labelled = y is not None
        if labelled not in self._schemas:
            example = frame(self._categories, rows, ids, y)
            self._schemas[labelled] = pa.Table.from_pandas(example, preserve_index=False).schema
        return self._schemas[labelled]
