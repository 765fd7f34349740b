"""Which world a candidate is graded in."""

from __future__ import annotations

import hashlib
import hmac

from grader.model.exercise import Exercise, Variant

SHARED = "shared"
_OWN = "candidate "


def variant_for(exercise: Exercise, server_key: bytes, candidate: str | None) -> Variant:
    """Derive the hidden variant of a candidate, or the one shared by all when nobody is named.

    The seed is HMAC-SHA256 (RFC 2104) under the installation's server key, so that knowing one
    seed, or this code, tells nothing of another.

    Args:
        exercise: The exercise at its version.
        server_key: 32 secret bytes.
        candidate: The candidate's name, or None.
    """
    label = SHARED if candidate is None else f"{_OWN}{candidate}"
    message = "\0".join(("grader variant 1", label, exercise.id, exercise.manifest.version)).encode()
    seed = hmac.digest(server_key, message, "sha256")
    return Variant(
        exercise=exercise.id,
        version=exercise.manifest.version,
        label=label,
        seed=seed.hex(),
        commitment=commitment(seed.hex()),
    )


def named_in(label: str) -> str | None:
    """Whose variant has this label; None for the one shared by all."""
    return label[len(_OWN) :] if label.startswith(_OWN) else None


def commitment(seed: str) -> str:
    """What a sheet says of a seed: SHA-256 over a fixed prefix and the seed's hexadecimal digits.

    Binding, and hiding because seeds have 256 bits; whoever is shown the seed later can check it.
    """
    return hashlib.sha256(f"grader seed commitment 1\n{seed}".encode()).hexdigest()
