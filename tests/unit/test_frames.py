"""Frames and strict JSON: what a hostile peer sends never becomes more than a broken frame."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.frames import (
    BODY_CAP,
    DEPTH_CAP,
    HEADER_CAP,
    MAGIC,
    NONCE_SIZE,
    REFUSAL,
    REPLY,
    REQUEST,
    BrokenFrame,
    Frame,
    encode,
    read_frame,
    strict_json,
)

NONCE = bytes(range(NONCE_SIZE))
PREFIX_SIZE = 33
TEXT = st.text(max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FRAMES = st.builds(
    Frame,
    kind=st.sampled_from([REQUEST, REPLY, REFUSAL]),
    request=st.integers(0, 2**32 - 1),
    header=st.dictionaries(TEXT, PLAIN, max_size=4),
    body=st.binary(max_size=200),
)
SAMPLE = encode(Frame(REPLY, 7, {"op": "run", "argv": ["python", "clean.py"]}, b"body"), NONCE)


class Peer:
    """A byte stream as a box offers it; remembers the most that was asked for at once."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.most = 0

    def read_exactly(self, size: int) -> bytes:
        self.most = max(self.most, size)
        data = self._data.read(size)
        if len(data) != size:
            raise EOFError
        return data


def read(data: bytes) -> Frame:
    return read_frame(Peer(data).read_exactly, NONCE)


@given(st.lists(FRAMES, max_size=4))
def test_frames_come_back_as_they_were_sent(frames: list[Frame]) -> None:
    peer = Peer(b"".join(encode(frame, NONCE) for frame in frames))
    assert [read_frame(peer.read_exactly, NONCE) for _ in frames] == frames
    with pytest.raises(EOFError):
        read_frame(peer.read_exactly, NONCE)


@given(FRAMES, st.data())
def test_a_frame_that_was_cut_short_is_the_end_of_the_stream(frame: Frame, data: st.DataObject) -> None:
    whole = encode(frame, NONCE)
    with pytest.raises(EOFError):
        read(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize("at", range(PREFIX_SIZE))
def test_a_changed_byte_in_the_prefix_is_never_more_than_a_broken_frame(at: int) -> None:
    for value in set(range(256)) - {SAMPLE[at]}:
        peer = Peer(SAMPLE[:at] + bytes([value]) + SAMPLE[at + 1 :])
        try:
            frame = read_frame(peer.read_exactly, NONCE)
        except (BrokenFrame, EOFError):
            assert peer.most <= max(HEADER_CAP, BODY_CAP)
            continue
        # Only these fields may differ and still be a frame: kind, id, and a body cut short.
        assert at == 20 or 21 <= at < 25 or (29 <= at < 33 and len(frame.body) < 4)


@given(st.integers(0, len(MAGIC) + NONCE_SIZE - 1), st.integers(1, 255))
def test_a_foreign_magic_or_nonce_is_broken_before_anything_is_read(at: int, flip: int) -> None:
    peer = Peer(SAMPLE[:at] + bytes([SAMPLE[at] ^ flip]) + SAMPLE[at + 1 :])
    with pytest.raises(BrokenFrame):
        read_frame(peer.read_exactly, NONCE)
    assert peer.most == PREFIX_SIZE


@given(st.binary(max_size=120))
def test_noise_is_never_more_than_a_broken_frame(noise: bytes) -> None:
    for data in (noise, SAMPLE[:PREFIX_SIZE] + noise):
        with pytest.raises((BrokenFrame, EOFError)):
            read(data)


@pytest.mark.parametrize(("header", "body"), [(HEADER_CAP + 1, 0), (0, BODY_CAP + 1), (2**32 - 1, 2**32 - 1)])
def test_a_size_over_the_cap_is_refused_before_memory_is_taken(header: int, body: int) -> None:
    prefix = struct.pack(">4s16sBIII", MAGIC, NONCE, REPLY, 1, header, body)
    peer = Peer(prefix + bytes(100))
    with pytest.raises(BrokenFrame, match="over the cap"):
        read_frame(peer.read_exactly, NONCE)
    assert peer.most == PREFIX_SIZE


@pytest.mark.parametrize("header", [b"[]", b'"text"', b"1", b"null", b"", b"{", b"{} {}", b"\xff{}"])
def test_a_header_that_is_no_object_is_broken(header: bytes) -> None:
    prefix = struct.pack(">4s16sBIII", MAGIC, NONCE, REPLY, 1, len(header), 0)
    with pytest.raises(BrokenFrame):
        read(prefix + header)


@pytest.mark.parametrize(
    ("frame", "nonce"),
    [
        (Frame(REPLY, 1, {"a": "x" * HEADER_CAP}), NONCE), (Frame(REPLY, 1, {}, bytes(BODY_CAP + 1)), NONCE),
        (Frame(REPLY, 1, {"a": float("nan")}), NONCE), (Frame(REPLY, 1, {"a": object()}), NONCE),
        (Frame(REPLY, 1), NONCE[:-1]), (Frame(REPLY, 1), NONCE + b"x"),
        (Frame(REPLY, 2**32), NONCE), (Frame(REPLY, -1), NONCE), (Frame(4, 1), NONCE),
    ],
    ids=["header", "body", "nan", "object", "short nonce", "long nonce", "large id", "id", "kind"],
)  # fmt: skip
def test_what_no_peer_would_accept_is_not_sent(frame: Frame, nonce: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode(frame, nonce)


def test_the_largest_frame_passes() -> None:
    frame = Frame(REPLY, 2**32 - 1, {"a": "x" * (HEADER_CAP - 8)}, bytes(BODY_CAP))
    assert read(encode(frame, NONCE)) == frame


@given(PLAIN)
def test_plain_json_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    assert strict_json(json.dumps(value).encode()) == value
    assert strict_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "a": 2}', b'{"b": [{"a": 1, "\\u0061": 2}]}', b"NaN", b"[Infinity]", b"-Infinity", b'{"a": 1e999}',
        b"-1e999", b"1" + b"0" * 5000, b'{"a": [-1' + b"0" * 400 + b"]}",
        b'"\\ud800"', b'{"\\udfff": 1}', b'["\\ud800\\u0041"]', b"\xff", b"\xed\xa0\x80",
        b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 100_000, b"[" * 40 + b"]" * 40, b"", b"{'a': 1}", b"[1,]", b"01",
        b"+1", b"1.", b"0x1", b'"\n"', b"// c\n1", b"{} x", b"true1", b'{1: 2}', b"\0", b"{}".decode().encode("utf-16"),
    ],
)  # fmt: skip
def test_what_python_would_let_through_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenFrame):
        strict_json(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"1e308", 1e308), (b"-0.0", -0.0), (b'"\\ud83d\\ude00"', "\U0001f600"), (b"9" * 308, int("9" * 308))],
)
def test_what_is_plain_json_passes(data: bytes, value: object) -> None:
    assert strict_json(data) == value


def test_depth_is_bounded_where_it_says() -> None:
    assert strict_json(b"[" * (DEPTH_CAP - 1) + b"]" * (DEPTH_CAP - 1))
    assert strict_json(b'{"a":[1]}', depth=3) == {"a": [1]}
    with pytest.raises(BrokenFrame, match="deep"):
        strict_json(b"[" * DEPTH_CAP + b"1" + b"]" * DEPTH_CAP)
    with pytest.raises(BrokenFrame, match="deep"):
        strict_json(b'{"a":[1]}', depth=2)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text('[]{}":,0123456789eE+-.\\untrfals ', max_size=300).map(str.encode))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        strict_json(data)
    except BrokenFrame:
        return


def test_a_header_at_its_cap_takes_bounded_memory() -> None:
    crowd = b"[" + b"[]," * (HEADER_CAP // 3 - 1) + b"0]"
    tracemalloc.start()
    strict_json(crowd)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 1024 * 1024
