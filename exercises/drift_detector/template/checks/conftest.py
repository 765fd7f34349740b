"""Fits your detector on the sample once, as submission.toml says, and draws windows from the sample."""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

KIT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(KIT))

FEATURES = (
    "amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items",
    "device", "country", "payment", "segment",
)  # fmt: skip


def entry() -> type:
    """Import your class."""
    file = KIT / "submission.toml"
    manifest = tomllib.loads(file.read_text(encoding="utf-8-sig")) if file.exists() else {}
    module, _, name = manifest.get("callable", {}).get("entry", "drift:DriftDetector").partition(":")
    return getattr(importlib.import_module(module), name)


@pytest.fixture(scope="session")
def reference() -> pd.DataFrame:
    """The sample."""
    return pd.read_parquet(KIT / "reference.parquet")


@pytest.fixture(scope="session")
def labels() -> pd.DataFrame:
    """Its labels."""
    return pd.read_parquet(KIT / "reference_labels.parquet")


@pytest.fixture(scope="session")
def detector(reference: pd.DataFrame, labels: pd.DataFrame) -> object:
    """Your detector, fitted on the sample at alpha 0.05."""
    made = entry()(alpha=0.05, seed=0)
    made.fit(reference=reference, labels=labels)
    return made


@pytest.fixture(scope="session")
def window(reference: pd.DataFrame) -> pd.DataFrame:
    """A clean window: 500 rows of the sample itself."""
    chosen = np.sort(np.random.default_rng(7).choice(len(reference), 500, replace=False))
    return reference.iloc[chosen].reset_index(drop=True)


@pytest.fixture(scope="session")
def gross(window: pd.DataFrame) -> pd.DataFrame:
    """The same rows after somebody sent cents for every amount."""
    return window.assign(amount=window["amount"] * 100.0)


@pytest.fixture(scope="session")
def examples() -> dict[str, tuple[pd.DataFrame, dict]]:
    """The 12 public windows: name to rows and tag."""
    tags = json.loads((KIT / "examples.json").read_text(encoding="utf-8"))
    return {name: (pd.read_parquet(KIT / "examples" / name), tag) for name, tag in tags.items()}
