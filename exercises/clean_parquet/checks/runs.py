"""How the program is run, and how what it wrote is laid beside the truth."""

from __future__ import annotations

from tables import ORDERS, QUARANTINE, Standing, Truth

from grader.checker.api import SubmissionFailed

ARGUMENTS = ["--raw", "{raw}", "--out", "{out}"]
OUTPUTS = ("orders.parquet", "quarantine.parquet", "report.json")


def standing_of(run, truth: Truth) -> Standing:
    """Lay a run's tables beside the truth.

    A wrong type costs the check about types; here a column that cannot be converted is all null. A quarantine
    that is missing or damaged is an empty one, and costs the checks about quarantine.
    """
    orders = run.lenient_table("orders.parquet", ORDERS).table
    try:
        quarantine = run.lenient_table("quarantine.parquet", QUARANTINE).table
    except SubmissionFailed:
        quarantine = QUARANTINE.empty_table()
    return Standing(truth=truth, orders=orders, quarantine=quarantine)
