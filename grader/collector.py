"""The collector of cyclic garbage, out of the way of work that keeps all that it makes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_the_collector() -> Iterator[None]:
    """Keep it from walking again and again through hundreds of thousands of values, all of which stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
