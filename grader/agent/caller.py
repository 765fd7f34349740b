"""One worker of a callable: imports the submission's entry point and answers one call at a time.

A program of its own, started by `grader.agent.workers` in the submission's folder. It belongs to the
candidate like everything in this box: it sees the arguments of the present call and nothing else.

A request is a length (4 bytes, big endian), that many bytes of JSON, and after it the tables that the
JSON names, each with its length before it. An answer is a length and that many bytes of JSON.
"""

from __future__ import annotations

import copy
import importlib
import io
import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ANSWER_CAP = 256 * 1024
MESSAGE_CAP = 500
BASES_CAP = 20
DEPTH_CAP = 16
LARGEST = 10**308  # as far as floats go, and grader.frames


class NoValue(Exception):
    """What was returned is nothing that JSON can carry."""


class Caller:
    """Holds the object whose methods are called.

    Args:
        entry: `module:attribute` of the class.
    """

    def __init__(self, entry: str) -> None:
        """Import the entry point; whatever it raises is the submission's."""
        module, _, attribute = entry.partition(":")
        self._class: Any = getattr(importlib.import_module(module), attribute)
        self._object: Any = None
        self._fresh: Any = None
        self._setup: list[tuple[str, dict[str, Any]]] = []

    def construct(self, arguments: dict[str, Any]) -> None:
        """Make the object anew."""
        self._setup = [("", arguments)]
        self._object = self._class(**arguments)

    def call(self, method: str, arguments: dict[str, Any], *, keep: bool) -> Any:
        """Call a method; `keep` says that it makes the object what it is, as fitting does."""
        if keep:
            self._setup.append((method, arguments))
        return getattr(self._object, method)(**arguments)

    def load(self, method: str, arguments: dict[str, Any]) -> None:
        """Restore the object: `method` may be an instance, class or static method."""
        if self._object is None:
            self._object = self._class()
        restored = getattr(self._object, method)(**arguments)
        if isinstance(restored, self._class):
            self._object = restored

    def freshen(self) -> None:
        """Make a copy of the object, for `step` to call."""
        self._fresh = self._copy()

    def step(self, method: str, arguments: dict[str, Any]) -> Any:
        """Call a method of the fresh copy."""
        return getattr(self._fresh, method)(**arguments)

    def _copy(self) -> Any:
        try:
            return copy.deepcopy(self._object)
        except Exception:  # it holds a lock, a generator or the like: make another one the same way
            fresh = self._class(**self._setup[0][1])
            for method, arguments in self._setup[1:]:
                getattr(fresh, method)(**arguments)
            return fresh


def _attempt(action: Any) -> dict[str, Any]:
    """Do something of the submission's; what it returns or raises becomes data."""
    try:
        value = action()
    except MemoryError:
        return {"reason": "oom", "message": "MemoryError"}
    except Exception as error:
        message = _readable(str(error)[:MESSAGE_CAP])
        bases = [kind.__name__[:80] for kind in type(error).__mro__[:BASES_CAP]]
        return {"error": bases[0], "bases": bases, "message": message, "place": _readable(_place(error))}
    try:
        return {"value": plain(value)}
    except NoValue as error:
        return {"reason": "format", "message": str(error)[:MESSAGE_CAP]}


def _place(error: BaseException) -> str:
    """Name the innermost line of the submission's own files."""
    place, trace, here = "", error.__traceback__, str(Path.cwd())
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(here + os.sep):
            place = f"{os.path.relpath(file, here)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place[:200]


def plain(value: Any, depth: int = DEPTH_CAP) -> Any:
    """Turn a value into what JSON knows; numpy's scalars count as the Python values that they are.

    Raises:
        NoValue: It is, or holds, something else.
    """
    if depth <= 0:
        raise NoValue("nested too deep")
    if value is None or isinstance(value, bool | str):
        return _text(value) if isinstance(value, str) else value
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise NoValue("an integer of hundreds of digits")
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, Mapping):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise NoValue(f"a key of type {type(wrong).__name__}, not str")
        # As json.dumps writes it: str() of a member of an enumeration is "Feature.amount".
        return {_text(str.__str__(key)): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return plain(_item(value), depth - 1)
    raise NoValue(f"a value of type {type(value).__name__}")


def _item(scalar: Any) -> Any:
    """Return the Python value of a numpy scalar; of a longdouble, which Python does not have, the nearest float."""
    item = scalar.item()
    return float(item) if type(item).__name__ == "longdouble" else item


def _text(value: str) -> str:
    """Refuse half a character: one such text would make all answers that travel with it unreadable.

    Raises:
        NoValue: It holds one.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NoValue("a text that is not valid Unicode") from error
    return value


def _readable(text: str) -> str:
    """Write half characters as their numbers."""
    return text.encode("utf-8", "backslashreplace").decode()


class Pipe:
    """Requests from the agent, answers to it.

    Args:
        reader: Descriptor that requests come from.
        writer: Descriptor that answers go to.
    """

    def __init__(self, reader: int, writer: int) -> None:
        """Take over both."""
        self._reader = os.fdopen(reader, "rb")
        self._writer = writer

    def piece(self) -> bytes:
        """Read a length and what it announces."""
        size = self._reader.read(4)
        if len(size) < 4:
            raise EOFError
        return self._reader.read(int.from_bytes(size, "big"))

    def answer(self, value: Any) -> None:
        """Write an answer; one that is too large is replaced by saying so."""
        data = json.dumps(value, allow_nan=False).encode()
        if len(data) > ANSWER_CAP:
            data = json.dumps({"reason": "too_large", "message": f"{len(data):,} bytes in one answer"}).encode()
        view = memoryview(len(data).to_bytes(4, "big") + data)
        while view:
            view = view[os.write(self._writer, view) :]


def _table(data: bytes) -> Any:
    import pyarrow as pa

    with pa.ipc.open_stream(io.BytesIO(data)) as stream:
        return stream.read_pandas()


def _filled(arguments: dict[str, Any], tables: dict[str, bytes]) -> dict[str, Any]:
    """Put tables where the arguments name them; each use gets a frame of its own."""
    return {
        name: _table(tables[value["$table"]]) if isinstance(value, dict) and "$table" in value else value
        for name, value in arguments.items()
    }


def respond(caller: Caller, request: dict[str, Any], tables: dict[str, bytes]) -> Any:
    """Carry out one request."""
    op, method = request["op"], request.get("method", "")
    arguments = _filled(request["arguments"], tables)
    if op == "construct":
        return _attempt(lambda: caller.construct(arguments))
    if op == "fresh":
        return _attempt(caller.freshen)
    if op == "step":
        return _attempt(lambda: caller.step(method, arguments))
    if op == "load":
        return _attempt(lambda: caller.load(method, arguments))
    return _attempt(lambda: caller.call(method, arguments, keep=op == "setup"))


def main() -> None:
    """Answer until the agent closes its end."""
    pipe = Pipe(int(sys.argv[2]), int(sys.argv[3]))
    sys.path.insert(0, str(Path.cwd()))
    made: list[Caller] = []
    imported = _attempt(lambda: made.append(Caller(sys.argv[1])))
    pipe.answer(imported)
    while made:
        try:
            request = json.loads(pipe.piece())
            tables = {name: pipe.piece() for name in request["tables"]}
        except EOFError:
            break
        pipe.answer(respond(made[0], request, tables))
    os._exit(0)


if __name__ == "__main__":
    main()
