"""A sandbox whose boxes can all be ended from another thread."""

from __future__ import annotations

import contextlib
import weakref
from threading import Event, Lock

from grader.errors import BoxLost, GraderError
from grader.sandbox.port import Box, BoxSpec, Sandbox


class StoppableSandbox:
    """Opens the boxes of another sandbox, until it is stopped.

    Args:
        sandbox: Where boxes really come from.
        stopped: Set by `stop`, and looked at before each box is opened.
    """

    def __init__(self, sandbox: Sandbox, stopped: Event) -> None:
        """No box is open yet."""
        self._sandbox = sandbox
        self._stopped = stopped
        self._lock = Lock()
        self._open: list[weakref.ref[Box]] = []

    def open(self, spec: BoxSpec) -> Box:
        """Start a box. Raises what the sandbox raises, and BoxLost once it was stopped."""
        self._refuse_when_stopped()
        box = self._sandbox.open(spec)
        with self._lock:
            self._open = [known for known in self._open if known() is not None]
            self._open.append(weakref.ref(box))
        if self._stopped.is_set():
            box.close()
            self._refuse_when_stopped()
        return box

    def _refuse_when_stopped(self) -> None:
        if self._stopped.is_set():
            raise BoxLost("The batch was stopped.")

    def stop(self) -> None:
        """End every box that is open; whoever reads from one meets the end of the stream."""
        self._stopped.set()
        with self._lock:
            boxes = [box for known in self._open if (box := known()) is not None]
        for box in boxes:
            with contextlib.suppress(GraderError, OSError):
                box.kill()
