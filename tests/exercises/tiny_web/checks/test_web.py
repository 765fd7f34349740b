"""Checks of a server that doubles numbers."""

import json

import pytest

from grader.checker.api import Reason
from grader.checker.service import Request, post_json


def double(number):
    """Ask for a number to be doubled."""
    return post_json("/double", {"number": number})


@pytest.mark.check(id="A1", points=3, competency="serving", title="Doubles")
def test_doubles(running, award):
    response = running.client.post("/double", json={"number": 21})
    award(float(response.status_code == 200 and response.json() == {"double": 42}), f"It gave {response.text[:80]}.")


@pytest.mark.check(id="A2", points=2, competency="serving", title="Reads its data")
def test_reads(running, variant, award):
    response = running.client.get("/offset", timeout=2)
    award(float(response.text == str(variant.number)), f"It gave {response.text[:80]!r}.")


@pytest.mark.check(id="A3", points=1, competency="serving", title="Refuses what is no number")
def test_refuses(running, award):
    broken = Request(method="POST", path="/double", body=b"\xff{", headers={"Content-Type": "application/json"})
    award(float(running.send(broken).header["status"] == 422))


@pytest.mark.check(id="B1", points=2, competency="operations", title="Answers many at once, in order")
def test_load(running, award):
    exchanges = running.load([double(number) for number in range(300)], concurrency=8)
    right = sum(
        each.status == 200 and json.loads(each.body) == {"double": 2 * number} for number, each in enumerate(exchanges)
    )
    errors = {each.error for each in exchanges}
    award(right / 300, f"{right} of 300.", reason=Reason.NO_RESPONSE, evidence={"errors": errors})


@pytest.mark.check(id="B2", points=2, competency="operations", title="Goes on under load, and ends when asked")
@pytest.mark.requires("A1")
def test_operations(service, variant, award):
    service.start({"given": variant.path / "given"}, {"DATA": "{given}"})
    with service.background([double(1)] * 40, concurrency=2, repeat=True) as running:
        other = service.client.post("/double", json={"number": 5})
    fine = (
        other.json() == {"double": 10} and running.exchanges and all(each.status == 200 for each in running.exchanges)
    )
    log = service.read("log.txt").decode()
    ending = service.stop()
    alive = service.alive()
    service.restart()
    again = service.client.get("/ready").status_code
    award(
        float(bool(fine) and ending.exit_status == 0 and not alive and again == 200 and log.startswith("started")),
        f"{ending}, {len(running.exchanges)} exchanges",
    )


@pytest.mark.check(id="C1", points=1, competency="performance", title="Is about as quick as the reference")
@pytest.mark.requires("A1")
def test_quick(service, reference_service, variant, award):
    requests = [double(1)] * 50
    service.start({"given": variant.path / "given"}, {"DATA": "{given}"})
    reference_service.start({"given": variant.path / "given"}, {"DATA": "{given}"})
    with reference_service.paused():
        mine = service.load(requests)
        cpu = service.last_load.cpu_seconds
    before = service.usage()[0]
    with service.paused():
        theirs = reference_service.load(requests)
    idle = service.usage()[0] - before
    award(
        1.0 if len(mine) == len(theirs) == 50 and idle < 0.05 else 0.0,
        metrics={"cpu": cpu, "idle": idle, "mine": mine[0].seconds},
    )
