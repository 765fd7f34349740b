"""Signatures: any change is noticed, and who signed can be told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from grader.model.sheet import ScoreSheet
from grader.scoring.signing import fingerprint, is_genuine_text, public_key, sign
from tests.factories import make_faulted_sheet, make_notebook_sheet, make_rejected_sheet, make_sheet
from tests.signatures import is_genuine

KEY, OTHER = b"\1" * 32, b"\2" * 32


def test_a_signed_sheet_survives_its_file() -> None:
    signed = sign(make_sheet(), KEY)
    assert is_genuine(ScoreSheet.model_validate_json(signed.model_dump_json(indent=4)))


@pytest.mark.parametrize("change", [{"candidate": "Eve"}, {"earned": 100}, {"observations": ("x",)}, {"run": "f" * 32}])
def test_any_change_is_noticed(change: dict[str, Any]) -> None:
    signed = sign(make_sheet(), KEY)
    forged = ScoreSheet.model_validate(signed.model_dump() | change)
    assert not is_genuine(forged)


def signed_file(content: dict[str, Any]) -> dict[str, Any]:
    """Sign a sheet's JSON as it stands."""
    signer = Ed25519PrivateKey.from_private_bytes(KEY)
    value = base64.b64encode(signer.sign(rfc8785.dumps(content))).decode()
    return content | {"signature": {"public_key": public_key(KEY), "value": value}}


@pytest.mark.parametrize("make", [make_sheet, make_notebook_sheet, make_faulted_sheet, make_rejected_sheet])
def test_a_file_is_genuine_however_it_is_laid_out(make: Callable[[], ScoreSheet]) -> None:
    text = sign(make(), KEY).model_dump_json()
    assert is_genuine_text(text.encode())
    assert is_genuine_text(json.dumps(json.loads(text), indent=7, sort_keys=True).encode())


@pytest.mark.parametrize(
    ("signed", "changed"),
    [
        ('"candidate":"Ada', '"candidate":"Mallory","candidate":"Ada'),  # some readers take the first
        ('"earned":76.4', '"earned":99.0,"earned":76.4'),
        ('"earned":76.4', '"earned":76.404'),  # rounded to 76.4 when it is read
        ('"earned":76.4', '"earned":"76.4"'),
        ('"earned":76.4', '"earned":NaN'),
        ('{"', '{"note":"","'),
        ('{"', '[{"'),
        ('"signature":', '"signed":'),
    ],
)
def test_what_a_lenient_reader_would_overlook_is_not_genuine(signed: str, changed: str) -> None:
    text = sign(make_sheet(), KEY).model_dump_json()
    assert signed in text
    assert not is_genuine_text(text.replace(signed, changed, 1).encode())


def test_a_number_that_cannot_be_signed_is_not_genuine() -> None:
    signed = sign(make_sheet(), KEY)
    resources = signed.resources.model_copy(update={"peak_memory": 2**53 + 1})
    assert not is_genuine(signed.model_copy(update={"resources": resources}))


def test_a_sheet_stays_genuine_when_sheets_gain_fields() -> None:
    content = make_sheet().model_dump(mode="json", exclude={"signature"})
    del content["decision"], content["provenance"]["limits"]["call_seconds"]
    old = signed_file(content)
    assert is_genuine_text(json.dumps(old).encode())
    assert ScoreSheet.model_validate(old).decision is None
    added = make_notebook_sheet().model_dump(mode="json")["decision"]
    for change in ({"earned": 100}, {"decision": added}):
        assert not is_genuine_text(json.dumps(old | change).encode())


def test_nothing_can_be_taken_from_a_signed_sheet() -> None:
    content = sign(make_notebook_sheet(), KEY).model_dump(mode="json")
    del content["decision"]
    assert not is_genuine_text(json.dumps(content).encode())


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
