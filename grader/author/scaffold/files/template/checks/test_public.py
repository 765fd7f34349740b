"""Public checks: the form, and the sample. The hidden checks look at other shops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TRUTH = json.loads((Path(__file__).parents[1] / "sample" / "truth.json").read_text(encoding="utf-8"))


def test_every_shop_has_two_numbers(summary: dict[str, dict[str, float]]) -> None:
    assert set(summary) == set(TRUTH)
    for shop in summary.values():
        assert isinstance(shop["typical"], float | int)
        assert isinstance(shop["errors"], int)


@pytest.mark.parametrize("shop", TRUTH)
def test_typical_value(summary: dict[str, dict[str, float]], shop: str) -> None:
    assert summary[shop]["typical"] == pytest.approx(TRUTH[shop]["typical"], rel=0.02)


@pytest.mark.parametrize("shop", TRUTH)
def test_mistakes(summary: dict[str, dict[str, float]], shop: str) -> None:
    assert summary[shop]["errors"] == TRUTH[shop]["errors"]
