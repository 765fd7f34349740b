"""Addresses of git repositories, as a list of candidates may name them. Nothing is fetched here."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REPOSITORY = re.compile(
    r"(?P<url>(?:(?:https|ssh|file)://|[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}@[A-Za-z0-9][A-Za-z0-9.-]{0,200}:)"
    r"[^\s#?]{0,500}?(?P<name>[^\s#?/:]{1,100})\.git)/?(?:#(?P<commit>[A-Za-z0-9][A-Za-z0-9._/-]{0,200}))?"
)
_SECRET = re.compile(r"(?<=//)[^/@\s]{0,500}@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A commit of a repository.

    Attributes:
        url: Of the repository, for git.
        commit: A branch, a tag or a commit's id; "HEAD" for what the repository shows first.
        name: What the repository is called.
    """

    url: str
    commit: str
    name: str

    @property
    def shown(self) -> str:
        """The address without password and token."""
        told = self.without_secrets(self.url)
        return told if self.commit == "HEAD" else f"{told}#{self.commit}"

    def without_secrets(self, text: str) -> str:
        """Take passwords and tokens of addresses out of a text."""
        return _SECRET.sub("", text)


def repository(text: str) -> Address | None:
    """Read the address of a repository: it ends in `.git`, perhaps with `#branch` behind it; None for anything else."""
    found = _REPOSITORY.fullmatch(text)
    if found is None or ".." in (found["commit"] or ""):
        return None
    name = re.sub(r"[^A-Za-z0-9._-]", "-", found["name"]).lstrip(".-") or "repository"
    return Address(url=found["url"], commit=found["commit"] or "HEAD", name=name)
