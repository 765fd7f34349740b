"""Whether a candidate's report agrees with the tables beside it and with the input."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

import pyarrow as pa
from tables import Standing


def report_agreement(report: object, standing: Standing) -> dict[str, bool]:
    """Compare a candidate's report with the candidate's own tables and with the input.

    Returns:
        What was compared, to whether it agrees.
    """
    found = report if isinstance(report, dict) else {}
    rows_in = standing.truth.rows.num_rows
    rows_out, aside = standing.orders.num_rows, standing.quarantine.num_rows
    by_reason = _counts(found.get("by_reason"))
    reasons = _tally_words(standing.quarantine["reason"])
    return {
        "rows_in": _is_count(found.get("rows_in"), rows_in),
        "rows_out": _is_count(found.get("rows_out"), rows_out),
        "rows_quarantined": _is_count(found.get("rows_quarantined"), aside),
        "rows_duplicate": _is_count(found.get("rows_duplicate"), rows_in - rows_out - aside),
        "by_reason": by_reason is not None and {key: n for key, n in by_reason.items() if n} == reasons,
        "by_file": _by_file_agrees(found.get("by_file"), standing),
    }


def _is_count(value: object, expected: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == expected


def _counts(value: object) -> dict[str, int] | None:
    if not isinstance(value, dict) or not all(isinstance(each, int) for each in value.values()):
        return None
    return {str(name): int(count) for name, count in value.items()}


def _tally_words(column: pa.ChunkedArray) -> dict[str, int]:
    pairs = column.value_counts().to_pylist()
    return {str(pair["values"]): int(pair["counts"]) for pair in pairs}


def _by_file_agrees(value: object, standing: Standing) -> bool:
    if not isinstance(value, dict) or set(value) != set(standing.truth.counts):
        return False
    kept, aside = (_tally_words(table["source_file"]) for table in (standing.orders, standing.quarantine))
    for name, rows in standing.truth.counts.items():
        out, set_aside = kept.get(name, 0), aside.get(name, 0)
        expected = {
            "rows_in": rows,
            "rows_out": out,
            "rows_duplicate": rows - out - set_aside,
            "rows_quarantined": set_aside,
        }
        if value[name] != expected:
            return False
    return True


def raw_rows_are_objects(texts: Sequence[object]) -> bool:
    """Tell whether nearly all quarantined rows hold their raw row as a JSON object."""
    good = 0
    for text in texts:
        with contextlib.suppress(ValueError, RecursionError):
            good += isinstance(text, str) and isinstance(json.loads(text), dict)
    return bool(texts) and good >= 0.98 * len(texts)
