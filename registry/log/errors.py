"""Errors of the log, its proofs and its signatures.

RegistryError (registry.errors)      exit
└── LogError                         1    the log, or what claims to come from it, is not as it should be
    ├── ProofRefused                 1    a Merkle proof does not lead to the root
    ├── NoteRefused                  1    text that is no signed note, checkpoint, key or proof
    ├── SignatureRefused             1    a signature is false, or not written the one allowed way
    ├── LogForked                    1    one size, two roots
    ├── LogTruncated                 1    the log is shorter than a checkpoint it signed
    ├── LeafRefused                  1    bytes that are no log entry of this format
    ├── UnknownSigner                4    no signature by a key that the verifier trusts
    ├── NewerLeaf                    4    a log entry of a format newer than this program
    └── LogUnusable                  3    no key record yet, no such entry, a key file that cannot be used
"""

from registry.errors import RegistryError


class LogError(RegistryError):
    """The log, or something that claims to come from it, is not as it should be."""

    exit_code = 1


class ProofRefused(LogError):
    """A Merkle proof that proves nothing."""

    def __init__(self, why: str) -> None:
        """Say which check failed."""
        super().__init__(f"Merkle proof refused: {why}; ask the log's operator for a new proof, and keep this one")


class NoteRefused(LogError):
    """Text that does not have the one allowed form."""

    def __init__(self, what: str, why: str) -> None:
        """Say what it was read as, and where it fails."""
        super().__init__(f"{what} refused: {why}; take the bytes unchanged from where they were published")
        self.what, self.why = what, why


class SignatureRefused(LogError):
    """A signature that does not hold."""

    def __init__(self, what: str, why: str) -> None:
        """Say whose signature it claims to be and why it does not count."""
        super().__init__(f"signature of {what} refused: {why}; do not rely on what it covers")
        self.what, self.why = what, why


class UnknownSigner(LogError):
    """Well-formed, but signed by nobody the verifier trusts."""

    exit_code = 4

    def __init__(self, what: str, names: list[str]) -> None:
        """Name who did sign."""
        who = ", ".join(names) or "nobody"
        super().__init__(f"{what} is signed by {who}, none of which is trusted here; get the trust file from its owner")


class LogForked(LogError):
    """One size, two roots: history was rewritten."""

    def __init__(self, size: int, *, signed: str, found: str) -> None:
        """Name both roots (base64)."""
        super().__init__(
            f"the log forked: at size {size} it signed root {signed} but its entries give {found}; "
            "stop writing and compare with a checkpoint kept elsewhere"
        )


class LogTruncated(LogError):
    """The log is shorter than a checkpoint that it signed."""

    def __init__(self, size: int, signed: int) -> None:
        """Name both sizes."""
        super().__init__(
            f"the log has {size} entries but once signed a checkpoint over {signed}; "
            "restore the missing ones, or continue as a new log with `mintmark log continue --from CHECKPOINT`"
        )


class LeafRefused(LogError):
    """Bytes that are no log entry."""

    def __init__(self, why: str) -> None:
        """Say what is wrong with them."""
        super().__init__(f"log entry refused: {why}; run `mintmark log audit`")
        self.why = why


class NewerLeaf(LogError):
    """A log entry from a newer program."""

    exit_code = 4

    def __init__(self, version: int) -> None:
        """Name the version found."""
        super().__init__(f"log entry of version {version}: this program reads version 1; install the newer mintmark")


class LogUnusable(LogError):
    """The log or its keys cannot be used as they are."""

    exit_code = 3
