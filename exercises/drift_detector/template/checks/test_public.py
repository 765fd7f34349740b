"""Ten public checks of the contract, on the sample. The hidden checks measure much more, on other data."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import FEATURES, KIT, entry

CONTINUE = """
import json, sys
import pandas as pd
sys.path.insert(0, "checks")
from conftest import entry
kind = entry()
detector = kind()
found = detector.load(path=sys.argv[1])
detector = found if isinstance(found, kind) else detector
window = pd.read_parquet(sys.argv[2])
print(json.dumps([float(detector.check(window=window)["p_value"]), bool(detector.update(window=window)["alarm"])]))
"""


def p_value(detector: object, window: pd.DataFrame) -> float:
    """Ask about a window; returns the p-value."""
    return float(detector.check(window=window)["p_value"])


def keys_of(value: object) -> list:
    """All keys in a value, however deep."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [*(value if isinstance(value, dict) else ()), *(key for each in inside for key in keys_of(each))]


def test_check_answers_in_the_agreed_form(detector: object, window: pd.DataFrame) -> None:
    answer = detector.check(window=window)
    assert {"drift", "p_value", "scores", "n"} <= set(answer)
    assert 0.0 <= answer["p_value"] <= 1.0
    assert bool(answer["drift"]) == (answer["p_value"] <= 0.05)
    assert set(FEATURES) == set(answer["scores"])
    assert all(math.isfinite(answer["scores"][name]) and answer["scores"][name] >= 0 for name in FEATURES)
    assert answer["n"] == 500
    # The harness carries no arrays, tables or other objects, nor keys that are no texts, and long answers to many
    # questions do not fit together.
    told = json.dumps(answer, default=lambda scalar: scalar.item())
    assert all(isinstance(key, str) for key in keys_of(answer)), "a key is no text"
    assert len(told) <= 5000, "the answer is too long"


def test_gross_drift_is_noticed_and_named(detector: object, window: pd.DataFrame, gross: pd.DataFrame) -> None:
    assert not detector.check(window=window)["drift"], "rows of the reference itself are not drift"
    answer = detector.check(window=gross)
    assert answer["drift"], "every amount is a hundred times what it was"
    assert max(FEATURES, key=answer["scores"].get) == "amount"


def test_most_examples_are_right(detector: object, examples: dict) -> None:
    wrong = [
        name for name, (rows, tag) in examples.items() if bool(detector.check(window=rows)["drift"]) != tag["drift"]
    ]
    assert len(wrong) <= 3, f"{len(examples) - len(wrong)} of {len(examples)} examples are right"
    alarms = [name for name in wrong if not examples[name][1]["drift"]]
    assert len(alarms) <= 1, f"clean windows taken for drift: {', '.join(alarms)}. From which hours are they?"


def test_check_is_pure(detector: object, window: pd.DataFrame, gross: pd.DataFrame) -> None:
    before = p_value(detector, gross)
    p_value(detector, window)
    assert p_value(detector, gross) == before
    assert before < 1.0, "an answer that never changes shows nothing"


def test_order_extra_columns_and_encoding_change_nothing(
    detector: object, window: pd.DataFrame, gross: pd.DataFrame
) -> None:
    for rows in (window, gross):
        usual = p_value(detector, rows)
        shuffled = rows.sample(frac=1.0, random_state=3).reset_index(drop=True)
        dressed = rows[list(reversed(rows.columns))].assign(note="x", device=rows["device"].astype("category"))
        assert math.isclose(p_value(detector, shuffled), usual, abs_tol=1e-6)
        assert math.isclose(p_value(detector, dressed), usual, abs_tol=1e-6)
    assert p_value(detector, gross) < 1.0, "an answer that never changes shows nothing"


def test_odd_windows_are_answered(detector: object, window: pd.DataFrame) -> None:
    odd = [
        window.iloc[:1],
        window.assign(discount=float("nan")),
        window.assign(basket_items=1),
        window.assign(country=["Atlantis"] * len(window)),
    ]
    answers = [detector.check(window=rows) for rows in odd]
    assert all(0.0 <= answer["p_value"] <= 1.0 for answer in answers)
    assert answers[1]["drift"], "every discount is null"
    assert answers[3]["drift"], "a country that was never seen, in every row"


@pytest.mark.parametrize("method", ["check", "update"])
def test_wrong_windows_are_refused(detector: object, window: pd.DataFrame, method: str) -> None:
    for wrong in (window.iloc[:0], window.drop(columns="amount"), window.assign(amount="a lot")):
        with pytest.raises(ValueError):  # noqa: PT011 - any message will do
            getattr(detector, method)(window=wrong)


def test_feedback_notices_a_turned_label(detector: object, reference: pd.DataFrame, labels: pd.DataFrame) -> None:
    rows = (
        reference.drop(columns="score").merge(labels, on="row_id").sample(1000, random_state=5).reset_index(drop=True)
    )
    usual, turned = detector.feedback(rows=rows), detector.feedback(rows=rows.assign(y=1 - rows["y"]))
    for answer in (usual, turned):
        assert bool(answer["concept_drift"]) == (answer["p_value"] <= 0.05)
    assert not usual["concept_drift"]
    assert turned["concept_drift"]


def test_a_new_process_continues(detector: object, gross: pd.DataFrame, tmp_path: Path) -> None:
    detector = copy.deepcopy(detector)  # `update` leaves a trace, which is none of the other checks' business
    detector.save(path=str(tmp_path / "state"))
    gross.to_parquet(tmp_path / "window.parquet")
    command = [sys.executable, "-c", CONTINUE, str(tmp_path / "state"), str(tmp_path / "window.parquet")]
    done = subprocess.run(command, cwd=KIT, capture_output=True, text=True, check=False)  # noqa: S603 - your own class
    assert done.returncode == 0, done.stderr[-800:]
    here = [p_value(detector, gross), bool(detector.update(window=gross)["alarm"])]
    assert json.loads(done.stdout.splitlines()[-1]) == here
    assert isinstance(entry(), type)
