"""The loop that answers requests: every one gets an answer, whatever goes wrong in a thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from grader import frames
from grader.agent.stream import Answer, serve
from grader.frames import Frame


class Line:
    """Frames to read, then the end; remembers what was sent."""

    def __init__(self, *ops: str) -> None:
        self._frames = [Frame(frames.REQUEST, number, {"op": op}) for number, op in enumerate(ops, start=1)]
        self.sent: dict[int, Frame] = {}

    def read(self) -> Frame:
        if not self._frames:
            raise EOFError
        return self._frames.pop(0)

    def send(self, frame: Frame) -> None:
        assert frame.request not in self.sent
        self.sent[frame.request] = frame


def answered(line: Line, handler: Any) -> dict[int, Frame]:
    serve(line, {"aside": handler}, frozenset({"aside"}))  # type: ignore[arg-type]
    return line.sent


def test_what_nobody_expected_in_a_thread_is_a_refusal() -> None:
    def handler(header: dict[str, Any], body: bytes) -> Answer:
        raise ValueError("no such thing")

    (answer,) = answered(Line("aside"), handler).values()
    assert (answer.kind, answer.header["message"]) == (frames.REFUSAL, "ValueError: no such thing")


def test_where_no_more_threads_can_be_had_the_one_that_is_there_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, []

    def once(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", once)
    found = answered(Line("aside", "aside", "aside"), lambda header, body: ({}, b""))
    assert {number: frame.kind for number, frame in found.items()} == dict.fromkeys((1, 2, 3), frames.REPLY)
