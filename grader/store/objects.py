"""Kept files in an object store, or any other place that fsspec reaches by URL.

What a driver says is never passed on, as it may hold keys or signed addresses: its errors become words of ours. Not
handled: making buckets, their rights, and who else reads them. Keys come from where the driver looks for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

from grader.errors import StoreFailed, UsageError

_EXAMPLES = "Write it like s3://bucket/folder or gs://bucket/folder; leave GRADER_ARTEFACTS out to use a folder."

# What names of drivers' errors hold -> what happened, and what to do next.
_CAUSES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("permission", "forbidden", "accessdenied"),
        "refuses: there is no right to do this",
        "Give these keys the right to read, write, list and delete objects there.",
    ),
    (
        ("credential", "auth", "token", "unauthorized"),
        "needs keys that were not found, or does not accept them",
        "Set the keys where its driver looks for them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    (
        ("notfound", "nosuch"),
        "was not found",
        "Make the bucket, or correct GRADER_ARTEFACTS.",
    ),
    (
        ("timeout", "connect", "gaierror", "endpoint"),
        "does not answer",
        "Run the same command again when it does; what is finished is kept.",
    ),
)
_OTHERWISE = "Run the same command again; what is finished is kept."


class ArtefactObjects:
    """Files named by the SHA-256 of their content, below a URL; see `grader.store.artefacts.Artefacts`.

    Content is written under its final name at once: an object store shows an object when all of it is there. Where a
    place shows half of one, its size tells whoever writes the same again, and its digest tells whoever reads.

    Args:
        url: Such as `s3://bucket/folder`.

    Raises:
        UsageError: There is no such kind of place, or its package is not installed.
    """

    def __init__(self, url: str) -> None:
        """Nothing is connected yet."""
        self.name = shown(url)
        self._system, self._root = _open(url, self.name)

    def put(self, content: bytes) -> str:
        """Keep content, and return its digest.

        Raises:
            StoreFailed: It could not be written, or not whole.
        """
        digest = hashlib.sha256(content).hexdigest()
        place = self._place(digest)
        with self._translated("Nothing can be kept"):
            if self._size(place) == len(content):
                return digest
            self._system.pipe_file(place, content)
            if self._size(place) != len(content):
                raise StoreFailed(
                    f"Nothing can be kept in {self.name}: {digest} arrived there in part.", hint=_OTHERWISE
                )
        return digest

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            StoreFailed: It is not there, or not what was kept.
        """
        with self._translated(f"The artefact {digest} cannot be read"):
            try:
                content: bytes = self._system.cat_file(self._place(digest))
            except FileNotFoundError as error:
                raise StoreFailed(
                    f"The artefact {digest} is not in {self.name}.",
                    hint="Restore it from a backup, or correct GRADER_ARTEFACTS.",
                ) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreFailed(
                f"The artefact {digest} in {self.name} was changed or damaged since it was kept.",
                hint="Restore it from a backup.",
            )
        return content

    def remove(self, digest: str) -> None:
        """Remove content; whether nobody needs it any more is the caller's to know.

        Raises:
            StoreFailed: It is there and cannot be removed.
        """
        with self._translated(f"The artefact {digest} cannot be removed"):
            try:
                self._system.rm_file(self._place(digest))
            except FileNotFoundError:
                bucket = self._root.partition("/")[0]
                if bucket and not self._system.exists(bucket):  # it may lie in another one, so it is not gone
                    raise

    def _size(self, place: str) -> int | None:
        """Bytes of an object; None when it is not there."""
        self._system.invalidate_cache()  # others write there, too
        try:
            return int(self._system.info(place)["size"])
        except FileNotFoundError:
            return None

    def _place(self, digest: str) -> str:
        return f"{self._root}/{digest[:2]}/{digest}"

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except StoreFailed:
            raise
        except Exception as error:  # drivers have no tree of errors in common
            _explain(error, what, self.name)


def _explain(error: Exception, what: str, name: str) -> NoReturn:
    """Raise words for what a driver raised."""
    kinds = " ".join(kind.__name__.lower() for kind in type(error).__mro__)
    for signs, happened, hint in _CAUSES:
        if any(sign in kinds for sign in signs):
            raise StoreFailed(f"{what}: {name} {happened}.", hint=hint) from error
    raise StoreFailed(f"{what}: {name} failed ({type(error).__name__}).", hint=_OTHERWISE) from error


def shown(url: str) -> str:
    """A URL as people may see it: without names, passwords and signatures."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def _open(url: str, name: str) -> tuple[Any, str]:
    try:
        import fsspec
        from fsspec.registry import known_implementations
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The package {error.name} is not installed, which {name} needs.",
            hint="Type: pip install 'grader[objects]'",
        ) from error
    protocol = url.partition("://")[0]
    if "::" in url or protocol not in fsspec.available_protocols():
        raise UsageError(f"GRADER_ARTEFACTS cannot be used: there is no way to {name}.", hint=_EXAMPLES)
    options = {"auto_mkdir": True} if protocol == "local" else {}
    try:
        system, root = fsspec.url_to_fs(url, **options)
    except ImportError as error:
        needed = known_implementations[protocol].get("err", "Its driver is missing")
        raise UsageError(f"A package is not installed, which {name} needs.", hint=f"{needed}.") from error
    except Exception as error:  # keys that cannot be used, a malformed address
        raise UsageError(
            f"GRADER_ARTEFACTS cannot be used: {name} ({type(error).__name__}).", hint=_EXAMPLES
        ) from error
    return system, str(root).rstrip("/")
