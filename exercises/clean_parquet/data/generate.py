"""Generate a variant of `clean_parquet`: what candidates see, and what their programs are graded on.

public   raw/ and truth/: a sample with the right result beside it.
hidden   main/      about 12 000 orders; most checks look at the result for these
         corrupt/   a small set with two unreadable files
         crash/     a small set whose customers.parquet is cut short
         history/   one file of 3 million rows: every state of 60 000 orders
         decision/  exports of six other worlds for the notebook, see decision.py
         probe/     one file with status words of none to three typing errors
         each with raw/, and truth/ where there is a result.
"""

from __future__ import annotations

from pathlib import Path

from decision import write_decisions
from history import write_history
from publish import decide, write_ledger, write_raw, write_result
from scenario import make_rows
from world import World, chance, make_world

PUBLIC_ORDERS = 2_000
MAIN_ORDERS = 12_000
SMALL_ORDERS = 1_400
HISTORY_ROWS = 3_000_000


def generate(seed: int, split: str, destination: Path) -> None:
    """Write one split of a variant; the same seed gives the same bytes.

    Args:
        seed: The variant's seed.
        split: "public" or "hidden".
        destination: Folder to write into; made if it is not there.

    Raises:
        ValueError: Another split is asked for.
    """
    if split == "public":
        world = make_world(seed, customers=900, skus=120)
        _write_set(seed, "public", world, PUBLIC_ORDERS, destination)
    elif split == "hidden":
        world = make_world(seed, customers=2_500, skus=300)
        _write_set(seed, "main", world, MAIN_ORDERS, destination / "main", ledger=True)
        _write_corrupt(seed, world, destination / "corrupt")
        _write_crash(seed, world, destination / "crash")
        write_history(seed, world, destination / "history", HISTORY_ROWS)
        write_decisions(seed, destination / "decision")
    else:
        raise ValueError(f"there is no split {split!r}; it is 'public' or 'hidden'")


def _write_set(seed: int, stream: str, world: World, orders: int, folder: Path, *, ledger: bool = False) -> None:
    files, rows = make_rows(seed, stream, world, orders)
    write_raw(folder / "raw", seed, world, files, rows)
    fates = decide(rows, frozenset())
    write_result(folder / "truth", folder / "raw", fates)
    if ledger:
        write_ledger(folder / "truth", fates)


def _write_corrupt(seed: int, world: World, folder: Path) -> None:
    files, rows = make_rows(seed, "corrupt", world, SMALL_ORDERS)
    write_raw(folder / "raw", seed, world, files, rows)
    draw = chance(seed, "damage")
    short, damaged = draw.sample([file.name for file in files if not file.drifted], 2)
    orders = folder / "raw" / "orders"
    cut_short(orders / short)
    damage_inside(orders / damaged)
    unreadable = frozenset({short, damaged})
    fates = decide(rows, unreadable)
    write_result(folder / "truth", folder / "raw", fates, unreadable)
    write_ledger(folder / "truth", fates)


def _write_crash(seed: int, world: World, folder: Path) -> None:
    files, rows = make_rows(seed, "crash", world, SMALL_ORDERS)
    write_raw(folder / "raw", seed, world, files, rows)
    cut_short(folder / "raw" / "customers.parquet")


def cut_short(path: Path) -> None:
    """Lose the last third of a file, its footer included."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def damage_inside(path: Path) -> None:
    """Overwrite the start of every zstd frame in the data; the footer stays, so that the file opens."""
    content = path.read_bytes()
    magic = b"\x28\xb5\x2f\xfd"
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[:footer].replace(magic, b"\x00\x00\x00\x00") + content[footer:])
