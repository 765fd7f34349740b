"""A load: as many at once as was asked for, timed here, carrying other requests along, and ended when told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from grader import frames
from grader.clock import Deadline
from grader.engine.load import Exchange, Load, LoadOptions, LoadRequest
from grader.errors import FrameError, InfrastructureFault
from grader.frames import Frame
from grader.sandbox.channel import Channel, Refusal
from tests.scripted import ScriptedBox, refuse, reply

REQUESTS = [LoadRequest({"method": "GET", "path": f"/{number}"}, b"") for number in range(10)]


def load(script: Any, *, requests: Sequence[LoadRequest] = REQUESTS, seconds: float = 5, **options: Any) -> Load:
    usual = {"concurrency": 3, "keep_alive": True, "repeat": False, "seconds": 1.0, "cap": 100}
    return Load(Channel(ScriptedBox(script)), requests, LoadOptions(**{**usual, **options}), Deadline(seconds))


class Server:
    """Answers once enough requests wait, the newest first; remembers how many waited at most."""

    def __init__(self, enough: int = 1) -> None:
        self.enough = enough
        self.waiting: list[Frame] = []
        self.seen: list[dict[str, Any]] = []
        self.most = 0

    def __call__(self, frame: Frame) -> Sequence[Frame]:
        self.seen.append(frame.header)
        self.waiting.append(frame)
        self.most = max(self.most, len(self.waiting))
        if len(self.waiting) < self.enough:
            return []
        waiting, self.waiting = self.waiting[::-1], []
        return [reply(each, each.header["path"].encode(), status=200, error="", headers=[]) for each in waiting]


def test_every_request_is_answered_with_its_own_answer() -> None:
    server = Server()
    run = load(server)
    run.run()
    assert {each.request: each.body for each in run.exchanges} == {n: f"/{n}".encode() for n in range(10)}
    assert all(each.status == 200 and each.seconds >= 0 for each in run.exchanges)


def test_no_more_are_under_way_than_asked_for_and_no_fewer() -> None:
    server = Server(enough=3)
    load(server, requests=REQUESTS[:9]).run()
    assert server.most == 3


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, {"slot 0", "slot 1", "slot 2"}), (False, {""})])
def test_each_slot_keeps_its_connection_where_asked_for(keep_alive: bool, connections: set[str]) -> None:
    server = Server()
    load(server, keep_alive=keep_alive).run()
    assert {each["connection"] for each in server.seen} == connections


def test_other_requests_are_carried_along_and_end_when_it_ends() -> None:
    run = load(lambda frame: [reply(frame, status=200, error="", said=frame.header["op"])], repeat=True)
    run.start()
    said = run.request("service.state", {}, b"", Deadline(5)).header["said"]
    run.stop(at_once=True)
    assert said == "service.state"
    assert len(run.exchanges) > 3
    assert run.request("service.state", {}, b"", Deadline(5)).header["said"] == "service.state"


def test_a_refusal_reaches_whoever_asked() -> None:
    def script(frame: Frame) -> Sequence[Frame]:
        return [refuse(frame, "start") if frame.header["op"] == "x" else reply(frame, status=200, error="")]

    run = load(script, repeat=True)
    run.start()
    with pytest.raises(Refusal):
        run.request("x", {}, b"", Deadline(5))
    run.stop(at_once=True)


def test_a_box_that_ends_is_told_to_everybody() -> None:
    run = load(lambda frame: None if frame.header["path"] == "/4" else [reply(frame, status=200, error="")])
    run.start()
    with pytest.raises(EOFError):
        run.stop(at_once=False)
    with pytest.raises(EOFError):
        run.request("x", {}, b"", Deadline(5))


def test_a_frame_that_answers_nothing_is_no_answer() -> None:
    with pytest.raises(FrameError):
        load(lambda frame: [Frame(frames.REPLY, 77, {})]).run()


def test_it_ends_at_its_deadline() -> None:
    with pytest.raises(TimeoutError):
        load(lambda frame: [], seconds=0.05).run()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"status": "200", "error": None, "headers": 3}, Exchange(request=0, began=0, error="protocol")),
        ({"status": 10**6, "error": "x" * 99, "headers": []}, Exchange(request=0, began=0, error="x" * 40)),
        (
            {"status": 200, "error": "", "headers": [["a"], ["b", "c"], "d", ["e", 1], ["f", "g" * 2000]]},
            Exchange(request=0, began=0, status=200, headers=[["b", "c"]]),
        ),
    ],
)
def test_nothing_in_an_answer_is_taken_as_it_comes(header: dict[str, Any], expected: Exchange) -> None:
    run = load(lambda frame: [reply(frame, **header)], requests=REQUESTS[:1])
    run.run()
    found = run.exchanges[0]
    found.began, found.seconds = 0, 0.0
    assert found == expected


def test_whatever_ends_a_load_in_the_background_is_told_to_who_stops_it() -> None:
    def script(frame: Frame) -> Sequence[Frame]:
        raise InfrastructureFault("the engine is gone")

    run = load(script)
    run.start()
    with pytest.raises(InfrastructureFault):
        run.stop(at_once=True)
    with pytest.raises(InfrastructureFault):
        run.request("service.state", {}, b"", Deadline(5))
