"""Finding the notebook: the path that is named, and plain words when it is not there."""

from __future__ import annotations

import pytest

from grader.intake.notebook import find_notebook
from grader.model.submission import NotebookSection, Submission, SubmissionFile, SubmissionManifest


def found(*paths: str, named: str | None = None, asked: bool = True) -> tuple[str | None, tuple[str, ...]]:
    files = tuple(SubmissionFile(path=path, content=b"") for path in paths)
    section = NotebookSection(path=named) if named else None
    return find_notebook(
        Submission(label="ada", files=files, digest=""),
        SubmissionManifest(notebook=section),
        "decision.ipynb" if asked else None,
    )


@pytest.mark.parametrize(
    ("paths", "named", "path"),
    [
        (("decision.ipynb", "a.py"), None, "decision.ipynb"),
        (("notes/study.ipynb",), "notes/study.ipynb", "notes/study.ipynb"),
        (("study.ipynb",), "./study.ipynb", "study.ipynb"),
        (("a.py",), None, None),
    ],
)
def test_where_it_is(paths: tuple[str, ...], named: str | None, path: str | None) -> None:
    assert found(*paths, named=named) == (path, ())


def test_one_under_another_name_is_mentioned_and_not_run() -> None:
    path, (note,) = found("Decision.ipynb", "x.ipynb")
    assert path is None
    assert "Decision.ipynb" in note
    assert "not run" in note


def test_one_that_is_named_and_missing_is_mentioned() -> None:
    assert found("a.py", named="../up.ipynb")[1] == ("The notebook '../up.ipynb' is not in the submission.",)


def test_nobody_asked_for_one() -> None:
    assert found("decision.ipynb", asked=False) == (None, ())
