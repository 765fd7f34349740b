"""Asks the submission's service."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from grader.checker.api import Reason, SubmissionFailed
from grader.checker.service import Service


def ask(service: Service, given: Path) -> object:
    """Return the summary of the orders in a folder.

    Raises:
        SubmissionFailed: There is none.
    """
    with (given / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = [{"shop": row["shop"], "amount": float(row["amount"])} for row in csv.DictReader(file)]
    service.start({}, {})
    response = service.client.post("/summary", json={"orders": orders})
    if response.status_code != 200:
        raise SubmissionFailed(Reason.WRONG_ANSWER, f"POST /summary was answered with {response.status_code}, not 200.")
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise SubmissionFailed(Reason.FORMAT, "POST /summary was answered with what is no JSON.") from error
