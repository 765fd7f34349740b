"""Signatures: any change is noticed, and who signed can be told."""

from __future__ import annotations

from typing import Any

import pytest

from grader.model.sheet import ScoreSheet
from grader.scoring.signing import fingerprint, is_genuine, public_key, sign
from tests.factories import make_sheet

KEY, OTHER = b"\1" * 32, b"\2" * 32


def test_a_signed_sheet_survives_its_file() -> None:
    signed = sign(make_sheet(), KEY)
    assert is_genuine(ScoreSheet.model_validate_json(signed.model_dump_json(indent=4)))


@pytest.mark.parametrize("change", [{"candidate": "Eve"}, {"earned": 100}, {"observations": ("x",)}, {"run": "f" * 32}])
def test_any_change_is_noticed(change: dict[str, Any]) -> None:
    signed = sign(make_sheet(), KEY)
    forged = ScoreSheet.model_validate(signed.model_dump() | change)
    assert not is_genuine(forged)


def test_a_signature_does_not_fit_another_sheet() -> None:
    other = make_sheet(candidate="Eve").model_copy(update={"signature": sign(make_sheet(), KEY).signature})
    assert not is_genuine(other)


def test_an_unsigned_sheet_is_not_genuine() -> None:
    assert not is_genuine(make_sheet(signature=None))


def test_signing_again_tells_another_signer() -> None:
    again = sign(sign(make_sheet(), KEY), OTHER)
    assert is_genuine(again)
    assert again.signature is not None
    assert again.signature.public_key == public_key(OTHER) != public_key(KEY)
    assert fingerprint(public_key(KEY)) != fingerprint(public_key(OTHER))
