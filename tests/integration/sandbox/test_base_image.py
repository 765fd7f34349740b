"""What happens when the base image can be had from nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.config import Settings
from grader.errors import ImageMissing
from grader.sandbox import base_image
from grader.sandbox.base_image import make_base
from grader.sandbox.docker_engine import Engine
from grader.sandbox.images import ensure_images, image_id
from grader.sandbox.recipes import recipes

pytestmark = pytest.mark.docker


def test_both_ways_that_failed_are_told(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_image, "REGISTRY_IMAGE", "localhost:1/python:none")
    settings = Settings(cache_dir=tmp_path, debian_mirror=f"file://{tmp_path}/nothing")
    with pytest.raises(ImageMissing, match=r"(?s)base\.sh ended.*asking the registry") as caught:
        make_base(engine, settings, "grader-base:none", lambda _: None)
    assert caught.value.hint
    assert image_id(engine, "grader-base:none") is None
    assert list(tmp_path.iterdir()) == []


def test_a_base_that_is_there_asks_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_images(engine, Settings(), print)
    monkeypatch.setattr(base_image, "_pull", pytest.fail)
    make_base(engine, Settings(), recipes(engine.version.arch)[0].base_tag, pytest.fail)
