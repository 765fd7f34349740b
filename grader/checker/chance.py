"""Random numbers that tell nothing of their seed, however many of them somebody sees.

Python's own generator is linear: whoever sees some thousand of its numbers can compute all others and, as `seed()` of
a text can be inverted too, the text that it was seeded with. A submission sees what was drawn for it.
"""

from __future__ import annotations

import hashlib
import random
from typing import Any

_BLOCK = 1 << 16  # bytes that are made at once


class Chance(random.Random):
    """A generator of random numbers, repeatable by its name, from SHAKE-256 (FIPS 202) of the name and a counter.

    It has all methods of `random.Random`; its state can be neither seeded anew nor read.

    Args:
        name: Says which numbers, and should begin with the seed: the same name gives the same ones on every machine.
    """

    def __init__(self, name: str) -> None:
        """Nothing is drawn yet.

        Raises:
            TypeError: The name is no text; a bare seed would be the name of everything that is drawn from it.
        """
        if not isinstance(name, str):
            raise TypeError(f'a Chance is named by a text, such as Chance(f"{{seed}}/rows"), and not by {name!r}')
        self._name = name.encode()
        self._blocks = 0
        self._bytes = b""
        self._at = 0
        super().__init__()

    def seed(self, *_: Any, **__: Any) -> None:
        """Do nothing: the name is the seed."""
        self.gauss_next = None

    def random(self) -> float:
        """Draw from [0, 1), a multiple of 2**-53."""
        return (int.from_bytes(self._take(7)) >> 3) * 2.0**-53

    def getrandbits(self, k: int) -> int:
        """Draw `k` bits."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        size = (k + 7) // 8
        return int.from_bytes(self._take(size)) >> (8 * size - k)

    def getstate(self) -> Any:
        """Refuse: who has the state has the name.

        Raises:
            TypeError: Always.
        """
        raise TypeError("the state of a Chance cannot be read; make another one of the same name")

    def setstate(self, state: Any) -> None:
        """Refuse, as `getstate`.

        Raises:
            TypeError: Always.
        """
        raise TypeError("the state of a Chance cannot be set; make one of another name")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        while end > len(self._bytes):
            block = hashlib.shake_256(self._blocks.to_bytes(8) + self._name).digest(_BLOCK)
            self._bytes = self._bytes[self._at :] + block
            self._blocks += 1
            self._at, end = 0, size
        taken = self._bytes[self._at : end]
        self._at = end
        return taken
