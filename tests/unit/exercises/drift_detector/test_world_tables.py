"""What is drawn stays what it was, and the fast way of making tables sends the same bytes as the slow one."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from grader.checker.staging import as_stream

SEED = 6
# Of all tables of `drawn`; whoever changes it changes every world, and with it all that was ever measured.
DIGEST = "608e53b900d1b02d9f3b13798e75afd351e991c28ed6762d00f74b7c8a74137e"
CONCEPTS = (None, "covariate", "country", "intercept_s", "slope_half", "label_shift")


def drawn(data, world) -> list:
    """A few rows of everything: both modes, every kind of drift, labels and a stream."""
    sizes = {None: None} | {kind: sizes[-1] for kind, sizes in data.world.SIZES.items()}
    tables = [
        draw(60, np.random.default_rng([1, place]), kind, size)
        for place, (kind, size) in enumerate(sizes.items())
        for draw in (world.pooled, world.slice)
    ]
    tables += [world.feedback(80, np.random.default_rng([2, place]), kind) for place, kind in enumerate(CONCEPTS)]
    return [*tables, world.pooled(1, np.random.default_rng(3)), *world.stream(3, np.random.default_rng(4), 0.2, 1)]


@pytest.fixture(scope="module")
def world(data):
    return data.world.World(SEED)


def test_windows_of_a_seed_are_those_that_they_always_were(data, world):
    digest = hashlib.sha256()
    for table in drawn(data, world):
        # Nine digits: the last ones are the processor's.
        digest.update(table.to_csv(index=False, float_format="%.9g").encode())
    assert digest.hexdigest() == DIGEST


def test_arrow_tables_are_sent_as_the_same_bytes_as_data_frames(data, world):
    frames, tables = drawn(data, world), drawn(data, world.in_arrow)
    assert all(isinstance(frame, pd.DataFrame) for frame in frames), "a world in Arrow leaves the other as it is"
    assert not any(isinstance(table, pd.DataFrame) for table in tables)
    differ = [
        place for place, pair in enumerate(zip(frames, tables, strict=True)) if len(set(map(as_stream, pair))) > 1
    ]
    assert not differ
