"""How the front and a worker talk: frames of four bytes of length and a marshalled tuple, over a pair of sockets.

Both ends are the same Python and trust each other; marshal is the quickest way for tuples of numbers and texts.
"""

from __future__ import annotations

import marshal
import struct
from typing import Any

HEAD = struct.Struct("!I")


def pack(message: Any) -> bytes:
    """A message as it goes over the socket."""
    content = marshal.dumps(message)
    return HEAD.pack(len(content)) + content
