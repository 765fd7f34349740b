from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.clock import Deadline
from grader.errors import InfrastructureFault
from grader.sandbox.stream import READ_AHEAD, STDERR_CAP, STDERR_KEPT, BoxStream, ChildPipes, DockerSocket, Pipe
from tests.forwarder import write_certificates


def piece(pipe: int, data: bytes) -> bytes:
    return struct.pack(">BxxxI", pipe, len(data)) + data


@pytest.fixture
def ends() -> Iterator[tuple[BoxStream, socket.socket]]:
    """Our stream, and the engine's end of the connection."""
    near, far = socket.socketpair()
    with near, far:
        yield BoxStream(DockerSocket(near)), far


Ends = tuple[BoxStream, socket.socket]


def test_stdout_and_stderr_are_taken_apart(ends: Ends) -> None:
    stream, engine = ends
    engine.sendall(piece(1, b"ab") + piece(2, b"oops") + piece(1, b"cd"))
    assert stream.read_exactly(4, Deadline(5)) == b"abcd"
    assert stream.stderr == b"oops"


@given(pieces=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=8), data=st.data())
def test_how_the_network_cuts_the_bytes_does_not_matter(pieces: list[tuple[int, bytes]], data: st.DataObject) -> None:
    raw = b"".join(piece(*one) for one in pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=10)))
    with closing(socket.socket()) as unused:
        carrier = DockerSocket(unused)
        found = [
            part for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True) for part in carrier._separate(raw[a:b])
        ]
    for pipe in Pipe:
        assert b"".join(d for p, d in found if p is pipe) == b"".join(d for p, d in pieces if p == pipe)


def test_a_pipe_that_docker_does_not_have_is_the_engines_fault(ends: Ends) -> None:
    stream, engine = ends
    engine.sendall(piece(3, b"the engine's own trouble"))
    with pytest.raises(InfrastructureFault, match="unknown kind"):
        stream.read_exactly(1, Deadline(5))


def test_a_read_that_timed_out_loses_nothing(ends: Ends) -> None:
    stream, engine = ends
    engine.sendall(piece(1, b"ab"))
    with pytest.raises(TimeoutError):
        stream.read_exactly(4, Deadline(0.05))
    engine.sendall(piece(1, b"cd"))
    assert stream.read_exactly(4, Deadline(5)) == b"abcd"


def test_what_is_buffered_comes_also_after_the_deadline_and_after_the_end(ends: Ends) -> None:
    stream, engine = ends
    engine.sendall(piece(1, b"abcd"))
    engine.close()
    assert stream.read_exactly(2, Deadline(5)) == b"ab"
    assert stream.read_exactly(2, Deadline(0)) == b"cd"
    with pytest.raises(EOFError):
        stream.read_exactly(1, Deadline(5))
    assert stream.ended


def test_a_steady_drip_does_not_stretch_the_deadline(ends: Ends) -> None:
    stream, engine = ends
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.01):
            engine.sendall(piece(1, b"."))

    thread = threading.Thread(target=drip)
    thread.start()
    deadline = Deadline(0.2)
    with pytest.raises(TimeoutError):
        stream.read_exactly(10_000, deadline)
    stop.set()
    thread.join()


def test_only_the_end_of_stderr_is_kept(ends: Ends) -> None:
    stream, engine = ends
    sender = _sending(engine, piece(2, b"a" * STDERR_KEPT) + piece(2, b"b" * STDERR_KEPT) + piece(1, b"!"))
    stream.read_exactly(1, Deadline(5))
    sender.join()
    assert stream.stderr == b"b" * STDERR_KEPT


def test_a_flood_of_stderr_is_the_end(ends: Ends) -> None:
    stream, engine = ends
    stream._stderr_total = STDERR_CAP
    engine.sendall(piece(2, b"x"))
    with pytest.raises(EOFError):
        stream.read_exactly(1, Deadline(5))
    assert not stream.ended  # the box itself is still there


def test_no_more_is_read_ahead_than_allowed(ends: Ends) -> None:
    stream, engine = ends
    flood = threading.Thread(target=_flood, args=(engine,))
    flood.start()
    with pytest.raises(TimeoutError):
        stream.write(bytes(32 * 1024 * 1024), Deadline(1))
    assert READ_AHEAD <= len(stream._stdout) < READ_AHEAD + 1024 * 1024
    engine.shutdown(socket.SHUT_RDWR)
    flood.join()


def test_an_empty_write_needs_no_peer(ends: Ends) -> None:
    stream, engine = ends
    engine.close()
    stream.write(b"", Deadline(0))


def test_hanging_up_from_another_thread_ends_a_read(ends: Ends) -> None:
    stream, _ = ends
    timer = threading.Timer(0.05, stream.interrupt)
    timer.start()
    with pytest.raises(EOFError):
        stream.read_exactly(1, Deadline(10))
    timer.join()


def test_draining_takes_what_is_there_and_does_not_wait(ends: Ends) -> None:
    stream, engine = ends
    engine.sendall(piece(1, b"forgotten") + piece(2, b"last words"))
    deadline = Deadline(10)
    stream.drain(deadline, quiet=0.0)
    assert stream.stderr == b"last words"
    assert deadline.left > 5


def test_tls_carries_more_than_one_record_both_ways(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    near, far = socket.socketpair()
    payload = os.urandom(1024 * 1024)
    echo = threading.Thread(target=_tls_echo, args=(tls[0], far, len(payload)))
    echo.start()
    with tls[1].wrap_socket(near, server_hostname="engine") as connection:
        stream = BoxStream(DockerSocket(connection))
        stream.write(payload, Deadline(20))
        assert stream.read_exactly(len(payload), Deadline(20)) == payload
        with pytest.raises(EOFError):
            stream.read_exactly(1, Deadline(20))
    echo.join()


def test_a_process_that_left_its_stderr_open_has_ended_all_the_same() -> None:
    stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
    os.close(stdout[1])
    carrier = ChildPipes(os.fdopen(stdin[1], "wb", 0), os.fdopen(stdout[0], "rb", 0), os.fdopen(stderr[0], "rb", 0))
    stream = BoxStream(carrier)
    with pytest.raises(EOFError):
        stream.read_exactly(1, Deadline(5))
    stream.close()
    os.close(stdin[0])
    os.close(stderr[1])


def _sending(end: socket.socket, data: bytes) -> threading.Thread:
    thread = threading.Thread(target=end.sendall, args=(data,))
    thread.start()
    return thread


def _flood(end: socket.socket) -> None:
    block = piece(1, b"x" * 65536)
    try:
        while True:
            end.sendall(block)
    except OSError:
        return


def _tls_echo(context: ssl.SSLContext, end: socket.socket, size: int) -> None:
    with context.wrap_socket(end, server_side=True) as connection:
        data = b""
        while len(data) < size:
            data += connection.recv(65536)
        for start in range(0, size, 100_000):
            connection.sendall(piece(1, data[start : start + 100_000]))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's context that trust each other."""
    folder = tmp_path_factory.mktemp("tls")
    return write_certificates(folder), ssl.create_default_context(cafile=str(folder / "ca.pem"))
