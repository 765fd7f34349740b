"""The statistics of a cohort as a page with pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from grader.analysis import pictures
from grader.analysis.cohort_figures import SUMMARY_FROM
from grader.analysis.figures import Figure
from grader.analysis.items import DIFFICULTY_FROM, DISCRIMINATION_FROM, Item
from grader.analysis.pages import render
from grader.render.svg import clean_svg
from grader.store.cohorts import Cohort


def stats_page(
    cohort: Cohort, figures: Sequence[Figure], items: Sequence[Item], notes: Sequence[str], made: datetime
) -> str:
    """Return the page."""
    values = {
        "title": cohort.name,
        "figures": figures,
        "items": items,
        "notes": notes,
        "pictures": _drawn(cohort, items),
    }
    return render("stats.html", made, values)


def _drawn(cohort: Cohort, items: Sequence[Item]) -> list[tuple[str, Markup]]:
    people = cohort.members
    found: list[tuple[str, str]] = []
    if len(people) >= SUMMARY_FROM:
        found.append(("Totals", pictures.histogram([each.percent for each in people], "total in percent", (0, 100))))
        found.append(("Time of a run", pictures.histogram([each.seconds for each in people], "seconds")))
    if len(people) >= DIFFICULTY_FROM:
        found.append(("How hard each check is; red ones are named below", pictures.difficulties(items)))
    if len(people) >= DISCRIMINATION_FROM:
        found.append(("Checks that are far down tell nobody apart", pictures.item_map(items)))
    # Cleaned like pictures of checks, so that ids of several do not collide and no style is inline.
    cleaned = [(caption, clean_svg(svg, prefix=f"p{number}-")) for number, (caption, svg) in enumerate(found)]
    return [(caption, Markup(svg)) for caption, svg in cleaned if svg is not None]  # noqa: S704
