"""The files of one graded submission, and one sheet in one format: redact, sign, render, in this order."""

from __future__ import annotations

from difflib import get_close_matches

from grader.errors import UsageError
from grader.model.sheet import Audience, ScoreSheet
from grader.render.formats import FORMATS
from grader.scoring.audience import for_audience
from grader.scoring.signing import sign

_FILES = (
    ("sheet.json", "json", Audience.AUTHOR),
    ("sheet.html", "html", Audience.RECRUITER),
    ("sheet.md", "md", Audience.RECRUITER),
    ("sheet.candidate.html", "html", Audience.CANDIDATE),
    ("results.json", "gradescope", Audience.CANDIDATE),
    ("junit.xml", "junit", Audience.RECRUITER),
)


PDF = "pdf"
"""Bytes and not text, and made of the HTML page, so that it is no format like the others."""


def sheet_files(sheet: ScoreSheet, private_key: bytes) -> dict[str, str]:
    """Return every file of a submission's folder, by name.

    Args:
        sheet: The author's sheet; each file holds what its audience may see.
        private_key: 32 bytes that sign each audience's sheet.
    """
    signed = {audience: sign(for_audience(sheet, audience), private_key) for audience in Audience}
    return {name: FORMATS[format_name].render(signed[audience]) for name, format_name, audience in _FILES}


def export_sheet(
    sheet: ScoreSheet, format_name: str, audience: Audience | None = None, private_key: bytes | None = None
) -> str:
    """Return a sheet in another format.

    Args:
        sheet: A sheet made for this audience or for a later one.
        format_name: A key of `FORMATS`.
        audience: Who is going to read it; by default whom the format is usually for, or whom the
            sheet was made for where that is less.
        private_key: 32 bytes to sign with where redacting took the signature away; without it,
            the result is not signed.

    Raises:
        UsageError: There is no such format, or the sheet no longer holds what the audience may see.
    """
    chosen = FORMATS.get(format_name)
    if chosen is None:
        near = get_close_matches(format_name, (*FORMATS, PDF), n=1)
        raise UsageError(
            f"There is no format '{format_name}'.",
            hint=f"Did you mean '{near[0]}'?" if near else f"Choose one of {', '.join((*FORMATS, PDF))}.",
        )
    shown = for_audience(sheet, audience or min(chosen.audience, sheet.audience, key=list(Audience).index))
    if shown.signature is None and private_key is not None:
        shown = sign(shown, private_key)
    return chosen.render(shown)


def export_pdf(sheet: ScoreSheet, audience: Audience | None = None, private_key: bytes | None = None) -> bytes:
    """Return a sheet as a PDF: the HTML page of `export_sheet`, printed.

    Raises:
        UsageError: The sheet no longer holds what the audience may see, or WeasyPrint is not there.
    """
    from grader.render.pdf import from_page

    return from_page(export_sheet(sheet, "html", audience, private_key))
