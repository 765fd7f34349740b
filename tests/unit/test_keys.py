"""Keys: made once, for the owner only, never half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.errors import InfrastructureFault, UsageError
from grader.keys import LADDER_KEY, Keyring


def test_makes_each_key_once(tmp_path: Path) -> None:
    keys = Keyring(tmp_path / "config")
    assert keys.signing_key() == Keyring(tmp_path / "config").signing_key()
    assert keys.signing_key() != keys.server_key()


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    Keyring(tmp_path / "config").server_key()
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "config").iterdir()}
    assert modes == {"server.key": 0o600}
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o700


def test_processes_that_race_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Keyring(tmp_path).server_key(), range(32)))
    assert len(keys) == 1


def test_refuses_a_key_that_others_can_read(tmp_path: Path) -> None:
    Keyring(tmp_path).signing_key()
    (tmp_path / "signing.key").chmod(0o644)
    with pytest.raises(UsageError, match="read by others") as refused:
        Keyring(tmp_path).signing_key()
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("content", ["", "zz", "00" * 31])
def test_refuses_a_damaged_key(tmp_path: Path, content: str) -> None:
    path = tmp_path / "signing.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InfrastructureFault, match="does not hold a key"):
        Keyring(tmp_path).signing_key()


def test_ladders_have_worlds_that_every_installation_can_draw_and_sheets_that_its_own_key_signs(tmp_path: Path) -> None:
    one, other = Keyring(tmp_path / "one"), Keyring(tmp_path / "other")
    assert one.for_ladders().server_key() == other.for_ladders().server_key() == LADDER_KEY
    assert one.for_ladders().signing_key() == one.signing_key() != other.signing_key()
    assert LADDER_KEY not in {one.server_key(), other.server_key()}
