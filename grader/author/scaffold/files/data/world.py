"""One world: twelve shops, what their orders were worth, and which of them were entered in crowns."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from grader.checker.chance import Chance

CROWNS = 25.0  # to the euro
DIRTY, CLEAN = 8, 4  # shops with mistakes, and without
LEVELS = (8.0, 160.0)  # what an order is typically worth, in euros
SPREADS = (0.40, 0.48)  # of the logarithm of amounts
SHARES = (0.08, 0.22)  # of orders in crowns, in the shops that have any
ORDERS = (220, 380)
CUT = 2.5  # no order is further away than this many spreads
_FIRST = ("Cal", "Hol", "Mar", "Ost", "Pen", "Ros", "Sil", "Tor", "Ulm", "Var", "Wes", "Zel")
_LAST = ("bach", "dale", "den", "ford", "gate", "ham", "mere", "stad", "wick")


@dataclass(frozen=True)
class Shop:
    """A shop and its orders.

    Attributes:
        name: Its name.
        euros: What each order was worth.
        in_crowns: Places of the orders that were entered in crowns.
    """

    name: str
    euros: tuple[float, ...]
    in_crowns: frozenset[int]

    @property
    def entered(self) -> list[float]:
        """The amounts as they were entered."""
        return [
            round(amount * CROWNS, 2) if place in self.in_crowns else amount for place, amount in enumerate(self.euros)
        ]


def draw_world(seed: int, split: str) -> list[Shop]:
    """Draw the shops of a world; the same seed and split give the same ones."""
    chance = Chance(f"{seed}/{split}")  # what is drawn with `random.Random` would tell its seed
    shops = DIRTY + CLEAN
    names = chance.sample([first + last for first in _FIRST for last in _LAST], shops)
    levels = _spread_out(chance, LEVELS, shops, logarithmic=True)
    shares = _spread_out(chance, SHARES, DIRTY) + [0.0] * CLEAN
    chance.shuffle(levels)
    return [_draw_shop(chance, *each) for each in zip(names, levels, shares, strict=True)]


def _spread_out(
    chance: random.Random, between: tuple[float, float], count: int, *, logarithmic: bool = False
) -> list[float]:
    """Draw one number from each of `count` equal parts of a range: never all at one end."""
    low, high = map(math.log, between) if logarithmic else between
    drawn = [low + (high - low) * (place + chance.random()) / count for place in range(count)]
    return [math.exp(each) for each in drawn] if logarithmic else drawn


def _draw_shop(chance: random.Random, name: str, level: float, share: float) -> Shop:
    spread = chance.uniform(*SPREADS)
    count = chance.randint(*ORDERS)
    euros = tuple(round(level * math.exp(spread * _cut_normal(chance)), 2) for _ in range(count))
    return Shop(name, euros, frozenset(chance.sample(range(count), round(share * count))))


def _cut_normal(chance: random.Random) -> float:
    while True:
        drawn = chance.gauss(0, 1)
        if abs(drawn) <= CUT:
            return drawn
