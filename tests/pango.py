"""The libraries that print a PDF; installed where they are missing, never left out."""

from __future__ import annotations

import ctypes

from grader.render.pdf import PACKAGES
from grader.sandbox.machine import apt_install

LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")


def ensure_pango() -> None:
    """Install what WeasyPrint needs, where the machine lacks it."""
    try:
        for library in LIBRARIES:
            ctypes.CDLL(library)
    except OSError:
        apt_install(list(PACKAGES), hint=f"Type: apt-get install {' '.join(PACKAGES)}")
