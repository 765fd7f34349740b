"""What the notebook's checks award, with executions that are made up: one flaw costs its own check."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grader.checker.api import SubmissionFailed
from grader.checker.decision import Finding, Study, differences
from grader.checker.notebook import Cell, Notebook, NotebookRun
from grader.model.reasons import Reason
from tests.decisions import make_decision

TRUTHS = {"0": 0.10, "1": 0.20, "2": 0.30, "3": 0.12, "4": 0.25, "5": 0.18}
WIDTH = 0.04

Decide = Callable[[str, int], object]


def make_run(decision: object, *, ran: int = 4, total: int = 4, failure: SubmissionFailed | None = None) -> NotebookRun:
    return NotebookRun(
        total=total,
        cells=tuple(Cell(number=number + 1, status="ok", seconds=0.1, error="", message="") for number in range(ran)),
        failure=failure,
        kernel="",
        decision=decision,
        decision_failure=None if decision is not None else SubmissionFailed(Reason.MISSING_OUTPUT, "nothing written"),
        seconds=2.0,
        cpu_seconds=1.0,
        peak_memory=1,
    )


class FakeNotebook(Notebook):
    """Decides as it is told, from the name of the data set and how often it saw it."""

    def __init__(self, decide: Decide, **run: object) -> None:
        self._decide = decide
        self._run = run
        self.seen: list[str] = []

    def execute(self, data: Mapping[str, Path], *, seconds: float = 300.0) -> NotebookRun:
        (path,) = data.values()
        name = path.parent.name
        decision = self._decide(name, self.seen.count(name))
        self.seen.append(name)
        return make_run(decision, **self._run)  # type: ignore[arg-type]


def honest(name: str, _seen: int) -> object:
    value = TRUTHS[name] + 0.005
    return make_decision(estimate=value, interval=[value - 0.02, value + 0.02])


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Study]:
    def make(decide: Decide = honest, **run: object) -> Study:
        for name in TRUTHS:
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "data.csv").write_text("x")
        truths = {name: {"value": value, "width": WIDTH} for name, value in TRUTHS.items()}
        (tmp_path / "truth.json").write_text(json.dumps(truths))
        return Study(FakeNotebook(decide, **run), tmp_path)

    return make


def shares(found: Study) -> dict[str, float | Reason]:
    checks: dict[str, Callable[[], Finding]] = {
        "N1": found.runs,
        "N2": found.repeats,
        "N3": lambda: found.keeps_form("quarantine_rate"),
        "N4": found.computes,
        "N5": found.is_honest,
        "N6": lambda: found.agrees("newest", 1),
    }
    result: dict[str, float | Reason] = {}
    for name, check in checks.items():
        try:
            result[name] = check().share
        except SubmissionFailed as error:
            result[name] = error.reason
    return result


ALL = dict.fromkeys(("N1", "N2", "N3", "N4", "N5", "N6"), 1.0)


def test_an_honest_notebook_earns_everything_in_seven_executions(study: Callable[..., Study]) -> None:
    found = study()
    assert shares(found) == ALL
    assert found._notebook.seen == ["0", "0", "1", "2", "3", "4", "5"]  # type: ignore[attr-defined]


def changed(**changes: object) -> Decide:
    return lambda name, seen: {**honest(name, seen), **changes}  # type: ignore[dict-item]


def literal(_name: str, _seen: int) -> object:
    return make_decision()


def narrow(name: str, _seen: int) -> object:
    value = TRUTHS[name] + 0.005
    return make_decision(estimate=value, interval=[value - (0.02 if name in "01" else 0.001), value + 0.001])


def wide(name: str, _seen: int) -> object:
    return make_decision(estimate=TRUTHS[name], interval=[-9.0, 9.0])


def restless(name: str, seen: int) -> object:
    return {**honest(name, seen), "rollback_trigger": f"run {seen}"}  # type: ignore[dict-item]


def about_typed_in(name: str, seen: int) -> object:
    return make_decision(estimate=0.2 + len(name) * 1e-6 + int(name) * 1e-6, interval=[0.05, 0.35])


FLAWS: dict[str, tuple[Decide, dict[str, float]]] = {
    "numbers typed in": (literal, {"N4": 0.0, "N5": 0.0}),
    "an interval typed in": (about_typed_in, {"N4": 0.0, "N5": 0.0}),
    "too narrow": (narrow, {"N5": 0.0}),
    "says nothing": (wide, {"N4": 0.0, "N5": 0.0}),
    "not the same twice": (restless, {"N2": 0.0}),
    "one known failure": (changed(known_failures=["x"]), {"N3": 0.0}),
    "another method": (changed(chosen_method="first"), {"N6": 0.5}),
    "another operating point": (changed(operating_point=2), {"N6": 0.5}),
    "other claims": (changed(operating_point=2, chosen_method="first"), {"N6": 0.0}),
    "no operating point": (changed(operating_point="one"), {"N3": 0.0, "N6": 0.5}),
}


@pytest.mark.parametrize(("decide", "lost"), FLAWS.values(), ids=FLAWS.keys())
def test_one_flaw_costs_its_own_checks(study: Callable[..., Study], decide: Decide, lost: dict[str, float]) -> None:
    assert shares(study(decide)) == ALL | lost


def test_an_interval_that_covers_three_of_five_earns_half(study: Callable[..., Study]) -> None:
    def decide(name: str, _seen: int) -> object:
        off = 0.03 if name in ("2", "3") else 0.0
        value = TRUTHS[name] + off
        return make_decision(estimate=value, interval=[value - 0.02, value + 0.02])

    assert shares(study(decide)) == ALL | {"N5": 0.5}


def test_an_interval_of_four_and_a_half_times_the_usual_width_earns_half(study: Callable[..., Study]) -> None:
    def decide(name: str, _seen: int) -> object:
        value = TRUTHS[name]
        return make_decision(estimate=value, interval=[value - 2.25 * WIDTH, value + 2.25 * WIDTH])

    assert shares(study(decide)) == ALL | {"N5": pytest.approx(0.5)}


def test_a_dead_cell_costs_the_cells_after_it(study: Callable[..., Study]) -> None:
    failure = SubmissionFailed(Reason.CRASHED, "Code cell 2 of 4 ended with KeyError: 'x'.")
    found = study(ran=1, total=4, failure=failure)
    assert found.runs().share == 0.25
    assert (found.runs().reason, found.runs().because) == (Reason.CRASHED, failure.because)
    assert shares(found) == ALL | {"N1": 0.25}


def test_a_dead_cell_earns_nothing_for_a_decision_that_says_nothing(study: Callable[..., Study]) -> None:
    failure = SubmissionFailed(Reason.CRASHED, "Code cell 4 of 4 ended with ZeroDivisionError.")
    found = study(lambda *_: EMPTY, ran=3, failure=failure)
    assert (found.runs().share, found.runs().reason) == (0.0, Reason.INACTIVE)
    assert study(lambda *_: None, ran=3, failure=failure).runs().share == 0.75, "it had no chance to write one"


def test_what_ends_a_box_after_the_last_cell_costs_nothing(study: Callable[..., Study]) -> None:
    found = study(failure=SubmissionFailed(Reason.OOM, "The notebook ran out of memory."))
    assert (found.runs().share, found.runs().because) == (1.0, "All 4 code cells ran, in 2 s.")


def test_a_data_set_without_an_interval_is_one_that_is_missed(study: Callable[..., Study]) -> None:
    def decide(missing: str) -> Decide:
        return lambda name, seen: None if name in missing else honest(name, seen)

    assert study(decide("3")).is_honest().share == 1.0
    found = study(decide("34")).is_honest()
    assert (found.share, found.evidence["data set 3"]) == (0.5, "no interval: nothing written")
    with pytest.raises(SubmissionFailed, match="nothing written"):
        study(decide("12345")).is_honest()


def test_an_interval_that_rounds_to_the_same_is_not_taken_for_typed_in(study: Callable[..., Study]) -> None:
    def decide(name: str, _seen: int) -> object:
        return make_decision(estimate=TRUTHS[name], interval=[0.09, 0.2])  # 2.75 times the usual width

    assert study(decide).computes().share == 1.0


def test_nothing_ran(study: Callable[..., Study]) -> None:
    failure = SubmissionFailed(Reason.FORMAT, "not a notebook")
    found = study(lambda *_: None, ran=0, total=0, failure=failure)
    assert shares(found) == {"N1": Reason.FORMAT} | dict.fromkeys(("N2", "N3", "N4", "N5", "N6"), Reason.MISSING_OUTPUT)
    assert found._notebook.seen == ["0"]  # type: ignore[attr-defined]


EMPTY = {"estimate": None, "alternatives": [], "cost_assumption": {}, "interval": [None, None], "metric": ""}


@pytest.mark.parametrize("decision", [None, EMPTY], ids=["nothing written", "nothing filled in"])
def test_running_without_deciding_earns_nothing(study: Callable[..., Study], decision: object) -> None:
    found = study(lambda *_: decision)
    assert (found.runs().share, found.runs().reason) == (0.0, Reason.INACTIVE)
    assert all(share == 0.0 or isinstance(share, Reason) for share in shares(found).values())


def test_a_box_that_broke_is_not_asked_again(study: Callable[..., Study]) -> None:
    asked = []

    def decide(name: str, _seen: int) -> object:
        asked.append(name)
        raise SubmissionFailed(Reason.PROTOCOL, "broken")

    assert set(shares(study(decide)).values()) == {Reason.PROTOCOL}
    assert asked == ["0"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, []),
        ({"estimate": 0.1 + 1e-12}, []),
        ({"estimate": 0.115}, []),  # inside its own interval
        ({"estimate": 0.13}, ["estimate"]),
        ({"interval": [0.09, 0.13]}, []),
        ({"interval": [0.05, 0.13]}, ["interval"]),
        ({"operating_point": 1.1}, ["operating_point"]),
        ({"operating_point": True}, ["operating_point"]),
        ({"known_failures": ["a new shop", "other"]}, ["known_failures"]),
        ({"more": 1}, ["more"]),
    ],
)
def test_what_counts_as_the_same_decision(changes: dict[str, object], named: list[str]) -> None:
    assert differences(make_decision(), make_decision(**changes)) == named


def test_decisions_that_are_no_objects_can_be_compared() -> None:
    assert differences([1], [1.0]) == []
    assert differences([1], {"a": 1}) == ["all of it"]


def test_a_range_of_operating_points_is_met_inside(study: Callable[..., Study]) -> None:
    assert study(changed(operating_point=7)).agrees("newest", (3, float("inf"))).share == 1.0
    assert study(changed(operating_point=2)).agrees("newest", (3, float("inf"))).share == 0.5


def test_the_truth_is_that_of_the_method_chosen(tmp_path: Path, study: Callable[..., Study]) -> None:
    study()
    truths = {
        name: {"value": value, "width": WIDTH, "methods": {"v2": {"value": value + 1, "width": WIDTH}}}
        for name, value in TRUTHS.items()
    }
    (tmp_path / "truth.json").write_text(json.dumps(truths))

    def decide(name: str, _seen: int) -> object:
        value = TRUTHS[name] + 1
        return make_decision(chosen_method="v2", estimate=value, interval=[value - 0.02, value + 0.02])

    found = Study(FakeNotebook(decide), tmp_path)
    assert (found.computes().share, found.is_honest().share) == (1.0, 1.0)
    other = Study(FakeNotebook(honest), tmp_path)  # "newest" has no truth of its own
    assert other.is_honest().share == 1.0


def test_where_the_method_can_hardly_be_wrong_only_both_count(study: Callable[..., Study]) -> None:
    assert study(changed(operating_point=2)).agrees("newest", 1, together=True).share == 0.0
    assert study().agrees("newest", 1, together=True).share == 1.0
