"""C2SP tlog-proof: one text file that shows an entry is in a log, readable by other tools too.

The entry itself travels in the ``extra`` line. Nothing in that line is
authenticated by itself; ``verify`` hashes it and follows the proof.

Source: c2sp.org/tlog-proof, version 1.
"""

import re
from dataclasses import dataclass

from registry.encoding import decode64, encode64
from registry.log.checkpoint import Checkpoint
from registry.log.errors import NoteRefused
from registry.log.merkle import leaf_hash, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST = 2 << 20  # bytes: a checkpoint, an entry, and 63 hashes fit many times

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class LogProof:
    """An entry, its index, the way to the root, and the checkpoint that signs that root."""

    body: bytes
    index: int
    hashes: tuple[bytes, ...]  # 32 bytes each, the leaf's sibling first
    checkpoint: Checkpoint

    @property
    def text(self) -> bytes:
        """The file's bytes."""
        lines = [HEADER, f"extra {encode64(self.body)}", f"index {self.index}", *map(encode64, self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint.note

    @classmethod
    def parse(cls, data: bytes) -> "LogProof":
        """Read a proof that carries its entry; ``parse(data).text == data`` always.

        Raises:
            NoteRefused: anything else than the one form.
        """
        if len(data) > LONGEST:
            raise NoteRefused("log proof", f"longer than {LONGEST} bytes")
        head, blank, note = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise NoteRefused("log proof", "its head is not ASCII") from None
        if not blank or len(lines) < 3 or lines[0] != HEADER:
            raise NoteRefused("log proof", f"it does not begin with {HEADER}, extra and index")
        word, _, extra = lines[1].partition(" ")
        index = _INDEX.fullmatch(lines[2])
        if word != "extra" or not index:
            raise NoteRefused("log proof", "its second and third lines are not extra and index")
        hashes = tuple(decode64(line, "log proof") for line in lines[3:])
        if any(len(value) != 32 for value in hashes):
            raise NoteRefused("log proof", "a hash is not 32 bytes long")
        return cls(decode64(extra, "log proof"), int(index[1]), hashes, Checkpoint.parse(note))

    def verify_inclusion(self) -> None:
        """Check that the entry leads to the checkpoint's root; whether to believe the checkpoint is another question.

        Raises:
            ProofRefused: it does not.
        """
        tree = self.checkpoint
        verify_inclusion(self.index, tree.size, leaf_hash(self.body), self.hashes, tree.root)
