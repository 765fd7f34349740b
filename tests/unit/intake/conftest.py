"""Receiving what `tests.archives` builds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import SubmissionRejected
from grader.intake.limits import IntakeLimits
from grader.intake.receive import receive
from grader.model.reasons import Rejection
from grader.model.submission import Submission
from tests.archives import Tree, write_folder


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Submission]:
    """Receive an archive given as bytes, or a folder given as a tree."""

    def take_in(source: bytes | Tree, **limits: int) -> Submission:
        path = tmp_path / "handed-in"
        if isinstance(source, bytes):
            path.write_bytes(source)
        else:
            write_folder(path, source)
        return receive(path, IntakeLimits(**limits))

    return take_in


@pytest.fixture
def refused(take: Callable[..., Submission]) -> Callable[..., SubmissionRejected]:
    """Receive something that must be rejected for this reason, and return what is said."""

    def refuse(reason: Rejection, source: bytes | Tree, **limits: int) -> SubmissionRejected:
        with pytest.raises(SubmissionRejected) as caught:
            take(source, **limits)
        assert caught.value.reason is reason, caught.value.message
        assert caught.value.hint
        return caught.value

    return refuse
