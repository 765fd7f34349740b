"""Any table as CSV, with nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from grader.render.csv_row import safe_cell

Cell = str | float | int | None


def safe_row(cells: Iterable[Cell]) -> list[Cell]:
    """Make the texts of a row safe; numbers are numbers."""
    return [safe_cell(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in cells]


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a CSV file (RFC 4180)."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(safe_row(header))
    writer.writerows(safe_row(row) for row in rows)
    return buffer.getvalue()
