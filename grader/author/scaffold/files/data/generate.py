"""Generate a variant: what candidates see, and what their work is graded on.

public   sample/orders.csv, and sample/truth.json: a sample with the right summary beside it.
hidden   given/orders.csv: what the submission is given; truth.json: what checks compare its answer with.
"""

from __future__ import annotations

import csv
import json
import random
import statistics
from pathlib import Path

from world import Shop, draw_world

from grader.checker.chance import Chance


def generate(seed: int, split: str, destination: Path) -> None:
    """Write one split of a variant; the same seed gives the same bytes.

    Args:
        seed: The variant's seed.
        split: "public" or "hidden".
        destination: Folder to write into; it exists and is empty.
    """
    shops = draw_world(seed, split)
    if split == "public":
        write_orders(shops, destination / "sample", Chance(f"{seed}/order of rows"))
        write_truth(shops, destination / "sample" / "truth.json")
    else:
        write_orders(shops, destination / "given", Chance(f"{seed}/order of rows"))
        write_truth(shops, destination / "truth.json")


def write_orders(shops: list[Shop], folder: Path, chance: random.Random) -> None:
    """Write all orders as they were entered, in an order that says nothing."""
    rows = [(shop.name, f"{amount:.2f}") for shop in shops for amount in shop.entered]
    chance.shuffle(rows)
    folder.mkdir()
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("shop", "amount"), *rows])


def write_truth(shops: list[Shop], path: Path) -> None:
    """Write the right summary."""
    truth = {
        shop.name: {"typical": round(statistics.median(shop.euros), 3), "errors": len(shop.in_crowns)}
        for shop in sorted(shops, key=lambda shop: shop.name)
    }
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
