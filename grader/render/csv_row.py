"""One line per submission for spreadsheets, with nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from grader.model.sheet import ScoreSheet
from grader.render import words
from grader.render.text import visible

Cell = str | float | int

_BEFORE = ("candidate", "exercise", "version", "status", "reason", "earned", "possible", "percent")
_NOTEBOOK = ("notebook_automatic", "notebook_human", "together_lowest", "together_highest")
_OVERRIDES = ("overrides", "measured")
_AFTER = ("wall_seconds", "run", "sheet")
_CELL_CAP = 500

# A formula begins at the start of a cell, and also after what another locale, or a reader that
# handles quotes differently, takes for the end of a cell. Signs of other widths count in some locales.
_SIGNS = r"=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c\u207a\u207b\u208c\u208a\u208b\u2212"
_FORMULA = re.compile(rf"(^|[;,|\t\"'])(\s*)(?=[{_SIGNS}])")


def safe_cell(text: str) -> str:
    """Return text that a spreadsheet shows as it is instead of calculating it."""
    return _FORMULA.sub(r"\1\2'", visible(text, _CELL_CAP))


def header(competencies: Sequence[str], *, notebook: bool = False, overrides: bool = False) -> list[str]:
    """Return the column names: always the same ones, with one per competency in between.

    Those about decision notebooks are there when a sheet has one; those about overrides (the checks that people have
    corrected, and the total without that) where somebody has corrected something.
    """
    between = (*(_NOTEBOOK if notebook else ()), *(_OVERRIDES if overrides else ()))
    return [*_BEFORE, *map(safe_cell, competencies), *between, *_AFTER]


def row(
    sheet: ScoreSheet, competencies: Sequence[str], path: str = "", *, notebook: bool = False, overrides: bool = False
) -> list[Cell]:
    """Return one submission's cells, in the order of `header(competencies)`.

    Args:
        sheet: The sheet to sum up.
        competencies: Ids; the cell of one that the exercise does not have stays empty.
        path: Where the full sheet is.
        notebook: Add the columns about its decision notebook.
        overrides: Add the columns about what people have corrected.
    """
    earned = {each.id: each.earned for each in sheet.competencies}
    percent = words.share(sheet.earned, sheet.possible)
    return [
        safe_cell(sheet.candidate),
        safe_cell(sheet.exercise.id),
        safe_cell(sheet.exercise.version),
        sheet.status.value,
        _reason(sheet),
        _number(sheet.earned),
        # A rejected submission has no points of any kind.
        "" if sheet.rejection else float(sheet.possible),
        "" if percent is None else round(percent, 2),
        *(_number(earned.get(competency)) for competency in competencies),
        *(_notebook(sheet) if notebook else ()),
        *(_overrides(sheet) if overrides else ()),
        round(sheet.resources.wall_seconds, 2),
        sheet.run,
        safe_cell(path),
    ]


def summary_table(
    sheets: Iterable[tuple[ScoreSheet, str]], competencies: Sequence[str] | None = None
) -> tuple[list[str], list[list[Cell]]]:
    """Return the header, and one row per sheet.

    Args:
        sheets: Each with the path of the full sheet.
        competencies: Ids that get a column; by default those of the sheets, in the order in which
            they are first met.
    """
    # Of each sheet only this much is held: a batch has thousands, and a sheet may hold pictures.
    known = [(_slim(sheet), path) for sheet, path in sheets]
    if competencies is None:
        competencies = list(dict.fromkeys(each.id for sheet, _ in known for each in sheet.competencies))
    notebook = any(sheet.decision is not None for sheet, _ in known)
    overrides = any(sheet.overridden for sheet, _ in known)
    rows = [row(sheet, competencies, path, notebook=notebook, overrides=overrides) for sheet, path in known]
    return header(competencies, notebook=notebook, overrides=overrides), rows


def summary_csv(sheets: Iterable[tuple[ScoreSheet, str]], competencies: Sequence[str] | None = None) -> str:
    """Return `summary_table` as a CSV file (RFC 4180)."""
    names, rows = summary_table(sheets, competencies)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(names)
    writer.writerows(rows)
    return buffer.getvalue()


def _slim(sheet: ScoreSheet) -> ScoreSheet:
    corrected = tuple(check.model_copy(update={"plots": (), "evidence": ()}) for check in sheet.overridden)
    return sheet.model_copy(update={"checks": corrected, "groups": (), "observations": ()})


def render(sheet: ScoreSheet) -> str:
    """Return a CSV file with this one sheet in it."""
    return summary_csv([(sheet, "")])


def _reason(sheet: ScoreSheet) -> str:
    if sheet.rejection is not None:
        return sheet.rejection.reason.value
    return "+".join(dict.fromkeys(fault.party.value for fault in sheet.open_faults))


def _notebook(sheet: ScoreSheet) -> list[Cell]:
    part = sheet.decision
    if part is None:
        return [""] * len(_NOTEBOOK)
    human = part.human.earned if part.human else None
    ends = (part.lowest, part.highest) if part.total is None else (part.total, part.total)
    return [_number(value) for value in (part.earned, human, *ends)]


def _overrides(sheet: ScoreSheet) -> list[Cell]:
    return [safe_cell(" ".join(check.id for check in sheet.overridden)), _number(sheet.measured_earned)]


def _number(value: object) -> Cell:
    return "" if value is None else float(str(value))
