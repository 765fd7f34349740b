"""Frames: how the host talks with a box over two byte streams.

Standard library only, because the agent inside a submission box uses this file too.

One frame is::

    4 bytes   b"GRF1"
    16 bytes  nonce of this stream, chosen by the host for each box
    1 byte    kind: 1 request, 2 reply, 3 refusal
    4 bytes   request id, big endian; a reply carries the id of its request
    4 bytes   header length, big endian
    4 bytes   body length, big endian
    header    UTF-8 JSON object
    body      raw bytes

A frame with a wrong nonce, length or header is an error that ends the stream: there is no way to
find the next frame after it, and an honest peer never sends one. Parsing follows SECURITY section 4:
caps before allocation, no duplicate keys, no NaN, bounded depth.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAGIC = b"GRF1"
NONCE_SIZE = 16
HEADER_CAP = 1024 * 1024
BODY_CAP = 1024 * 1024
DEPTH_CAP = 32
LARGEST = 10**308
REQUEST, REPLY, REFUSAL = 1, 2, 3

_KINDS = (REQUEST, REPLY, REFUSAL)
_PREFIX = struct.Struct(">4s16sBIII")


class BrokenFrame(Exception):
    """The stream carried something that is not a frame of this run."""


@dataclass(frozen=True)
class Frame:
    """One message. `header` is a JSON object; `body` are raw bytes."""

    kind: int
    request: int
    header: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""


def encode(frame: Frame, nonce: bytes) -> bytes:
    """Return the bytes of one frame.

    Raises:
        ValueError: Header or body is over its cap, the header is not plain JSON, or kind, id or
            nonce are none.
    """
    if len(nonce) != NONCE_SIZE or frame.kind not in _KINDS or not 0 <= frame.request < 2**32:
        raise ValueError(f"not a frame: kind {frame.kind}, id {frame.request}, nonce of {len(nonce)} bytes")
    try:
        header = json.dumps(frame.header, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, RecursionError) as error:
        raise ValueError(f"the header is not plain JSON: {error}") from error
    if len(header) > HEADER_CAP or len(frame.body) > BODY_CAP:
        raise ValueError(f"frame too large: header {len(header)}, body {len(frame.body)} bytes")
    prefix = _PREFIX.pack(MAGIC, nonce, frame.kind, frame.request, len(header), len(frame.body))
    return prefix + header + frame.body


def read_frame(read_exactly: Callable[[int], bytes], nonce: bytes) -> Frame:
    """Read one frame.

    Args:
        read_exactly: Returns just that many bytes, or raises EOFError at the end of the stream.
        nonce: What every frame of this stream must carry.

    Raises:
        BrokenFrame: Anything is not as it must be.
        EOFError: The stream ended.
    """
    magic, got, kind, request, header_size, body_size = _PREFIX.unpack(read_exactly(_PREFIX.size))
    if magic != MAGIC or got != nonce:
        raise BrokenFrame("bytes that are not a frame of this run")
    if kind not in _KINDS:
        raise BrokenFrame(f"unknown frame kind {kind}")
    if header_size > HEADER_CAP or body_size > BODY_CAP:
        raise BrokenFrame(f"frame over the cap: header {header_size}, body {body_size} bytes")
    header = strict_json(read_exactly(header_size))
    if not isinstance(header, dict):
        raise BrokenFrame("a frame's header must be a JSON object")
    return Frame(kind, request, header, read_exactly(body_size) if body_size else b"")


def strict_json(data: bytes, *, depth: int = DEPTH_CAP) -> Any:
    """Parse JSON as RFC 8259 means it, refusing what Python's parser lets through.

    Raises:
        BrokenFrame: Not UTF-8, not JSON, duplicate keys, NaN or Infinity (also as 1e999), integers that
            no float can hold, lone surrogates, or nested deeper than `depth`.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_countable,
        )
        _check_depth(value, depth)
    except RecursionError as error:
        raise BrokenFrame("JSON nested too deep") from error
    except ValueError as error:
        raise BrokenFrame(f"not strict JSON: {error}") from error
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _countable(text: str) -> int:
    # A larger integer is no float any more: the first check that computes with it would fail for a stranger's number.
    number = int(text)
    if abs(number) > LARGEST:
        raise ValueError("number out of range")
    return number


def _check_depth(value: Any, left: int) -> None:
    if left <= 0:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        for key, item in value.items():
            key.encode("utf-8")
            _check_depth(item, left - 1)
    elif isinstance(value, list):
        for item in value:
            _check_depth(item, left - 1)
    elif isinstance(value, str):
        value.encode("utf-8")  # refuses lone surrogates
