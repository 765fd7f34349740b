"""The summary beside the sheets of a batch."""

from __future__ import annotations

from pathlib import Path

from grader.render.csv_row import summary_csv
from grader.store.folder import SUMMARY, SheetFolder


def write_summary(folder: Path) -> Path:
    """Write the summary of all sheets in a folder, and return where it is.

    Raises:
        InfrastructureFault: The disk is full.
    """
    sheets = SheetFolder(folder)
    return sheets.write_summary(summary_csv((sheet, str(where)) for where, sheet in sheets.sheets()))


def renew_summary(folder: Path) -> None:
    """Write the summary anew where there is one: sheets that lie by themselves have none.

    Raises:
        InfrastructureFault: The disk is full.
    """
    if (folder / SUMMARY).is_file():
        write_summary(folder)
