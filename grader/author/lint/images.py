"""Rules about images: all exercises share them, and candidates are given one, so nothing of an exercise is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grader.author.lint.findings import Finding
from grader.catalog.leaks import canaries
from grader.sandbox.port import Role
from grader.sandbox.recipes import read_recipe

ANY = "amd64"  # our own files are the same for every processor


def images_hold_no_canary(source: Path) -> Iterator[Finding]:
    """No canary of the exercise is in what images are built from: every layer is made of that and of pinned packages.

    Args:
        source: The exercise's folder; canaries stand in its hidden files, such as `canary-7f3c2a9e51d04b68`.
    """
    marks = canaries(source)
    for role in Role if marks else ():
        recipe = read_recipe(role, ANY)
        for name, content in {**recipe.sources, **recipe.base}.items():
            if any(mark in content for mark in marks):
                yield Finding(
                    rule="images",
                    file="exercise.toml",
                    line=0,
                    message=f"the {recipe.name} image holds a canary of this exercise, in {name}",
                    hint="Take it out of grader's own files, and build the images anew: grader setup.",
                )
