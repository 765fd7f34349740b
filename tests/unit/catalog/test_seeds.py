"""Variants: one world per candidate, exercise and version; nothing of the key shows."""

from __future__ import annotations

import pytest

from grader.catalog.seeds import commitment, named_in, variant_for
from tests.unit.scoring.test_fold import exercise

KEY = b"\7" * 32


def test_the_same_candidate_gets_the_same_world() -> None:
    assert variant_for(exercise(), KEY, "ada") == variant_for(exercise(), KEY, "ada")


def test_everything_that_matters_changes_the_world() -> None:
    newer = exercise().model_copy(update={"manifest": exercise().manifest.model_copy(update={"version": "1.0.1"})})
    seeds = {
        variant_for(exercise(), KEY, "ada").seed,
        variant_for(exercise(), KEY, "bob").seed,
        variant_for(exercise(), KEY, None).seed,
        variant_for(exercise(), KEY, "shared").seed,
        variant_for(exercise(), b"\6" * 32, "ada").seed,
        variant_for(newer, KEY, "ada").seed,
    }
    assert len(seeds) == 6


@pytest.mark.parametrize("whose", ["ada", "shared", "candidate ada", None])
def test_a_label_tells_whose_variant_it_is(whose: str | None) -> None:
    assert named_in(variant_for(exercise(), KEY, whose).label) == whose


def test_the_commitment_binds_and_the_seed_does_not_show() -> None:
    variant = variant_for(exercise(), KEY, "ada")
    assert variant.commitment == commitment(variant.seed)
    assert variant.seed not in repr(variant)
    assert 0 <= variant.number < 2**63
