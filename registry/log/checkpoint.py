"""C2SP checkpoints: a log's size and root as a signed note.

Only one spelling of each note is read: no CR, no leading zeros, no other
base64 form, no extension lines, no text after the last signature. Signature
lines by unknown keys (witnesses) are kept byte for byte.

Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.encoding import decode64, encode64
from registry.log.errors import NoteRefused, SignatureRefused, UnknownSigner
from registry.log.merkle import WIDTH
from registry.signing import Signer

ED25519 = b"\x01"
LONGEST = 1 << 20  # bytes of a note; C2SP asks for room for 16 signatures of up to 5 KB
MOST_SIGNATURES = 64

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_KEY_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_LINE = re.compile(r"— ([^\s+\x00-\x1f\x7f]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Who may sign, as ``name+8 hex digits+base64(0x01 || public key)``."""

    name: str
    public: bytes  # 32 bytes, Ed25519

    def __post_init__(self) -> None:
        if not _KEY_NAME.fullmatch(self.name):
            raise NoteRefused("verifier key", f"{self.name!r} has white space or a plus sign, or is empty")
        if len(self.public) != 32:
            raise NoteRefused("verifier key", f"an Ed25519 key has 32 bytes, not {len(self.public)}")

    @property
    def key_hash(self) -> bytes:
        """Four bytes that say which key a signature line belongs to; not a fingerprint to trust."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{encode64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read the one-line form.

        Raises:
            NoteRefused: malformed, another algorithm, or the hash is not that of the key.
        """
        name, _, rest = text.partition("+")
        digits, _, material = rest.partition("+")
        raw = decode64(material, "verifier key")
        if raw[:1] != ED25519:
            raise NoteRefused("verifier key", f"{name}: not an Ed25519 key for plain signatures")
        key = cls(name, raw[1:])
        if digits != key.key_hash.hex():
            raise NoteRefused("verifier key", f"{name}: its hash {digits[:16]!r} is not {key.key_hash.hex()!r}")
        return key

    def verify(self, text: bytes, signature: bytes) -> None:
        """Check a signature over a note's text.

        Raises:
            SignatureRefused: it does not hold.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            raise SignatureRefused(self.name, "it does not match the text") from None


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who, which key, and the bytes."""

    name: str
    key_hash: bytes  # 4 bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {encode64(self.key_hash + self.signature)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log claims about itself: so many entries, this root."""

    origin: str
    size: int
    root: bytes  # 32 bytes
    signatures: tuple[NoteSignature, ...] = ()

    def __post_init__(self) -> None:
        if not _KEY_NAME.fullmatch(self.origin):
            raise NoteRefused("checkpoint", f"origin {self.origin!r} has white space or a plus sign, or is empty")
        if len(self.root) != WIDTH:
            raise NoteRefused("checkpoint", f"a root has {WIDTH} bytes, not {len(self.root)}")
        if not _SIZE.fullmatch(str(self.size)):
            raise NoteRefused("checkpoint", f"{self.size} is not a size")

    @property
    def text(self) -> bytes:
        """The signed part."""
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n".encode()

    @property
    def note(self) -> bytes:
        """The text, an empty line, and the signature lines."""
        return self.text + b"\n" + "".join(f"{line}\n" for line in self.signatures).encode()

    @classmethod
    def parse(cls, note: bytes) -> "Checkpoint":
        """Read a note; ``parse(note).note == note`` always.

        Raises:
            NoteRefused: anything else than the one form.
        """
        if len(note) > LONGEST:
            raise NoteRefused("checkpoint", f"longer than {LONGEST} bytes")
        try:
            lines = note.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            raise NoteRefused("checkpoint", "it is not UTF-8") from None
        if len(lines) < 6 or lines[3] or lines[-1]:
            raise NoteRefused("checkpoint", "it is not origin, size, root, an empty line and signatures")
        origin, size, root = lines[:3]
        if not _SIZE.fullmatch(size):
            raise NoteRefused("checkpoint", f"{size[:40]!r} is not a size")
        signatures = _signatures(lines[4:-1])
        read = cls(origin, int(size), decode64(root, "checkpoint"), signatures)
        if read.note != note:
            raise NoteRefused("checkpoint", "it is not written the one allowed way")
        return read

    def verify(self, trust: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Check every signature by a trusted key; one of them must be the log's own, named by the origin.

        Returns:
            The trusted keys that signed.

        Raises:
            SignatureRefused: a signature that names a trusted key is false.
            UnknownSigner: no trusted key of this origin signed.
        """
        known = {(key.name, key.key_hash): key for key in trust}
        signed = []
        for line in self.signatures:
            key = known.get((line.name, line.key_hash))
            if key:
                key.verify(self.text, line.signature)
                signed.append(key)
        if not any(key.name == self.origin for key in signed):
            raise UnknownSigner(f"checkpoint {self.size} of {self.origin}", [line.name for line in self.signatures])
        return tuple(signed)


def sign_checkpoint(origin: str, size: int, root: bytes, signer: Signer) -> Checkpoint:
    """A checkpoint signed by the log's key, named by the origin."""
    key = VerifierKey(origin, signer.public)
    bare = Checkpoint(origin, size, root)
    return Checkpoint(origin, size, root, (NoteSignature(origin, key.key_hash, signer.sign(bare.text)),))


def _signatures(lines: list[str]) -> tuple[NoteSignature, ...]:
    if len(lines) > MOST_SIGNATURES:
        raise NoteRefused("checkpoint", f"more than {MOST_SIGNATURES} signatures")
    signatures = []
    seen = set()
    for line in lines:
        found = _LINE.fullmatch(line)
        if not found:
            raise NoteRefused("checkpoint", f"{line[:60]!r} is not a signature line")
        raw = decode64(found[2], "signature line")
        if len(raw) < 5:
            raise NoteRefused("checkpoint", f"the signature by {found[1]} is too short")
        if (found[1], raw[:4]) in seen:
            raise NoteRefused("checkpoint", f"two signatures by {found[1]} with one key")
        seen.add((found[1], raw[:4]))
        signatures.append(NoteSignature(found[1], raw[:4], raw[4:]))
    return tuple(signatures)
