"""The only file that imports the Docker SDK: finding an engine, and translating its errors.

Which engine: the setting `docker_host`, else DOCKER_HOST, else the Docker CLI's context
(DOCKER_CONTEXT, then `currentContext` in its config.json), else the machine's own socket.
The SDK alone would fall back to that socket when a context is misspelt; here that is an error.

Not handled: credentials for registries. Nothing is ever pushed, and the base image is public.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import docker
import docker.constants
import docker.credentials.errors
import docker.errors
import requests
import urllib3.exceptions
from docker.context import ContextAPI
from docker.utils import kwargs_from_env
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from grader.config import Settings
from grader.errors import BoxLost, EngineUnavailable, ImageMissing, InfrastructureFault

LOCAL_SOCKET = "unix:///var/run/docker.sock"
CALL_SECONDS = 60.0
CONNECT_SECONDS = 10.0

_START_HINT = "Start it with 'grader setup', or see what is wrong with 'grader doctor'."
_WHERE_HINT = "Check DOCKER_HOST, DOCKER_CONTEXT and 'docker context ls'."
_DISK_HINT = "Free some disk space ('grader doctor --clean' removes what grader left), then try again."
_RETRY_HINT = "Try again; 'grader doctor' tells what the engine says about itself."


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVersion:
    """What an engine says about itself: versions as it prints them, names as in Go's GOARCH.

    `product` is "Docker" or, for what speaks Docker's language without being it, "Podman".
    """

    engine: str
    api: str
    runc: str
    containerd: str
    os: str
    arch: str
    kernel: str
    platform: str
    product: str = "Docker"


class Engine:
    """A Docker engine that answered once. Every call on it has a timeout.

    Attributes:
        client: The SDK's client; use it inside `translate()` only.
        version: What the engine said about itself when it answered.
        address: Where it was found, for messages.
    """

    def __init__(
        self, client: docker.DockerClient, version: EngineVersion, address: str, arguments: Mapping[str, Any]
    ) -> None:
        """Keep what `connect` found."""
        self.client = client
        self.version = version
        self.address = address
        self._arguments = dict(arguments)

    @property
    def api(self) -> docker.APIClient:
        """The SDK's low-level client."""
        return self.client.api

    def again(self, *, timeout: float) -> Engine:
        """Return the same engine with other patience; close it after use.

        Args:
            timeout: Seconds that any one call may wait for the next bytes of its answer.
        """
        with translate("connecting to the engine again"):
            client = _client(self._arguments, self.version.api, timeout)
        return Engine(client, self.version, self.address, self._arguments)

    def info(self) -> dict[str, Any]:
        """Return `docker info` as the engine gives it.

        Raises:
            EngineUnavailable: The engine has stopped answering.
        """
        with translate("asking the engine about itself"):
            return dict(self.client.info())

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def __enter__(self) -> Engine:
        """Use the engine in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the connections back."""
        self.close()


def connect(
    settings: Settings, *, environment: Mapping[str, str] | None = None, timeout: float = CALL_SECONDS
) -> Engine:
    """Return the engine that the settings and the environment point at.

    Args:
        settings: `docker_host` goes before everything else.
        environment: Defaults to the process's own.
        timeout: Seconds that any one call may wait for the next bytes of its answer.

    Raises:
        EngineUnavailable: No engine answers there; the hint is the next thing to type.
    """
    address, arguments = locate(settings, dict(os.environ if environment is None else environment))
    with translate(f"looking for a Docker engine at {address}"):
        _knock(address)
        # A short first call: a dead TCP address would otherwise cost the whole timeout.
        with closing(_client(arguments, docker.constants.MINIMUM_DOCKER_API_VERSION, CONNECT_SECONDS)) as asking:
            answer = dict(asking.api.version(api_version=False))
        version = _version(answer)
        if not version.api:
            raise EngineUnavailable(f"what answers at {address} is no Docker engine", hint=_WHERE_HINT)
        client = _client(arguments, version.api, timeout)
    return Engine(client, version, address, arguments)


def _client(arguments: Mapping[str, Any], version: str, timeout: float) -> docker.DockerClient:
    """Make a client without asking anything yet."""
    client = docker.DockerClient(version=version, timeout=int(timeout), **arguments)
    # Proxies and certificates of the web are for the web: they would get in the way of a TLS engine.
    client.api.trust_env = False
    return client


def _knock(address: str) -> None:
    """Open and close a connection, which fails more plainly than the SDK does and leaks no socket."""
    parts = urlsplit(address)
    if parts.scheme in ("unix", "http+unix"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect("/" + (parts.netloc + parts.path).lstrip("/"))
    elif parts.scheme in ("tcp", "http", "https") and parts.hostname and parts.port:
        socket.create_connection((parts.hostname, parts.port), timeout=CONNECT_SECONDS).close()


def freeze(engine: Engine, container: str) -> None:
    """Freeze a container's processes.

    The kernel now and then fails to freeze a control group whose processes start and end all the time.
    """
    refused = retry_if_exception_type(docker.errors.APIError)
    trying = Retrying(retry=refused, stop=stop_after_attempt(4), wait=wait_fixed(0.1), reraise=True)
    trying(engine.api.pause, container)


def locate(settings: Settings, environment: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Return where the engine should be: an address for messages, and the SDK's arguments.

    Raises:
        EngineUnavailable: The context or the TLS files that were asked for do not exist.
    """
    if settings.docker_host:
        environment = {**environment, "DOCKER_HOST": settings.docker_host}
    with translate("reading where the Docker engine is"):
        arguments = dict(kwargs_from_env(environment=environment or {"DOCKER_HOST": ""}))
        if "base_url" not in arguments:
            arguments = {**_from_context(environment.get("DOCKER_CONTEXT") or None), **arguments}
    return str(arguments.get("base_url", LOCAL_SOCKET)), arguments


def _from_context(name: str | None) -> dict[str, Any]:
    context = ContextAPI.get_context(name)
    if context is None:
        raise EngineUnavailable(
            f"Docker context {name or 'set as current'!r} does not exist",
            hint="List the ones there are with 'docker context ls', or unset DOCKER_CONTEXT.",
        )
    found = {"base_url": context.Host, "tls": context.TLSConfig}
    return {name: value for name, value in found.items() if value}


def _version(answer: dict[str, Any]) -> EngineVersion:
    parts = {part.get("Name", ""): str(part.get("Version", "")) for part in answer.get("Components") or []}
    return EngineVersion(
        engine=str(answer.get("Version", "")),
        api=str(answer.get("ApiVersion", "")),
        runc=parts.get("runc", ""),
        containerd=parts.get("containerd", ""),
        os=str(answer.get("Os", "")),
        arch=str(answer.get("Arch", "")),
        kernel=str(answer.get("KernelVersion", "")),
        platform=str((answer.get("Platform") or {}).get("Name", "")),
        product="Podman" if "Podman Engine" in parts else "Docker",
    )


Translation = Callable[[str, BaseException], InfrastructureFault]


def _unavailable(doing: str, error: BaseException) -> InfrastructureFault:
    if _errno(error) in (errno.EACCES, errno.EPERM) or "Permission denied" in str(error):
        return EngineUnavailable(
            f"{doing}: this user may not talk to the Docker engine",
            hint='Type: sudo usermod -aG docker "$USER"   then log out and in again.',
        )
    return EngineUnavailable(f"{doing}: no Docker engine answers ({_short(error)})", hint=_START_HINT)


def _wrong_place(doing: str, error: BaseException) -> InfrastructureFault:
    return EngineUnavailable(f"{doing}: {_short(error)}", hint=_WHERE_HINT)


def _slow(doing: str, error: BaseException) -> InfrastructureFault:
    return InfrastructureFault(f"{doing}: the Docker engine did not answer in time", hint=_RETRY_HINT)


def _no_image(doing: str, error: BaseException) -> InfrastructureFault:
    return ImageMissing(f"{doing}: {_short(error)}", hint="Build the images with 'grader setup'.")


def _build(doing: str, error: BaseException) -> InfrastructureFault:
    if _disk_full(error):
        return _fault(doing, error)
    return ImageMissing(f"{doing}: {_short(error)}", hint="'grader setup' tries again; 'grader doctor' looks for why.")


def _gone(doing: str, error: BaseException) -> InfrastructureFault:
    return BoxLost(f"{doing}: {_short(error)}", hint=_RETRY_HINT)


def _fault(doing: str, error: BaseException) -> InfrastructureFault:
    hint = _DISK_HINT if _disk_full(error) else _RETRY_HINT
    return InfrastructureFault(f"{doing}: {_short(error)}", hint=hint)


def _os_error(doing: str, error: BaseException) -> InfrastructureFault:
    if isinstance(error, TimeoutError | socket.timeout):
        return _slow(doing, error)
    return _fault(doing, error) if _disk_full(error) else _unavailable(doing, error)


# The most specific class wins, as in an except chain. A test walks docker.errors and fails on a class
# that is not listed here, so that a new release of the SDK cannot slip one past.
TRANSLATIONS: dict[type[BaseException], Translation] = {
    docker.errors.ImageNotFound: _no_image,
    docker.errors.NotFound: _gone,
    docker.errors.APIError: _fault,
    docker.errors.BuildError: _build,
    docker.errors.ImageLoadError: _build,
    docker.errors.InvalidRepository: _no_image,
    docker.errors.ContainerError: _gone,
    docker.errors.ContextAlreadyExists: _wrong_place,
    docker.errors.ContextException: _wrong_place,
    docker.errors.ContextNotFound: _wrong_place,
    docker.errors.MissingContextParameter: _wrong_place,
    docker.errors.TLSParameterError: _wrong_place,
    docker.errors.InvalidConfigFile: _wrong_place,
    docker.errors.InvalidVersion: _wrong_place,
    docker.errors.InvalidArgument: _fault,
    docker.errors.DeprecatedMethod: _fault,
    docker.errors.NullResource: _fault,
    docker.errors.StreamParseError: _fault,
    docker.errors.DockerException: _unavailable,
    docker.credentials.errors.StoreError: _fault,
    requests.exceptions.Timeout: _slow,
    requests.exceptions.ConnectionError: _unavailable,
    requests.exceptions.RequestException: _fault,
    urllib3.exceptions.TimeoutError: _slow,
    urllib3.exceptions.ProxySchemeUnsupported: _wrong_place,
    urllib3.exceptions.HTTPError: _unavailable,
    http.client.HTTPException: _unavailable,
    OSError: _os_error,
}


@contextmanager
def translate(doing: str) -> Iterator[None]:
    """Turn whatever the SDK raises into our own exceptions, with the cause kept.

    Args:
        doing: What was being tried, as the start of a sentence: "starting the checker box".

    Raises:
        InfrastructureFault: Or one of its children, chosen by `TRANSLATIONS`. A TimeoutError that
            the caller itself raises in the block is translated too: raise it outside.
    """
    try:
        yield
    except tuple(TRANSLATIONS) as error:
        raise translation(error)(doing, error) from error


def translation(error: BaseException) -> Translation:
    """Return how an exception is translated: by the first of its ancestors that is listed."""
    return next(TRANSLATIONS[kind] for kind in type(error).__mro__ if kind in TRANSLATIONS)


def _errno(error: BaseException | None) -> int | None:
    """Find the operating system's error number: requests and urllib3 wrap it several deep."""
    seen = 0
    while error is not None and seen < 8:
        # a TLS error counts from 1 on its own, which would pass for "not permitted"
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ssl.SSLError):
            return error.errno
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _disk_full(error: BaseException) -> bool:
    return _errno(error) in (errno.ENOSPC, errno.EDQUOT) or "no space left on device" in str(error).lower()


def _short(error: BaseException) -> str:
    """Return one line of an error: the engine's own words where there are any."""
    own_words = getattr(error, "explanation", None) or getattr(error, "strerror", None)
    text = str(own_words or error) or type(error).__name__
    first = " ".join(text.split())
    return first if len(first) <= 300 else first[:297] + "..."
