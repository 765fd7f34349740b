"""What `grader export` does: everybody of a cohort or a batch, in one file for other programs."""

from __future__ import annotations

import io
import json
import zipfile  # noqa: TID251  (an archive is written here, none is read)
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from grader.cli.writing import write_bytes
from grader.errors import UsageError
from grader.model.sheet import Audience, CheckLine
from grader.render.csv_row import summary_csv, summary_table
from grader.render.files import export_sheet
from grader.render.json_text import json_text
from grader.scoring.override import as_measured
from grader.store.database import Database
from grader.store.exports import Exported

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""Zip knows no earlier moment; equal sheets then give equal files."""


def as_csv(exported: Sequence[Exported], _key: bytes) -> bytes:
    """One line for each submission, for a spreadsheet."""
    return summary_csv((each.sheet, each.place) for each in exported).encode()


def as_xlsx(exported: Sequence[Exported], _key: bytes) -> bytes:
    """One row for each submission, as a workbook; texts are texts, whatever they begin with."""
    try:
        import xlsxwriter
    except ModuleNotFoundError as error:
        raise UsageError("XLSX needs the package xlsxwriter.", hint="Type: pip install 'grader[xlsx]'") from error

    (names, rows), buffer = summary_table((each.sheet, each.place) for each in exported), io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        page = book.add_worksheet("grader")
        page.freeze_panes(1, 1)
        for column, name in enumerate(names):
            page.write_string(0, column, name, book.add_format({"bold": True}))
        for number, cells in enumerate(rows, start=1):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    page.write_string(number, column, cell)
                else:
                    page.write_number(number, column, float(cell or 0.0))
        page.autofilter(0, 0, max(1, len(rows)), len(names) - 1)
    return buffer.getvalue()


def as_json_lines(exported: Sequence[Exported], key: bytes) -> bytes:
    """The recruiter's sheet of each submission, one JSON document in a line, signed anew."""
    lines = (json.loads(export_sheet(each.sheet, "json", Audience.RECRUITER, key)) for each in exported)
    return "".join(json_text(line, indent=None) + "\n" for line in lines).encode()


def as_results(exported: Sequence[Exported], _key: bytes) -> bytes:
    """One JSON line for each check of each submission: what statistics programs want."""
    return "".join(json_text(line, indent=None) + "\n" for line in _results(exported)).encode()


def _results(exported: Sequence[Exported]) -> Iterator[Mapping[str, object]]:
    for each in exported:
        sheet = each.sheet
        for check in sheet.checks:
            yield {
                "candidate": sheet.candidate,
                "exercise": sheet.exercise.id,
                "version": sheet.exercise.version,
                "run": sheet.run,
                "check": check.id,
                "group": check.group,
                "competency": check.competency,
                "outcome": check.outcome.value if check.outcome else None,
                "reason": check.reason.value if check.reason else None,
                "earned": None if check.earned is None else float(check.earned),
                **_measured(check),
                "possible": float(check.possible),
                "seconds": check.seconds,
                "metrics": check.metrics,
            }


def _measured(check: CheckLine) -> Mapping[str, object]:
    """What was measured, and who decided otherwise; without an override, that is what counts, and nobody."""
    line = as_measured(check)
    return {
        "measured_earned": None if line.earned is None else float(line.earned),
        "measured_outcome": line.outcome.value if line.outcome else None,
        "overridden_by": check.override.by if check.override else None,
    }


def as_gradescope(exported: Sequence[Exported], key: bytes) -> bytes:
    """A zip with a results.json for each submission, in the folder that its sheet is in."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in exported:
            entry = zipfile.ZipInfo(f"{each.place}/results.json", EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, export_sheet(each.sheet, "gradescope", Audience.CANDIDATE, key))
    return buffer.getvalue()


def write_parquet(database: Database, exercise: str, batch: str | None, file: Path) -> int:
    """Write all results of an exercise, of whatever run; returns how many.

    Raises:
        UsageError: There is none, a package is missing, or the file cannot be written.
    """
    from grader.analysis.parquet import as_parquet
    from grader.store.results import read_results

    content, count = as_parquet(read_results(database, exercise, batch))
    write_bytes(file, content)
    return count


Export = Callable[[Sequence[Exported], bytes], bytes]

PARQUET = "parquet"
"""Made of results and not of sheets, so that it is no format like the others."""

FORMATS: Mapping[str, tuple[Export, str]] = {
    "csv": (as_csv, "one line for each submission"),
    "xlsx": (as_xlsx, "the same as a workbook"),
    "jsonl": (as_json_lines, "whole sheets, one in a line"),
    "results": (as_results, "one JSON line for each check of each submission"),
    "gradescope": (as_gradescope, "a zip of results.json files"),
}
