"""Whether two files are byte for byte the same."""

from drift.score import Score
from drift.side import Side


class FileBytes:
    """1 when the BLAKE3 digests of the files agree, else 0."""

    name = "bytes"
    version = 1
    media = "any"
    unit = "equal"
    higher_is_better = True

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Compare the files' digests."""
        equal = reference.digest == candidate.digest
        return Score("bytes/1", float(equal), self.unit, higher_is_better=True)
