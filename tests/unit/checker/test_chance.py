"""A generator of random numbers that is repeatable by its name and cannot be computed from what it gave."""

from __future__ import annotations

import hashlib
import random
from collections import Counter

import pytest

from grader.checker.chance import Chance


def test_the_same_name_gives_the_same_numbers_and_another_name_others() -> None:
    draws = [Chance(name).random() for name in ("7/a", "7/a", "7/b", "8/a")]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


def test_numbers_are_those_of_the_standard() -> None:
    stream = hashlib.shake_256(bytes(8) + b"7/a").digest(40)
    chance = Chance("7/a")
    assert chance.getrandbits(64) == int.from_bytes(stream[:8])
    assert chance.getrandbits(3) == stream[8] >> 5
    assert chance.random() == (int.from_bytes(stream[9:16]) >> 3) / 2**53
    assert chance.getrandbits(0) == 0


def test_no_number_is_given_twice_or_left_out_where_blocks_meet() -> None:
    whole = b"".join(hashlib.shake_256(block.to_bytes(8) + b"7/a").digest(1 << 16) for block in range(8))
    chance = Chance("7/a")
    sizes = [3, 7, 1, 1 << 17, 5, (1 << 16) - 1, 2, 999]
    taken = b"".join(chance.getrandbits(8 * size).to_bytes(size) for size in sizes)
    assert taken == whole[: len(taken)]


def test_it_draws_as_the_standard_library_does() -> None:
    chance = Chance("7/a")
    counts = Counter(chance.randrange(6) for _ in range(60_000))
    # Chi-squared with 5 degrees of freedom exceeds 25.7 once in ten thousand.
    assert sum((count - 10_000) ** 2 / 10_000 for count in counts.values()) < 25.7
    assert 0.49 < sum(chance.random() for _ in range(20_000)) / 20_000 < 0.51
    cards = list(range(52))
    chance.shuffle(cards)
    assert sorted(cards) == list(range(52)) != cards
    assert abs(sum(chance.gauss(0, 1) for _ in range(20_000)) / 20_000) < 0.03
    assert len(set(chance.sample(range(10**6), 1000))) == 1000


def test_a_bare_seed_is_no_name() -> None:
    with pytest.raises(TypeError, match="named by a text"):
        Chance(7)  # type: ignore[arg-type]


def test_its_state_is_nobodys() -> None:
    chance = Chance("7/a")
    for ask in (chance.getstate, lambda: chance.setstate(random.Random(1).getstate())):
        with pytest.raises(TypeError, match="make"):
            ask()
    first = Chance("7/a").getrandbits(64)
    chance.seed(1)
    assert chance.getrandbits(64) == first
