"""The ladder of a new exercise holds in every world, since each installation draws others: measured without boxes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from grader.author.expectations import Earned, violations
from grader.author.scaffolding import write_exercise
from grader.catalog.ladder import Rung, load_ladder
from grader.checker.api import linear

WORLDS = 12
MODULES = ("world", "measures")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_exercise("order_values", "callable", tmp_path_factory.mktemp("exercises")).folder


@pytest.fixture(scope="module")
def modules(source: Path) -> Iterator[dict[str, Any]]:
    """The exercise's own world and measures, under no name that stays."""
    folders = [str(source / "data"), str(source / "checks")]
    others = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}  # of other exercises
    sys.path[:0] = folders
    yield {name: importlib.import_module(name) for name in MODULES}
    for folder in folders:
        sys.path.remove(folder)
    for name in MODULES:
        del sys.modules[name]
    sys.modules.update(others)


def earned(rung: Rung, world: list[Any], measures: Any) -> Earned:
    """What the three checks give, by the measures that they use."""
    program = ModuleType(rung.name)
    exec(rung.files()["shop_values.py"].decode(), program.__dict__)
    truth = {shop.name: measures.Truth(median(shop.euros), len(shop.in_crowns)) for shop in world}
    orders = pd.DataFrame([(shop.name, each) for shop in world for each in shop.entered], columns=["shop", "amount"])
    said = measures.read_said(program.summarise(orders), truth)  # type: ignore[attr-defined]
    typical = [measures.deviation(said[name].typical, each.typical) for name, each in truth.items()]
    counts = [measures.deviation(said[name].errors, each.errors) for name, each in truth.items() if each.errors]
    clean = [said[name].errors == 0 for name, each in truth.items() if not each.errors]
    shares = {
        "A1": fmean(linear(each, measures.TYPICAL_LO, measures.TYPICAL_HI) for each in typical),
        "A2": fmean(linear(each, measures.COUNT_LO, measures.COUNT_HI) for each in counts),
        "B1": linear(measures.share_found(said, truth), measures.GATE_LO, measures.GATE_HI) * fmean(clean),
    }
    percent = 50 * shares["A1"] + 30 * shares["A2"] + 20 * shares["B1"]
    return Earned(rung=rung.name, candidate="", submission="", exercise="", status="graded", percent=percent,
                  shares=shares)  # fmt: skip


def test_every_rung_keeps_its_promise_in_every_world(source: Path, modules: dict[str, Any]) -> None:
    rungs = {rung.name: rung for rung in load_ladder(source) if rung.name not in ("broken", "hostile")}
    assert len(rungs) == 8
    for seed in range(WORLDS):
        world = modules["world"].draw_world(seed, "hidden")
        reference = earned(rungs["reference"], world, modules["measures"])
        for rung in rungs.values():
            found = list(violations(rung.expected, earned(rung, world, modules["measures"]), reference))
            assert found == [], (seed, rung.name)
