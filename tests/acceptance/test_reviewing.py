"""From a signed sheet to a rated one, through the real command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.keys import Keyring
from grader.render.csv_row import summary_csv
from grader.render.files import sheet_files
from grader.scoring.signing import sign
from tests.acceptance.conftest import Grader
from tests.factories import make_notebook_sheet


@pytest.fixture
def sheet(environment: dict[str, str], tmp_path: Path) -> Path:
    """A run's folder, as grading leaves it."""
    key = Keyring(Path(environment["GRADER_CONFIG_DIR"])).signing_key()
    signed = sign(make_notebook_sheet(), key)
    place = tmp_path / "grading" / "ada"
    place.mkdir(parents=True)
    for name, content in sheet_files(signed, key).items():
        (place / name).write_text(content)
    (place.parent / "summary.csv").write_text(summary_csv([(signed, str(place / "sheet.json"))]))
    return place / "sheet.json"


def filled(grader: Grader, sheet: Path, reviewer: str, rating: int) -> Path:
    done = grader("sheet", "rubric", sheet)
    assert done.status == 0, done.err
    path = Path(done.out.strip())
    text = path.read_text().replace('reviewer = ""', f'reviewer = "{reviewer}"')
    path.write_text(text.replace("rating = 0", f"rating = {rating}").replace('why = ""', 'why = "Weighs <b>cost</b>."'))
    return path


def test_two_reviewers_rate_a_notebook(grader: Grader, sheet: Path) -> None:
    before = sheet.read_text()
    assert "between 72.94 and 78.94 of 100" in (sheet.parent / "sheet.md").read_text()
    forms = [filled(grader, sheet, name, rating) for name, rating in (("Grace Hopper", 4), ("Edsger D.", 5))]
    done = grader("sheet", "review", sheet, *forms, "--json")
    assert done.data == {
        "sheet": str(sheet),
        "before": str(sheet.parent / "sheet.before-review-1.json"),
        "state": "final",
        "reviewers": ["Grace Hopper", "Edsger D."],
        "human": 5.26,
        "total": 78.2,
    }
    assert (sheet.parent / "sheet.before-review-1.json").read_text() == before
    assert grader("sheet", "verify", sheet).status == 0
    assert grader("sheet", "verify", sheet.parent / "sheet.before-review-1.json").status == 0
    page = (sheet.parent / "sheet.html").read_text()
    assert "Grace Hopper" in page
    assert "&lt;b&gt;cost&lt;/b&gt;" in page
    assert "Hopper" not in (sheet.parent / "sheet.candidate.html").read_text()
    assert "5.26" in (sheet.parent / "sheet.candidate.html").read_text()
    assert "78.2" in (sheet.parent.parent / "summary.csv").read_text()


def test_a_third_is_asked_for_and_decides(grader: Grader, sheet: Path) -> None:
    forms = [filled(grader, sheet, name, rating) for name, rating in (("A", 1), ("B", 5), ("C", 4))]
    assert grader("sheet", "review", sheet, forms[0]).status == 0
    done = grader("sheet", "review", sheet, forms[1])
    assert "a third is needed" in done.out
    assert json.loads(sheet.read_text())["decision"]["human"]["earned"] is None
    assert grader("sheet", "review", sheet, forms[2], "--json").data["human"] == 4.5
    assert len(list(sheet.parent.glob("sheet.before-review-*.json"))) == 3


def test_a_sheet_that_was_changed_takes_no_reviews(grader: Grader, sheet: Path) -> None:
    form = filled(grader, sheet, "A", 3)
    sheet.write_text(sheet.read_text().replace("Ada Lindqvist", "Ada Lovelace"))
    changed = sheet.read_text()
    done = grader("sheet", "review", sheet, form)
    assert (done.status, sheet.read_text()) == (2, changed)
    assert "was changed since it was signed" in done.err


def test_a_wrong_form_changes_nothing(grader: Grader, sheet: Path) -> None:
    before = {path.name: path.read_bytes() for path in sheet.parent.iterdir()}
    form = filled(grader, sheet, "A", 9)
    done = grader("sheet", "review", sheet, form)
    assert done.status == 2
    assert "review.toml:" in done.err
    form.unlink()
    assert {path.name: path.read_bytes() for path in sheet.parent.iterdir()} == before
