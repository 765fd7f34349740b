"""Similar submissions as a page. All code in it is a stranger's, and is shown as text."""

from __future__ import annotations

from datetime import datetime

from grader.analysis.pages import render
from grader.similarity.report import MARK_WORDS, WORDS, Report


def similar_page(report: Report, made: datetime) -> str:
    """Return the page; it needs nothing else, runs nothing, and each pair opens at a click."""
    return render("similar.html", made, {"report": report, "words": WORDS, "mark_words": MARK_WORDS})
