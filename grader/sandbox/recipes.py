"""What the two images are made of, and what they are called. Asks no engine.

Three kinds of layer, so that little is built again when little has changed: a base (`base_image`),
packages, and our own sources. Every name carries a digest of all that goes in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import ImageMissing
from grader.sandbox.base_image import REGISTRY_IMAGE, SCRIPT
from grader.sandbox.port import Role
from grader.sandbox.wheels import only_new, pins

ROOT = Path(__file__).resolve().parent.parent.parent
REPOSITORIES = ("grader-base", "grader-packages", "grader-runtime", "grader-checker")
NAMES = {Role.SUBMISSION: "runtime", Role.CHECKER: "checker"}

_AGENT = ("__init__.py", "frames.py", "agent")
SOURCES: Mapping[Role, tuple[str, ...]] = {
    Role.SUBMISSION: _AGENT,
    Role.CHECKER: (*_AGENT, "errors.py", "clock.py", "model", "checker"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """One layer of packages.

    Attributes:
        name: Whose packages; part of the image's name.
        dockerfile: How they are laid on what is below.
        lock: What is installed, as a compiled requirements file.
    """

    name: str
    dockerfile: bytes
    lock: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What goes into the image of one role. Files are read once, so that name and content always agree.

    Attributes:
        role: Whose image.
        architecture: The engine's, in Go's words.
        base: How the base is made; the same for both kinds of base, as either will do.
        packages: Layers of packages, from below.
        dockerfile: How our sources are laid on the packages.
        sources: Our own files: path in the build's context → content.
    """

    role: Role
    architecture: str
    base: Mapping[str, bytes]
    packages: tuple[Packages, ...]
    dockerfile: bytes
    sources: Mapping[str, bytes]

    @property
    def name(self) -> str:
        """What the image is called in messages."""
        return NAMES[self.role]

    @property
    def base_digest(self) -> str:
        """SHA-256 of how the base is made, hexadecimal."""
        return _digest({**self.base, "architecture": self.architecture.encode()})

    def packages_digest(self, layers: int) -> str:
        """SHA-256 of the lowest layers of packages and what they stand on, hexadecimal."""
        if layers == 0:
            return self.base_digest
        top = self.packages[layers - 1]
        below = self.packages_digest(layers - 1)
        return _digest({"below": below.encode(), "dockerfile": top.dockerfile, "lock": top.lock})

    @property
    def digest(self) -> str:
        """SHA-256 of everything, hexadecimal."""
        below = self.packages_digest(len(self.packages))
        return _digest({**self.sources, "below": below.encode(), "dockerfile": self.dockerfile})

    @property
    def base_tag(self) -> str:
        """Name of the base image."""
        return f"grader-base:{self.base_digest[:12]}"

    @property
    def packages_tags(self) -> tuple[str, ...]:
        """Names of the images with packages, from below."""
        return tuple(
            f"grader-packages:{layer.name}-{self.packages_digest(number)[:12]}"
            for number, layer in enumerate(self.packages, start=1)
        )

    @property
    def tag(self) -> str:
        """Name of the finished image."""
        return f"grader-{self.name}:{self.digest[:12]}"

    @property
    def all_tags(self) -> tuple[str, ...]:
        """Names of everything that belongs to this image, from below."""
        return self.base_tag, *self.packages_tags, self.tag

    @property
    def wheels_folders(self) -> tuple[str, ...]:
        """Names of the folders in the cache that hold the wheels of each layer."""
        return tuple(
            f"{layer.name}-{self.architecture}-{hashlib.sha256(layer.lock).hexdigest()[:12]}" for layer in self.packages
        )

    @property
    def pinned(self) -> dict[str, str]:
        """Package → version of all layers."""
        return {name: version for layer in self.packages for name, version in pins(layer.lock.decode()).items()}


def read_recipe(role: Role, architecture: str, root: Path = ROOT) -> Recipe:
    """Read how the image of a role is made.

    Args:
        role: Whose image.
        architecture: The engine's, in Go's words.
        root: The repository.

    Raises:
        ImageMissing: The files are not there, as in a package that was installed without its repository.
    """
    docker, name = root / "docker", NAMES[role]
    try:
        return Recipe(
            role=role,
            architecture=architecture,
            base={"script": (docker / SCRIPT.name).read_bytes(), "pulled": REGISTRY_IMAGE.encode()},
            packages=_read_packages(role, root),
            dockerfile=(docker / f"{name}.Dockerfile").read_bytes(),
            sources=dict(_read_sources(root / "grader", SOURCES[role])),
        )
    except OSError as error:
        raise ImageMissing(
            f"the recipe of the {name} image cannot be read: {error}", hint="Run grader from its repository."
        ) from error


def _read_packages(role: Role, root: Path) -> tuple[Packages, ...]:
    """Return the runtime's packages, and on top of them for the checker what it alone needs."""
    layers: list[Packages] = []
    for name in ("runtime",) if role is Role.SUBMISSION else ("runtime", "checker"):
        lock = (root / "requirements" / f"{name}-image.txt").read_text()
        for layer in layers:
            lock = only_new(lock, layer.lock.decode())
        dockerfile = (root / "docker" / f"{name}-packages.Dockerfile").read_bytes()
        layers.append(Packages(name=name, dockerfile=dockerfile, lock=lock.encode()))
    return tuple(layers)


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
