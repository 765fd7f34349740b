"""Opening boxes so that they are closed whatever happens."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from grader.model.exercise import Limits
from grader.sandbox.port import Box, BoxSpec, Role, Sandbox

LIFETIME_MARGIN = 3600.0
"""A run may wait as long as this for timed checks of others before its boxes count as left behind."""


class Boxes:
    """Knows the sandbox and the images of an installation.

    Args:
        sandbox: Where boxes come from.
        images: The image of each role.
        run: Id of the run that boxes are labelled with.
    """

    def __init__(self, sandbox: Sandbox, images: Mapping[Role, str], run: str) -> None:
        """Nothing is opened yet."""
        self.sandbox = sandbox
        self.images = images
        self.run = run

    def spec(self, role: Role, limits: Limits, seconds: float) -> BoxSpec:
        """Describe a box of a role; `seconds` is how long it will be needed."""
        return BoxSpec(
            role=role,
            image=self.images[role],
            limits=limits.submission if role is Role.SUBMISSION else limits.checker,
            run=self.run,
            seconds=seconds + LIFETIME_MARGIN,
        )

    @contextmanager
    def open(self, role: Role, limits: Limits, seconds: float) -> Generator[Box]:
        """Open a box, and close it at the end of the block."""
        box = self.sandbox.open(self.spec(role, limits, seconds))
        try:
            yield box
        finally:
            box.close()
