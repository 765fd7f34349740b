"""How many cases, and how bytes are bent: a few changes of the kinds that break parsers."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Sequence

CASES = int(os.environ.get("GRADER_FUZZ_CASES", "100"))
"""Cases a target: few in `make test`, ten thousand and more in `make fuzz`."""

SEED = int(os.environ.get("GRADER_FUZZ_SEED", "0"))
"""The same cases each time in `make test`, so that what it says depends on the code alone; `make fuzz` draws others."""

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def bent(samples: Sequence[bytes], cases: int = CASES) -> Iterator[bytes]:
    """Yield samples with one to eight changes each; a run can be repeated with the seed that it prints."""
    sys.stdout.write(f"GRADER_FUZZ_SEED={SEED}\n")
    chance = random.Random(SEED)
    for _ in range(cases):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 8)):
            _bend(data, chance)
        yield bytes(data)


def _bend(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    kind = chance.randrange(7)
    if kind == 0:
        data[at : at + 1] = bytes([chance.randrange(256)])
    elif kind == 1:
        width = chance.choice((1, 2, 4, 8))
        number = chance.choice(_NUMBERS) % 256**width
        data[at : at + width] = number.to_bytes(width, chance.choice(("little", "big")))
    elif kind == 2:
        del data[at : at + chance.randint(1, 64)]
    elif kind == 3:
        data[at:at] = chance.randbytes(chance.randint(1, 64))
    elif kind == 4:
        start = chance.randrange(len(data) + 1)
        data[at:at] = data[start : start + chance.randint(1, 256)]
    elif kind == 5:
        del data[at:]
    elif at < len(data):
        data[at] ^= 1 << chance.randrange(8)
