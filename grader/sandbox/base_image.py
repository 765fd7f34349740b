"""The base of both images: the registry's Python, or the same Debian release built on this machine.

The build takes its mirror, keys and proxy from the machine's own apt settings, so that it works
wherever `apt-get install` works. No address of any archive is written down in this repository.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.config import Settings
from grader.errors import ImageMissing, InfrastructureFault
from grader.sandbox.docker_engine import Engine, translate
from grader.sandbox.machine import Report, apt_install, run_tool

REGISTRY_IMAGE = "python:3.13-slim-trixie"
RELEASE = "trixie"
SCRIPT = Path(__file__).resolve().parent.parent.parent / "docker" / "base.sh"

REGISTRY_SECONDS = 20.0
PULL_SECONDS = 300.0
BUILD_SECONDS = 900.0

_ALIASES = frozenset({"stable", "oldstable", "testing", "unstable", "sid"})
_APT_OPTION = re.compile(r"^Acquire::(https?::(Proxy\b|CaInfo\b)|Check-(Valid-Until|Date)\b).*;$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AptSource:
    """One archive that apt knows.

    Attributes:
        uri: Where it is.
        suites: Such as "bookworm" and "bookworm-updates".
        components: Such as "main".
        signed_by: Path of the keyring, or "".
    """

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def make_base(engine: Engine, settings: Settings, tag: str, report: Report, *, refresh: bool = False) -> None:
    """See to it that the image `tag` exists.

    Args:
        engine: Where the image belongs.
        settings: `debian_mirror`, `no_install` and `cache_dir` count; the folder must exist.
        tag: The base's name, digest included.
        report: Takes one line for each thing that takes long.
        refresh: Make it anew, so that it gets Debian's security updates.

    Raises:
        ImageMissing: Neither a registry nor Debian's packages can be had.
    """
    if not refresh and _exists(engine, tag):
        return
    why_not = _pull(engine, tag, report)
    if why_not:
        try:
            _build(engine, settings, tag, report)
        except InfrastructureFault as error:
            raise ImageMissing(f"{error.message}\n({why_not})", hint=error.hint) from error


def _exists(engine: Engine, tag: str) -> bool:
    try:
        with translate(f"looking for the image {tag}"):
            engine.client.images.get(tag)
    except ImageMissing:
        return False
    return True


def _pull(engine: Engine, tag: str, report: Report) -> str:
    """Pull the registry's image; return "", or why no registry gave it soon enough."""
    try:
        with engine.again(timeout=REGISTRY_SECONDS) as asking, translate("asking the registry"):
            asking.client.images.get_registry_data(REGISTRY_IMAGE)
        report(f"pulling {REGISTRY_IMAGE}")
        with engine.again(timeout=PULL_SECONDS) as pulling, translate("pulling the base image"):
            pulling.client.images.pull(REGISTRY_IMAGE).tag(tag)
    except InfrastructureFault as error:
        return error.message
    return ""


def _build(engine: Engine, settings: Settings, tag: str, report: Report) -> None:
    _ensure_mmdebstrap(settings, report)
    sources = host_release_sources(settings.debian_mirror)
    report(f"no registry gives {REGISTRY_IMAGE}: building the base from Debian's packages")
    with tempfile.TemporaryDirectory(prefix="base-", dir=settings.cache_dir) as folder:
        archive = Path(folder) / "base.tar"
        apt_settings = run_tool(["apt-config", "dump"], "reading apt's settings", seconds=30.0)
        run_tool(
            [str(SCRIPT), str(archive), *(f"--aptopt={line}" for line in apt_options(apt_settings))],
            "building the base image",
            given=sources,
            seconds=BUILD_SECONDS,
            hint="If a key is missing, type: apt-get install debian-archive-keyring   and try again.",
        )
        with translate("importing the base image"):
            changes = ["LABEL grader.image.base=packages", "ENV LANG=C.UTF-8"]
            answer = engine.api.import_image(str(archive), repository=tag, changes=changes)
    for line in str(answer).splitlines():
        if message := json.loads(line).get("error"):
            raise ImageMissing(f"importing the base image: {message}", hint="Look at the disk with 'grader doctor'.")


def _ensure_mmdebstrap(settings: Settings, report: Report) -> None:
    if shutil.which("mmdebstrap"):
        return
    hint = (
        f"Type: sudo apt-get install mmdebstrap debian-archive-keyring   and then: grader setup   "
        f"(or let the engine reach a registry that has {REGISTRY_IMAGE})"
    )
    if os.geteuid() != 0 or not shutil.which("apt-get") or settings.no_install:
        raise ImageMissing(
            "no registry answers, and mmdebstrap, which builds the base without one, is missing", hint=hint
        )
    report("installing mmdebstrap")
    apt_install(["mmdebstrap", "debian-archive-keyring"], hint=hint)


def apt_options(dump: str) -> list[str]:
    """Pick from `apt-config dump` what decides how archives are reached: proxies and certificates."""
    return [line for line in dump.splitlines() if _APT_OPTION.match(line) and '""' not in line]


def host_release_sources(mirror: str | None, *, apt: Path = Path("/etc/apt")) -> str:
    """Return a sources.list for the base's release, from this machine's own apt settings.

    Args:
        mirror: Address that the user chose; goes before everything else.
        apt: apt's configuration folder.

    Raises:
        ImageMissing: The machine is not a Debian, so its mirrors hold no Debian packages.
    """
    if mirror:
        return f"deb {mirror} {RELEASE} main\n"
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    codename = release.get("VERSION_CODENAME", "")
    sources = release_sources(read_sources(apt), codename) if release.get("ID") == "debian" else ""
    if not sources:
        raise ImageMissing(
            f"no registry gives {REGISTRY_IMAGE}, and this machine's apt settings name no Debian archive",
            hint="Let the Docker engine reach a registry, load the image with 'docker load', "
            "or set GRADER_DEBIAN_MIRROR to the address of a Debian archive.",
        )
    return sources


def read_sources(apt: Path) -> list[AptSource]:
    """Read every archive that apt knows, in both of its formats."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    found: list[AptSource] = []
    for file in files:
        if file.suffix == ".list" and file.is_file():
            found += parse_one_line(file.read_text(errors="replace"))
        elif file.suffix == ".sources" and file.is_file():
            found += parse_deb822(file.read_text(errors="replace"))
    return found


def parse_one_line(text: str) -> list[AptSource]:
    """Parse sources.list: `deb [option=value ...] URI suite component...`."""
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if match:
            options = dict(word.split("=", 1) for word in (match[1] or "").split() if "=" in word)
            found.append(
                AptSource(
                    uri=match[2],
                    suites=(match[3],),
                    components=tuple(match[4].split()),
                    signed_by=options.get("signed-by", ""),
                )
            )
    return found


def parse_deb822(text: str) -> list[AptSource]:
    """Parse a .sources file: paragraphs of `Field: value`, continued by indented lines."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields = _fields(paragraph.splitlines())
        wanted = "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no"
        for uri in fields.get("uris", "").split() if wanted else ():
            signed_by = fields.get("signed-by", "")
            found.append(
                AptSource(
                    uri=uri,
                    suites=tuple(fields.get("suites", "").split()),
                    components=tuple(fields.get("components", "").split()),
                    # A key can also stand in the field itself; mmdebstrap then looks for one on its own.
                    signed_by=signed_by if signed_by.startswith("/") else "",
                )
            )
    return found


def _fields(lines: Iterable[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def release_sources(sources: list[AptSource], codename: str) -> str:
    """Turn the sources of a Debian host into those of the base's release; "" when none is Debian's."""
    own = [source for source in sources if "main" in source.components and not source.uri.startswith("cdrom:")]
    lines: dict[str, str] = {}
    for source in own:
        for suite in source.suites:
            name, _, pocket = suite.rstrip("/").replace("/", "-").partition("-")
            if (name == codename or name in _ALIASES) and pocket in ("", "updates", "security"):
                wanted = f"{RELEASE}-{pocket}" if pocket else RELEASE
                options = f"[signed-by={source.signed_by}] " if source.signed_by else ""
                lines.setdefault(wanted, f"deb {options}{source.uri} {wanted} main\n")
    return "".join(lines.values()) if RELEASE in lines else ""
