"""Whether two files decode to the same pixels, samples or words."""

from drift.score import Score
from drift.side import Side


class Decoded:
    """1 when the content digests agree (see docs/formats/metrics.md for the bytes hashed), else 0."""

    name = "decoded"
    version = 1
    media = "any"
    unit = "equal"
    higher_is_better = True

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Compare the digests of decoded content."""
        equal = reference.content == candidate.content
        return Score("decoded/1", float(equal), self.unit, higher_is_better=True)
