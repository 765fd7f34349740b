"""Data sets for notebooks: an honest interval must never be out of luck, a narrow one never in luck."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from grader.checker.decision_sets import DISTANCES, NORMAL, Quantity, Sample, write_decision_sets


def draw(number: int, attempt: int) -> Sample:
    chance = random.Random(f"{number}/{attempt}")
    truth = 0.1 * (number + 1)
    estimate = chance.gauss(truth, 0.02)
    return Sample(
        truth=truth, estimate=estimate, error=0.02, write=lambda folder: (folder / "x").write_text(str(estimate))
    )


@pytest.fixture
def written(tmp_path: Path) -> dict[str, tuple[float, float, float]]:
    """Data set to truth, usual width and usual estimate."""
    write_decision_sets(tmp_path / "decision", draw)
    truths = json.loads((tmp_path / "decision" / "truth.json").read_text())
    return {
        name: (each["value"], each["width"], float((tmp_path / "decision" / name / "x").read_text()))
        for name, each in truths.items()
    }


def covered(written: dict[str, tuple[float, float, float]], factor: float) -> int:
    further = {name: each for name, each in written.items() if name != "0"}
    return sum(abs(estimate - truth) <= factor * width / 2 for truth, width, estimate in further.values())


def test_six_worlds_that_differ(written: dict[str, tuple[float, float, float]]) -> None:
    assert sorted(written) == ["0", "1", "2", "3", "4", "5"]
    assert len({truth for truth, _, _ in written.values()}) == 6
    assert all(width == pytest.approx(2 * NORMAL * 0.02) for _, width, _ in written.values())


@pytest.mark.parametrize(("factor", "number"), [(1.1, 5), (0.95, 5), (0.8, 4), (0.5, 1), (0.3, 0)])
def test_the_width_alone_decides_how_many_are_covered(
    written: dict[str, tuple[float, float, float]], factor: float, number: int
) -> None:
    least = covered(written, factor)
    assert least >= number if factor >= 0.8 else least <= number + 1


def test_errors_lie_to_both_sides(written: dict[str, tuple[float, float, float]]) -> None:
    signs = {estimate > truth for name, (truth, _, estimate) in written.items() if name in "2345"}
    assert signs == {True, False}
    assert len(DISTANCES) == 6


def test_a_wrong_standard_error_is_the_authors_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data set 2"):
        write_decision_sets(tmp_path, lambda *_: Sample(truth=0.0, estimate=0.0, error=1.0, write=lambda folder: None))


def test_every_method_has_a_truth_of_its_own(tmp_path: Path) -> None:
    def draw_two(number: int, attempt: int) -> Sample:
        one, other = draw(number, attempt), draw(number, attempt + 10_000)
        quantity = Quantity(truth=other.truth + 1, estimate=other.estimate + 1, error=other.error)
        return Sample(
            truth=one.truth, estimate=one.estimate, error=one.error, by_method={"v2": quantity}, write=one.write
        )

    write_decision_sets(tmp_path, draw_two)
    truths = json.loads((tmp_path / "truth.json").read_text())
    assert truths["3"]["methods"]["v2"]["value"] == pytest.approx(truths["3"]["value"] + 1)
