"""Files that a run writes where a careless harness would look for its own: named, and otherwise without effect."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

# The names that intake looks for in what is handed in; the agent may not import it, and a test compares them.
NAMES = (
    "conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "sitecustomize.py", "usercustomize.py", "*.pth",
    "entry_points.txt", ".coverage", "results.json", "junit.xml", "reward.txt",
)  # fmt: skip
ENTRIES_CAP = 2000
FOUND_CAP = 8


def planted(folders: Iterable[Path], known: Iterable[str]) -> list[str]:
    """Return the names of such files directly inside of folders.

    Args:
        folders: Where to look; what cannot be looked at is passed over.
        known: Names that were there before.
    """
    before, found = set(known), set()
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                for _, entry in zip(range(ENTRIES_CAP), entries, strict=False):
                    if any(fnmatchcase(entry.name, name) for name in NAMES) and entry.name not in before:
                        found.add(entry.name.encode("utf-8", "backslashreplace").decode()[:80])
        except OSError:
            continue
    return sorted(found)[:FOUND_CAP]
