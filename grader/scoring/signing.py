"""Signing and verifying sheets: Ed25519 (RFC 8032) over canonical JSON (RFC 8785)."""

from __future__ import annotations

import base64
import binascii
import hashlib

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from grader.frames import BrokenFrame, strict_json
from grader.model.sheet import ScoreSheet, Signature

DEPTH_CAP = 64


def public_key(private_key: bytes) -> str:
    """Return the base64 public half of a 32-byte private key."""
    return _text(Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw())


def sign(sheet: ScoreSheet, private_key: bytes) -> ScoreSheet:
    """Return the sheet with a signature by this 32-byte private key; an old signature is replaced."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    signature = Signature(public_key=public_key(private_key), value=_text(key.sign(_signed_bytes(sheet))))
    return sheet.model_copy(update={"signature": signature})


def is_genuine_text(content: bytes) -> bool:
    """Whether the JSON of a sheet says just what was signed; layout and the order of keys say nothing.

    Says nothing of who made it: compare the signature's public key with one that you trust. Fields that sheets gained
    since it was signed are not in it, and not missed.

    Reading is lenient: of a key that stands twice the last one counts, and points are rounded to hundredths. Somebody
    else may read the same text in another way, so that here every value of it counts as it stands.
    """
    try:
        values = strict_json(content, depth=DEPTH_CAP)
        signature = Signature.model_validate(values.pop("signature"))
        return _verifies(signature, rfc8785.dumps(values))
    except (BrokenFrame, ValidationError, AttributeError, KeyError, rfc8785.CanonicalizationError):
        return False


def _verifies(signature: Signature, content: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature.public_key, validate=True))
        key.verify(base64.b64decode(signature.value, validate=True), content)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def fingerprint(key: str) -> str:
    """A short name for a base64 public key, for people to compare."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return ":".join(digest[index : index + 4] for index in range(0, 16, 4))


def _signed_bytes(sheet: ScoreSheet) -> bytes:
    return rfc8785.dumps(sheet.model_dump(mode="json", exclude={"signature"}))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
