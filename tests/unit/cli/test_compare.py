"""The table of `grader compare` in terminals of any width: nothing of it is cut off where there is a way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.analysis.comparison import Comparison, Line
from grader.cli.compare import _show
from grader.scoring.compare import Rank

COMPETENCIES = ("Validation", "Numerical parity", "Operations", "Performance", "Monitoring and traceability")
CHECKS = tuple(f"A{number}" for number in range(1, 31))
PEOPLE = ("Ada Lovelace", "Bo Ek", "Chang-Margarethe Hohenstein-Wu")
Shown = Callable[[int], str]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shown:
    lines = [
        Line(
            name=name,
            percent=92.25,
            half=2.9,
            rank=Rank(best=1, worst=3),
            percentile=None,
            competencies=(80.0, 70.0, None, 100.0, 3.0),
            answers=dict.fromkeys(CHECKS, (1.0, "passed")),
        )
        for name in PEOPLE
    ]
    table = Comparison(title="a title", competencies=COMPETENCIES, checks=CHECKS, lines=lines, notes=("a note",))

    def show(columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        _show(table, lines)
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("columns", [64, 80, 94, 95, 110, 120, 132, 137, 140, 160, 200])
def test_whatever_is_shown_is_shown_whole(shown: Shown, columns: int) -> None:
    text = shown(columns)
    row = next(line for line in text.splitlines() if "Ada Lovelace" in line)
    assert row.split()[:9] == [
        "Ada",
        "Lovelace",
        "1\N{EN DASH}3",
        "92.2",
        "\N{PLUS-MINUS SIGN}",
        "2.9",
        "80",
        "70",
        "\N{EN DASH}",
    ]
    assert row.split()[9:] in ([["100", "3"], ["100", "3", "█" * len(CHECKS)]])
    assert "…" not in text
    assert all(len(line) <= columns for line in text.splitlines())


def test_a_narrow_terminal_numbers_competencies_and_says_what_is_left_out(shown: Shown) -> None:
    text = " ".join(shown(80).split())
    assert "1 Validation, 2 Numerical parity, 3 Operations, 4 Performance, 5 Monitoring and traceability" in text
    assert "A terminal of 95 columns shows single checks, too; --html and --csv show all." in text


def test_a_wide_terminal_names_competencies_and_shows_checks(shown: Shown) -> None:
    text = shown(140)
    assert "traceability" in text
    assert "1 Validation" not in text
    assert "A terminal of" not in text
