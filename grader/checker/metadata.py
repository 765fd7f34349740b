"""Whether labels can be guessed from what is around the data: the order of rows, files, ids, gaps, decimals.

A model that sees none of the values is asked for the labels. It should do no better than a guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FOLDS, DEPTH = 5, 6
MOST_CLASSES = 20
SIGMAS = 4.0  # a fair sample is further away once in thirty thousand
LEAST_LEAD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How well labels were guessed.

    Attributes:
        rows: How many labels there were.
        found: Balanced accuracy of the model, cross-validated.
        chance: What guessing reaches: one over the number of classes.
        limit: What a fair sample does not exceed.
        telling: What the model used most.
    """

    rows: int
    found: float
    chance: float
    limit: float
    telling: str

    @property
    def leaks(self) -> bool:
        """Whether the metadata tell of the labels."""
        return self.found > self.limit


def guess_labels(folder: Path, pattern: str, column: str) -> Guess:
    """Guess a column from metadata alone.

    Args:
        folder: A sample as candidates get it.
        pattern: Which files hold the labels: Parquet or CSV, as a glob pattern below the folder.
        column: The column of labels.

    Raises:
        ValueError: No file matches, or none has the column, or there are too few labels to tell.
    """
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    features, labels = _table(folder, pattern, column)
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or counts.min() < 4 * FOLDS:
        raise ValueError(f"{column!r} has too few labels of a class to tell: {counts.min()} of {len(labels)}")
    model = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=5, class_weight="balanced", random_state=0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    found = balanced_accuracy_score(labels, cross_val_predict(model, features, labels, cv=folds))
    chance = 1 / len(classes)
    # Guessing is a binomial draw in each class, and balanced accuracy the mean of their shares.
    sd = math.sqrt(sum(chance * (1 - chance) / count for count in counts)) / len(classes)
    importance = model.fit(features, labels).feature_importances_
    return Guess(
        rows=len(labels),
        found=float(found),
        chance=chance,
        limit=chance + max(SIGMAS * sd, LEAST_LEAD),
        telling=str(features.columns[int(importance.argmax())]),
    )


def _table(folder: Path, pattern: str, column: str) -> tuple[pd.DataFrame, np.ndarray]:
    paths = sorted(path for path in folder.glob(pattern) if path.is_file())
    tables = [_read(path) for path in paths]
    if not any(column in table for table in tables):
        raise ValueError(f"no file {pattern!r} has a column {column!r}")
    features, labels = [], []
    for number, table in enumerate(tables):
        if column in table:
            known = table[column].notna()
            features.append(_features(table.drop(columns=column), number)[known])
            labels.append(table.loc[known, column])
    joined = pd.concat(features, ignore_index=True).fillna(-1.0)
    joined.insert(0, "place in all files", np.arange(len(joined)))
    return joined, _classes(pd.concat(labels, ignore_index=True))


def _read(path: Path) -> pd.DataFrame:
    # An author's file. As text, so that the number of decimals is what was written.
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)  # noqa: TID251


def _classes(labels: pd.Series) -> np.ndarray:
    """Few different labels as they are; of many numbers, whether they are above the middle."""
    if labels.nunique() <= MOST_CLASSES:
        return labels.astype(str).to_numpy()
    numbers = pd.to_numeric(labels, errors="coerce")
    return np.asarray(numbers > numbers.median()).astype(str)


def _features(table: pd.DataFrame, number: int) -> pd.DataFrame:
    """What surrounds each row; nothing of what its cells mean."""
    place = np.arange(len(table))
    found: dict[str, object] = {"file": number, "place in the file": place}
    found |= {f"place modulo {step}": place % step for step in (2, 3, 5)}
    found["number of gaps"] = table.isna().sum(axis=1).to_numpy()
    for name in table.columns:
        cells = table[name]
        found[f"gap in {name}"] = cells.isna().to_numpy().astype(float)
        texts = cells.astype(str)
        found[f"decimals of {name}"] = texts.str.extract(r"\.(\d+)$")[0].str.len().fillna(0).to_numpy()
        if str(name).lower() == "id" or str(name).lower().endswith("_id"):
            found[f"rank of {name}"] = cells.astype(str).rank(method="dense").to_numpy()
            found[f"length of {name}"] = texts.str.len().to_numpy()
    return pd.DataFrame(found, index=table.index)
