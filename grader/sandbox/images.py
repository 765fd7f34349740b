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
from typing import Any

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

LABEL_ROLE, LABEL_DIGEST, LABEL_PACKAGES = "grader.role", "grader.digest", "grader.packages"
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
    """What goes into the image of one role.

    Attributes:
        role: Whose image.
        architecture: The engine's, in Go's words.
        root: The repository.
    """

    role: Role
    architecture: str
    root: Path = ROOT

    @property
    def lock(self) -> Path:
        """The pinned packages."""
        return self.root / "requirements" / f"{_NAMES[self.role]}-image.txt"

    @property
    def dockerfile(self) -> Path:
        """How the sources are laid on the packages."""
        return self.root / "docker" / f"{_NAMES[self.role]}.Dockerfile"

    @property
    def libraries_dockerfile(self) -> Path:
        """How the packages are laid on the base."""
        return self.root / "docker" / "libraries.Dockerfile"

    def sources(self) -> dict[str, Path]:
        """Return our own files that go in: path in the image's build → file."""
        package = self.root / "grader"
        found = {}
        for name in SOURCES[self.role]:
            top = package / name
            for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
                if file.is_file() and "__pycache__" not in file.parts:
                    found[f"grader/{file.relative_to(package).as_posix()}"] = file
        return found

    def base_digest(self) -> str:
        """Digest of how the base is made. It is the same for both kinds of base: either will do."""
        return _digest({"script": (self.root / "docker" / SCRIPT.name).read_bytes(), "pulled": REGISTRY_IMAGE.encode()})

    def libraries_digest(self) -> str:
        """Digest of the base's recipe and the packages."""
        return _digest(
            {
                "base": self.base_digest().encode(),
                "architecture": self.architecture.encode(),
                "dockerfile": self.libraries_dockerfile.read_bytes(),
                "lock": self.lock.read_bytes(),
            }
        )

    def digest(self) -> str:
        """Digest of everything: SHA-256, hexadecimal."""
        sources = {name: file.read_bytes() for name, file in self.sources().items()}
        below = {"libraries": self.libraries_digest().encode(), "dockerfile": self.dockerfile.read_bytes()}
        return _digest({**sources, **below})

    @property
    def base_tag(self) -> str:
        """Name of the base image."""
        return f"grader-base:{self.base_digest()[:12]}"

    @property
    def libraries_tag(self) -> str:
        """Name of the image with the packages."""
        return f"grader-libraries:{_NAMES[self.role]}-{self.libraries_digest()[:12]}"

    @property
    def tag(self) -> str:
        """Name of the finished image."""
        return f"grader-{_NAMES[self.role]}:{self.digest()[:12]}"


def _digest(parts: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name in sorted(parts):
        # Lengths first, so that no content can pass for a border between two files.
        total.update(f"{len(name)} {name} {len(parts[name])} ".encode() + parts[name])
    return total.hexdigest()


def recipes(architecture: str, root: Path = ROOT) -> tuple[Recipe, Recipe]:
    """Return how both images are made, the submission's first."""
    return (
        Recipe(role=Role.SUBMISSION, architecture=architecture, root=root),
        Recipe(role=Role.CHECKER, architecture=architecture, root=root),
    )


def expected_images(architecture: str) -> Images:
    """Return the names that the images of this very source tree have."""
    runtime, checker = recipes(architecture)
    return Images(runtime=runtime.tag, checker=checker.tag)


def locked_packages(role: Role) -> dict[str, str]:
    """Return package → version of a role's image, from its pinned requirements; asks no engine."""
    return pins(Recipe(role=role, architecture="").lock.read_text())


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
    runtime, checker = (image_id(engine, recipe.tag) for recipe in recipes(engine.version.arch))
    if runtime is None or checker is None:
        missing = "runtime" if runtime is None else "checker"
        raise ImageMissing(f"the {missing} image has not been built", hint="Build it with 'grader setup'.")
    return Images(runtime=runtime, checker=checker)


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
        return find_images(engine)
    with translate("writing to the cache folder"):
        settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with _only_one(settings.cache_dir / "images.lock", report):
        if refresh:
            make_base(engine, settings, wanted[0].base_tag, report, refresh=True)
        for recipe in wanted:
            if refresh or image_id(engine, recipe.tag) is None:
                build_image(engine, settings, recipe, report, refresh=refresh)
    return find_images(engine)


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
    if refresh or image_id(engine, recipe.libraries_tag) is None:
        make_base(engine, settings, recipe.base_tag, report)
        wheels = fetch_wheels(recipe.lock, recipe.architecture, settings.cache_dir, report)
        report(f"building the {_NAMES[recipe.role]} image: packages")
        files = {f"wheels/{wheel.name}": wheel for wheel in wheels}
        files |= {"requirements.txt": recipe.lock, "Dockerfile": recipe.libraries_dockerfile}
        _build(engine, settings, recipe.libraries_tag, files, {"BASE": recipe.base_tag}, {})
        _drop_install_stage(engine)
    report(f"building the {_NAMES[recipe.role]} image: our own part")
    labels = {
        LABEL_ROLE: recipe.role.value,
        LABEL_DIGEST: recipe.digest(),
        LABEL_PACKAGES: json.dumps(pins(recipe.lock.read_text())),
    }
    files = {**recipe.sources(), "Dockerfile": recipe.dockerfile}
    _build(engine, settings, recipe.tag, files, {"LIBRARIES": recipe.libraries_tag}, labels)


def _build(
    engine: Engine,
    settings: Settings,
    tag: str,
    files: Mapping[str, Path],
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


def write_context(target: Any, files: Mapping[str, Path]) -> None:
    """Write a build context: a tar of just these files, with nothing of this machine in it."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = files[name].stat().st_size, 0o644
            with files[name].open("rb") as content:
                archive.addfile(entry, content)
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
        engine.client.images.prune(filters={"dangling": True, "label": "grader.stage=install"})
