"""The formats that a finished sheet can be written in."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from grader.model.sheet import Audience, ScoreSheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a sheet.

    Attributes:
        name: What `grader sheet export --format` calls it.
        extension: How a file of this kind ends, with the dot.
        audience: Whom it is made for unless somebody says otherwise.
        module: Where its `render` lives; imported when it is used, because templates are slow to load.
        summary: One line for `--help`.
    """

    name: str
    extension: str
    audience: Audience
    module: str
    summary: str

    def render(self, sheet: ScoreSheet) -> str:
        """Write a finished sheet that was already cut down to its audience."""
        text = import_module(self.module).render(sheet)
        assert isinstance(text, str)
        return text


def _format(name: str, extension: str, audience: Audience, module: str, summary: str) -> Format:
    return Format(name=name, extension=extension, audience=audience, module=f"grader.render.{module}", summary=summary)


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        _format("json", ".json", Audience.AUTHOR, "json_sheet", "everything, signed; what verify reads"),
        _format("html", ".html", Audience.RECRUITER, "html", "one page to read, print or mail"),
        _format("md", ".md", Audience.RECRUITER, "markdown", "for trackers and reviews"),
        _format("csv", ".csv", Audience.RECRUITER, "csv_row", "one line for a spreadsheet"),
        _format("junit", ".xml", Audience.RECRUITER, "junit", "JUnit XML for build servers"),
        _format("gradescope", ".json", Audience.CANDIDATE, "gradescope", "results.json for Gradescope"),
    )
}
