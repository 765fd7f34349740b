"""Decisions and notebooks for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def make_decision(**changes: object) -> dict[str, Any]:
    """A decision that has everything."""
    usual = {
        "chosen_method": "newest",
        "alternatives": [{"name": "newest", "value": 0.01}, {"name": "first", "value": 0.3}],
        "metric": "quarantine_rate",
        "estimate": 0.1,
        "interval": [0.08, 0.12],
        "operating_point": 1,
        "cost_assumption": "A wrong row costs ten times a lost one.",
        "known_failures": ["a new shop", "a new currency"],
        "rollback_trigger": "more than 20 % in quarantine on two days",
    }
    return usual | changes


def make_notebook(*cells: str, metadata: Mapping[str, object] | None = None, nbformat: int = 4) -> str:
    """A notebook's file with these code cells, a text in front, and stored outputs that nobody asked for."""
    markup = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<script>alert(1)</script>"}}
    code = [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "metadata": {"tags": ["raises-exception"]},
            "execution_count": 7,
            "source": source,
            "outputs": [markup],
        }
        for number, source in enumerate(cells)
    ]
    text = {"cell_type": "markdown", "id": "text", "metadata": {}, "source": "# Decision"}
    content = {"nbformat": nbformat, "nbformat_minor": 5, "metadata": dict(metadata or {}), "cells": [text, *code]}
    return json.dumps(content)


def writing(decision: object, name: str = "decision.json") -> str:
    """A cell that writes a decision that was typed in."""
    return f"open({name!r}, 'w').write({json.dumps(decision)!r})"
