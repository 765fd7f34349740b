"""The two secrets of an installation: the key that signs sheets, and the key that variants are drawn from.

Made on first use under the user's config folder, readable by the owner only. Losing the signing
key means that old sheets can still be verified by whoever kept its public half; losing the server
key means that old variants cannot be rebuilt.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from grader.errors import InfrastructureFault, UsageError

KEY_BYTES = 32
SIGNING, SERVER = "signing.key", "server.key"

LADDER_KEY = hashlib.sha256(b"grader ladder 1").digest()
"""What the worlds of solution ladders are drawn from: no secret, and no candidate's world comes from it."""


class Keyring:
    """Reads the keys of an installation, making those that are not there.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made yet."""
        self.folder = folder

    def signing_key(self) -> bytes:
        """Return the 32-byte Ed25519 private key (RFC 8032) that signs sheets."""
        return self._key(SIGNING)

    def server_key(self) -> bytes:
        """Return the 32-byte secret that hidden seeds are derived from."""
        return self._key(SERVER)

    def for_ladders(self) -> Keyring:
        """Return a keyring with the same signing key that draws worlds everybody can draw again."""
        return _LadderKeyring(self.folder)

    def _key(self, name: str) -> bytes:
        path = self.folder / name
        try:
            with suppress(FileExistsError):
                self._make(path)
            content = path.read_text("ascii").strip()
            if path.stat().st_mode & 0o077:
                raise UsageError(
                    f"{path} can be read by others.", hint=f"Restrict it: chmod 600 {path}, and chmod 700 {self.folder}"
                )
        except (OSError, UnicodeDecodeError) as error:
            raise InfrastructureFault(
                f"The key {path} cannot be read or made: {error}",
                hint="Make the folder writable, or set GRADER_CONFIG_DIR to another one.",
            ) from error
        try:
            key = bytes.fromhex(content)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise InfrastructureFault(
                f"{path} does not hold a key.", hint="Restore it from a backup, or move it away to get a new one."
            )
        return key

    def _make(self, path: Path) -> None:
        """Write a new key under another name first, so that a crash leaves no half key."""
        if path.exists():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # fails when another process was quicker; then its key counts
        finally:
            draft.unlink()


class _LadderKeyring(Keyring):
    def server_key(self) -> bytes:
        """Return the published key of `LADDER_KEY`."""
        return LADDER_KEY
