import pandas as pd

CROWNS = 25.0
FAR = 5.0  # times the median: no order in euros is as large, and every order in crowns is larger


def summarise(orders: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Repair the orders in crowns, shop by shop, and take the median of what they were worth."""
    found = {}
    for shop, amounts in orders.groupby("shop")["amount"]:
        in_crowns = amounts > FAR * amounts.median()
        repaired = amounts.mask(in_crowns, amounts / CROWNS)
        found[str(shop)] = {"typical": float(repaired.median()), "errors": int(in_crowns.sum())}
    return found
