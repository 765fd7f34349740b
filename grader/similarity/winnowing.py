"""Fingerprints of a row of tokens.

Schleimer, Wilkerson, Aiken: Winnowing: Local Algorithms for Document Fingerprinting. SIGMOD 2003,
doi:10.1145/872757.872770. Hashes of all k-grams are thinned out to the least one of each window of w, so that two
rows with the same t = w + k - 1 tokens anywhere share a fingerprint, and what is shorter than k never matches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

K = 25
"""Tokens of a k-gram: passages that are shorter are noise."""

WINDOW = 16
"""k-grams of a window; every shared passage of `K + WINDOW - 1` tokens is found."""

_BASE, _MODULUS = 1_000_003, (1 << 61) - 1


def kgram_hashes(codes: Sequence[int], k: int = K) -> list[int]:
    """Return the rolling hash (Karp, Rabin 1987) of each k-gram, one for each place where one begins."""
    found: list[int] = []
    value, top = 0, pow(_BASE, k, _MODULUS)
    for place, code in enumerate(codes):
        value = (value * _BASE + code) % _MODULUS
        if place >= k:
            value = (value - codes[place - k] * top) % _MODULUS
        if place >= k - 1:
            found.append(value)
    return found


def winnow(hashes: Sequence[int], window: int = WINDOW) -> list[int]:
    """Return the places of the least hash of each window, the rightmost where several are equal; each place once.

    Fewer hashes than a window count as one window.
    """
    chosen: list[int] = []
    rising: deque[int] = deque()  # places whose hashes grow from left to right
    for place, value in enumerate(hashes):
        while rising and hashes[rising[-1]] >= value:
            rising.pop()
        rising.append(place)
        if rising[0] <= place - window:
            rising.popleft()
        if place >= min(window, len(hashes)) - 1 and (not chosen or chosen[-1] != rising[0]):
            chosen.append(rising[0])
    return chosen
