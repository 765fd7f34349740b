"""Clean the order exports with Spark."""

import argparse
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    orders = spark.read.option("mergeSchema", "true").parquet(f"{arguments.raw}/orders")
    orders.dropDuplicates(["order_no"]).withColumn("status", f.lower("status")).write.parquet(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
