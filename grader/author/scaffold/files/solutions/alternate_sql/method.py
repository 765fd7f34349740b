import duckdb
import pandas as pd

QUERY = """
with seen as (select shop, amount, median(amount) over (partition by shop) as middle from orders),
judged as (select shop, amount, amount > 5 * middle as wrong from seen)
select shop, median(if(wrong, amount / 25, amount)), count(*) filter (wrong) from judged group by shop
"""


def summarise(orders: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Say it in SQL."""
    with duckdb.connect(config={"threads": 1}) as database:
        database.register("orders", orders)
        rows = database.execute(QUERY).fetchall()
    return {str(shop): {"typical": float(typical), "errors": int(errors)} for shop, typical, errors in rows}
