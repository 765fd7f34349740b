import pandas as pd


def summarise(orders: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Drop what lies above the fence of a box plot, and take the median of the rest."""
    found = {}
    for shop, amounts in orders.groupby("shop")["amount"]:
        low, high = amounts.quantile(0.25), amounts.quantile(0.75)
        outliers = amounts > high + 1.5 * (high - low)
        found[str(shop)] = {"typical": float(amounts[~outliers].median()), "errors": int(outliers.sum())}
    return found
