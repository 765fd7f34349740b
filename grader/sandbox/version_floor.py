"""Versions below which holes are known to be open; they are listed in `docker/version-floor.toml`."""

from __future__ import annotations

import re
from pathlib import Path

FLOOR = Path(__file__).resolve().parent.parent.parent / "docker" / "version-floor.toml"


def below_floor(version: str, floors: list[str]) -> bool:
    """Tell whether a version is older than the floor of its own branch (its first two numbers).

    A branch without a floor is judged by the nearest: older branches are below, newer ones are not.
    """
    number = numbers(version)
    same = [floor for floor in floors if numbers(floor)[:2] == number[:2]]
    return bool(number) and number < min(map(numbers, same or floors))


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: "20.10.24+dfsg1" gives (20, 10, 24)."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
