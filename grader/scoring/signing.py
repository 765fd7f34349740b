"""Signing and verifying sheets: Ed25519 (RFC 8032) over canonical JSON (RFC 8785)."""

from __future__ import annotations

import base64
import binascii
import hashlib

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from grader.model.sheet import ScoreSheet, Signature


def public_key(private_key: bytes) -> str:
    """Return the base64 public half of a 32-byte private key."""
    return _text(Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw())


def sign(sheet: ScoreSheet, private_key: bytes) -> ScoreSheet:
    """Return the sheet with a signature by this 32-byte private key; an old signature is replaced."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    signature = Signature(public_key=public_key(private_key), value=_text(key.sign(_signed_bytes(sheet))))
    return sheet.model_copy(update={"signature": signature})


def is_genuine(sheet: ScoreSheet) -> bool:
    """Whether the sheet is just as it was when its signature was made.

    Says nothing of who made it: compare `sheet.signature.public_key` with a key that you trust. A sheet that was
    read from a file is also taken as it stands there: it lacks the fields that sheets gained since it was signed.
    """
    if sheet.signature is None:
        return False
    try:
        contents = _signed_bytes(sheet), _bytes_as_read(sheet)
    except rfc8785.CanonicalizationError:  # a number that RFC 8785 has no text for, so that nobody has signed it
        return False
    return any(_verifies(sheet.signature, content) for content in contents)


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


def _bytes_as_read(sheet: ScoreSheet) -> bytes:
    return rfc8785.dumps(sheet.model_dump(mode="json", exclude={"signature"}, exclude_unset=True))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
