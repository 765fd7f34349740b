"""The base image's archive addresses come from the machine's own apt settings, in both formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import ImageMissing
from grader.sandbox.base_image import (
    apt_options,
    host_release_sources,
    parse_deb822,
    parse_one_line,
    read_sources,
    release_sources,
)

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main contrib # ours
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
deb http://security.example/debian-security bookworm-security main
deb https://vendor.example/apt stable main
"""

DEB822 = """\
Types: deb deb-src
# a comment between fields
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /keys/debian.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 abc
"""


def test_both_formats_lead_to_the_same_archives() -> None:
    expected = {
        "deb [signed-by=/keys/debian.gpg] http://mirror.example/debian trixie main",
        "deb http://security.example/debian-security trixie-security main",
    }
    for sources in (parse_one_line(ONE_LINE), parse_deb822(DEB822)):
        assert expected <= set(release_sources(sources, "bookworm").splitlines())


def test_disabled_and_commented_entries_are_left_out() -> None:
    uris = {source.uri for source in [*parse_one_line(ONE_LINE), *parse_deb822(DEB822)]}
    assert not uris & {"http://off.example/debian", "http://commented.example/debian"}


def test_updates_follow_where_the_host_has_them() -> None:
    text = release_sources(parse_deb822(DEB822), "bookworm")
    assert "http://mirror.example/debian trixie-updates main" in text


def test_the_first_mirror_wins() -> None:
    sources = parse_one_line("deb http://a.example/d bookworm main\ndeb http://b.example/d bookworm main\n")
    assert release_sources(sources, "bookworm") == "deb http://a.example/d trixie main\n"


@pytest.mark.parametrize(
    "line", ["deb http://ubuntu.example/u noble main", "deb http://x.example/d bookworm contrib", "deb broken", ""]
)
def test_other_archives_lead_nowhere(line: str) -> None:
    assert release_sources(parse_one_line(line), "bookworm") == ""


def test_reads_the_list_and_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://one.example/d bookworm main\n")
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (folder / "debian.sources").write_text(DEB822)
    (folder / "old.list.save").write_text("deb http://saved.example/d bookworm main\n")
    uris = [source.uri for source in read_sources(tmp_path)]
    assert uris == ["http://one.example/d", "http://mirror.example/debian", "http://security.example/debian-security"]


def test_a_mirror_that_was_chosen_goes_first(tmp_path: Path) -> None:
    assert (
        host_release_sources("http://own.example/debian", apt=tmp_path) == "deb http://own.example/debian trixie main\n"
    )


def test_a_machine_without_a_debian_archive_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ImageMissing) as caught:
        host_release_sources(None, apt=tmp_path)
    assert "GRADER_DEBIAN_MIRROR" in caught.value.hint


def test_proxies_and_certificates_go_along_and_nothing_else() -> None:
    dump = """\
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::CaInfo "/etc/ssl/own.pem";
Acquire::http::Proxy::internal.example "DIRECT";
Acquire::https::Proxy "";
Acquire::AllowInsecureRepositories "1";
APT::Get::AllowUnauthenticated "true";
"""
    assert [line.split()[0] for line in apt_options(dump)] == [
        "Acquire::http::Proxy",
        "Acquire::https::CaInfo",
        "Acquire::http::Proxy::internal.example",
    ]
