"""Labels that metadata give away are found, and labels that they do not are left alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from grader.checker.metadata import guess_labels

ROWS = 600
Change = Callable[[pd.DataFrame], pd.DataFrame]


def fair(seed: int = 7) -> pd.DataFrame:
    chance = random.Random(seed)
    label = [chance.random() < 0.3 for _ in range(ROWS)]
    # The value tells of the label, as it should; nothing around it does.
    value = [round(chance.gauss(2.0 if each else 0.0, 1), 3) for each in label]
    ids = chance.sample(range(10**6, 10**7), ROWS)
    return pd.DataFrame({"row_id": ids, "value": [f"{each:.3f}" for each in value], "label": label})


def sample(folder: Path, table: pd.DataFrame, parts: int = 3) -> Path:
    folder.mkdir()
    for number in range(parts):
        table.iloc[number * len(table) // parts : (number + 1) * len(table) // parts].to_csv(
            folder / f"part-{number}.csv", index=False
        )
    return folder


@pytest.mark.parametrize("seed", range(8))
def test_a_fair_sample_stays_at_chance(tmp_path: Path, seed: int) -> None:
    guess = guess_labels(sample(tmp_path / "sample", fair(seed)), "*.csv", "label")
    assert (guess.rows, guess.chance) == (ROWS, 0.5)
    assert not guess.leaks, guess


def alternating(table: pd.DataFrame) -> pd.DataFrame:
    table["label"] = [place % 2 == 0 for place in range(len(table))]
    return table


def coarse(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[table["label"], "value"] = table.loc[table["label"], "value"].str[:-1]
    return table


LEAKS: dict[str, tuple[Change, str]] = {
    "sorted by label": (lambda table: table.sort_values("label"), "place"),
    "in turns": (alternating, "place modulo 2"),
    "decimals": (coarse, "decimals of value"),
    "gaps": (lambda table: table.assign(note=table["label"].map({True: None, False: "x"})), "gap in note"),
    "ids": (
        lambda table: (
            table.sort_values("label").assign(row_id=range(10**6, 10**6 + ROWS)).sample(frac=1, random_state=1)
        ),
        "rank of row_id",
    ),
}


@pytest.mark.parametrize(("change", "telling"), LEAKS.values(), ids=LEAKS.keys())
def test_a_leak_is_found_and_named(tmp_path: Path, change: Change, telling: str) -> None:
    guess = guess_labels(sample(tmp_path / "sample", change(fair())), "*.csv", "label")
    assert guess.leaks
    assert telling in guess.telling or guess.telling == "number of gaps"


def test_a_file_for_each_class_is_found_in_parquet_too(tmp_path: Path) -> None:
    for name, rows in fair().groupby("label"):
        rows.to_parquet(tmp_path / f"{name}.parquet")
    assert guess_labels(tmp_path, "*.parquet", "label").leaks


def test_numbers_are_cut_at_the_middle(tmp_path: Path) -> None:
    table = fair().drop(columns="label").assign(target=[float(place) for place in range(ROWS)])
    assert guess_labels(sample(tmp_path / "sorted", table), "*.csv", "target").leaks


@pytest.mark.parametrize(
    ("pattern", "column", "said"),
    [("*.tsv", "label", "no file"), ("*.csv", "y", "no file"), ("*.csv", "row_id", "few")],
)
def test_what_cannot_be_told_is_said(tmp_path: Path, pattern: str, column: str, said: str) -> None:
    few = fair().head(10).assign(row_id=["a"] * 9 + ["b"])
    with pytest.raises(ValueError, match=said):
        guess_labels(sample(tmp_path / "sample", few), pattern, column)
