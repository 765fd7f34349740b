"""A number to read from a file."""

from pathlib import Path


def generate(seed: int, split: str, destination: Path) -> None:
    """Write `given/offset.txt`."""
    (destination / "given").mkdir()
    (destination / "given" / "offset.txt").write_text(str(seed))
