"""Input rules: a table of any make becomes numbers and words, or a ValueError says why not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

NUMERIC = ("amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items")
CATEGORICAL = ("device", "country", "payment", "segment")
FEATURES = (*NUMERIC, *CATEGORICAL)
WINDOW = ("event_ts", *FEATURES)
_MONDAY = pd.Timestamp("2024-01-01", tz="UTC").value // 1000


@dataclass(frozen=True)
class Columns:
    """What the detector looks at.

    hours: hour of the week, 0 to 168, from Monday 00:00 UTC; NaN where there is no time.
    numeric: 6 x n, NaN for null. words: 4 arrays of n objects, None for null.
    """

    hours: np.ndarray
    numeric: np.ndarray
    words: list

    @property
    def n(self):
        return self.hours.size


def read(frame, also=()):
    """Read a window; `also` names further columns that must be there."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError("a window is a DataFrame")
    missing = [name for name in (*WINDOW, *also) if name not in frame.columns]
    if missing:
        raise ValueError(f"missing columns: {', '.join(missing)}")
    if len(frame) == 0:
        raise ValueError("the window is empty")
    return Columns(
        hours=_hours(frame["event_ts"]),
        numeric=np.vstack([number(frame, name) for name in NUMERIC]),
        words=[_words(frame[name]) for name in CATEGORICAL],
    )


def number(frame, name):
    """Read a column as floats; nulls become NaN."""
    column = frame[name]
    try:
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub":
            return column.to_numpy(dtype=float)
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        column = pd.to_numeric(column, errors="raise")
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} does not hold numbers: {error}") from error


def _hours(column):
    try:
        stamps = pd.to_datetime(column, utc=True, errors="raise")
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"event_ts does not hold times: {error}") from error
    micro = stamps.to_numpy(dtype="datetime64[us]")
    hours = (micro.astype(np.int64) - _MONDAY) / 3.6e9 % 168.0
    return np.where(np.isnat(micro), np.nan, hours)


def _words(column):
    values = column.astype(object).to_numpy()
    null = pd.isna(values)
    return np.where(null, None, values) if null.any() else values
