"""What is taken for the address of a git repository, and what of it is told."""

from __future__ import annotations

import pytest

from grader.intake.addresses import Address, repository


@pytest.mark.parametrize(
    ("text", "url", "commit", "name"),
    [
        ("https://host.example/ada/work.git", "https://host.example/ada/work.git", "HEAD", "work"),
        ("https://host.example/ada/work.git#v1.0", "https://host.example/ada/work.git", "v1.0", "work"),
        ("git@host.example:ada/work.git#feature/x", "git@host.example:ada/work.git", "feature/x", "work"),
        ("ssh://git@host.example:2222/w.git/", "ssh://git@host.example:2222/w.git", "HEAD", "w"),
        ("file:///srv/git/w\xf6rk.git", "file:///srv/git/w\xf6rk.git", "HEAD", "w-rk"),
    ],
)
def test_an_address_that_ends_in_git(text: str, url: str, commit: str, name: str) -> None:
    assert repository(text) == Address(url=url, commit=commit, name=name)


@pytest.mark.parametrize(
    "text",
    [
        "https://host.example/ada/work.zip",
        "http://host.example/ada/work.git",
        "ext::sh -c id .git",
        "-oProxyCommand=id@host:w.git",
        "git@-oProxyCommand=id:w.git",
        "https://host.example/w.git#--upload-pack=id",
        "https://host.example/w.git#a..b",
        "https://host.example/w w.git",
        "submissions/work.git",
        "https://host.example/w.git\n",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert repository(text) is None


def test_passwords_and_tokens_are_not_told() -> None:
    address = repository("https://ada:t0ken@host.example/ada/work.git#main")
    assert address is not None
    assert address.shown == "https://host.example/ada/work.git#main"
    assert address.without_secrets(f"fatal: no {address.url}") == "fatal: no https://host.example/ada/work.git"
