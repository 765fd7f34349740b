"""What `grader author prove` ends with: every run counts, and whoever can help is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.author.expectations import Earned
from grader.author.proof import Proof
from grader.cli import proving
from grader.cli.console import PlainConsole
from grader.cli.proving import Order, folders_of, prove_all, show_matrix
from grader.cli.rungs import Work
from grader.config import Settings
from grader.engine.grade import Harness
from grader.model.run import Party
from tests.unit.author.conftest import TINY

FINE: Mapping[str, object] = {"status": "graded", "percent": 100.0}
LOST: Mapping[str, object] = {"status": "faulted", "faults": ("lost",), "to_act": (Party.INFRASTRUCTURE,)}
DEFECT: Mapping[str, object] = {"status": "faulted", "faults": ("wrong",), "to_act": (Party.AUTHOR,)}


def test_the_folder_that_one_is_in_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TINY)
    assert [folder.name for folder in folders_of(["."], Settings())] == ["tiny_sum"]


@pytest.mark.parametrize(
    ("third", "status", "said"),
    [
        (FINE, 0, ""),
        (
            {"status": "graded", "percent": 90.0},
            5,
            "tiny_sum, v1, time 3: reference earned 90.0, outside of 100 to 100",
        ),
        (LOST, 4, "tiny_sum, v1, time 3: reference is faulted (lost), not graded"),
        (DEFECT, 5, "tiny_sum, v1, time 3: reference is faulted (wrong), not graded"),
    ],
)
def test_every_time_counts(
    process_harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    third: Mapping[str, object], status: int, said: str,
) -> None:  # fmt: skip
    @contextmanager
    def opened(*_: object) -> Iterator[Harness]:
        yield process_harness

    def grade(harness: Harness, work: list[Work], jobs: int) -> None:
        for proof, rung, candidate, repeat in work:
            found = third if repeat == 3 else FINE
            named = {"rung": rung.name, "candidate": candidate, "repeat": repeat, "submission": "", "exercise": ""}
            proof.keep(Earned.model_validate({**named, **found}))

    monkeypatch.setattr(proving, "open_harness", opened)
    monkeypatch.setattr(proving, "grade_rungs", grade)
    order = Order(names=[str(TINY)], rungs="reference", variants=1, repeats=3, fresh=False, html=None)
    assert prove_all(Settings(cache_dir=tmp_path), order) == status
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    """A proof of which every rung is refused, but two."""
    proof = Proof.of(TINY, tmp_path)
    groups, shares = dict.fromkeys(proof.exercise.manifest.groups, 12.5), {f"A{place}": 0.25 for place in range(1, 9)}
    graded = {"status": "graded", "percent": 50.0, "groups": groups}
    ends = {"reference": graded, "untouched": {**graded, "shares": shares}}
    refused = {"status": "rejected", "reason": "missing_package"}
    for rung in proof.rungs:
        named = {"rung": rung.name, "candidate": "v1", "repeat": 1, "submission": "", "exercise": ""}
        proof.keep(Earned.model_validate({**named, **ends.get(rung.name, refused)}))
    return proof


@pytest.mark.parametrize(("columns", "groups"), [(140, True), (90, True), (70, False)])
def test_a_matrix_fits_its_terminal(
    proof: Proof, capsys: pytest.CaptureFixture[str], columns: int, groups: bool
) -> None:
    show_matrix(proof, "v1", PlainConsole(width=columns))
    text = capsys.readouterr().out
    assert "…" not in text
    assert ("12.5" in text) == groups
    assert ("shows points by group, too; --html shows every check." in " ".join(text.split())) != groups
    words = " ".join(text.split())
    assert all(f"A{place} 0.25" in words for place in range(1, 9))


def test_what_was_refused_has_no_points_and_says_why(proof: Proof, capsys: pytest.CaptureFixture[str]) -> None:
    show_matrix(proof, "v1", PlainConsole(width=140))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert next(row for row in rows if row[:1] == ["empty"])[-1] == "missing_package"
