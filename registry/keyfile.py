"""Ed25519 keys in files: PKCS#8 PEM, readable by their owner only, encrypted when a passphrase is given."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.locking import sync_folder
from registry.log.errors import LogUnusable
from registry.signing import keyid_of


class FileSigner:
    """Signs with a key that lies in a file."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Take a key already loaded; use ``create`` or ``load``."""
        self._key = key
        self._public = key.public_key().public_bytes_raw()
        self._keyid = keyid_of(self._public)

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the raw public key."""
        return self._keyid

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of ``message``."""
        return self._key.sign(message)

    @classmethod
    def create(cls, path: Path, passphrase: str | None = None) -> "FileSigner":
        """Mint a key and write it durably, for the owner's eyes only.

        Raises:
            LogUnusable: a file of that name exists (a key is never overwritten), or it cannot be written.
        """
        key = Ed25519PrivateKey.generate()
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            protection = serialization.BestAvailableEncryption(passphrase.encode())
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        try:
            _write_once(path, pem)
        except FileExistsError:
            raise LogUnusable(f"{path}: a key is there already; keys are never overwritten, move it away") from None
        except OSError as problem:
            raise LogUnusable(f"{path}: the key cannot be written ({problem.strerror}); free space or rights") from None
        return cls(key)

    @classmethod
    def load(cls, path: Path, passphrase: str | None = None) -> "FileSigner":
        """Read a key file.

        Raises:
            LogUnusable: missing, readable by others, not a PKCS#8 Ed25519 key, or the passphrase is wrong or missing.
        """
        try:
            mode = path.stat().st_mode
            pem = path.read_bytes()
        except OSError as problem:
            raise LogUnusable(f"{path}: the key cannot be read ({problem.strerror}); restore it from backup") from None
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise LogUnusable(
                f"{path}: others can read or change this key; run `chmod 600 {path}` and consider a rotation"
            )
        try:
            key = serialization.load_pem_private_key(pem, passphrase.encode() if passphrase is not None else None)
        except TypeError:  # how the library says that passphrase and encryption do not go together
            need = "has no passphrase; leave it out" if passphrase is not None else "needs its passphrase"
            raise LogUnusable(f"{path}: the key {need}") from None
        except (ValueError, UnsupportedAlgorithm):
            raise LogUnusable(f"{path}: not a PKCS#8 key, or another passphrase; restore it from a backup") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise LogUnusable(f"{path}: not an Ed25519 key; mint one with `mintmark init` or `mintmark key rotate`")
        return cls(key)


def _write_once(path: Path, data: bytes) -> None:
    """Create ``path`` with ``data``, or fail and leave nothing behind."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # half a key would block the next attempt
        raise
    sync_folder(path.parent)
