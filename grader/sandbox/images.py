"""The two images: what they are made of, what they are called, and building them.

Three layers, so that little is built again when little has changed: a base (`base_image`), the
packages, and our own sources. Every name carries a digest of all that went in. Only that exact
name is ever used, so a build that fails can never be hidden by an older image.
"""

from __future__ import annotations

import hashlib
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
from grader.sandbox.base_image import REGISTRY_IMAGE, SCRIPT, make_base
from grader.sandbox.docker_engine import Engine, translate
from grader.sandbox.machine import Report
from grader.sandbox.port import Role
from grader.sandbox.wheels import fetch_wheels, pins

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD_SECONDS = 900.0
LOCK_SECONDS = 1800.0

# A container inherits its image's labels, so these must not look like a box's.
LABEL_ROLE, LABEL_DIGEST, LABEL_PACKAGES = "grader.image.role", "grader.image.digest", "grader.image.packages"
LABEL_STAGE = "grader.image.stage=install"
REPOSITORIES = ("grader-base", "grader-libraries", "grader-runtime", "grader-checker")

_AGENT = ("__init__.py", "frames.py", "agent")
SOURCES: Mapping[Role, tuple[str, ...]] = {
    Role.SUBMISSION: _AGENT,
    Role.CHECKER: (*_AGENT, "errors.py", "clock.py", "model", "checker"),
}
_NAMES = {Role.SUBMISSION: "runtime", Role.CHECKER: "checker"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """One reference for each role: a name with digest when planned, the engine's image id when built."""

    runtime: str
    checker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What goes into the image of one role. Files are read once, so that name and content always agree.

    Attributes:
        role: Whose image.
        architecture: The engine's, in Go's words.
        base: How the base is made; the same for both kinds of base, as either will do.
        lock: The pinned packages, as a compiled requirements file.
        libraries: Dockerfile that lays the packages on the base.
        dockerfile: Dockerfile that lays our sources on the packages.
        sources: Our own files: path in the build's context → content.
    """

    role: Role
    architecture: str
    base: Mapping[str, bytes]
    lock: bytes
    libraries: bytes
    dockerfile: bytes
    sources: Mapping[str, bytes]

    @property
    def base_digest(self) -> str:
        """SHA-256 of how the base is made, hexadecimal."""
        return _digest(self.base)

    @property
    def libraries_digest(self) -> str:
        """SHA-256 of the base's recipe and the packages, hexadecimal."""
        below = {"base": self.base_digest.encode(), "architecture": self.architecture.encode()}
        return _digest({**below, "dockerfile": self.libraries, "lock": self.lock})

    @property
    def digest(self) -> str:
        """SHA-256 of everything, hexadecimal."""
        below = {"libraries": self.libraries_digest.encode(), "dockerfile": self.dockerfile}
        return _digest({**self.sources, **below})

    @property
    def base_tag(self) -> str:
        """Name of the base image."""
        return f"grader-base:{self.base_digest[:12]}"

    @property
    def libraries_tag(self) -> str:
        """Name of the image with the packages."""
        return f"grader-libraries:{_NAMES[self.role]}-{self.libraries_digest[:12]}"

    @property
    def tag(self) -> str:
        """Name of the finished image."""
        return f"grader-{_NAMES[self.role]}:{self.digest[:12]}"

    @property
    def wheels_folder(self) -> str:
        """Name of the folder in the cache that holds the packages' wheels."""
        return f"{_NAMES[self.role]}-{self.architecture}-{hashlib.sha256(self.lock).hexdigest()[:12]}"


def lock_file(role: Role, root: Path = ROOT) -> Path:
    """Return the pinned requirements of a role's image."""
    return root / "requirements" / f"{_NAMES[role]}-image.txt"


def read_recipe(role: Role, architecture: str, root: Path = ROOT) -> Recipe:
    """Read how the image of a role is made.

    Args:
        role: Whose image.
        architecture: The engine's, in Go's words.
        root: The repository.

    Raises:
        ImageMissing: The files are not there, as in a package that was installed without its repository.
    """
    docker = root / "docker"
    try:
        return Recipe(
            role=role,
            architecture=architecture,
            base={"script": (docker / SCRIPT.name).read_bytes(), "pulled": REGISTRY_IMAGE.encode()},
            lock=lock_file(role, root).read_bytes(),
            libraries=(docker / "libraries.Dockerfile").read_bytes(),
            dockerfile=(docker / f"{_NAMES[role]}.Dockerfile").read_bytes(),
            sources=dict(_read_sources(root / "grader", SOURCES[role])),
        )
    except OSError as error:
        raise ImageMissing(
            f"the recipe of the {_NAMES[role]} image cannot be read: {error}", hint="Run grader from its repository."
        ) from error


def _read_sources(package: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for top in (package / name for name in names):
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"grader/{file.relative_to(package).as_posix()}", file.read_bytes()


def _digest(parts: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name in sorted(parts):
        # Lengths first, so that no content can pass for a border between two files.
        total.update(f"{len(name)} {name} {len(parts[name])} ".encode() + parts[name])
    return total.hexdigest()


def recipes(architecture: str, root: Path = ROOT) -> tuple[Recipe, Recipe]:
    """Return how both images are made, the submission's first."""
    return read_recipe(Role.SUBMISSION, architecture, root), read_recipe(Role.CHECKER, architecture, root)


def all_tags(recipe: Recipe) -> tuple[str, str, str]:
    """Return the names of everything that belongs to a recipe."""
    return recipe.base_tag, recipe.libraries_tag, recipe.tag


def expected_images(architecture: str) -> Images:
    """Return the names that the images of this very source tree have."""
    runtime, checker = recipes(architecture)
    return Images(runtime=runtime.tag, checker=checker.tag)


def locked_packages(role: Role) -> dict[str, str]:
    """Return package → version of a role's image, from its pinned requirements; asks no engine."""
    return pins(lock_file(role).read_text())


def installed_packages(engine: Engine, image: str) -> dict[str, str]:
    """Return package → version of a built image, as its label says.

    Raises:
        ImageMissing: The image is not there, or is not ours.
    """
    with translate(f"looking at the image {image}"):
        labels = engine.client.images.get(image).labels
    if LABEL_PACKAGES not in labels:
        raise ImageMissing(f"{image} is not an image of grader's", hint="Build the images with 'grader setup'.")
    return dict(json.loads(labels[LABEL_PACKAGES]))


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
            name = _NAMES[recipe.role]
            raise ImageMissing(f"the {name} image has not been built", hint="Build it with 'grader setup'.")
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
    with translate("writing to the cache folder"):
        settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with _only_one(settings.cache_dir / "images.lock", report):
        if refresh:
            make_base(engine, settings, wanted[0].base_tag, report, refresh=True)
        for recipe in wanted:
            if refresh or image_id(engine, recipe.tag) is None:
                build_image(engine, settings, recipe, report, refresh=refresh)
    return _find(engine, wanted)


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


def build_image(engine: Engine, settings: Settings, recipe: Recipe, report: Report, *, refresh: bool = False) -> None:
    """Build the image of one role, and what it stands on.

    Raises:
        ImageMissing: A build failed. No image with the recipe's name exists then, unless it existed before.
    """
    name = _NAMES[recipe.role]
    if refresh or image_id(engine, recipe.libraries_tag) is None:
        make_base(engine, settings, recipe.base_tag, report)
        wheels = fetch_wheels(
            recipe.lock, settings.cache_dir / "wheels" / recipe.wheels_folder, recipe.architecture, report
        )
        report(f"building the {name} image: packages")
        files: dict[str, bytes | Path] = {f"wheels/{wheel.name}": wheel for wheel in wheels}
        files |= {"requirements.txt": recipe.lock, "Dockerfile": recipe.libraries}
        _build(engine, settings, recipe.libraries_tag, files, {"BASE": recipe.base_tag}, {})
        _drop_install_stage(engine)
    report(f"building the {name} image: our own part")
    labels = {
        LABEL_ROLE: recipe.role.value,
        LABEL_DIGEST: recipe.digest,
        LABEL_PACKAGES: json.dumps(pins(recipe.lock.decode())),
    }
    files = {**recipe.sources, "Dockerfile": recipe.dockerfile}
    _build(engine, settings, recipe.tag, files, {"LIBRARIES": recipe.libraries_tag}, labels)


def _build(
    engine: Engine,
    settings: Settings,
    tag: str,
    files: Mapping[str, bytes | Path],
    arguments: Mapping[str, str],
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
            buildargs=dict(arguments),
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
