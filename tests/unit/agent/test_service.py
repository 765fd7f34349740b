"""The agent's HTTP: what is sent, what comes back, whatever a server does."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.agent.service import Service
from grader.agent.stream import Refused

SERVER = """
import os
import socket
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening", os.environ["DATA"], flush=True)
while True:
    connection, _ = listener.accept()
    data = b""
    while b"\\r\\n\\r\\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\\r\\n\\r\\n")
    length = next((int(line[15:]) for line in head.split(b"\\r\\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    answer = head.replace(b"\\r\\n", b"|") + b"#%d" % len(body)
    head = b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n"
    connection.sendall(head % len(answer) + answer)
    connection.close()
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, tmp_path / "in", lambda _: {"PATH": os.environ["PATH"]})
    yield service
    service.end()


def started(service: Service, program: str = SERVER) -> Service:
    header = {"argv": [sys.executable, "-c", program], "environment": {"DATA": "{given}"}, "inputs": ["given"]}
    service.start({**header, "printed": 10_000}, b"")
    return service


def ask(service: Service, body: bytes = b"", **header: Any) -> tuple[dict[str, Any], bytes]:
    usual = {"method": "POST", "path": "/x?y=1", "headers": [["X-One", "1"]], "seconds": 5, "cap": 10_000}
    end = time.monotonic() + 10
    while True:
        reply, answer = service.request({**usual, **header}, body)
        if reply["error"] != "refused" or time.monotonic() > end:
            return reply, answer


def test_sends_what_was_asked_for_and_its_own_usual_headers(service: Service) -> None:
    reply, answer = ask(started(service), b"hello", padding=2_000_000)
    assert (reply["status"], reply["error"]) == (200, "")
    head, _, size = answer.partition(b"#")
    assert head == b"POST /x?y=1 HTTP/1.1|Host: service|Connection: close|Content-Length: 2000005|X-One: 1"
    assert size == b"2000005"


def test_headers_of_a_check_replace_the_usual_ones(service: Service) -> None:
    _, answer = ask(started(service), b"", method="GET", headers=[["host", "other"]])
    assert answer == b"GET /x?y=1 HTTP/1.1|Connection: close|host: other#0"


def test_tells_what_it_printed_and_where_its_inputs_are(service: Service, tmp_path: Path) -> None:
    ask(started(service))
    assert service.state({}, b"")[0] == {"running": True, "status": None, "flooded": False, "oom": False}
    service.stop({"signal": "KILL", "seconds": 60}, b"")
    for thread in threading.enumerate():  # who reads what it printed has read all of it when it has ended
        if "_drain" in thread.name:
            thread.join()
    assert service.state({}, b"")[1] == f"listening {tmp_path / 'in' / 'given'}\n".encode()


def test_nobody_listens(service: Service) -> None:
    started(service, "import time; time.sleep(60)")
    assert service.request({"method": "GET", "path": "/", "seconds": 1, "cap": 1}, b"")[0]["error"] == "refused"


def test_stop_tells_how_it_ended(service: Service) -> None:
    ask(started(service))
    reply, _ = service.stop({"signal": "TERM", "seconds": 5}, b"")
    assert (reply["status"], reply["timed_out"], reply["leftovers"]) == (-15, False, 0)


FOLLOWED = (
    """
import os, signal, subprocess, sys
helper = subprocess.Popen([sys.executable, "-c", {helper!r}], stdin=subprocess.PIPE)
"""
    + SERVER
)
ENDS_AFTER_ITS_PROGRAM = "import sys; sys.stdin.read()"  # its pipe closes when the program has ended
STAYS = "import signal; signal.pause()"


@pytest.mark.parametrize(("helper", "leftovers"), [(ENDS_AFTER_ITS_PROGRAM, 0), (STAYS, 1)])
def test_a_helper_that_follows_its_program_is_not_left_behind(service: Service, helper: str, leftovers: int) -> None:
    ask(started(service, FOLLOWED.replace("{helper!r}", repr(helper))))
    assert service.stop({"signal": "TERM", "seconds": 5}, b"")[0]["leftovers"] == leftovers


def test_what_has_ended_is_not_killed_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    started(service)
    killed: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda number, _: killed.append(number))
    service.stop({"signal": "TERM", "seconds": 5}, b"")
    service.end()  # by now its number may be that of another process
    assert len(killed) == 1


def test_there_is_nothing_to_stop(service: Service) -> None:
    with pytest.raises(Refused, match="no server was started"):
        service.stop({"signal": "TERM", "seconds": 5}, b"")


def test_a_program_that_is_not_there_is_refused(service: Service) -> None:
    with pytest.raises(Refused, match="cannot start 'no-such-program'"):
        service.start({"argv": ["no-such-program"], "environment": {}, "printed": 1}, b"")
