"""Building the two images, and finding the ones that were built.

Only the exact name that `recipes` gives is ever used, so a build that fails can never be hidden by an
older image.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from grader.config import Settings
from grader.errors import ImageMissing, InfrastructureFault
from grader.sandbox.base_image import make_base
from grader.sandbox.docker_engine import Engine, translate
from grader.sandbox.machine import Report
from grader.sandbox.port import Role
from grader.sandbox.recipes import NAMES, ROOT, Recipe, read_recipe, recipes
from grader.sandbox.wheels import fetch_wheels

BUILD_SECONDS = 900.0
LOCK_SECONDS = 1800.0

# A container inherits its image's labels, so these must not look like a box's.
LABEL_ROLE, LABEL_DIGEST, LABEL_PACKAGES = "grader.image.role", "grader.image.digest", "grader.image.packages"
LABEL_STAGE = "grader.image.stage=install"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """One reference for each role: a name with digest when planned, the engine's image id when built."""

    runtime: str
    checker: str


def expected_images(architecture: str) -> Images:
    """Return the names that the images of this very source tree have."""
    runtime, checker = recipes(architecture)
    return Images(runtime=runtime.tag, checker=checker.tag)


def locked_packages(role: Role) -> dict[str, str]:
    """Return package → version of a role's image, from its pinned requirements; asks no engine."""
    return read_recipe(role, "").pinned


def named_packages(role: Role) -> dict[str, str]:
    """Return package → version of what an image offers on purpose, without what those packages need themselves."""
    names = (ROOT / "requirements" / f"{NAMES[role]}-image.in").read_text().splitlines()
    pinned = locked_packages(role)
    return {name: pinned[name] for name in names if name and not name.startswith("#")}


def find_images(engine: Engine) -> Images:
    """Return the image ids of both images, which must have been built.

    Raises:
        ImageMissing: One of them has not been built from the present sources.
    """
    return _find(engine, recipes(engine.version.arch))


def _find(engine: Engine, wanted: tuple[Recipe, Recipe]) -> Images:
    found: list[str] = []
    for recipe in wanted:
        identity = image_id(engine, recipe.tag)
        if identity is None:
            raise ImageMissing(f"the {recipe.name} image has not been built", hint="Build it with 'grader setup'.")
        found.append(identity)
    return Images(runtime=found[0], checker=found[1])


def image_id(engine: Engine, name: str) -> str | None:
    """Return an image's id, which is its digest, or None when there is no such image."""
    try:
        with translate(f"looking for the image {name}"):
            return engine.client.images.get(name).id
    except ImageMissing:
        return None


def ensure_images(engine: Engine, settings: Settings, report: Report, *, refresh: bool = False) -> Images:
    """Build what is missing, and return the image ids.

    Two processes may call this at once: the second waits for the first and builds nothing.

    Args:
        engine: Where the images belong.
        settings: `cache_dir`, `no_install` and `debian_mirror` count.
        report: Takes one line for each thing that takes long; nothing when all is there.
        refresh: Build everything anew, so that Debian's security updates get in.

    Raises:
        ImageMissing: A build failed; the message ends with what it printed last.
        InfrastructureFault: The disk is full, or the engine failed.
    """
    wanted = recipes(engine.version.arch)
    if not refresh and all(image_id(engine, recipe.tag) for recipe in wanted):
        return _find(engine, wanted)
    make_cache_folder(settings.cache_dir)
    with _only_one(settings.cache_dir / "images.lock", report):
        anew = {tag for recipe in wanted for tag in recipe.all_tags} if refresh else set()
        for recipe in wanted:
            build_image(engine, settings, recipe, report, anew)
    return _find(engine, wanted)


def make_cache_folder(folder: Path) -> None:
    """Make sure that the cache folder can be written.

    Raises:
        InfrastructureFault: It cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InfrastructureFault(
            f"the cache folder {folder} cannot be written: {error.strerror}",
            hint="Make it writable, or set GRADER_CACHE_DIR to another one.",
        ) from error


@contextmanager
def _only_one(path: Path, report: Report) -> Iterator[None]:
    """Hold the lock file while building: two builds at once would fetch and install everything twice."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report("another grader is building the images; waiting for it")
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            raise InfrastructureFault(
                f"another grader has been building images for {LOCK_SECONDS / 60:.0f} minutes",
                hint=f"End that process, or delete {path} if there is none.",
            ) from error
    try:
        yield
    finally:
        lock.release()


def build_image(
    engine: Engine, settings: Settings, recipe: Recipe, report: Report, anew: set[str] | None = None
) -> None:
    """Build what is missing of one role's image.

    Args:
        engine: Where the image belongs.
        settings: `cache_dir`, `no_install` and `debian_mirror` count.
        recipe: How it is made.
        report: Takes one line for each thing that takes long.
        anew: Names to build even if there are such images; taken out once they are built.

    Raises:
        ImageMissing: A build failed. No image with the recipe's name exists then, unless it existed before.
    """
    anew = anew if anew is not None else set()
    below = recipe.base_tag
    for layer, tag, folder in zip(recipe.packages, recipe.packages_tags, recipe.wheels_folders, strict=True):
        if tag in anew or image_id(engine, tag) is None:
            make_base(engine, settings, recipe.base_tag, report, refresh=recipe.base_tag in anew)
            wheels = fetch_wheels(layer.lock, settings.cache_dir / "wheels" / folder, recipe.architecture, report)
            report(f"building the {recipe.name} image: {len(wheels)} packages")
            files: dict[str, bytes | Path] = {f"wheels/{wheel.name}": wheel for wheel in wheels}
            files |= {"requirements.txt": layer.lock, "Dockerfile": layer.dockerfile}
            _build(engine, settings, tag, files, below, {})
            _drop_install_stage(engine)
            anew -= {tag, recipe.base_tag}
        below = tag
    if recipe.tag in anew or image_id(engine, recipe.tag) is None:
        report(f"building the {recipe.name} image: our own part")
        labels = {LABEL_ROLE: recipe.role.value, LABEL_DIGEST: recipe.digest, LABEL_PACKAGES: json.dumps(recipe.pinned)}
        _build(engine, settings, recipe.tag, {**recipe.sources, "Dockerfile": recipe.dockerfile}, below, labels)


def _build(
    engine: Engine,
    settings: Settings,
    tag: str,
    files: Mapping[str, bytes | Path],
    below: str,
    labels: Mapping[str, str],
) -> None:
    doing = f"building the image {tag}"
    with (
        translate(doing),
        tempfile.TemporaryFile(dir=settings.cache_dir) as context,
        engine.again(timeout=BUILD_SECONDS) as patient,
    ):
        write_context(context, files)
        events = patient.api.build(
            fileobj=context,
            custom_context=True,
            tag=tag,
            buildargs={"BELOW": below},
            labels=dict(labels),
            network_mode="none",
            rm=True,
            forcerm=True,
            nocache=True,
            decode=True,
            timeout=int(BUILD_SECONDS),
        )
        failure = read_build(events)
    if failure:
        raise ImageMissing(f"{doing}: {failure}", hint="'grader setup' tries again; 'grader doctor' looks for why.")


def write_context(target: BinaryIO, files: Mapping[str, bytes | Path]) -> None:
    """Write a build context: a tar of just these files, with nothing of this machine in it."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
                entry.size = len(content) if isinstance(content, bytes) else content.stat().st_size
                archive.addfile(entry, stream)
    target.seek(0, io.SEEK_SET)


def read_build(events: Iterable[Mapping[str, Any]]) -> str:
    """Follow a build to its end; return "" or why it failed, with the last lines it printed."""
    printed: list[str] = []
    for event in events:
        printed = [*printed, *str(event.get("stream", "")).splitlines()][-20:]
        if "error" in event:
            last = "\n".join(line for line in printed if line.strip())
            return f"{event['error']}\n{last}".strip()
    return ""


def _drop_install_stage(engine: Engine) -> None:
    """Remove what only the packages' build needed: as large as the image itself."""
    with translate("removing what the build left"):
        engine.client.images.prune(filters={"dangling": True, "label": LABEL_STAGE})
