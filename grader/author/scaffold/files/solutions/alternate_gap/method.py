import numpy as np
import pandas as pd

CROWNS = 25.0
GAP = np.log(1.8)


def summarise(orders: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Cut each shop's sorted amounts at the widest gap, where it is wide enough to lie between two currencies."""
    found = {}
    for shop, amounts in orders.groupby("shop")["amount"]:
        ordered = np.sort(amounts.to_numpy())
        gaps = np.diff(np.log(ordered[len(ordered) // 2 :]))
        widest = int(gaps.argmax())
        errors = len(gaps) - widest if gaps[widest] > GAP else 0
        ordered[len(ordered) - errors :] /= CROWNS
        found[str(shop)] = {"typical": float(np.median(ordered)), "errors": errors}
    return found
