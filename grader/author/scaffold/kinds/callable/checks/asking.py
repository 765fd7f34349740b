"""Asks the submission's class."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from grader.checker.callable import CallableSubmission


def ask(submission: CallableSubmission, given: Path) -> object:
    """Return the summary of the orders in a folder.

    Raises:
        SubmissionFailed: There is none.
    """
    orders = pd.read_csv(given / "orders.csv", dtype={"shop": "str", "amount": "float64"})
    with submission.open() as session:
        session.construct()
        return session.call("summarise", orders=orders)
