"""How the program is run, and how what it wrote is laid beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from tables import ORDERS, QUARANTINE, Standing, Truth

from grader.checker.api import SubmissionFailed
from grader.checker.command import CommandRun

ARGUMENTS = ["--raw", "{raw}", "--out", "{out}"]
SECONDS = 120.0  # as RULES says; the 3 million rows have more, since another run may have half of the processors
OUTPUTS = ("orders.parquet", "quarantine.parquet", "report.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The two tables of a run in the expected schema, and by file how what was written differs from it."""

    orders: pa.Table
    quarantine: pa.Table
    deviations: dict[str, tuple[str, ...]]

    def beside(self, truth: Truth) -> Standing:
        """Lay the tables beside the truth."""
        return Standing(truth=truth, orders=self.orders, quarantine=self.quarantine)


def read_written(run: CommandRun) -> Written:
    """Read a run's tables.

    A wrong type costs the check about types; here a column that cannot be converted is all null. A quarantine
    that is missing or damaged is an empty one, and costs the checks about quarantine.

    Raises:
        SubmissionFailed: There are no orders that can be read.
    """
    orders = run.lenient_table("orders.parquet", ORDERS)
    try:
        read = run.lenient_table("quarantine.parquet", QUARANTINE)
        quarantine, deviations = read.table, read.deviations
    except SubmissionFailed as error:
        quarantine, deviations = QUARANTINE.empty_table(), (str(error),)
    return Written(
        orders=orders.table,
        quarantine=quarantine,
        deviations={"orders.parquet": orders.deviations, "quarantine.parquet": deviations},
    )
